"""A paper at one glance: its methods down, its data across, each cell a mark that says verdict and tier."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.notes import SYMBOLS
from benchmark.collate.presenting.site.facts import page_of
from benchmark.collate.presenting.site.figures import who
from benchmark.collate.presenting.site.summary import Report

BY_WEIGHT = (
    "contested",
    "failed",
    "diverged",
    "untrained",
    "not reproduced",
    "not reached as assumed",
    "inconclusive",
    "reproduced where it trains",
    "reproduced",
    "converged",
    "differs",
    "better",
    "incomparable",
    "not measured",
    "blocked",
    "not run",
    "",
)
"""A cell has the first of these that any of its numbers has: what is wrong or open in it counts more than what is not.
"""
NOTHING_PUBLISHED = "▪"


@dataclass(frozen=True)
class Mark:
    """One cell."""

    page: str
    verdict: str
    tier: str  # "" without a record
    symbol: str
    text: str


@dataclass(frozen=True)
class Line:
    """One method, with the marks at each column."""

    label: str
    squares: tuple[tuple[Mark, ...], ...]


@dataclass(frozen=True)
class Matrix:
    """``printed``: the methods of which the paper prints a number; ``more``: what else the suite runs."""

    columns: tuple[str, ...]
    printed: tuple[Line, ...]
    more: tuple[Line, ...]


def matrix(report: Report) -> Matrix:
    """The cells of a paper; tables that have a method in common share its line."""
    columns = tuple(dict.fromkeys(column(j) for j in report.cells))
    lines: dict[tuple[str, str], dict[str, list[Mark]]] = {}
    printed: set[tuple[str, str]] = set()
    labels: dict[tuple[str, str], str] = {}
    for j in report.cells:
        method = (j.cell.method, j.cell.backbone)
        labels[method] = _label(j)
        lines.setdefault(method, {}).setdefault(column(j), []).append(mark(j, page_of(report.suite, j.cell.id)))
        if j.cell.published:
            printed.add(method)
    made = {m: Line(labels[m], tuple(tuple(at.get(c, ())) for c in columns)) for m, at in lines.items()}
    return Matrix(
        columns,
        tuple(line for m, line in made.items() if m in printed),
        tuple(line for m, line in made.items() if m not in printed),
    )


def mark(j: Joined, page: str) -> Mark:
    """A cell's mark."""
    verdict = worst(j)
    said = verdict or ("measured, with nothing published" if j.records else "nothing published, not run")
    tier = j.tier.name if j.tier else ""
    symbol = SYMBOLS[verdict] or (NOTHING_PUBLISHED if j.records else SYMBOLS["not run"])
    return Mark(page, verdict, tier, symbol, f"{j.cell.id}: {said}" + (f", tier {tier}" if tier else ""))


def worst(j: Joined) -> str:
    """The verdict that a cell is shown by."""
    return min((e.verdict.name for e in j.entries.values()), key=BY_WEIGHT.index, default="")


def column(j: Joined) -> str:
    """Dataset, and what tells it from others of the paper."""
    percent = f" {j.cell.data_percent:g}%" if j.cell.data_percent != 100 else ""
    return j.cell.dataset + percent + (f" {j.cell.resolution}px" if j.cell.sized else "")


def _label(j: Joined) -> str:
    return who(next(iter(j.entries.values()))) if j.entries else j.cell.method
