"""What a suite costs, in lines for a person: its trainings, what has no cost, and what a budget buys."""

from __future__ import annotations

from benchmark.errors import sure
from benchmark.plan.blocks import BLOCKED, MISSING
from benchmark.plan.forecast import LAUNCH_S, Forecast
from benchmark.plan.in_words import hours
from benchmark.plan.plan import Run
from benchmark.plan.simulate import placed

REASONS = 3
"""Reasons why runs have no cost, of which so many are said."""


def lines(costs: Forecast, workers: int, budget_s: float | None) -> list[str]:
    """For a person: what the suite costs."""
    trainings = costs.trainings()
    total = sum(t.seconds for t in trainings)
    apart = sum(c.total_s * len(run.cells) for run in costs.plan.of("to do") if (c := costs.cost(run)) is not None)
    unknown = [run for run in costs.plan.of("to do") if costs.cost(run) is None]
    said = []
    if trainings or not unknown:
        priced = " that have a cost" if unknown else ""
        said.append(
            f"on {costs.device.name}: {len(trainings):,} trainings to do{priced}, {hours(total)}; {hours(apart)} if "
            "no cell shared a run"
        )
    if trainings:
        ends = placed([t.seconds for t in trainings], [1.0] * workers)
        said.append(
            f"longest {hours(trainings[0].seconds)}; all on {workers} of them, longest first: "
            f"{hours(ends + LAUNCH_S)}, with {hours(LAUNCH_S)} until Ray and its workers have started"
        )
        disk = 2 * sum(sure(costs.cost(t.runs[0])).count.checkpoint for t in trainings)
        said.append(f"disk: {disk / 1e9:.1f} GB of checkpoints (two are kept of each run)")
    said += _unknown(costs, unknown) if unknown else []
    said += _waiting(costs, BLOCKED, "blocked ", "") + _waiting(costs, MISSING, "", f" with something {MISSING}")
    return said + (_budget(costs, budget_s) if budget_s is not None else [])


def _waiting(costs: Forecast, state: str, before: str, after: str) -> list[str]:
    """What trainings in a state would take; ``before`` and ``after`` are words about that word."""
    waiting = costs.trainings(state)
    others = sum(any(run.state == state for run in runs) for runs in costs.plan.trainings().values()) - len(waiting)
    if not waiting:
        return []
    unpriced = f"; what {others:,} more would take is not known" if others else ""
    return [
        f"{len(waiting):,} {before}training{'s' * (len(waiting) != 1)}{after} would take "
        f"{hours(sum(t.seconds for t in waiting))} more{unpriced}"
    ]


def _unknown(costs: Forecast, runs: list[Run]) -> list[str]:
    """How many have no cost, and why, each reason once."""
    whys = list(dict.fromkeys(why for run in runs if (why := costs.why_none(run))))
    if not whys:
        return [f"{len(runs)} to do without a cost (--gpu counts what has not been counted yet)"]
    return [f"{len(runs)} to do without a cost: {'; '.join(whys[:REASONS])}{'; …' * (len(whys) > REASONS)}"]


def _budget(costs: Forecast, budget_s: float) -> list[str]:
    taken, left = costs.chosen(budget_s)
    spent = sum(t.seconds for t in taken)
    said = [
        f"{hours(budget_s)} buy {sum(len(t.cells) for t in taken):,} cells for {hours(spent)} (whole "
        f"tables first, cheapest first); {len(left):,} are left:"
    ]
    said += [
        f"  {t.name}: {hours(t.seconds)}"
        + (f" ({len(t.cells)} cells: {', '.join(t.cells)})" if len(t.cells) > 1 else "")
        for t in taken
    ]
    return said + _not_bought(costs, BLOCKED) + _not_bought(costs, MISSING)


def _not_bought(costs: Forecast, state: str) -> list[str]:
    """What a budget cannot buy yet, by table: its price where that can be told, and what it waits for."""
    prices = {t.name: t.seconds for t in costs.trainings(state)}
    tables: dict[str, dict[str, str]] = {}  # trainings, and what each waits for
    for (recipe, seed), runs in costs.plan.trainings().items():
        if first := next((run for run in runs if run.state == state), None):
            tables.setdefault(f"{first.cells[0].paper}/{first.cells[0].table}", {})[f"{recipe}-{seed}"] = first.reason
    said = [f"{state}, and not among these:"] if tables else []
    for table, waiting in tables.items():
        priced = [prices[name] for name in waiting if name in prices]
        price = (
            hours(sum(priced)) + (f" for {len(priced)} of them" if len(priced) < len(waiting) else "")
            if priced
            else "at a price that is not known"
        )
        said.append(
            f"  table {table}: {len(waiting)} training{'s' * (len(waiting) > 1)}, {price} "
            f"({'; '.join(dict.fromkeys(waiting.values()))})"
        )
    return said
