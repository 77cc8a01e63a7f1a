"""Why runs are blocked, each reason once: one missing archive may block a whole table."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.plan.plan import Run


def blocked_lines(runs: Iterable[Run]) -> list[str]:
    """A line a reason: the run that it blocks or, of several, how many cells, and the first."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.reason, []).append(run)
    return [_line(reason, group) for reason, group in groups.items()]


def _line(reason: str, runs: list[Run]) -> str:
    if len(runs) == 1:
        return f"{runs[0].name}: blocked: {reason}"
    n = len({cell.id for run in runs for cell in run.cells})
    many = "1 cell" if n == 1 else f"{n:,} cells"
    return f"{many} ({len(runs):,} runs), the first {runs[0].cells[0].id}: blocked: {reason}"
