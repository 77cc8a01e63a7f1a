"""Opening files that anybody may have put there: only regular ones are read, so that nothing waits on a FIFO."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link",
}


def kind(mode: int) -> str | None:
    """What a file of this mode is, in words; None for a regular one, and where the mode says nothing (in archives)."""
    return KINDS.get(stat.S_IFMT(mode))


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file, or a link to one, for reading.

    Raises:
        OSError: it cannot be opened, or is something else, which reading might never come to the end of.
    """
    if what := kind(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, f"it is {what}, not a file", str(path))
    return open(path, "rb")


def read_regular(path: Path) -> bytes:
    """All of a regular file; raises OSError as ``open_regular`` does."""
    with open_regular(path) as stream:
        return stream.read()
