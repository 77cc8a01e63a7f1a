"""Loaded by every Python process under test: while ``$FAULTS/full`` exists, no file below the folders that it names can
be flushed.
"""

import errno
import os
from pathlib import Path

FAULTS = Path(os.environ["FAULTS"])
fsync = os.fsync


def _full(descriptor: int) -> None:
    try:
        folders = (FAULTS / "full").read_text().splitlines()
    except OSError:
        folders = []
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    if any(path.startswith(folder) for folder in folders):
        with (FAULTS / "refused").open("a") as log:
            log.write(f"{path}\n")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fsync(descriptor)


os.fsync = _full
