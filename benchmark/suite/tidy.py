"""Cells and published numbers as flat rows: the contract of ``list --json`` and ``published``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from benchmark.suite.model import Cell, Suite

PUBLISHED_COLUMNS = ("paper", "table", "method", "backbone", "dataset", "data_percent", "resolution", "metric", "value", "std", "origin", "note")
COORDINATES = ("id", "paper", "table", "method", "backbone", "dataset", "data_percent", "resolution", "profile")


def published_rows(suites: Iterable[Suite]) -> Iterator[tuple[Any, ...]]:
    """One row of ``PUBLISHED_COLUMNS`` a published number, or an empty value with its reason as the note."""
    for cell in (cell for suite in suites for cell in suite.cells):
        place = (cell.paper, cell.table, cell.method, cell.backbone, cell.dataset, f"{cell.data_percent:g}", cell.resolution)
        for metric, p in cell.published.items():
            note = f"std over {p.std_of}" if p.std is not None else p.text if p.value is None else ""
            yield (*place, metric, p.value, p.std, p.origin, note)


def cell_row(cell: Cell, needs: str | None) -> dict[str, Any]:
    """A cell's coordinates, its published numbers as printed, and what it still needs (None: nothing)."""
    return {key: getattr(cell, key) for key in COORDINATES} | {"published": {m: p.text for m, p in cell.published.items()}, "needs": needs}
