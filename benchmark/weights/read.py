"""Reading weights: checked against their hash, and without executing anything in the file."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError, sure
from benchmark.files import open_regular
from benchmark.weights.known import known, mend
from benchmark.weights.place import find, missing

MOST_BYTES = 2**30  # VGG's, the largest, has 553 MB


def verified(name: str, path: Path | None = None) -> Path:
    """The file, which is the one that it should be; imports no torch.

    Args:
        path: a file to take in the place of the one that ``find`` gives.

    Raises:
        GanbenchError: it is absent, cannot be read, or is another.
    """
    if path is None and (problem := missing(name)):
        raise GanbenchError(problem)
    path, weights = path or sure(find(name)), known(name)
    try:
        if (size := os.stat(path).st_size) > MOST_BYTES:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than any that are known")
        found = _sha256(path, os.stat(path).st_size, os.stat(path).st_mtime_ns)
    except OSError as error:
        raise GanbenchError(f"{path} cannot be read ({error.strerror}); give another with --weights") from None
    if found != weights.sha256:
        raise GanbenchError(
            f"{path} is not the weights file of {name}: its sha256 is {found[:16]}…, not {weights.sha256[:16]}…; "
            + mend(name),
            2,
        )
    return path


def state(name: str, path: Path | None = None) -> dict[str, Any]:
    """The tensors by name, on the CPU; raises GanbenchError as ``verified``, or where the file holds something else."""
    import torch

    path = verified(name, path)
    try:
        if _is_script(path):  # CLIP's file; its tensors are read, and nothing of it is called
            with warnings.catch_warnings():  # newer versions of torch are said to read no scripts one day
                warnings.simplefilter("ignore", DeprecationWarning)
                return dict(torch.jit.load(path, map_location="cpu").state_dict())
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds; none of them may run the file's code
        raise GanbenchError(f"{path} cannot be read as weights: {error}") from None
    return found


def _is_script(path: Path) -> bool:
    """Whether it is a TorchScript archive, which ``torch.load`` does not read."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


@functools.lru_cache
def _sha256(path: Path, size: int, changed: int) -> str:
    """Once a process for a file that stays as it is: VGG's takes a second."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
