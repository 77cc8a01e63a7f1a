"""Cells and published numbers as flat rows: the contract of ``list --json`` and ``published``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from benchmark.suite.model import Cell, Published, Suite

PUBLISHED_COLUMNS = (
    "paper",
    "table",
    "method",
    "backbone",
    "dataset",
    "data_percent",
    "resolution",
    "metric",
    "value",
    "std",
    "origin",
    "note",
)
COORDINATES = (
    "id",
    "paper",
    "table",
    "group",
    "method",
    "backbone",
    "dataset",
    "data_percent",
    "resolution",
    "profile",
)


def published_rows(suites: Iterable[Suite]) -> Iterator[tuple[Any, ...]]:
    """One row of ``PUBLISHED_COLUMNS`` a published number, or an empty value with its reason first in the note."""
    for table in (table for suite in suites for table in suite.tables):
        for r in table.references:
            place = (
                table.paper,
                table.id,
                r.method,
                "",
                r.place.dataset,
                f"{r.place.data_percent:g}",
                r.place.resolution,
            )
            yield from (
                (*place, metric, p.value, p.std, p.origin, _note(p, ("reference: no method, no cell",)))
                for metric, p in r.published.items()
            )
        for c in table.cells:
            place = (c.paper, c.table, c.method, c.backbone, c.dataset, f"{c.data_percent:g}", c.resolution)
            yield from (
                (*place, metric, p.value, p.std, p.origin, _note(p, c.remarks)) for metric, p in c.published.items()
            )


def _note(p: Published, remarks: tuple[str, ...]) -> str:
    reason = p.text if p.value is None else f"std over {p.std_of}" if p.std is not None else ""
    return "; ".join(filter(None, (reason, "printed as best" if p.best else "", *remarks)))


def cell_row(cell: Cell, needs: str | None, missing: Iterable[str] = ()) -> dict[str, Any]:
    """A cell's coordinates, its published numbers as printed, what it still needs (None: nothing), and what of that is
    ``missing`` here, by name.
    """
    return {key: getattr(cell, key) for key in COORDINATES} | {
        "published": {m: p.text for m, p in cell.published.items()},
        "needs": needs,
        "missing": list(missing),
    }
