"""Completion in a shell: what may come next, asked of the parsers and of what there is on this machine.

By argcomplete (extra ``completion``), which runs this command at each Tab: that is how suites, cells, profiles and
datasets are known, where a script that is written once would have options alone.
"""

from __future__ import annotations

import argparse
import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from benchmark.errors import GanbenchError

ASKED = "_ARGCOMPLETE"
"""In the environment where a shell asks for words, and not for a command."""


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, and end the process."""
    try:
        import argcomplete
    except ImportError:
        raise SystemExit(1) from None  # a shell shows nothing of what would be said
    for action in _actions(parser):
        if action.dest in WORDS and action.choices is None:
            action.completer = WORDS[action.dest]  # type: ignore[attr-defined]  # argcomplete's
    argcomplete.autocomplete(parser, always_complete_options=False)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action.choices, dict):
            for one in action.choices.values():
                yield from _actions(one)


def _known() -> list[str]:
    """The suites that have a name here."""
    from benchmark.suite.find import PACKAGED, SUITES, suite_files

    return sorted({path.stem for folder in (Path(SUITES), PACKAGED) for path in suite_files(folder)})


def _suites(prefix: str, **_: object) -> list[str]:
    there = [f"{path}/" if os.path.isdir(path) else path for path in glob.glob(f"{glob.escape(prefix)}*")]
    return [*_known(), *(path for path in there if path.endswith(("/", ".yaml")))]


def _profiles(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Of the suites that stand there, or of all."""
    from benchmark.suite.apart import profiles_of
    from benchmark.suite.find import suite_of

    cell = getattr(parsed_args, "cell", None)
    named = [suite_of(cell)[0]] if cell else getattr(parsed_args, "suites", None) or getattr(parsed_args, "names", None)
    return list(dict.fromkeys(p for name in named or _known() for p in profiles_of(name)))


def _cells(prefix: str, **_: object) -> Iterable[str]:
    """Suites, and then the cells of one."""
    from benchmark.suite.find import find, suite_of
    from benchmark.suite.load import load

    if "/" not in prefix:
        return [f"{name}/" for name in _known()]
    try:
        suite = load(find(given := suite_of(prefix)[0]))
    except GanbenchError:  # a folder on the way to a file
        return [f"{path.rstrip('/')}/" for path in _suites(prefix) if "/" in path]
    return [f"{given}/{cell.id.removeprefix(f'{suite.name}/')}" for cell in suite.cells]


def _names(prefix: str, parsed_args: argparse.Namespace, **more: object) -> list[str]:
    """Of datasets; of suites after ``data stats``."""
    if getattr(parsed_args, "action", None) == "stats":
        return _suites(prefix)
    from benchmark.data.cards import known_datasets

    return sorted(known_datasets())


WORDS: dict[str, Callable[..., Iterable[str]]] = {
    "suites": _suites,
    "profile": _profiles,
    "cell": _cells,
    "cells": _cells,
    "names": _names,
    "name": _names,
}
"""By an argument's name in the program, where it is no choice of the parser's own."""
