"""Finding suite files: by name, in folders, and what to call one that was found."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from benchmark.errors import nearest
from benchmark.process.shell import file
from benchmark.suite.nodes import SuiteError

SUITES = "suites"  # the folder that a bare suite name is looked up in, below the working directory


def find(name: str) -> Path:
    """The suite file of a name, a file or a folder with one; raises SuiteError with the nearest name."""
    path = Path(name)
    if is_a(path, lambda mode: not stat.S_ISDIR(mode)):  # a FIFO is refused when it is read
        return path
    named = Path(SUITES) / f"{name}.yaml"
    if is_a(named, stat.S_ISREG):
        return named
    known = [p.stem for p in suite_files(Path(SUITES))]
    where = f" in {Path(SUITES).resolve()}" if not known else ""
    raise SuiteError(f"no suite {name!r}{where}{nearest(name, known) if known else ': no suite file there'}")


def called(name: str, path: Path) -> str:
    """What a command is to call the suite ``name`` of the file ``path``: the name, if that finds the file from here."""
    there = Path(SUITES) / f"{name}.yaml"
    return name if not Path(name).exists() and there.is_file() and there.samefile(path) else file(path)


def suite_files(folder: Path) -> list[Path]:
    """Sorted; none in a folder that is not there."""
    try:
        return sorted(p for p in folder.iterdir() if p.suffix == ".yaml")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SuiteError(f"{folder}: cannot be read: {error.strerror or error}") from None


def is_a(path: Path, kind: Callable[[int], bool]) -> bool:
    """Whether there is a file or folder of that kind; raises SuiteError where nobody can say."""
    try:
        return kind(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read: {error.strerror or error}") from None
