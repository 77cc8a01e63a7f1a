"""One run of a plan: what it is, and the reason why it is or is not to be made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.data.cards import card
from benchmark.data.subsets import subset_hash, subset_size
from benchmark.plan.blocks import BLOCKED, MISSING, hindrance
from benchmark.plan.missing import Missing
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
    state: str  # "to do", "done", "blocked" (on any machine) or "missing here" (data or weights)
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
    missing: tuple[Missing, ...] = ()  # data and weights that this machine lacks, where it is not done
    again: bool = False  # it has a record, made by other code, in whose place the new one comes

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


def with_key(
    key: str,
    evaluation: str,
    seed: int,
    cells: list[Cell],
    record: Record | None,
    until_epoch: int | None,
    unreadable: list[RecordError],
    elsewhere: bool,
    again: bool = False,
) -> Run:
    """One that has its keys, and maybe a record, whole or ``unreadable``; else as ``make_plan``."""
    recipe, protocol = cells[0].recipe, cells[0].protocol
    images = subset_size(card(recipe.dataset).split(recipe.split)["count"], recipe.data_percent, recipe.images)
    total, missing = recipe.total_steps(images), tuple[Missing, ...]()
    goal = total if until_epoch is None else min(total, until_epoch * recipe.steps_per_epoch(images))
    altered = tuple(changed(segments(record), recipe)) if record else ()
    again = again and bool(altered)
    if record and not again and (record.status != "partial" or record.steps >= goal):
        reason = f"{record.status} at step {record.steps:,}: record {record.name}"
        state = "done"
        if altered:
            reason += f"; {', '.join(altered)} changed since, with VERSION as before"
    elif kept := next((problem for problem in unreadable if not problem.damaged), None):
        state, reason = BLOCKED, f"{kept}; move the file away to make the run again"
    else:
        why = (
            f"{unreadable[0]}; it will be moved aside and the run made again"
            if unreadable
            else f"{', '.join(altered)} changed since record {record.name}, with VERSION as before: made again"
            if record and again
            else f"partial record at step {record.steps:,} of {goal:,}"
            if record
            else f"no record of run {key} under this protocol"
        )
        state, reason, missing = _standing(recipe, protocol, why, elsewhere)
    damaged = tuple(problem.path for problem in unreadable) if state == "to do" else ()
    return Run(
        key, evaluation, seed, recipe, protocol, tuple(cells), state, reason, images, total,
        damaged=damaged, changed=altered, missing=missing, again=again,
    )  # fmt: skip


def without_key(cells: list[Cell], seed: int, why: str, elsewhere: bool) -> Run:
    """One that names a plug-in or dataset which is not here; ``why``: what is known of that."""
    recipe, protocol = cells[0].recipe, cells[0].protocol
    images = subset_size(card(recipe.dataset).split(recipe.split)["count"], recipe.data_percent, recipe.images)
    state, reason, missing = _standing(recipe, protocol, why, elsewhere)
    state = state if missing else BLOCKED
    total = recipe.total_steps(images)
    return Run("", "", seed, recipe, protocol, tuple(cells), state, reason, images, total, missing=missing)


def _standing(recipe: Recipe, protocol: Protocol, why: str, elsewhere: bool) -> tuple[str, str, tuple[Missing, ...]]:
    """State, reason and what is missing here of a run that has no record, which ``why`` says."""
    found = hindrance(recipe, protocol)
    if found and not (elsewhere and found.word == MISSING):
        return found.word, found.why, found.missing
    return "to do", why, found.missing if found else ()
