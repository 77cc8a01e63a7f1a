"""A plan with its costs: what each run takes on a device, what the suite takes on several, and what a budget buys."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmark.errors import sure
from benchmark.plan.budget import Item, Taken, choose
from benchmark.plan.cost import Cost, cost
from benchmark.plan.counted import Counting, Counts
from benchmark.plan.devices import Device, named
from benchmark.plan.in_words import hours
from benchmark.plan.measured import Measured
from benchmark.plan.plan import Plan, Run
from benchmark.plan.simulate import longest_first, placed
from benchmark.records.provenance import processor
from benchmark.records.record import Record
from benchmark.train.layout import AUTO

REASONS = 3
"""Reasons why runs have no cost, of which so many are said."""

LAUNCH_S = 9.0  # until Ray has started and its workers have imported torch, as measured on two cores


@dataclass(frozen=True)
class Training:
    """One training and all ways in which it is measured."""

    name: str  # recipe and seed, hashed
    runs: tuple[Run, ...]
    seconds: float


class Forecast:
    """The costs of a plan's runs on one device."""

    def __init__(
        self, plan: Plan, device: Device, counts: Counts, records: Iterable[Record] = (), layout: str = AUTO
    ) -> None:
        """For runs, in the memory layout ``layout``, whose recipes are counted; others, such as those with a part that
        is not implemented, have no cost.
        """
        self.plan, self.device, self._counts = plan, device, counts
        host = named("cpu")
        measured = Measured(records, lambda name: is_device(name, device.name), counts, device, layout)
        seen: dict[tuple[str, str, int], Cost | None] = {}
        self._costs: dict[tuple[str, str, int], Cost | None] = seen
        for run in plan.runs:
            key = _of(run)
            if key not in seen:
                # 0 steps an epoch: fewer images than one batch
                can = counts.known(run.recipe) and run.recipe.steps_per_epoch(run.images)
                seen[key] = cost(run.recipe, run.protocol, run.images, counts, device, host, measured) if can else None

    def cost(self, run: Run) -> Cost | None:
        """None where it is not known."""
        return self._costs[_of(run)]

    def why_none(self, run: Run) -> str:
        """Why a run's cost could not be told; "" if it was, or was not asked for."""
        return self._counts.why_not(run.recipe)

    def trainings(self, state: str = "to do") -> list[Training]:
        """The trainings in a state whose cost is known, longest first: one training serves several protocols."""
        found = []
        for (recipe, seed), runs in self.plan.trainings().items():
            known = [(run, c) for run in runs if run.state == state and (c := self.cost(run)) is not None]
            if known:
                seconds = max(c.train_s for _, c in known) + sum(c.eval_s for _, c in known)
                found.append(Training(f"{recipe}-{seed}", tuple(run for run, _ in known), seconds))
        return [found[i] for i in longest_first([t.seconds for t in found])]

    def lines(self, workers: int, budget_s: float | None) -> list[str]:
        """For a person: what the suite costs."""
        trainings = self.trainings()
        total = sum(t.seconds for t in trainings)
        apart = sum(c.total_s * len(run.cells) for run in self.plan.of("to do") if (c := self.cost(run)) is not None)
        unknown = [run for run in self.plan.of("to do") if self.cost(run) is None]
        said = [
            f"on {self.device.name}: {len(trainings):,} trainings to do, {hours(total)}; {hours(apart)} if "
            "no cell shared a run"
        ]
        if trainings:
            made = placed([t.seconds for t in trainings], [1.0] * workers)
            said.append(
                f"longest {hours(trainings[0].seconds)}; all on {workers} of them, longest first: "
                f"{hours(made + LAUNCH_S)}, with {hours(LAUNCH_S)} until Ray and its workers have started"
            )
        said += (
            [
                f"disk: {sum(_one(self, t).count.checkpoint for t in trainings) * 2 / 1e9:.1f} GB of "
                "checkpoints (two are kept of each run)"
            ]
            if trainings
            else []
        )
        said += self._unknown(unknown) if unknown else []
        blocked = self.trainings("blocked")
        others = sum(any(run.state == "blocked" for run in runs) for runs in self.plan.trainings().values()) - len(
            blocked
        )
        said += (
            [
                f"{len(blocked):,} blocked training{'s' * (len(blocked) != 1)} would take "
                f"{hours(sum(t.seconds for t in blocked))} "
                f"more{f'; what {others:,} more would take is not known' if others else ''}"
            ]
            if blocked
            else []
        )
        return said + (self._budget(budget_s) if budget_s is not None else [])

    def _unknown(self, runs: list[Run]) -> list[str]:
        """How many have no cost, and why, each reason once."""
        whys = list(dict.fromkeys(why for run in runs if (why := self.why_none(run))))
        if not whys:
            return [f"{len(runs)} to do without a cost (--gpu counts what has not been counted yet)"]
        return [f"{len(runs)} to do without a cost: {'; '.join(whys[:REASONS])}{'; …' * (len(whys) > REASONS)}"]

    def chosen(self, budget_s: float) -> tuple[list[Taken], list[str]]:
        """What a budget buys by the rule of ``budget.choose``; blocked and finished cells are no part of it."""
        trainings = self.trainings()
        needs: dict[str, set[str]] = {}
        cells, priorities = {}, {}
        for training, run, cell in ((t, r, c) for t in trainings for r in t.runs for c in r.cells):
            needs.setdefault(cell.id, set()).add(training.name)
            cells[cell.id], priorities[cell.id] = cell, run.priority
        items = [
            Item(
                name,
                f"{cells[name].paper}/{cells[name].table}",
                frozenset(found),
                bool(cells[name].published),
                priorities[name],
            )
            for name, found in needs.items()
        ]
        return choose(items, {t.name: t.seconds for t in trainings}, budget_s)

    def _budget(self, budget_s: float) -> list[str]:
        taken, left = self.chosen(budget_s)
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
        return said + self._blocked()

    def _blocked(self) -> list[str]:
        """What a budget cannot buy yet, by table: its price where that can be told, and what it waits for."""
        prices = {t.name: t.seconds for t in self.trainings("blocked")}
        tables: dict[str, dict[str, str]] = {}  # trainings, and what each waits for
        for (recipe, seed), runs in self.plan.trainings().items():
            if first := next((run for run in runs if run.state == "blocked"), None):
                tables.setdefault(f"{first.cells[0].paper}/{first.cells[0].table}", {})[f"{recipe}-{seed}"] = (
                    first.reason
                )
        said = ["blocked, and not among these:"] if tables else []
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


def forecast(
    plan: Plan, device: Device, records: Iterable[Record] = (), say: Callable[[int, int], None] | None = None
) -> Forecast:
    """A plan's costs, after counting what has not been counted yet (seconds a recipe, once; imports torch)."""
    counts = Counts()
    counts.count_all(((run.recipe, run.total_steps) for run in plan.runs), say or Counting())
    return Forecast(plan, device, counts, records)


def in_order(plan: Plan, records: Iterable[Record] = (), layout: str = AUTO) -> Plan:
    """The plan, its runs to do by predicted seconds on one core where all are known, else as it is; without torch."""
    counts = Counts()
    todo = plan.of("to do")
    if any(counts.known(run.recipe) is None for run in todo):
        return plan
    made = Forecast(plan, named("cpu"), counts, records, layout)
    seconds = {id(run): sure(made.cost(run)).total_s for run in todo}
    ordered = sorted(
        (dataclasses.replace(run, expected_s=seconds[id(run)]) for run in todo),
        key=lambda run: (-run.priority, -(run.expected_s or 0.0)),
    )
    return dataclasses.replace(plan, runs=(*ordered, *(run for run in plan.runs if run.state != "to do")))


def is_device(recorded: str, name: str) -> bool:
    """Whether a record's name of the device that it was made on means the device ``name``; "cpu" is this machine's
    processor.
    """
    return recorded == processor() if name == "cpu" else name.lower() in recorded.replace(" ", "").lower()


def _one(made: Forecast, training: Training) -> Cost:
    found = made.cost(training.runs[0])
    assert found is not None
    return found


def _of(run: Run) -> tuple[str, str, int]:
    return run.recipe.canonical, run.protocol.fingerprint(), run.images
