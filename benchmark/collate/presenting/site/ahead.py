"""What to do next: the seeds that would decide most for their hours, the cheapest first runs, and what is missing here.

Nothing is counted for a page: an hour is what earlier seeds took, or what the planner has counted before.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark.collate.judging.decide import Question, in_order, open_questions
from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site.summary import Report
from benchmark.collate.statistics.looks import FIRST
from benchmark.data.absent import mend
from benchmark.data.cards import card
from benchmark.errors import GanbenchError
from benchmark.plan.blocks import what_blocks
from benchmark.plan.counted import Counts
from benchmark.plan.devices import named
from benchmark.plan.forecast import Forecast
from benchmark.plan.keys import series_of
from benchmark.plan.missing import missing_here
from benchmark.plan.plan import make_plan
from benchmark.suite.model import Cell
from benchmark.suite.rerun import rerun
from benchmark.weights.known import lookup

SHOWN = 4


@dataclass(frozen=True)
class Step:
    """Runs that are worth making: ``seeds`` more of each of ``cells``."""

    cells: tuple[tuple[Report, str], ...]
    seeds: int
    decides: tuple[str, ...]  # names of numbers and claims
    hours: float | None
    command: str
    blocked: bool = False  # by something that is not on this machine


@dataclass(frozen=True)
class Lack:
    """Something that is not on this machine, and how many printed cells wait for it."""

    name: str
    mend: str
    cells: int


@dataclass(frozen=True)
class Ahead:
    """``seeds``: decisions that are near; ``first``: cells without a comparable run; ``lacks``: most wanted first."""

    seeds: tuple[Step, ...]
    first: tuple[Step, ...]
    lacks: tuple[Lack, ...]


def ahead(reports: Sequence[Report], results: str) -> Ahead:
    """What is worth doing next.

    Args:
        results: the folder with the records, as commands are to name it.
    """
    wanting = [(r, c, what_blocks(c.recipe, c.protocol)) for r, c in _wanting(reports)]
    free = [(r, c) for r, c, why in wanting if not why]
    lacks = _lacks(c for _, c, why in wanting if why)
    return Ahead(_seeds(reports, results), _first(free, reports, results), lacks)


def _wanting(reports: Sequence[Report]) -> list[tuple[Report, Cell]]:
    """Cells that the paper prints a number of its own for, and that have no comparable run."""
    found = []
    for r in reports:
        own = {c.id: c for c in r.suite.cells}
        for j in r.cells:
            target = any(p.value is not None and p.origin == "own" for p in j.cell.published.values())
            if target and j.cell.id in own and not (j.tier and j.tier.judged):
                found.append((r, own[j.cell.id]))
    return found


def _seeds(reports: Sequence[Report], results: str) -> tuple[Step, ...]:
    """The open verdicts that the fewest hours would decide, those that the same runs answer together."""
    by_id = {j.cell.id: (r, j) for r in reports for j in r.cells}
    bands = {t.key: t.tolerance for r in reports for t in r.suite.tables}
    claims = [c for r in reports for c in r.claims]
    limits = {t.key: t.converged for r in reports for t in r.suite.tables}
    questions, _ = open_questions([j for _, j in by_id.values()], bands, claims, limits=limits)
    asked = {c for q in questions for c in q.cells}
    seconds = {c: max(statistics.median(r.train_s + r.eval_s for r in by_id[c][1].records), 1e-3) for c in asked}
    runs = {c: _series(by_id[c][1].cell) for c in asked}
    return tuple(_step(group, by_id, seconds, runs, results) for group in in_order(questions, seconds, runs)[:SHOWN])


def _step(
    group: list[Question],
    by_id: dict[str, tuple[Report, Joined]],
    seconds: dict[str, float],
    runs: dict[str, str],
    results: str,
) -> Step:
    once = {runs[c]: c for q in group for c in q.cells}  # cells that share their runs need them once
    more = {c: max(1, FIRST - len(by_id[c][1].records)) for c in once.values()}
    first = next(iter(more))
    j = by_id[first][1]
    return Step(
        tuple((by_id[c][0], c) for c in more),
        max(more.values()),
        tuple(q.name for q in group),
        sum(n * seconds[c] for c, n in more.items()) / 3600,
        rerun(j.cell, len(j.records) + more[first], results, looked=True) if len(more) == 1 else "",
        any(what_blocks(by_id[c][1].cell.recipe, by_id[c][1].cell.protocol) for c in more),
    )


def _first(free: Sequence[tuple[Report, Cell]], reports: Sequence[Report], results: str) -> tuple[Step, ...]:
    """Cells that could be run now, those first that give most printed numbers for their predicted hours."""
    plan = make_plan([c for _, c in free], [0], {}, fixed=False)
    records = {id(x): x for r in reports for j in r.cells for x in j.records}.values()
    costs = Forecast(plan, named("cpu"), Counts(), records)
    hours = {c.id: cost.total_s / 3600 for run in plan.runs if (cost := costs.cost(run)) for c in run.cells}

    def worth(pair: tuple[Report, Cell]) -> tuple[bool, float]:
        known = hours.get(pair[1].id)
        return known is None, (known or 0.0) / max(1, len(pair[1].published))

    chosen = sorted(free, key=worth)[:SHOWN]
    return tuple(Step(((r, c.id),), 1, (), hours.get(c.id), rerun(c, 1, results)) for r, c in chosen)


def _lacks(cells: Iterable[Cell]) -> tuple[Lack, ...]:
    """Datasets and weights that are not here, by how many cells wait for them."""
    waiting: dict[str, set[str]] = {}
    for c in cells:
        for thing in missing_here(c.recipe, c.protocol):
            waiting.setdefault(thing.name, set()).add(c.id)
    ordered = sorted(waiting.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Lack(*_named(name), len(ids)) for name, ids in ordered)


def _named(name: str) -> tuple[str, str]:
    """What it is, and how to get it."""
    return (f"weights {name}", found.get) if (found := lookup(name)) else (f"dataset {name}", mend(card(name)))


def _series(c: Cell) -> str:
    """What tells a cell's runs from others'; its id where it has none that can be made."""
    try:
        return "\n".join(series_of(c.recipe, c.protocol))
    except GanbenchError:
        return c.id
