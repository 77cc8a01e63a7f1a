"""Runs with two results that differ, or one that contradicts itself: none is judged until the wrong one is removed."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.records.record import Record


def contest(record: Record, other: Record) -> None:
    """Note in ``record``, the one that is read, how ``other`` of the same run differs. Its file stays as it is."""
    said = f"{said_of(record)} / {differing(record, other)}"
    before = record.contested
    record.__dict__["contested"] = f"{before}; {said}" if before and said not in before else said


def said_of(record: Record) -> str:
    """Its metrics, or that it diverged."""
    if not record.final:
        return record.status
    return ", ".join(
        f"{name} {m['value']:.6g}"
        for name, m in record.final.items()
        if isinstance(m, dict) and isinstance(m.get("value"), (int, float))
    )


def differing(record: Record, other: Record) -> str:
    """The other's metrics where they differ; or that its history, samples or times do."""
    if (record.status, record.steps) != (other.status, other.steps):
        return f"{other.status} at step {other.steps:,}"
    ours, theirs = said_of(record).split(", "), said_of(other).split(", ")
    return ", ".join(x for x in theirs if x not in ours) or "the same, with another history or other samples"


def contested(records: Iterable[Record]) -> str:
    """What is said of a cell with a run that has two results that differ, or whose record contradicts itself; ""."""
    records = list(records)
    twice = [f"seed {r.seed}: {r.contested}" for r in records if r.contested]
    itself = [f"seed {r.seed}: {r.contradiction}" for r in records if r.contradiction]
    lines = [f"two results of one run differ ({'; '.join(twice)}): remove the wrong one"] if twice else []
    lines += [f"a record contradicts itself ({'; '.join(itself)}): make it again"] if itself else []
    return "; ".join(lines)
