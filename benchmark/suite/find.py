"""Finding suite files: by name, in folders, and what to call one that was found."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from benchmark.errors import closest, misspelt, nearest
from benchmark.process.home import PACKAGE
from benchmark.process.shell import file
from benchmark.suite.nodes import SuiteError

SUITES = "suites"  # the folder that a bare suite name is looked up in, below the working directory
PACKAGED = Path(PACKAGE, "suites")
"""Those that come with the package: a name that is not in ``SUITES`` is looked up there."""


def find(name: str) -> Path:
    """The suite file of a name, a file or a folder with one; raises SuiteError with the nearest name."""
    path = Path(name)
    if is_a(path, lambda mode: not stat.S_ISDIR(mode)):  # a FIFO is refused when it is read
        return path
    if found := _named(name, Path(SUITES), PACKAGED):
        return found
    known = {p.stem for folder in (Path(SUITES), PACKAGED) for p in suite_files(folder)}
    near = _file_near(name) if misspelt(name, known) is None else None
    raise SuiteError(
        f"no suite {name!r}{f'; did you mean {near!r}?' if near else nearest(name, known) or ': no suite file there'}"
    )


def _file_near(name: str) -> str | None:
    """The suite file that is meant in the folder that a name points into, written as the name is."""
    folder, slash, file = name.rpartition("/")
    with suppress(SuiteError):  # no folder that can be read: none of its files was meant
        there = {p.stem: p.name for p in suite_files(Path(folder + slash))}
        close = closest(file.removesuffix(".yaml").removesuffix(".yml"), there)
        return f"{folder}{slash}{there[close]}" if close else None
    return None


def suite_of(cell: str) -> tuple[str, str]:
    """What names the suite in what names a cell, a name or a file; and the rest: table, method, dataset."""
    parts = cell.split("/")
    for i in range(1, len(parts) + 1):
        file = "/".join(parts[:i])
        if Path(file).suffix in (".yaml", ".yml") or (i > 1 and is_a(Path(file), stat.S_ISREG)):
            return file, "/".join(parts[i:])
    return parts[0], "/".join(parts[1:])


def beside(path: Path, name: str) -> Path | None:
    """The suite that the file ``path`` means by a name: the file beside it, or else the package's."""
    return _named(name, path.parent, PACKAGED)


def names_beside(path: Path) -> list[str]:
    """The names that ``beside`` finds from the file ``path``."""
    return sorted({p.stem for p in [*suite_files(path.parent), *suite_files(PACKAGED)]})


def default_folder() -> str:
    """What is meant where no suite is named: the working directory's suites, or else the package's."""
    return SUITES if suite_files(Path(SUITES)) or not suite_files(PACKAGED) else str(PACKAGED)


def files(names: list[str]) -> list[Path]:
    """The suite files that names stand for, as ``load_all`` takes them; raises SuiteError as ``find`` does."""
    found: list[Path] = []
    for name in names or [default_folder()]:
        found += suite_files(Path(name)) if is_a(Path(name), stat.S_ISDIR) else [find(name)]
    return found


def origin(names: Sequence[str]) -> list[str]:
    """What is to be said of suites that a command names: which come with the package, and which stand before one that
    does.
    """
    if not names and default_folder() != SUITES:
        return [f"the suites that come with ganbench: there are none in {SUITES}/ here"]
    said = []
    for name in dict.fromkeys(names):
        with suppress(SuiteError):  # said when it is loaded
            path, packaged = find(name), PACKAGED / f"{name}.yaml"
            if path == packaged:
                said.append(f"{name}: the suite that comes with ganbench: there is no {SUITES}/{name}.yaml here")
            elif path == Path(SUITES, f"{name}.yaml") and packaged.is_file() and not packaged.samefile(path):
                said.append(f"{name}: {path}, and not the suite of that name that comes with ganbench")
    return said


def called(name: str, path: Path) -> str:
    """What a command is to call the suite ``name`` of the file ``path``: the name, if that finds the file from here."""
    there = None if Path(name).exists() else _named(name, Path(SUITES), PACKAGED)
    return name if there and path.exists() and there.samefile(path) else file(path)


def _named(name: str, *folders: Path) -> Path | None:
    """The first of the folders' files of that name."""
    return next((p for folder in folders if is_a(p := folder / f"{name}.yaml", stat.S_ISREG)), None)


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
