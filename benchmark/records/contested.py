"""Runs with two results that differ, or one that contradicts itself: none is judged until the wrong one is removed."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.errors import few
from benchmark.records.record import Record

LONGEST = 5_000
"""Characters of what is said of one run, from which on no other result is added."""


def contest(record: Record, other: Record) -> None:
    """Note in ``record``, the one that is read, how ``other`` of the same run differs. Its file stays as it is."""
    said = f"{said_of(record)} / {differing(record, other)}"
    before = record.contested
    if len(before) < LONGEST:
        record.__dict__["contested"] = f"{before}; {said}" if before and said not in before else said


def said_of(record: Record) -> str:
    """Its metrics, or that it diverged."""
    return ", ".join(few(_metrics(record))) if record.final else record.status


def _metrics(record: Record) -> list[str]:
    return [
        f"{name} {m['value']:.6g}"
        for name, m in (record.final or {}).items()
        if isinstance(m, dict) and isinstance(m.get("value"), (int, float))
    ]


def differing(record: Record, other: Record) -> str:
    """The other's metrics where they differ; or that its history, samples or times do."""
    if (record.status, record.steps) != (other.status, other.steps):
        return f"{other.status} at step {other.steps:,}"
    ours = set(_metrics(record))
    differ = few(x for x in _metrics(other) if x not in ours)
    return ", ".join(differ) or "the same, with another history or other samples"


def contested(records: Iterable[Record]) -> str:
    """What is said of a cell with a run that has two results that differ, or whose record contradicts itself; ""."""
    records = list(records)
    twice = [f"seed {r.seed}: {r.contested}" for r in records if r.contested]
    itself = [f"seed {r.seed}: {r.contradiction}" for r in records if r.contradiction]
    lines = [f"two results of one run differ ({'; '.join(twice)}): remove the wrong one"] if twice else []
    lines += [f"a record contradicts itself ({'; '.join(itself)}): make it again"] if itself else []
    return "; ".join(lines)
