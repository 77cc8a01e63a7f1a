"""What a folder of plug-ins offers, read from the source text: no plug-in is imported, so torch is not either.

A plug-in is one file of ``networks/`` or ``methods/``. Its name in a suite is the file's name with
dashes (``spectral-norm`` is ``spectral_norm.py``). It states ``VERSION = n`` (raised when its
algorithm changes: the number is in every run key) and defines ``build(…)``, whose keyword-only
arguments are the ones that a suite may give. One whose networks have been trained elsewhere states
``WEIGHTS = {argument: {value: (names of weights/known.py, …)}}``; another value takes none. A network whose G has
no BatchNorm states ``BATCH_NORM = False``.
"""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from benchmark.errors import GanbenchError, misspelt, nearest

TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}


@dataclass(frozen=True)
class Plugin:
    """One file: its name in suites, algorithm version, kind and the arguments that a suite may give."""

    name: str
    module: str
    version: int
    kind: str  # "network", "loss" or "part": the annotation of what ``build`` returns
    arguments: dict[str, str]  # name -> annotation
    required: frozenset[str]
    defaults: dict[str, Any] = field(default_factory=dict)  # of arguments that may be left out
    weights: dict[str, dict[Any, tuple[str, ...]]] = field(default_factory=dict)  # its WEIGHTS
    batch_norm: bool = True  # its BATCH_NORM
    states: dict[str, Any] = field(default_factory=dict, compare=False)  # of an extractor or dataset from outside
    # of one from outside the package (``outside/``): its module, and why it may not run, if it may not
    outside: Callable[[], ModuleType] | None = field(default=None, compare=False)
    closed: Callable[[], str | None] = field(default=lambda: None, compare=False)

    def check(self, given: dict[str, Any]) -> None:
        """Raises GanbenchError (exit 2) on an unknown, missing or wrongly typed argument."""
        for key, value in given.items():
            if key not in self.arguments:
                raise GanbenchError(f"{self.name} has no argument {key!r}{nearest(key, self.arguments)}", 2)
            if (choices := _choices(self.arguments[key])) and value not in choices:
                raise GanbenchError(f"{self.name}: {key} is {value!r}{nearest(value, map(str, choices))}", 2)
            allowed = TYPES.get(self.arguments[key].removesuffix(" | None"))
            if allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)):
                raise GanbenchError(f"{self.name}: {key} must be {self.arguments[key]}, found {value!r}", 2)
        if missing := self.required - given.keys():
            raise GanbenchError(f"{self.name} needs {', '.join(sorted(missing))}", 2)

    def needs(self, given: dict[str, Any]) -> list[str]:
        """Names of the weights that it takes with these arguments."""
        values = self.defaults | given
        return [
            name
            for argument, choices in self.weights.items()
            for choice, names in choices.items()
            if values.get(argument) == choice
            for name in names
        ]

    def load(self) -> ModuleType:
        """Import the plug-in (and torch with it)."""
        if self.outside is not None:
            return self.outside()
        return importlib.import_module(self.module)


@functools.cache
def plugins(room: str) -> dict[str, Plugin]:
    """Every plug-in of ``benchmark/<room>/`` (``"networks"`` or ``"methods"``), by its suite name; of extractors and
    datasets those from outside.
    """
    files = sorted((Path(__file__).parent / room).glob("*.py"))
    return {found.name: found for path in files if (found := read(path, f"benchmark.{room}.{path.stem}"))}


def read(path: Path, module: str) -> Plugin | None:
    """The plug-in that a file of the package states; None for one that plug-ins share."""
    return read_source(path.read_text(encoding="utf-8"), path.stem.replace("_", "-"), module)


def read_source(
    text: str,
    name: str,
    module: str,
    outside: Callable[[], ModuleType] | None = None,
    closed: Callable[[], str | None] = lambda: None,
) -> Plugin | None:
    """The plug-in that a file's text states; None for one that plug-ins share."""
    tree = ast.parse(text)
    version, weights = (_assigned(tree, name) for name in ("VERSION", "WEIGHTS"))
    build = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "build"), None)
    if not isinstance(version, int) or build is None:
        return None
    given = list(zip(build.args.kwonlyargs, build.args.kw_defaults))
    return Plugin(
        name=name,
        module=module,
        version=version,
        kind={"Part": "part", "Loss": "loss"}.get(ast.unparse(build.returns) if build.returns else "", "network"),
        arguments={a.arg: ast.unparse(a.annotation) if a.annotation else "" for a, _ in given},
        required=frozenset(a.arg for a, default in given if default is None),
        defaults={a.arg: ast.literal_eval(default) for a, default in given if default is not None},
        weights=weights or {},
        batch_norm=_assigned(tree, "BATCH_NORM") is not False,
        outside=outside,
        closed=closed,
    )


Names = Mapping[str, Mapping[str, str]]
"""Room -> name that a suite may write -> name of the plug-in, for plug-ins from outside."""
_written: ContextVar[Names] = ContextVar("names of plug-ins from outside", default=MappingProxyType({}))


@contextmanager
def writing(names: Names) -> Iterator[None]:
    """Meanwhile, these names are taken for plug-ins from outside: those of the suite that is being read, and of no
    other.
    """
    token = _written.set(names)
    try:
        yield
    finally:
        _written.reset(token)


_missed: dict[tuple[str, str], dict[str, str]] = {}
"""Room and name that no plug-in has -> the names, with their kinds, that the suite which wrote it last may write."""


def meant(room: str, name: str) -> str:
    """The plug-in's name that a suite's word stands for."""
    own = _written.get().get(room, {})
    if name not in own and name not in plugins(room):
        _missed[room, name] = {word: plugins(room)[own.get(word, word)].kind for word in words(room)}
    return own.get(name, name)


def instead(room: str, kind: str, name: str) -> str | None:
    """The plug-in of that kind whose name is misspelt so in a suite; None where it may be one that is still to come."""
    return misspelt(name, [word for word, its in _missed.get((room, name), {}).items() if its == kind])


def words(room: str) -> set[str]:
    """All names of plug-ins that the suite that is being read may write."""
    return {name for name, found in plugins(room).items() if found.outside is None} | {*_written.get().get(room, ())}


def plugin(room: str, name: str) -> Plugin:
    """The plug-in of that name; raises GanbenchError with the nearest name if there is none."""
    known = plugins(room)
    if name not in known:
        raise GanbenchError(f"{room.removesuffix('s')} {name!r} is not implemented{nearest(name, words(room))}")
    return known[name]


def _choices(annotation: str) -> tuple[Any, ...]:
    """The values of ``Literal[…]``; none for another annotation."""
    if not annotation.startswith("Literal["):
        return ()
    value = ast.literal_eval(annotation.removeprefix("Literal").replace("[", "(", 1).rstrip("]") + ",)")
    return tuple(value)


def _assigned(tree: ast.Module, name: str) -> Any:
    """The plain value that a statement of the file gives to ``name``; None without one."""
    for node in tree.body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return ast.literal_eval(node.value)
    return None
