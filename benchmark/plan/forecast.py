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
from benchmark.plan.measured import Measured
from benchmark.plan.plan import Plan, Run
from benchmark.plan.simulate import longest_first
from benchmark.records.provenance import processor
from benchmark.records.record import Record
from benchmark.train.layout import AUTO

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

    def trainings(self, *states: str) -> list[Training]:
        """The trainings in one of these states (default: to do) whose cost is known, longest first: one training serves
        several protocols.
        """
        states = states or ("to do",)
        found = []
        for (recipe, seed), runs in self.plan.trainings().items():
            known = [(run, c) for run in runs if run.state in states and (c := self.cost(run)) is not None]
            if known:
                seconds = max(c.train_s for _, c in known) + sum(c.eval_s for _, c in known)
                found.append(Training(f"{recipe}-{seed}", tuple(run for run, _ in known), seconds))
        return [found[i] for i in longest_first([t.seconds for t in found])]

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


def _of(run: Run) -> tuple[str, str, int]:
    return run.recipe.canonical, run.protocol.fingerprint(), run.images
