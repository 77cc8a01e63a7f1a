"""What lies below a results folder: all of it, or an error that names what cannot be read. Half would be silence."""

from __future__ import annotations

import os
from pathlib import Path

from benchmark.errors import GanbenchError

NOT_OURS = ("lost+found",)  # a disk's own, which only its administrator may read


def below(results: Path, room: str) -> list[Path]:
    """Every file below ``results/<room>``, sorted; none where that was never made.

    Hidden files and folders are left out. Links are followed, and each folder is looked through once. A folder with a
    record's name is listed too: no record can be written there.

    Raises:
        GanbenchError: a folder, or what a link leads to, cannot be read; or something else is in a folder's place.
    """
    top = results / room
    todo, found, seen = [top] if is_there(results) and is_there(top) else [], list[Path](), set[tuple[int, int]]()
    while todo:
        folder = todo.pop()
        try:
            there = os.stat(folder)
            if (there.st_dev, there.st_ino) in seen:
                continue
            seen.add((there.st_dev, there.st_ino))
            with os.scandir(folder) as entries:
                inside = [e for e in entries if not e.name.startswith(".") and e.name not in NOT_OURS]
            folders = {e.path for e in inside if _is_folder(e)}
        except OSError as error:
            raise GanbenchError(f"cannot read {error.filename or folder}: {error.strerror or error}") from None
        todo += sorted(map(Path, folders), reverse=True)
        found += [Path(e.path) for e in inside if e.path not in folders or e.name.endswith(".json")]
    return sorted(found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is, or leads to, one. A link that leads nowhere is an error, unless a record's: its reader says so."""
    try:
        return entry.is_dir() or (entry.is_symlink() and not is_there(Path(entry.path)))
    except (OSError, GanbenchError):
        if entry.name.endswith(".json"):
            return False
        raise


def is_there(path: Path) -> bool:
    """Whether it exists; a link that leads nowhere is an error, since nobody can say what it led to."""
    try:
        os.stat(path)
    except FileNotFoundError:
        if path.is_symlink():
            raise GanbenchError(f"cannot read {path}: it is a link that leads nowhere") from None
        return False
    except OSError as error:
        raise GanbenchError(f"cannot read {path}: {error.strerror or error}") from None
    return True
