"""Checkpoints: everything or nothing, two generations, read without running what they contain.

A file is the sha256 of its payload, then the payload as ``torch.save`` writes it. It is written
beside, flushed to the disk and renamed, so that a crash leaves the old one; the one before is kept,
so that a damaged file costs minutes and not the run.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from benchmark.errors import GanbenchError
from benchmark.files import let_go, read_regular

log = logging.getLogger(__name__)

CURRENT, PREVIOUS = "checkpoint.pt", "checkpoint-previous.pt"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write ``state`` as the current checkpoint of ``folder`` and keep the one before.

    Raises:
        OSError: the disk is full or not writable; the checkpoints that were there are still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    temporary = folder / f"{CURRENT}.tmp"
    try:
        with temporary.open("wb") as stream:
            stream.write(hashlib.sha256(payload).digest())
            stream.write(payload)
            stream.flush()
            os.fsync(stream.fileno())
        if (folder / CURRENT).exists():
            os.replace(folder / CURRENT, folder / PREVIOUS)
        os.replace(temporary, folder / CURRENT)
    except OSError:
        let_go(temporary)
        raise


def load(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint of ``folder`` that is whole, or None if there is none.

    A truncated or altered file is reported, moved aside and passed over. Only tensors and plain
    values are unpickled: a checkpoint from elsewhere can run no code.

    Raises:
        GanbenchError: a file is whole but holds something else, or this torch cannot read it. It is not
            passed over, since the run would begin anew and write over it.
    """
    for name in (CURRENT, PREVIOUS):
        path = folder / name
        if not path.exists():
            continue
        try:
            data = read_regular(path)
        except OSError as error:  # a bad sector; it stays where it is, since it may be readable another time
            log.warning("%s: %s; trying the one before", path, error.strerror or error)
            continue
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            log.warning("%s is damaged; trying the one before", path)
            os.replace(path, path.with_suffix(".damaged"))
            continue
        try:
            return torch.load(io.BytesIO(data[32:]), map_location="cpu", weights_only=True)
        except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError) as error:
            why = str(error).splitlines()[0]
            raise GanbenchError(f"{path} cannot be read ({why}); move it away to begin this run anew") from None
    return None
