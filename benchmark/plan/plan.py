"""From cells to the runs that they need: shared, keyed, ordered, and each with the reason why it is or is not to be
made.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.data.cards import card, missing
from benchmark.data.subsets import subset_hash, subset_size
from benchmark.errors import GanbenchError
from benchmark.plan.blocks import what_blocks
from benchmark.plan.keys import evaluation_key, run_key
from benchmark.recipe import Protocol, Recipe
from benchmark.records.provenance import segments
from benchmark.records.record import Record, RecordError
from benchmark.sources import changed
from benchmark.suite.model import Cell


@dataclass(frozen=True)
class Run:
    """One training run under one protocol, and the cells that it serves."""

    key: str  # "" where a plug-in or dataset that it names is not there: such a run has no key yet
    evaluation: str
    seed: int
    recipe: Recipe
    protocol: Protocol
    cells: tuple[Cell, ...]  # the first gives the record its folder
    state: str  # "to do", "done" or "blocked"
    reason: str  # why
    images: int  # training images
    total_steps: int
    planned: int | None = None  # how many seeds this plan asks for; 0: as many as it takes to decide
    damaged: tuple[Path, ...] = ()  # files in its record's place, to be moved aside before it is made
    expected_s: float | None = (
        None  # predicted seconds on one core, where those of the whole plan are known (``forecast.in_order``)
    )
    priority: int = 0  # of the cell that has the highest; runs of higher ones start first
    changed: tuple[str, ...] = ()  # files that are not what they were when its record was made

    @property
    def name(self) -> str:
        """How a person tells it from others."""
        more = f" (+{len(self.cells) - 1})" if len(self.cells) > 1 else ""
        return f"{self.cells[0].id}{more} seed {self.seed}"

    @property
    def size(self) -> float:
        """What the order goes by: predicted seconds; images through D and G, weighted by copies, where these are not
        known.
        """
        if self.expected_s is not None:
            return self.expected_s
        r = self.recipe
        copies = 1 + sum(args.get("copies", 0) for _, args in r.parts if isinstance(args.get("copies", 0), int))
        return float(self.total_steps) * (2 * r.n_dis * r.batch_d + r.batch_g) * copies

    def data(self) -> dict[str, str]:
        """The hashes of the data that the run was planned on: ``content`` and ``subset``."""
        c, r = card(self.recipe.dataset), self.recipe
        count = c.split(r.split)["count"]
        return {
            "content": c.content(r.split, r.resolution, r.channels),
            "subset": subset_hash(count, r.data_percent, r.images, r.subset),
        }


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

    def of(self, state: str) -> tuple[Run, ...]:
        """The runs in one state."""
        return tuple(run for run in self.runs if run.state == state)


def make_plan(
    cells: Iterable[Cell],
    seeds: Iterable[int],
    records: dict[str, Record],
    until_epoch: int | None = None,
    problems: Iterable[RecordError] = (),
    fixed: bool = True,
) -> Plan:
    """Distinct runs for all cells and seeds.

    Args:
        records: what is there already, by evaluation key (``furthest.by_evaluation``).
        until_epoch: stop runs there; a partial record that got as far counts as done.
        problems: records that cannot be read. A run whose record would stand in their place is blocked
            now, not after hours of training; or, where the file is damaged beyond use, to be made again.
        fixed: the number of seeds does not depend on any result; the records say so (``collate/statistics/looks.py``).
    """
    unreadable: dict[str, list[RecordError]] = {}
    for problem in problems:
        unreadable.setdefault(problem.path.name.split(".")[0], []).append(problem)
    grouped: dict[tuple[str, str, int], list[Cell]] = {}
    blocked: dict[tuple[str, str, int], list[Cell]] = {}
    profiles: dict[str, None] = {}
    seeds = list(seeds)
    for cell in cells:
        profiles[cell.profile] = None
        for seed in seeds:
            try:
                key = run_key(cell.recipe, seed)
                evaluation = evaluation_key(key, cell.protocol, cell.recipe)
            except GanbenchError:
                blocked.setdefault((cell.recipe.fingerprint(), cell.protocol.fingerprint(), seed), []).append(cell)
                continue
            grouped.setdefault((key, evaluation, seed), []).append(cell)
    runs = [
        _run(
            key,
            evaluation,
            seed,
            group,
            records.get(evaluation),
            until_epoch,
            unreadable.get(f"{evaluation}-s{seed}", []),
        )
        for (key, evaluation, seed), group in grouped.items()
    ]
    runs += [_blocked_run(group, seed) for (_, _, seed), group in blocked.items()]
    runs = [dataclasses.replace(run, planned=len(set(seeds)) if fixed else 0) for run in runs]
    rank = {"to do": 0, "blocked": 1, "done": 2}
    runs.sort(key=lambda run: (rank[run.state], -run.size))  # stable: suite order among equals
    return Plan(tuple(runs), "+".join(profiles))


def prioritised(plan: Plan, priorities: Mapping[str, int]) -> Plan:
    """The plan with the priorities of cells (by id; 0 for others) on its runs; those to do go by priority first."""
    runs = [
        dataclasses.replace(run, priority=max(priorities.get(cell.id, 0) for cell in run.cells)) for run in plan.runs
    ]
    runs.sort(key=lambda run: -run.priority if run.state == "to do" else math.inf)  # stable
    return dataclasses.replace(plan, runs=tuple(runs))


def _run(
    key: str,
    evaluation: str,
    seed: int,
    cells: list[Cell],
    record: Record | None,
    until_epoch: int | None,
    unreadable: list[RecordError],
) -> Run:
    recipe, protocol, altered = cells[0].recipe, cells[0].protocol, tuple[str, ...]()
    images = subset_size(card(recipe.dataset).split(recipe.split)["count"], recipe.data_percent, recipe.images)
    total = recipe.total_steps(images)
    goal = total if until_epoch is None else min(total, until_epoch * recipe.steps_per_epoch(images))
    if record and (record.status != "partial" or record.steps >= goal):
        reason = f"{record.status} at step {record.steps:,}: record {record.name}"
        state = "done"
        if altered := tuple(changed(segments(record), recipe)):
            reason += f"; {', '.join(altered)} changed since, with VERSION as before"
    elif kept := next((problem for problem in unreadable if not problem.damaged), None):
        state, reason = "blocked", f"{kept}; move the file away to make the run again"
    elif why := what_blocks(recipe, protocol):
        state, reason = "blocked", why
    elif unreadable:
        state, reason = "to do", f"{unreadable[0]}; it will be moved aside and the run made again"
    elif record:
        state, reason = "to do", f"partial record at step {record.steps:,} of {goal:,}"
    else:
        state, reason = "to do", f"no record of run {key} under this protocol"
    damaged = tuple(problem.path for problem in unreadable) if state == "to do" else ()
    made = Run(key, evaluation, seed, recipe, protocol, tuple(cells), state, reason, images, total, damaged=damaged)
    return dataclasses.replace(made, changed=altered) if altered else made


def _blocked_run(cells: list[Cell], seed: int) -> Run:
    recipe, protocol = cells[0].recipe, cells[0].protocol
    images = subset_size(card(recipe.dataset).split(recipe.split)["count"], recipe.data_percent, recipe.images)
    why = what_blocks(recipe, protocol) or missing(recipe.dataset, recipe.split) or "blocked"
    return Run("", "", seed, recipe, protocol, tuple(cells), "blocked", why, images, recipe.total_steps(images))
