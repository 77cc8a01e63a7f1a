"""The one cell that a command is about."""

from __future__ import annotations

from benchmark.errors import GanbenchError, nearest
from benchmark.suite.find import find
from benchmark.suite.load import load
from benchmark.suite.model import Cell, Suite


def the_cell(name: str, profile: str | None = None) -> tuple[Suite, Cell]:
    """The cell of that id, and its suite; raises GanbenchError (exit 2) with the nearest."""
    suite = load(find(name.split("/")[0]), profile)
    cells = {c.id: c for c in suite.cells}
    if name not in cells:
        raise GanbenchError(f"no cell {name!r}{nearest(name, cells)}", 2)
    return suite, cells[name]
