"""What a result from outside can be at all: its fields' types, its texts, its numbers."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from benchmark.errors import plain
from benchmark.recipe import Protocol
from benchmark.records.bounds import BOUNDS, LARGEST, LEAST, MOST
from benchmark.records.shapes import check_field, check_made, is_name, is_plain
from benchmark.suite.model import METRICS

if TYPE_CHECKING:
    from benchmark.records.external import External

KINDS = ("external", "reported")
LONGEST = 300
"""Characters of what somebody declares."""
MOST_RUNS = 1000
MOST_LINES = 1000
DATA = ("dataset", "split", "resolution", "channels", "crop", "resize")
"""Fields of a recipe that measuring reads, too."""
PROTOCOL_FIELDS = {f.name for f in dataclasses.fields(Protocol)}


def check(record: External) -> None:
    """Raises ValueError where a field cannot be what it should be."""
    texts = (record.trained_by, record.measured_by, record.images, record.samples)
    if not (is_name(record.cell) and is_name(record.profile)) or "/" not in record.cell:
        raise ValueError("its cell or profile")
    if not isinstance(record.findings, list) or not isinstance(record.remarks, list):
        raise ValueError("its findings or remarks")
    lines = [*record.findings, *record.remarks, *record.prepared, *record.prepared.values()]
    if record.kind not in KINDS or any(not isinstance(t, str) for t in (*texts, *lines)):
        raise ValueError("its kind, texts or remarks")
    if any(len(t) > LONGEST or plain(t) != t for t in (*texts[:3], *lines)):
        raise ValueError(f"text of more than {LONGEST} characters, or that steers a terminal")
    if type(record.seed) is not int or not 0 <= record.seed < LARGEST or len(lines) > MOST_LINES:
        raise ValueError("its seed, or more remarks than there can be")
    if not isinstance(record.provenance, dict) or not is_plain(record.provenance):
        raise ValueError("its provenance")
    if record.real is not None and not is_name(record.real):
        raise ValueError("the real images' hash")
    if record.measure_version is not None and type(record.measure_version) is not int:
        raise ValueError("the version of the measuring code")
    _check_fields(record)
    if not record.numbers:
        raise ValueError("no numbers")
    for metric, runs in record.numbers.items():
        if metric not in METRICS or not 1 <= len(runs) <= (1 if record.kind == "external" else MOST_RUNS):
            raise ValueError(f"metric {metric}")
        for run in runs:
            _check_number(metric, run["value"], run.get("std"))
    if record.floor is not None:
        _check_floor(record.floor)


def _check_fields(record: External) -> None:
    """What it says of data and protocol: every field of its type, every number within range."""
    if record.protocol.keys() - PROTOCOL_FIELDS or not record.data.keys() <= set(DATA):
        raise ValueError("fields of its protocol or data")
    if record.kind == "external":
        check_made(Protocol.from_json(record.protocol))
    for name, value in (record.protocol | record.data).items():
        check_field(name, value)


def _check_number(metric: str, value: Any, std: Any = None) -> None:
    if any(type(v) not in (int, float) or not math.isfinite(v) for v in (value, 0 if std is None else std)):
        raise ValueError(f"{metric} is no number")
    if why := impossible(metric, value):
        raise ValueError(why)
    if any(0 < abs(v) < LEAST for v in (value, std or 0)):
        raise ValueError(f"{metric} is below {LEAST:g}, and not 0")
    if std is not None and not 0 <= std <= MOST:
        raise ValueError(f"{metric} has an impossible standard deviation")


def impossible(metric: str, value: float) -> str:
    """Why no measurement can give this value; "" if one can."""
    low, high = BOUNDS.get(metric, (-MOST, MOST))
    return "" if low <= value <= high else f"{metric} {value:g} is impossible (between {low:.2g} and {high:.6g})"


def _check_floor(floor: dict[str, Any]) -> None:
    if (
        not is_plain(floor)
        or not isinstance(floor["drawn"], str)
        or any(type(floor[key]) is not int for key in ("images", "against"))
    ):
        raise ValueError("its floor")
    for metric, number in floor["metrics"].items():
        _check_number(metric, number["value"], number.get("std"))
