"""Files that anybody may have put there, or that a disk may not take: only regular ones are read, so that nothing waits
on a FIFO; one is written whole or not at all, with nothing left of a write that failed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TextIO

MOST_BYTES = 2**28  # of a file that is read whole, where nothing else is said
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
    found = os.stat(path)
    if what := kind(found.st_mode):
        raise OSError(errno.EINVAL, f"it is {what}, not a file", str(path))
    stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    if not found.st_size and not _is_empty(stream):
        stream.close()
        raise OSError(errno.EINVAL, "it is made as it is read, and may have no end", str(path))
    return stream


def _is_empty(stream: BufferedReader) -> bool:
    """Whether there is nothing in a file that says so: those of /proc say it, and some go on for ever."""
    try:
        return os.read(stream.fileno(), 1) == b""
    except OSError:  # not now
        return False


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """All of a regular file; raises OSError as ``open_regular`` does, or where it has more than ``most`` bytes."""
    with open_regular(path) as stream:
        if os.fstat(stream.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
        return stream.read(most)


def open_lock(path: Path) -> TextIOWrapper:
    """Open a file to be locked, made when it is missing, whose content does not matter.

    Raises:
        OSError: it cannot be opened, or is something else, which opening might wait on for ever.
    """
    refuse_others(path)
    return path.open("a", encoding="utf-8")


def take(lock: TextIO) -> bool:
    """Take the lock of an open file, if no other process has it; it is given back when the file is closed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def refuse_others(path: Path) -> None:
    """Raises OSError where something is there, and no regular file: opening it might wait for ever."""
    if path.exists() and (what := kind(path.stat().st_mode)):
        raise OSError(errno.EINVAL, f"{path.name} is {what}, not a file", str(path))


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, over what is there, in a folder that is made when it is missing.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            with suppress(OSError):  # a disk without locks
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # being written, and not left over
            stream.write(content)
            stream.flush()
            os.replace(temporary, path)
    finally:
        let_go(temporary)


def place(temporary: Path, target: Path) -> None:
    """Give a finished file its name; unlike a rename, never over another file.

    Raises:
        FileExistsError: there is one of that name.
        OSError: the disk does not take it.
    """
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        if target.exists():  # no hard links on this disk; its folder's lock keeps other writers out
            raise FileExistsError from None
        os.replace(temporary, target)


def why(error: OSError) -> str:
    """What keeps a file from being written, in a few words."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk is full" if full else error.strerror or str(error)


def let_go(temporary: str | Path) -> None:
    """Remove what may be left of a write; the disk that would not take it may not give it back either."""
    with suppress(OSError):
        os.unlink(temporary)
