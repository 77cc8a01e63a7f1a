"""Which cells a command is about: ``--only``, in one way for all."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from benchmark.errors import GanbenchError
from benchmark.process import shell
from benchmark.suite.filter import Filter
from benchmark.suite.model import Cell, Suite
from benchmark.suite.narrow import narrowed


def only_of(a: Namespace) -> Filter | None:
    """What ``--only`` asks for; raises GanbenchError (exit 2) where it is none."""
    return Filter(a.only) if a.only is not None else None


def chosen_cells(a: Namespace, suites: Sequence[Suite], named: Sequence[str]) -> list[Cell]:
    """The cells that ``--only`` chooses; ``named``: the suites' names, as they were given.

    Raises:
        GanbenchError: it chooses none.
    """
    only = only_of(a)
    cells = [c for s in suites for c in s.cells if only is None or only(c)]
    if not cells:
        raise no_cell(a, named, suites)
    return cells


def chosen_suites(a: Namespace, suites: Sequence[Suite], named: Sequence[str], references: bool = False) -> list[Suite]:
    """The suites with the cells that ``--only`` chooses (``references``: or rows that are no method); those and their
    tables of which nothing is left go. Raises as ``chosen_cells``.
    """
    if (only := only_of(a)) is None:
        return list(suites)
    left = [one for suite in suites if (one := narrowed(suite, only, references)).tables]
    if not left:
        raise no_cell(a, named, suites)
    return left


def no_cell(a: Namespace, named: Sequence[str], suites: Sequence[Suite]) -> GanbenchError:
    """That ``--only`` chooses nothing, which words of it may be misspelt, and where to see what there is."""
    astray = only.astray(c for s in suites for c in s.cells) if (only := only_of(a)) is not None else ""
    see = about("list", named, getattr(a, "profile", None))
    return GanbenchError(f"--only {a.only!r} leaves no cell{astray}; see: {see}", 2)


def about(name: str, suites: Sequence[str], profile: str | None, *more: object) -> str:
    """Another command about the same suites and profile, to be pasted."""
    more = (*(shell.option("--profile", profile) if profile else ()), *more)
    return shell.command(name, *map(shell.file, suites), *more)
