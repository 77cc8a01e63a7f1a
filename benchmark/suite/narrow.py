"""A suite with some of its cells: what ``--only`` leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from benchmark.suite.filter import Filter, Row
from benchmark.suite.model import Cell, Suite, Table


def narrowed(suite: Suite, only: Filter, references: bool = False) -> Suite:
    """The tables with the cells, and the rows that are no method, that are chosen; claims that compare one of them.
    Tables without such a cell go (``references``: or such a row).
    """
    return _with(suite, only, only, references)


def with_cells(suite: Suite, only: Filter, kept: Collection[str]) -> Suite:
    """As ``narrowed``, with the cells of these ids, which are those that ``only`` chooses by their results."""
    return _with(suite, only, lambda cell: cell.id in kept, references=False)


def _with(suite: Suite, only: Filter, choose: Callable[[Cell], bool], references: bool) -> Suite:
    tables = [_table(table, suite.profile, only, choose) for table in suite.tables]
    there = {cell.id for table in tables for cell in table.cells}
    return replace(
        suite,
        tables=tuple(table for table in tables if table.cells or (references and table.references)),
        claims=tuple(claim for claim in suite.claims if any(n.cell in there for n in claim.numbers())),
        remarks=(f"a selection: {only.text}", *suite.remarks),
    )


def _table(table: Table, profile: str, only: Filter, choose: Callable[[Cell], bool]) -> Table:
    references = tuple(
        r
        for r in table.references
        if only(
            Row(table.paper, table.id, r.method, r.place.dataset, r.place.data_percent, r.place.resolution, profile)
        )
    )
    return replace(table, cells=tuple(filter(choose, table.cells)), references=references)
