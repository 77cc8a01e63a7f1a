"""The records of a cell, found by what its runs are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Protocol

from benchmark.errors import GanbenchError
from benchmark.plan.keys import Series, series, series_anywhere, series_of
from benchmark.records.furthest import by_evaluation
from benchmark.records.record import Record
from benchmark.suite.model import Cell


class Seeded(Protocol):
    """A result of one seed."""

    @property
    def seed(self) -> int:
        """Which."""


def first_gap(records: Sequence[Seeded]) -> int | None:
    """The smallest seed without a record below the largest with one; None if there is none."""
    seeds = {r.seed for r in records}
    first = next(i for i in itertools.count() if i not in seeds)
    return first if any(s > first for s in seeds) else None


Index = dict[Series, tuple[Record, ...]]
"""Records by series, as ``by_series`` makes it: what a caller with several suites makes once."""


def by_series(records: Sequence[Record]) -> Index:
    """The records that count (of each seed the one that got furthest), by series, in order of seed."""
    groups: dict[Series, list[Record]] = {}
    made: dict[tuple[Any, ...], Series] = {}  # records that were read together share their parts
    for r in by_evaluation(records).values():
        parts = (id(r.recipe), r.content, r.subset, id(r.versions), id(r.protocol), r.measure_version, r.real)
        if parts not in made:
            made[parts] = series(r.recipe, r.content, r.subset, r.versions, r.protocol, r.measure_version, r.real)
        groups.setdefault(made[parts], []).append(r)
    return {key: tuple(sorted(group, key=lambda r: r.seed)) for key, group in groups.items()}


def indexed(records: Sequence[Record] | Index) -> Index:
    """By series, if they are not so yet."""
    return records if isinstance(records, dict) else by_series(records)


def records_of(cell: Cell, index: Index) -> tuple[Record, ...]:
    """A cell's records, by seed."""
    try:
        return index.get(series_of(cell.recipe, cell.protocol), ())
    except GanbenchError:
        return _of_elsewhere(cell, index)


def _of_elsewhere(cell: Cell, index: Index) -> tuple[Record, ...]:
    """The records of a cell whose dataset is not on this machine: those that agree about its images, if all do."""
    try:
        wanted = series_anywhere(cell.recipe, cell.protocol)
    except GanbenchError:
        return ()  # a part that is not implemented: the entry says so as "blocked"
    found = [records for key, records in index.items() if (key[0], "", *key[2:-1], "") == wanted]
    return found[0] if len(found) == 1 else ()
