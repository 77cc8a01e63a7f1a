"""Why runs are not made here, each reason once: one missing archive may keep a whole table."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.plan.blocks import MISSING
from benchmark.plan.run import Run


def waiting_lines(runs: Iterable[Run]) -> list[str]:
    """A line for each reason, and for each thing that is missing here: the run that waits for it or, of several, how
    many cells, and the first.
    """
    groups: dict[str, tuple[str, list[Run]]] = {}
    for run in runs:
        for name, why in _whys(run):
            groups.setdefault(name, (why, []))[1].append(run)
    return [_line(why, group) for why, group in groups.values()]


def _whys(run: Run) -> list[tuple[str, str]]:
    """What tells a reason from others, and its words."""
    if run.missing:
        word = MISSING if run.state == MISSING else f"{MISSING}, and taken as got"
        return [(thing.name, f"{word}: {thing.why}") for thing in run.missing]
    return [(run.reason, f"{run.state}: {run.reason}")]


def _line(why: str, runs: list[Run]) -> str:
    if len(runs) == 1:
        return f"{runs[0].name}: {why}"
    n = len({cell.id for run in runs for cell in run.cells})
    many = "1 cell" if n == 1 else f"{n:,} cells"
    return f"{many} ({len(runs):,} runs), the first {runs[0].cells[0].id}: {why}"
