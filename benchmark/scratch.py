"""A folder for as long as something lasts, which nobody else can enter; what a killed process has left is removed by
the next that makes one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

LOCK = ".ganbench-lock"  # in each folder, and held by the process that uses it, however that ends
GONE_S = 3.0  # other processes that end at the same time may still write into it for so long


@contextmanager
def scratch(place: Path, prefix: str) -> Iterator[Path]:
    """A new folder in ``place``; those of the same prefix that are in nobody's use any more are removed.

    Raises:
        OSError: it cannot be made.
    """
    clear(place, prefix)
    with ExitStack() as stack:
        folder, lock = _locked(place, prefix)
        stack.callback(remove, folder)
        stack.enter_context(lock)
        yield folder


def clear(place: Path, prefix: str) -> None:
    """Remove this user's folders of that prefix whose processes have ended; none that is in use or another's."""
    with suppress(OSError):
        for left in place.glob(f"{prefix}*"):
            with suppress(OSError):
                found = os.lstat(left)
                mine = found.st_uid == os.geteuid() and not left.is_symlink()
                if mine and (left / LOCK).is_file() and _is_free(left / LOCK):
                    shutil.rmtree(left, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove a folder, into which processes that are ending may still write."""
    end = time.monotonic() + GONE_S
    shutil.rmtree(folder, ignore_errors=True)
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


def _locked(place: Path, prefix: str) -> tuple[Path, TextIOWrapper]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))  # with mode 0700
        lock = (folder / LOCK).open("w", encoding="utf-8")
        with suppress(OSError):  # a file system without locks: nothing there is ever taken for left behind
            fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / LOCK).exists():
            return folder, lock
        lock.close()  # another process took it for left behind in between


def _is_free(path: Path) -> bool:
    with path.open("r+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
