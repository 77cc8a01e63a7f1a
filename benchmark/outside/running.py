"""Importing plug-ins from outside. Their code is the user's own, with all that the user may do: it is imported only
where the user has let it run, from the very text that was hashed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import asdict
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

from benchmark.catalogue import plugins
from benchmark.errors import GanbenchError, said
from benchmark.outside.code import MARK, Code, plugin_of
from benchmark.recipe import Protocol, Recipe

PACKAGE = "ganbench_outside"
"""Each plug-in is a package of its own below this one: two that import files of one name do not meet."""

_known: dict[str, Code] = {}  # by digest
_trusted: set[str] = set()  # digests


def register(code: Code) -> str | None:
    """Make a plug-in known under its qualified name, which is returned; None if its file states none."""
    if code.digest not in _known:
        if (found := plugin_of(code, _load, closed)) is None:
            return None
        _known[code.digest] = code
        plugins(code.room)[code.qualified] = found
    return code.qualified


def trust(names: Iterable[str]) -> None:
    """The user has let these run, by their qualified names."""
    _trusted.update(name.rpartition("@")[2] for name in names)


def closed(code: Code) -> str | None:
    """Why a plug-in may not run; None if it may."""
    if code.digest in _trusted:
        return None
    return f"{code.where} is code from outside, which nobody has let run: read it, then give --trust-plugins"


def in_words(used: Iterable[tuple[Recipe, Protocol]]) -> list[str]:
    """A line for each plug-in from outside that these recipes and protocols use: its code runs."""
    used = {plug["main"]: plug["folder"] for recipe, protocol in used for plug in travelling(recipe, protocol)}
    return [f"runs code from outside: {folder}/{main}" for main, folder in sorted(used.items())]


def travelling(recipe: Recipe, protocol: Protocol) -> list[dict[str, Any]]:
    """The plug-ins from outside that a recipe and a protocol use, as plain data for a worker."""
    names = [*(name for name, _ in (recipe.network, recipe.loss, *recipe.parts)), recipe.dataset, protocol.features]
    used = {name.rpartition(MARK)[2] for name in names if name and MARK in name}
    return [asdict(_known[digest]) for digest in sorted(used & _known.keys())]


def arrived(plugs: Iterable[dict[str, Any]]) -> None:
    """In a worker: what the driver sent, whose user has let it run."""
    for plug in plugs:
        code = Code(plug["room"], plug["main"], tuple(map(tuple, plug["files"])), plug["folder"])
        if name := register(code):
            trust([name])


def is_file_of_one(name: str) -> bool:
    """Whether a traceback's file is one of a plug-in from outside that is known here."""
    return any(name == f"{code.folder}/{path}" for code in _known.values() for path, _ in code.files)


def _load(code: Code) -> ModuleType:
    """The plug-in's module; raises GanbenchError where it may not run, or cannot be imported."""
    if why := closed(code):
        raise GanbenchError(why, 2)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
    name = f"{PACKAGE}.p{code.digest}.{code.main.removesuffix('.py').replace('/', '.')}"
    try:
        with redirect_stdout(sys.stderr):  # what a command prints may be for programs
            return importlib.import_module(name)
    except (GanbenchError, KeyboardInterrupt):
        raise
    except BaseException as error:  # anything may go wrong in code of others
        raise GanbenchError(f"{code.where} cannot be imported: {type(error).__name__}: {said(error)}", 2) from error


class _Finder(MetaPathFinder, Loader):
    """Finds modules below ``PACKAGE`` in the texts of plug-ins."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """None for what is not ours to find."""
        found = self._text(fullname)
        return None if found is None else spec_from_loader(fullname, self, origin=found[1], is_package=found[2])

    def exec_module(self, module: ModuleType) -> None:
        """Run the text in the module."""
        if found := self._text(module.__name__):
            exec(compile(found[0], found[1], "exec"), module.__dict__)

    def _text(self, fullname: str) -> tuple[str, str, bool] | None:
        """Text, file for people, and whether it is a package."""
        root, *rest = fullname.split(".")
        if root != PACKAGE:
            return None
        if not rest:
            return "", PACKAGE, True
        if (code := _known.get(rest[0][1:])) is None:
            return None
        files, below = dict(code.files), "/".join(rest[1:])
        if (path := f"{below}.py") in files:
            return files[path], f"{code.folder}/{path}", False
        if (path := "/".join([*rest[1:], "__init__.py"])) in files:
            return files[path], f"{code.folder}/{path}", True
        inside = not below or any(name.startswith(f"{below}/") for name in files)
        return ("", f"{code.folder}/{below}", True) if inside else None
