"""Of several records of one evaluation the one that counts, and the plan that a training's records agree on."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from benchmark.records.record import Record

Training = tuple[str, str, str, int]
"""Recipe, data and seed."""


def by_evaluation(records: Iterable[Record]) -> dict[str, Record]:
    """The record that counts for each evaluation key: the one that got furthest.

    Its ``planned`` is what all records say together that are of the same training (recipe, data and seed, under
    whatever protocol and version, and however far): the plan that they agree on, one of a single seed apart, else 0. So
    who looks at some, and measures again, or goes on, under another plan, has looked all the same
    (``collate/statistics/looks.py``). Its ``asked`` is the largest of these plans: a smaller one beside it ends none.
    """
    best: dict[str, Record] = {}
    plans: dict[Training, int] = {}
    asked: dict[Training, int] = {}
    for record in records:
        there = best.get(record.evaluation)
        if there is None or record.steps > there.steps:
            best[record.evaluation] = record
        training, planned = _training(record), record.planned or 0
        asked[training] = max(record.asked, asked.get(training, 0))
        so_far = plans.setdefault(training, planned)
        if planned != so_far:
            plans[training] = max(planned, so_far) if min(planned, so_far) == 1 else 0
    return {key: _with_plan(record, plans[t := _training(record)], asked[t]) for key, record in best.items()}


def _training(record: Record) -> Training:
    return record.recipe.canonical, record.content, record.subset, record.seed


def _with_plan(record: Record, planned: int, asked: int) -> Record:
    """The record, or, if its own plan is another, a copy with these; what is still on the disk stays there."""
    if (record.planned or 0, record.asked) == (planned, asked):
        return record
    other = copy.copy(record)
    other.__dict__.update(planned=planned, asked=asked)
    return other
