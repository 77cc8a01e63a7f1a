"""From cells to the runs that they need: shared, keyed, ordered, and each with the reason why it is or is not to be
made.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmark.errors import GanbenchError
from benchmark.plan.blocks import BLOCKED, MISSING
from benchmark.plan.keys import evaluation_key, run_key
from benchmark.plan.run import Run as Run
from benchmark.plan.run import with_key, without_key
from benchmark.records.record import Record, RecordError
from benchmark.suite.model import Cell


@dataclass(frozen=True)
class Plan:
    """Frozen: what is submitted is what was planned, however the suite files change meanwhile."""

    runs: tuple[Run, ...]  # to do first, longest first
    profile: str

    def trainings(self) -> dict[tuple[str, int], list[Run]]:
        """The runs by what is trained: one training serves several protocols, measured from one checkpoint."""
        found: dict[tuple[str, int], list[Run]] = {}
        for run in self.runs:
            found.setdefault((run.recipe.fingerprint(), run.seed), []).append(run)
        return found

    def of(self, *states: str) -> tuple[Run, ...]:
        """The runs in one of these states."""
        return tuple(run for run in self.runs if run.state in states)


def make_plan(
    cells: Iterable[Cell],
    seeds: Iterable[int],
    records: dict[str, Record],
    until_epoch: int | None = None,
    problems: Iterable[RecordError] = (),
    fixed: bool = True,
    elsewhere: bool = False,
    again: bool = False,
) -> Plan:
    """Distinct runs for all cells and seeds.

    Args:
        records: what is there already, by evaluation key (``furthest.by_evaluation``).
        until_epoch: stop runs there; a partial record that got as far counts as done.
        problems: records that cannot be read. A run whose record would stand in their place is blocked
            now, not after hours of training; or, where the file is damaged beyond use, to be made again.
        fixed: the number of seeds does not depend on any result; the records say so (``collate/statistics/looks.py``).
        again: records whose parts' sources have changed since, with VERSION as before, are made anew.
        elsewhere: it is for another machine, or for later: data and weights that are missing here count as got.
    """
    unreadable: dict[str, list[RecordError]] = {}
    for problem in problems:
        unreadable.setdefault(problem.path.name.split(".")[0], []).append(problem)
    grouped: dict[tuple[str, str, int], list[Cell]] = {}
    keyless: dict[tuple[str, str, int], tuple[str, list[Cell]]] = {}
    profiles: dict[str, None] = {}
    seeds = list(seeds)
    for cell in cells:
        profiles[cell.profile] = None
        for seed in seeds:
            try:
                key = run_key(cell.recipe, seed)
                evaluation = evaluation_key(key, cell.protocol, cell.recipe)
            except GanbenchError as error:
                place = (cell.recipe.fingerprint(), cell.protocol.fingerprint(), seed)
                keyless.setdefault(place, (str(error), []))[1].append(cell)
                continue
            grouped.setdefault((key, evaluation, seed), []).append(cell)
    runs = [
        with_key(
            key,
            evaluation,
            seed,
            group,
            records.get(evaluation),
            until_epoch,
            unreadable.get(f"{evaluation}-s{seed}", []),
            elsewhere,
            again,
        )
        for (key, evaluation, seed), group in grouped.items()
    ]
    runs += [without_key(group, seed, why, elsewhere) for (*_, seed), (why, group) in keyless.items()]
    runs = [dataclasses.replace(run, planned=len(set(seeds)) if fixed else 0) for run in runs]
    rank = {"to do": 0, MISSING: 1, BLOCKED: 1, "done": 2}
    runs.sort(key=lambda run: (rank[run.state], -run.size))  # stable: suite order among equals
    return Plan(tuple(runs), "+".join(profiles))


def prioritised(plan: Plan, priorities: Mapping[str, int]) -> Plan:
    """The plan with the priorities of cells (by id; 0 for others) on its runs; those to do go by priority first."""
    runs = [
        dataclasses.replace(run, priority=max(priorities.get(cell.id, 0) for cell in run.cells)) for run in plan.runs
    ]
    runs.sort(key=lambda run: -run.priority if run.state == "to do" else math.inf)  # stable
    return dataclasses.replace(plan, runs=tuple(runs))
