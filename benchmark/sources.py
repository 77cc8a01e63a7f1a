"""The source of what a recipe uses, as hashes: what tells that a file has changed whose VERSION has not."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmark.catalogue import plugins
from benchmark.process.home import PACKAGE
from benchmark.recipe import Recipe
from benchmark.syntax import syntax_hash

ROOMS = ("methods", "networks")
CONTRACT = ("methods/part.py", "methods/__init__.py", "networks/__init__.py")
"""Of all parts: what grows there is there for new ones."""


def sources(recipe: Recipe) -> dict[str, str]:
    """File of the package -> hash of its syntax tree, of the network, loss and parts, and of what they share with
    others. One from outside the package has its hash in its name.
    """
    used = [("networks", recipe.network[0]), *(("methods", name) for name, _ in (recipe.loss, *recipe.parts))]
    return {file: text for room, name in used for file, text in _of(room, name)}


def changed(segments: Iterable[dict[str, Any]], recipe: Recipe) -> list[str]:
    """Files that are not what they were in one of these stretches of a run; none where the record does not say."""
    said = [kept for segment in segments if isinstance(kept := segment.get("sources"), dict)]
    if not said:
        return []
    now = sources(recipe)
    return sorted({file for kept in said for file, text in kept.items() if file in now and now[file] != text})


@functools.cache
def _of(room: str, name: str) -> tuple[tuple[str, str], ...]:
    found = plugins(room).get(name)
    if found is None or not found.module.startswith(f"benchmark.{room}."):
        return ()
    files: dict[str, str] = {}
    todo = [f"{room}/{found.module.rpartition('.')[2]}.py"]
    while todo:
        if (file := todo.pop()) not in files:
            text = Path(PACKAGE, file).read_text(encoding="utf-8")
            files[file] = syntax_hash(text)[:16]
            todo += _shared(text)
    return tuple(sorted(files.items()))


def _shared(text: str) -> Iterator[str]:
    """The files of the same rooms that one imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchmark."):
            _, room, *more = (node.module or "").split(".")
            for name in more[:1] or [alias.name for alias in node.names]:
                file = f"{room}/{name}.py"
                if room in ROOMS and file not in CONTRACT and Path(PACKAGE, file).is_file():
                    yield file
