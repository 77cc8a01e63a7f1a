"""One name, one suite file: a report's pages, a cell's id and the folder of its records go by the name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmark.suite.model import Suite

File = tuple[int, int] | Path


def once(suites: Iterable[Suite]) -> list[Suite]:
    """The suites in order, each once, however often and by whatever paths its file was named."""
    found: dict[tuple[tuple[str, File], ...], Suite] = {}
    for suite in suites:
        found.setdefault(tuple((name, _file(path)) for name, path in suite.sources), suite)
    return list(found.values())


def clash(suites: Iterable[Suite]) -> str:
    """What is wrong where two files, included ones too, bear one name; "" where none do."""
    first: dict[str, Path] = {}
    for name, path in (source for suite in suites for source in suite.sources):
        if _file(first.setdefault(name, path)) != _file(path):
            return (
                f"two suites are called {name!r}: {first[name]} and {path}; "
                "their cells, records and pages would be taken for each other's: rename one"
            )
    return ""


def _file(path: Path) -> File:
    """What is the same for all paths to one file."""
    try:
        found = path.stat()
    except OSError:
        return path.absolute()
    return found.st_dev, found.st_ino
