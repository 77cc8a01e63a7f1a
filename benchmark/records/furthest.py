"""Of several records of one evaluation the one that counts, and the plan that a training's records agree on."""

from __future__ import annotations

import copy
import dataclasses
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
    plans = Plans()
    for record in records:
        there = best.get(record.evaluation)
        if there is None or record.steps > there.steps:
            best[record.evaluation] = record
        plans.note(record)
    return {key: _with_plan(record, plans.agreed(record), plans.asked(record)) for key, record in best.items()}


class Plans:
    """How many seeds the plans asked for that each training was part of, as its records say."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._of: dict[Training, set[int]] = {}
        self._asked: dict[Training, int] = {}
        for record in records:
            self.note(record)

    def note(self, record: Record) -> None:
        """One more record of its training."""
        training = _training(record)
        self._of.setdefault(training, set()).add(record.planned or 0)
        self._asked[training] = max(record.asked, self._asked.get(training, 0))

    def agreed(self, record: Record) -> int:
        """The plan that all of the training agree on, one of a single seed apart; else 0."""
        plans = self._of[_training(record)]
        return max(plans) if len(plans) == 1 or (len(plans) == 2 and min(plans) == 1) else 0

    def asked(self, record: Record) -> int:
        """The largest."""
        return self._asked[_training(record)]

    def copies(self, record: Record) -> list[Record]:
        """The record under each of them: the record itself if there is one."""
        plans = sorted(self._of[_training(record)])
        return [record] if len(plans) == 1 else [dataclasses.replace(record, planned=plan) for plan in plans]


def _training(record: Record) -> Training:
    return record.recipe.canonical, record.content, record.subset, record.seed


def _with_plan(record: Record, planned: int, asked: int) -> Record:
    """The record, or, if its own plan is another, a copy with these; what is still on the disk stays there."""
    if (record.planned or 0, record.asked) == (planned, asked):
        return record
    other = copy.copy(record)
    other.__dict__.update(planned=planned, asked=asked)
    return other
