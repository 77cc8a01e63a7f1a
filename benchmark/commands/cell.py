"""The one cell that a command is about."""

from __future__ import annotations

from benchmark.errors import GanbenchError, closest
from benchmark.process.shell import quoted
from benchmark.suite.find import find, suite_of
from benchmark.suite.load import load
from benchmark.suite.model import Cell, Suite
from benchmark.suite.nodes import SuiteError
from benchmark.suite.plugged import asked_for


def the_cell(name: str, profile: str | None = None) -> tuple[Suite, Cell]:
    """The cell of that id, and its suite; raises GanbenchError (exit 2) with the nearest.

    Args:
        name: ``gran/2/NSGAN/cifar10``; of a suite that is elsewhere, its file for the first word.
    """
    given, inner = suite_of(name)
    try:
        path = find(given)
    except SuiteError as error:
        raise SuiteError(
            f"{error} (of a suite that is elsewhere: FILE.yaml/{inner or 'TABLE/METHOD/DATASET'})"
        ) from None
    with asked_for(path):
        suite = load(path, profile)
    cells = {c.id: c for c in suite.cells}
    found = cells.get(f"{suite.name}/{inner}") or cells.get(inner)  # a selection's cells are of other suites
    if found is None:
        close = closest(f"{suite.name}/{inner}", cells) if "/" in inner else None  # a table has hundreds
        if close is None:
            raise GanbenchError(f"no cell {name!r}; see: ganbench list {quoted(given)}", 2)
        near = f"{given}/{close.removeprefix(f'{suite.name}/')}"
        raise GanbenchError(f"no cell {name!r}; did you mean {near!r}?", 2)
    return suite, found
