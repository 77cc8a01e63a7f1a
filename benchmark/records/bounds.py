"""What a record can be at all: its fields' types, and its numbers. One outside of these bounds was not measured,
whatever its checksum says.

A checksum finds damage and careless edits; who edits a record can compute it anew. Bounds are cheap,
and catch what would flatter most: an FID below zero, a run that calls a hundredth of its steps the whole.
"""

from __future__ import annotations

import math
from typing import Any

import orjson

from benchmark.metrics.names import LEMMAS, PAIRS, SLOPES, STEEPEST, VALUES
from benchmark.records.boxes import disordered
from benchmark.records.record import Record

ROUNDING = 1e-3
"""How far below zero a distance may come out by rounding: FID subtracts traces of the order of 100 in float64."""

MOST = 1e60
"""Of any metric: far beyond float32, in which networks compute, and its fourth power is still a number."""

LEAST = 1e-60
"""Of any metric that is not 0: far below float32, and its fourth power is not 0 yet."""

LONGEST_S = 1e12
"""Of seconds: thirty thousand years."""

BOUNDS = {
    **dict.fromkeys(("FID", "tFID", "vFID"), (-ROUNDING, 1e6)),  # a squared distance; 1e6 is far beyond black images
    "IS": (1.0 - 1e-6, 1008.0 + 1e-6),  # exp of a mutual information with at most 1,008 classes (Inception's outputs)
    "KIDx1000": (-1e6, 1e9),  # unbiased, so that slightly negative values are right
    **dict.fromkeys(("precision", "recall"), (0.0, 1.0)),
    **dict.fromkeys(("L_Vg_Bz", "jac_D", "jac_V", "jac_G"), (0.0, MOST)),  # norms and their maxima
    **dict.fromkeys(
        (
            *("gap_real_fake", "gap_real_test", "gap_fake_test", "d_weight_grad", "feature_grad"),
            *(*SLOPES, *STEEPEST, *PAIRS, *VALUES[1:], *LEMMAS),
        ),
        (0.0, MOST),
    ),  # distances and norms
    **dict.fromkeys(("cosine", "cosine_centred", "chain_r"), (-1.0 - 1e-6, 1.0 + 1e-6)),
    **dict.fromkeys(("psi_ratio", "chain_p"), (0.0, 1.0 + 1e-6)),
    "effective_rank": (1.0 - 1e-6, MOST),
}
"""Metric -> smallest and largest value that a measurement can give. Others lie within ``MOST``."""

LARGEST = 2**63

DEEPEST = 20
"""Levels of a record's JSON. Those that ganbench writes have 5; what is nested without end, nothing can write again."""

MOST_BESIDE = 8_000_000
"""Bytes of each field but history and samples: nine thousand stretches of a run take so many."""

STATUSES = ("finished", "partial", "diverged")
NUMBERS = {int, float}
OR_NOTHING = {*NUMBERS, type(None)}


def check_depth(data: Any) -> None:
    """Raises ValueError where JSON is nested deeper than any record."""
    level = [data]
    for _ in range(DEEPEST):
        parts = (part for value in level for part in (value.values() if isinstance(value, dict) else value))
        if not (level := [part for part in parts if isinstance(part, (dict, list))]):
            return
    raise ValueError(f"nested more than {DEEPEST} deep")


def check_dense(content: bytes) -> None:
    """Raises ValueError where JSON is little but brackets, which take thirty times their bytes in memory; measurements
    have twenty bytes for each.
    """
    if content.count(b"{") + content.count(b"[") > 10_000 + len(content) // 16:
        raise ValueError("more lists and mappings than any record")


def check_beside(data: dict[str, Any]) -> None:
    """Raises ValueError where a field is larger than any of a record; history and samples may be."""
    for name, value in data.items():
        if isinstance(value, (dict, list)) and name != "history" and len(orjson.dumps(value)) > MOST_BESIDE:
            raise ValueError(f"{name[:40]} of more than {MOST_BESIDE:,} bytes")


def check_types(record: Record) -> None:
    """Raises ValueError unless every field has the shape that the rest of the code relies on."""
    whole = (record.seed, record.steps, record.total_steps, record.measure_version)
    if any(type(n) is not int or n < 0 for n in whole):
        raise ValueError("seed, steps and versions must be whole numbers")
    if any(type(n) not in (int, float) or not math.isfinite(n) for n in (record.epochs, *_all_seconds(record))):
        raise ValueError("epochs and seconds must be numbers")
    if any(
        not isinstance(s, str)
        for s in (
            record.run,
            record.evaluation,
            record.profile,
            record.cell,
            record.samples,
            record.content,
            record.subset,
        )
    ):
        raise ValueError("keys and names must be text")
    if (
        record.status not in STATUSES
        or not isinstance(record.provenance, dict)
        or not isinstance(record.provenance.get("segments", []), list)
    ):
        raise ValueError(f"status {record.status!r} or its provenance")
    if (record.final is None) != (record.status == "diverged") or not isinstance(record.history, list):
        raise ValueError("its measurements are missing")
    if record.planned is not None and (type(record.planned) is not int or record.planned < 0):
        raise ValueError("the number of seeds that were planned")
    _check_floor(record)
    for key, found in columns([*record.history, *([record.final] if record.final else [])]).items():
        parts = found if key in ("step", "epoch") else [v for measured in found for v in dict.values(measured)]
        if not set(map(type, parts)) <= (NUMBERS if parts is found else OR_NOTHING):
            raise ValueError(f"measurement {key!r}")


def _all_seconds(record: Record) -> list[float]:
    """All that it says of seconds."""
    return [record.train_s, record.eval_s, *(s for s in (record.train_cpu_s, record.eval_cpu_s) if s is not None)]


def _check_floor(record: Record) -> None:
    if record.real is not None and not isinstance(record.real, str):
        raise ValueError("the real images' hash")
    floor = record.floor
    if floor is None:
        return
    numbers = (
        isinstance(floor, dict)
        and isinstance(floor.get("metrics"), dict)
        and all(isinstance(m, dict) and type(m.get("value")) in (int, float) for m in floor["metrics"].values())
    )
    if (
        not numbers
        or not isinstance(floor.get("drawn"), str)
        or any(type(floor.get(k)) is not int for k in ("images", "against"))
    ):
        raise ValueError("its floor")


def impossible(record: Record) -> str | None:
    """What in ``record`` cannot be so, or None. Its types have been checked."""
    r = record
    if max(r.seed, r.steps, r.total_steps) >= LARGEST:
        return "a seed or a number of steps beyond 2^63"
    if min(r.epochs, r.train_s, r.eval_s, r.train_cpu_s or 0, r.eval_cpu_s or 0) < 0:
        return "negative epochs or seconds"
    if max(r.epochs, r.train_s, r.eval_s, r.train_cpu_s or 0, r.eval_cpu_s or 0) > LONGEST_S:
        return f"epochs or seconds beyond {LONGEST_S:g}"
    if r.steps > r.total_steps:
        return f"{r.steps:,} steps of {r.total_steps:,}"
    if (r.status == "finished" and r.steps != r.total_steps) or (r.status == "partial" and r.steps == r.total_steps):
        return f"status {r.status} at step {r.steps:,} of {r.total_steps:,}"
    if r.recipe.steps is not None and r.total_steps != r.recipe.steps:
        return f"{r.total_steps:,} steps in all, where its recipe says {r.recipe.steps:,}"
    if r.final and r.protocol.checkpoint == "last" and (last := r.final.get("step")) != r.steps:
        return (
            f"its last measurement is of step {f'{last:,}' if last is not None else 'unknown'} of {r.steps:,}, "
            "and its protocol takes the last"
        )
    measured = columns([*r.history, *([r.final] if r.final else []), *([r.floor["metrics"]] if r.floor else [])])
    return next((why for key, found in measured.items() if (why := impossible_in(key, found, r.steps))), None)


def columns(entries: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """What many measurements hold, by key, in order."""
    found: dict[str, list[Any]] = {}
    for entry in entries:
        for key, value in entry.items():
            if key in found:
                found[key].append(value)
            else:
                found[key] = [value]
    return found


def impossible_in(key: str, found: list[Any], steps: int) -> str | None:
    """What is impossible in all measurements of one thing."""
    if key in ("step", "epoch"):
        wrong = [v for v in (min(found), max(found)) if not math.isfinite(v) or v < 0 or (key == "step" and v > steps)]
        return f"a measurement at {key} {wrong[0]:g} of a run of {steps:,} steps" if wrong else None
    numbers = [v for measured in found for v in measured.values() if v is not None]
    if numbers and not -MOST <= min(numbers) <= max(numbers) <= MOST:
        return f"{key} is beyond {MOST:g}, or no number"
    if any(0 < abs(v) < LEAST for v in numbers):
        return f"{key} is below {LEAST:g}, and not 0"
    low, high = BOUNDS.get(key, (-MOST, MOST))
    values = [v for measured in found if (v := measured.get("value")) is not None]
    if wrong := [v for v in (min(values, default=low), max(values, default=high)) if not low <= v <= high]:
        return f"{key} {wrong[0]:.6g} is impossible ({_range(low, high)})"
    if any(std < 0 for measured in found if (std := measured.get("std"))):
        return f"{key} has a negative standard deviation"
    return next((f"{key} {why}" for measured in found if (why := disordered(measured, low, high))), None)


def _range(low: float, high: float) -> str:
    """``at least 0`` or ``between 1 and 1008``: the bounds without their allowance for rounding."""
    least = f"{round(low, 2) + 0.0:g}"
    return f"at least {least}" if high == MOST else f"between {least} and {round(high, 2):g}"
