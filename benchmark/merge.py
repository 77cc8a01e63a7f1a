"""Union of the records of several labs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmark import records
from benchmark.errors import GanbenchError
from benchmark.records import Record


def merge(results: Path, others: Iterable[Path]) -> tuple[int, int, list[str]]:
    """Copy every record of ``others`` that is not in ``results`` yet.

    Returns:
        How many were taken over, how many were there already, and the problems: records that cannot be
        read, and conflicts, where two labs have different numbers for one run. Ours stays, theirs is named.
    """
    taken, same, problems = 0, 0, []
    mine, _ = records.read_all(results)
    known = {_place(r): r for r in mine}
    for other in others:
        if not (other / "records").is_dir():
            raise GanbenchError(f"{other} has no records/ folder: not a results folder")
        theirs, bad = records.read_all(other)
        problems += [str(error) for error in bad]
        for record in theirs:
            ours = known.get(_place(record))
            if ours is None:
                records.write(results, f"merged/{records.safe_name(record.cell)}", record)
                known[_place(record)] = record
                taken += 1
            elif ours.outcome == record.outcome:
                same += 1
            else:
                problems.append(f"conflict: {record.cell} seed {record.seed} (run {record.run}): {other} has other numbers than {results}; ours is kept")
    return taken, same, problems


def _place(record: Record) -> tuple[str, int]:
    """What two records must not disagree on: a run's end, or a partial run at one step."""
    return record.evaluation, record.steps if record.status == "partial" else -1
