"""Half-written records, failures, bundles and pages that a killed process left beside the whole ones; nobody reads
them, and nobody else removes them.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path

from benchmark.files import let_go, open_lock

NAME = re.compile(r"\.[0-9a-f]{16}-s[0-9]+(\.step[0-9]+)?\.json(\.before(-[0-9]+)?)?\.(?P<pid>[0-9]{1,9})\.tmp")
BESIDE = re.compile(r"\.ganbench-(export|report)\.(?P<pid>[0-9]{1,9})\.tmp")
ROOMS = ("records", "conflicts", "external", "failures")


def sweep(results: Path) -> None:
    """Remove what no living process is writing: its writer is gone from this machine, and holds no lock on it."""
    for room in ROOMS:
        for folder, _, names in os.walk(results / room):
            _sweep(folder, names, NAME)


def sweep_beside(folder: Path) -> None:
    """The same of bundles and reports, whose halves stand in the folder itself."""
    with suppress(OSError):
        _sweep(str(folder), os.listdir(folder), BESIDE)


def _sweep(folder: str, names: list[str], pattern: re.Pattern[str]) -> None:
    for name in names:
        if (found := pattern.fullmatch(name)) and not _lives(int(found["pid"])):
            _remove(Path(folder, name))


def _remove(path: Path) -> None:
    with suppress(OSError), open_lock(path) as stream:  # locked: written by a machine that shares this disk
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        let_go(path)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
