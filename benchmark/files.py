"""Writing a file whole or not at all, with nothing left of a write that failed."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, over what is there, in a folder that is made when it is missing.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        let_go(temporary)


def why(error: OSError) -> str:
    """What keeps a file from being written, in a few words."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk is full" if full else error.strerror or str(error)


def let_go(temporary: str | Path) -> None:
    """Remove what may be left of a write; the disk that would not take it may not give it back either."""
    with suppress(OSError):
        os.unlink(temporary)
