"""Rankings: does a column of ours stand in the paper's order, and how probably does one run of a method beat one of
another?

Kendall's τ is over the pairs that the paper prints differently. Its interval comes from simultaneous comparisons of
our means (Welch, Holm over the column's pairs): every pair that 95 % does not decide is counted once as
turned and once as in order. That holds the true τ at least 95 % of the time however close the methods are
(the idea of Mogstad, Romano, Shaikh and Wilhelm, "Inference for Ranks", Review of Economic Studies 2024). Resampling
seeds does not: noise turns close pairs more often than it mends them, so that a bootstrap of τ sits too low.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from benchmark.collate.judging.alike import unlike
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.verdict import LOST
from benchmark.collate.statistics.comparisons import Pair, compare
from benchmark.collate.statistics.improvement import improvements
from benchmark.collate.statistics.interval import Estimate
from benchmark.collate.statistics.looks import LEVEL
from benchmark.errors import sure
from benchmark.suite.claim import Number
from benchmark.suite.model import Table


@dataclass(frozen=True)
class Improvement:
    """P(a run of ``better`` beats a run of ``worse``), the order as published, with its interval over seeds."""

    better: str  # cell ids
    worse: str
    probability: float
    low: float
    high: float


@dataclass(frozen=True)
class Ranking:
    """One metric of one column of a table."""

    table: str
    column: str  # the data set and what else tells the column from others
    metric: str
    methods: int  # that have a published number of the paper's own and a judged result of ours
    tau: float | None  # None below two methods
    low: float | None  # None where fewer than two methods have seeds enough for an interval
    high: float | None
    why: str
    improvements: tuple[Improvement, ...] = ()


def rankings(table: Table, joined: Sequence[Joined]) -> list[Ranking]:
    """Every column and metric of a table, in order; quoted numbers are no part of it."""
    columns: dict[tuple[object, ...], list[Joined]] = {}
    for j in joined:
        columns.setdefault((j.cell.dataset, j.cell.data_percent, j.cell.resolution), []).append(j)
    return [
        _ranking(table, column, metric)
        for column in columns.values()
        for metric in table.metrics
        if any(_target(j.entries[metric]) for j in column)
    ]


def _target(e: Entry) -> bool:
    return e.published is not None and e.published.value is not None and e.published.origin == "own"


def _judged(targets: Sequence[Joined], metric: str) -> tuple[list[Entry], str]:
    """What may be ranked, and in words which of them may not; the caller names those with too few seeds."""
    found = [
        j
        for j in targets
        if j.tier
        and j.tier.judged
        and j.gap is None
        and j.entries[metric].achieved
        and j.entries[metric].verdict.name not in LOST
    ]
    lost = len(targets) - len(found)
    said = f"; {lost} of {len(targets)} methods without a judged result" if lost else ""
    short = [bool(j.short) and sure(j.entries[metric].achieved).half is not None for j in found]
    if any(short):
        names = ", ".join(j.cell.method for j, out in zip(found, short) if out)
        said += f"; planned seeds without a record, and left out: {names}"
    return [j.entries[metric] for j, out in zip(found, short) if not out], said


def _ranking(table: Table, column: Sequence[Joined], metric: str) -> Ranking:
    cell = column[0].cell
    name = (
        cell.dataset
        + (f" {cell.data_percent:g}%" if cell.data_percent != 100 else "")
        + (f" {cell.resolution}px" if cell.sized else "")
    )
    targets = [j for j in column if _target(j.entries[metric])]
    judged, left_out = _judged(targets, metric)
    there = [e for e in judged if sure(e.achieved).half is not None]
    few = [e.cell.method for e in judged if e not in there]
    if few and len(there) < 2:
        there = judged
    elif few:
        left_out += f"; too few seeds, and left out: {', '.join(few)}"
    every = [
        (a, b) if _printed(a) < _printed(b) else (b, a) for a, b in combinations(there, 2) if _printed(a) != _printed(b)
    ]
    pairs = [(a, b) for a, b in every if not unlike(metric, a.cell.full_protocol, b.cell.full_protocol)]
    left_out += (
        f"; {len(every) - len(pairs)} of {len(every)} pairs measured otherwise than each other"
        if len(pairs) < len(every)
        else ""
    )
    if not pairs:
        return Ranking(table.key, name, metric, len(there), None, None, None, f"nothing to rank{left_out}")
    tau = sum(_sign(sure(b.achieved).mean - sure(a.achieved).mean) for a, b in pairs) / len(pairs)
    if any(sure(e.achieved).half is None for e in there):
        why = f"too few seeds, no interval: {', '.join(few)}{left_out}"
        return Ranking(table.key, name, metric, len(there), tau, None, None, why)
    low, high, decided = tau_interval(
        [(a.cell.id, b.cell.id) for a, b in pairs], {e.cell.id: sure(e.achieved) for e in there}
    )
    lower = table.metrics[metric] == "lower"
    ordered = [(a, b) if lower else (b, a) for a, b in pairs]
    chances = improvements([(sure(a.achieved), sure(b.achieved)) for a, b in ordered], lower)
    found = tuple(Improvement(a.cell.id, b.cell.id, *chance) for (a, b), chance in zip(ordered, chances))
    return Ranking(
        table.key,
        name,
        metric,
        len(there),
        tau,
        low,
        high,
        f"{decided} of {len(pairs)} pairs decided at {100 * LEVEL:g} %, by Holm{left_out}",
        found,
    )


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def tau_interval(pairs: Iterable[tuple[str, str]], estimates: dict[str, Estimate]) -> tuple[float, float, int]:
    """Bounds of τ of the true means, and how many pairs are decided.

    Args:
        pairs: (smaller, larger) as published.
    """
    numbers = {name: Number(name, "", "lower") for name in estimates}
    answers = compare(
        [Pair(numbers[a], numbers[b]) for a, b in pairs], {numbers[name]: e for name, e in estimates.items()}
    )
    signs = [answer.sign for answer in answers.values()]
    of = len(signs)
    return (2 * signs.count(1) - of) / of, (of - 2 * signs.count(-1)) / of, of - signs.count(0)


def _printed(e: Entry) -> float:
    return sure(sure(e.published).value)
