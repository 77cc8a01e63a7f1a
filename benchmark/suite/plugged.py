"""``plugins:`` of a suite: which plug-ins from outside it may name, and which of them the user has let run.

Loading reads them as text. They may run where the user names the suite itself and their folder is beside it (or they
are of an installed package), or with ``--trust-plugins``: never because some other suite includes it, or because it
lies in a folder that was named.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from benchmark.catalogue import writing
from benchmark.errors import GanbenchError
from benchmark.outside.code import Code, code_in
from benchmark.outside.installed import code_of
from benchmark.outside.running import register, trust
from benchmark.suite.nodes import Node, SuiteError
from benchmark.suite.taken import refuse_taken

ROOMS = ("methods", "networks", "extractors", "datasets")
_asked: ContextVar[Path | None] = ContextVar("the suite file that the user named", default=None)
_trust_all = False


def trust_all() -> None:
    """``--trust-plugins``: whatever this process loads may run."""
    global _trust_all
    _trust_all = True


@contextmanager
def asked_for(path: Path) -> Iterator[None]:
    """Meanwhile, the user has named this file."""
    token = _asked.set(path)
    try:
        yield
    finally:
        _asked.reset(token)


@contextmanager
def plugged(node: Node | None, path: Path) -> Iterator[None]:
    """Meanwhile, the suite of the file ``path`` may name the plug-ins of its ``plugins:``, and no others from outside.

    Raises:
        SuiteError: there are none, one of them is not as plug-ins are, or two bear one name.
    """
    names: dict[str, dict[str, str]] = {room: {} for room in ROOMS}
    for item in [] if node is None else node.items() if node.is_list() else [node]:
        try:
            found, beside = _found(item, path)
            _take(item, found, names, _trust_all or (beside and _asked.get() == path))
        except SuiteError:
            raise
        except GanbenchError as error:
            item.fail(str(error))
    with writing(names):
        yield


def _take(item: Node, found: list[Code], names: dict[str, dict[str, str]], trusted: bool) -> None:
    """Register what was found, under the names that the suite may write."""
    taken = [(code, name) for code in found if (name := register(code))]
    if not taken:
        rooms = ", ".join(f"{room}/" for room in ROOMS)
        item.fail(f"{item.text()} holds no plug-in: a file of {rooms} with VERSION and build(…)")
    for code, name in taken:
        refuse_taken(code)
        if names[code.room].setdefault(code.name, name) != name:
            item.fail(f"two {code.room} are called {code.name!r}; {code.where} is the second: rename one")
    if trusted:
        trust(name for _, name in taken)


def _found(item: Node, path: Path) -> tuple[list[Code], bool]:
    """The code that one entry names, and whether that is the suite's own, in a folder beside it."""
    given = item.text()
    if not given.startswith((".", "/")):
        return code_of(given), True  # whoever installed it has let it run
    folder = path.parent / given
    if not folder.is_dir():
        item.fail(f"there is no folder {given} beside this suite")
    beside = folder.resolve().is_relative_to(path.resolve().parent)
    return [code for room in ROOMS for code in code_in(folder, room, str(folder))], beside
