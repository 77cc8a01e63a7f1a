"""What a cell has no number for, and why: a seed, a metric, or a measurement by the code that there is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.collate.judging.index import Index
from benchmark.collate.statistics.collapse import fell
from benchmark.errors import GanbenchError
from benchmark.plan.keys import MEASURE_VERSION, series_of
from benchmark.records.record import Record
from benchmark.suite.model import Alive, Cell


def left_out(gap: int) -> str:
    """Why nothing rests on seeds of which one in between is missing: runs are planned from seed 0 on, so it failed or
    was taken out.
    """
    return f"seed {gap} is missing, and a later one is there: what is left may be a selection"


def lacking(records: Sequence[Record], metric: str) -> str:
    """Which records do not have the metric, where some do not; "" if all have it, or there are none."""
    lack = [r.seed for r in records if r.final is not None and metric not in r.final]
    if not lack:
        return ""
    if len(lack) == len(records):
        return f"not measured: no record has {metric}"
    return f"not measured by every record: {seeds(lack)} without {metric}, and what the others have may be a selection"


def measured_before(cell: Cell, records: Sequence[Record], index: Index) -> str:
    """Seeds of the same trainings whose records were measured by another version of the measuring code, or against
    other real images, and have none by this one; "" if there are none.
    """
    try:
        mine = series_of(cell.recipe, cell.protocol)
    except GanbenchError:
        return ""
    there = {r.seed for r in records}
    found = [
        r
        for key, group in index.items()
        if key[:5] == mine[:5] and key != mine
        for r in group
        if r.status != "partial" and r.seed not in there
    ]
    lines = [
        f"{seeds(r.seed for r in found if r.measure_version == version)} measured by version {version} of the "
        f"measuring code, where this is {MEASURE_VERSION}"
        for version in sorted({r.measure_version for r in found} - {MEASURE_VERSION})
    ]
    if other := [r.seed for r in found if r.measure_version == MEASURE_VERSION]:
        lines.append(f"{seeds(other)} measured against other real images")
    return "; ".join(lines) + ": run again, and what is kept is measured anew" if lines else ""


def untrained(records: Sequence[Record], alive: Mapping[str, Alive]) -> str:
    """Which runs have less of a metric than those that train, by what the suite says; "" if none has."""
    lines = []
    for metric, known in alive.items():
        values = {r.seed: (r.final or {}).get(metric, {}).get("value") for r in records}
        dead = {seed: v for seed, v in values.items() if v is not None and v < known.least}
        if dead:
            found = ", ".join(f"{v:.3g}" for v in dead.values())
            lines.append(f"{seeds(dead)} not trained: {metric} {found}, below {known.least:g} ({known.source})")
    return "; ".join(lines)


def fallen(
    measured: Sequence[tuple[Record, Mapping[str, Any]]], metric: str, direction: str, floor: float = 0.0
) -> tuple[int, ...]:
    """Which of these runs ended far worse than they were before, by their own histories (``collapse.py``)."""
    found = []
    for i, (record, last) in enumerate(measured):
        end = (record.final or {}).get("step")
        before = [
            value
            for entry in record.history
            if entry.get("step") != end and (value := (entry.get(metric) or {}).get("value")) is not None
        ]
        if fell(last["value"], before, direction, floor):
            found.append(i)
    return tuple(found)


def seeds(numbers: Iterable[int]) -> str:
    """``seed 0 is``, ``seeds 0, 2 are``."""
    found = sorted(set(numbers))
    return f"seed{'s' * (len(found) > 1)} {', '.join(map(str, found))} {'are' if len(found) > 1 else 'is'}"
