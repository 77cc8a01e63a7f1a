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
    "missing here",
    "not run",
    "",
)
"""A cell has the first of these that any of its numbers has: what is wrong or open in it counts more than what is not.
"""
Method = tuple[str, str]
"""Name and backbone."""
NOTHING_PUBLISHED = "▪"


@dataclass(frozen=True)
class Mark:
    """One cell."""

    page: str
    verdict: str
    tier: str  # "" without a record
    symbol: str
    text: str


Squares = dict[str, list[Mark]]
"""A method's marks by column."""


@dataclass(frozen=True)
class Line:
    """One method, with the marks at each column."""

    label: str
    squares: tuple[tuple[Mark, ...], ...]


@dataclass(frozen=True)
class Block:
    """Methods that have data in common with one another, and with no other block: what would be blank is not drawn."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def count(self) -> int:
        """Of lines."""
        return len(self.lines)


@dataclass(frozen=True)
class Matrix:
    """``printed``: the methods of which the paper prints a number; ``more``: what else the suite runs."""

    printed: tuple[Block, ...]
    more: tuple[Block, ...]


def matrix(report: Report) -> Matrix:
    """The cells of a paper; tables that have a method in common share its line."""
    lines: dict[Method, Squares] = {}
    labels: dict[Method, str] = {}
    for j in report.cells:
        method = (j.cell.method, j.cell.backbone)
        labels[method] = _label(j)
        lines.setdefault(method, {}).setdefault(column(j), []).append(mark(j, page_of(report.suite, j.cell.id)))
    printed = {(j.cell.method, j.cell.backbone) for j in report.cells if j.cell.published}
    return Matrix(
        _blocks({m: at for m, at in lines.items() if m in printed}, labels),
        _blocks({m: at for m, at in lines.items() if m not in printed}, labels),
    )


def _blocks(lines: dict[Method, Squares], labels: dict[Method, str]) -> tuple[Block, ...]:
    """Methods and columns that hang together."""
    groups: list[tuple[dict[str, None], list[Method]]] = []
    for method, at in lines.items():
        joined = [g for g in groups if not g[0].keys().isdisjoint(at)]
        groups = [g for g in groups if g not in joined]
        columns = {c: None for of, _ in joined for c in of} | dict.fromkeys(at)
        groups.append((columns, [m for _, of in joined for m in of] + [method]))
    order, places = list(lines), list(dict.fromkeys(c for at in lines.values() for c in at))
    found = []
    for columns, methods in groups:
        across, down = sorted(columns, key=places.index), sorted(methods, key=order.index)
        drawn = tuple(Line(labels[m], tuple(tuple(lines[m].get(c, ())) for c in across)) for m in down)
        found.append((order.index(down[0]), Block(tuple(across), drawn)))
    return tuple(block for _, block in sorted(found, key=lambda one: one[0]))


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
