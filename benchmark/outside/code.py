"""The source of a plug-in from outside: one file, and those that it imports from beside itself. Nothing is run here."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import ModuleType

from benchmark.catalogue import Plugin, plugins, read_source
from benchmark.errors import GanbenchError
from benchmark.files import read_regular
from benchmark.outside import stated
from benchmark.syntax import syntax_hash

LARGEST = 1_000_000  # bytes of a file
MARK = "@"
"""Between the name of a plug-in from outside and its hash, in resolved recipes: no name of ours has it."""

Read = Callable[[str], "str | None"]
"""The text of a file by its path below the plug-ins' folder; None where there is none."""


@dataclass(frozen=True)
class Code:
    """Equal for equal files: what travels to workers."""

    room: str  # "methods", "networks", "extractors" or "datasets"
    main: str  # the plug-in's own file
    files: tuple[tuple[str, str], ...]  # path -> text, of it and of all that it imports from its folder
    folder: str = field(compare=False)  # where it lies, for people

    @functools.cached_property
    def digest(self) -> str:
        """What stands for it in the key of a run: all that its files say, but for comments and formatting."""
        said = [self.room, self.main, *(word for path, text in self.files for word in (path, syntax_hash(text)))]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        """As a suite writes it."""
        return PurePosixPath(self.main).stem.replace("_", "-")

    @property
    def qualified(self) -> str:
        """As resolved recipes, and so records and keys, have it."""
        return f"{self.name}{MARK}{self.digest}"

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.folder}/{self.main}"


def plain_name(name: str) -> str:
    """A plug-in's name as suites write it."""
    return name.partition(MARK)[0]


def plugin_of(code: Code, load: Callable[[Code], ModuleType], closed: Callable[[Code], str | None]) -> Plugin | None:
    """The plug-in that the file states; None if it states none (a file that plug-ins share).

    Raises:
        GanbenchError: it states one in part only, or one that bears the name of one of ours.
    """
    text = dict(code.files)[code.main]
    try:
        found = read_source(text, code.qualified, "", lambda: load(code), lambda: closed(code))
        if found is not None and code.room in stated.ROOMS:
            found = replace(found, kind=code.room[:-1], states=stated.stated(code.room, text))
    except GanbenchError as error:
        raise GanbenchError(f"{code.where}: {error}", 2) from None
    except (ValueError, TypeError) as error:
        raise GanbenchError(f"{code.where}: {_plain_values(code.room)} must be plain values: {error}", 2) from None
    if found is None:
        if said := _half(text):
            raise GanbenchError(f"{code.where}: {said}", 2)
        return None
    if code.room not in stated.ROOMS and (found.kind == "network") != (code.room == "networks"):
        said = (
            "build in methods/ must say what it returns: '-> Part' or '-> Loss'"
            if code.room == "methods"
            else "a file whose build returns a Part or a Loss belongs into methods/"
        )
        raise GanbenchError(f"{code.where}: {said}", 2)
    if code.name in plugins(code.room):
        raise GanbenchError(
            f"{code.where}: {code.room[:-1]} {code.name!r} is one of ganbench's own: rename the file", 2
        )
    return found


def _plain_values(room: str) -> str:
    return {"datasets": "VERSION and CARD", "extractors": f"VERSION, {', '.join(stated.EXTRACTOR)}"}.get(
        room, "VERSION, WEIGHTS and defaults"
    )


def _half(text: str) -> str:
    """What a file lacks that has the one half of a plug-in."""
    top = ast.parse(text).body
    builds = any(isinstance(node, ast.FunctionDef) and node.name == "build" for node in top)
    versions = any(
        isinstance(target, ast.Name) and target.id == "VERSION"
        for node in top
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )
    if builds:
        return "it has build(…), and no VERSION = 1: a whole number, raised when what it computes changes"
    return "it has a VERSION, and no function build(*, …)" if versions else ""


def code_in(folder: Path, room: str, shown: str) -> list[Code]:
    """Every file of a folder of plug-ins that could state one.

    Raises:
        GanbenchError: one cannot be read, is no Python, or imports from beside itself what is not there.
    """
    paths = sorted(p.name for p in (folder / room).glob("*.py") if p.name != "__init__.py")
    return [closure(f"{room}/{name}", room, reader(folder, shown), shown) for name in paths]


def closure(main: str, room: str, read: Read, shown: str) -> Code:
    """A plug-in's file with all that it imports from beside itself, those files' imports included.

    Raises:
        GanbenchError: as ``code_in``.
    """
    files: dict[str, str] = {}
    todo = [main]
    while todo:
        if (path := todo.pop()) in files:
            continue
        if (text := read(path)) is None:
            raise GanbenchError(f"{shown}/{path} is not there", 2)
        files[path] = text
        for wanted, line in _imports(path, text, shown):
            found = [p for p in wanted if read(p) is not None]
            if not found and line:
                raise GanbenchError(f"{shown}/{path}:{line}: there is no {wanted[0]} in {shown}", 2)
            todo += found
    return Code(room, main, tuple(sorted(files.items())), shown)


def _imports(path: str, text: str, shown: str) -> Iterator[tuple[list[str], int]]:
    """Files that the import system reads for this one, each as choices, with the line that needs one of them; 0: none
    need be there.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise GanbenchError(f"{shown}/{path}{line}: no Python: {getattr(error, 'msg', None) or error}", 2) from None
    parents = list(PurePosixPath(path).parents)
    yield from (([str(p / "__init__.py")], 0) for p in parents)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        if node.level > len(parents):
            raise GanbenchError(
                f"{shown}/{path}:{node.lineno}: imports from outside of {shown}, which does not travel", 2
            )
        base = parents[node.level - 1] / (node.module or "").replace(".", "/")
        named = [str(p) for alias in node.names for p in (base / f"{alias.name}.py", base / alias.name / "__init__.py")]
        if node.module:
            yield [f"{base}.py", str(base / "__init__.py"), *named], node.lineno
        else:
            yield [*named, str(base / "__init__.py")], node.lineno


def reader(folder: Path, shown: str) -> Read:
    """Reads each file of a folder of plug-ins once; what it reads raises GanbenchError as ``code_in`` does."""

    @functools.cache
    def read(path: str) -> str | None:
        try:
            content = read_regular(folder / path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise GanbenchError(f"{shown}/{path} cannot be read: {error.strerror}", 2) from None
        if len(content) > LARGEST:
            raise GanbenchError(
                f"{shown}/{path}: {len(content):,} bytes; a file of a plug-in has at most {LARGEST:,}", 2
            )
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise GanbenchError(f"{shown}/{path} is not UTF-8", 2) from None

    return read
