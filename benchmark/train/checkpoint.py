"""Checkpoints: everything or nothing, two generations, read without running what they contain.

A file is the sha256 of its payload, then the payload as ``torch.save`` writes it. It is written
beside, flushed to the disk and renamed, so that a crash leaves the old one; the one before is kept,
so that a damaged file costs minutes and not the run.
"""

from __future__ import annotations

import hashlib
import io
import logging
import math
import os
import pickletools
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmark.errors import GanbenchError
from benchmark.files import let_go, open_regular
from benchmark.train.tuples import largest

log = logging.getLogger(__name__)

CURRENT, PREVIOUS = "checkpoint.pt", "checkpoint-previous.pt"
MOST_BYTES = 2**33
LONGEST = 300  # of why one cannot be read
SHARED = 10  # values a byte of a pickle: alone, each takes one
SHARES = "it holds the same lists over and over"
NAMES = re.compile(r"collections OrderedDict|torch\._utils _rebuild_tensor_v2|torch \w+Storage")
"""What a pickle of tensors and plain values builds, as module and name."""


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write ``state`` as the current checkpoint of ``folder`` and keep the one before.

    Raises:
        OSError: the disk is full or not writable; the checkpoints that were there are still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    let_go(temporary := folder / f"{CURRENT}.tmp")  # opening what is no file might wait for ever
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


def load(
    folder: Path, take: Callable[[dict[str, Any]], None] = lambda state: None, most: int = MOST_BYTES
) -> dict[str, Any] | None:
    """The newest checkpoint of ``folder`` that is whole and that ``take`` takes, or None if there is none.

    What cannot be read now is passed over where the other is taken; a truncated or altered file is moved aside, and so
    is one that is whole but no checkpoint of this run once the one before has been taken. Only tensors and plain values
    are unpickled: a checkpoint from elsewhere can run no code.

    Args:
        take: goes on from what a checkpoint holds; whatever it raises is why it cannot, a GanbenchError why the run
            cannot be made.
        most: bytes of a file; a larger one is not read.

    Raises:
        GanbenchError: a file is whole, or cannot be read now, and it cannot be gone on from it, nor from another. It is
            not passed over, since the run would begin anew and write over it.
    """
    odd: dict[Path, str] = {}
    unread: dict[Path, str] = {}
    for path in (folder / name for name in (CURRENT, PREVIOUS)):
        try:
            if (content := _content(path, most)) is None:
                continue
            state = _unpacked(content)
            take(state)
        except OSError as error:  # a bad sector; it stays where it is, and may be readable another time
            log.warning("%s: %s; trying the one before", path, error.strerror or error)
            unread[path] = error.strerror or str(error)
        except GanbenchError:
            raise
        except Exception as error:  # torch has many kinds for what it cannot read or take
            odd[path] = (str(error).splitlines() or [type(error).__name__])[0][:LONGEST]
        else:
            for other, why in odd.items():
                log.warning("%s cannot be read (%s); the one before is taken", other, why)
                os.replace(other, other.with_suffix(".damaged"))
            return state
    for path, why in (odd | unread).items():
        raise GanbenchError(f"{path} cannot be read ({why}); move it away to begin this run anew")
    return None


def _content(path: Path, most: int) -> bytes | None:
    """What was written as the file; None where nothing is there, or it is damaged and was moved aside.

    Raises:
        OSError: it is there and cannot be read.
        ValueError: it is larger than any checkpoint of this run.
    """
    if not path.exists():
        return None
    with open_regular(path) as stream:
        if (size := os.fstat(stream.fileno()).st_size) > most:
            raise ValueError(f"it has {size:,} bytes; a checkpoint of this run has at most {most:,}")
        digest, content = stream.read(32), stream.read(size)
    if hashlib.sha256(content).digest() == digest:
        return content
    log.warning("%s is damaged; trying the one before", path)
    os.replace(path, path.with_suffix(".damaged"))
    return None


def _unpacked(content: bytes) -> dict[str, Any]:
    """Raises ValueError, or an error of torch's, unless it is an archive of tensors that unpacks to its own size."""
    if not content.startswith(b"PK\x03\x04"):
        raise ValueError("it is no archive from its first byte on")  # torch would read what stands before it
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if len({m.orig_filename.lower() for m in members}) < len(members):
            raise ValueError("two of its files have one name")  # to torch, in which case does not count
        if any(m.compress_type != zipfile.ZIP_STORED for m in members) or sum(m.file_size for m in members) > len(
            content
        ):
            raise ValueError("it unpacks to more than it is")
        programs = [archive.read(member) for member in members if member.orig_filename.lower().endswith(".pkl")]
    for program in programs:
        _check_names(program)
    most = SHARED * sum(map(len, programs))
    if max(map(largest, programs), default=0) > most:
        raise ValueError(SHARES)
    found: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if _values(found, {}) > most:
        raise ValueError(SHARES)
    return found


def _values(value: Any, known: dict[int, float]) -> float:
    """Values in ``value``; a list or mapping that stands in several places counts in each, and whoever walks through
    all would meet it as often.
    """
    if not isinstance(value, (dict, list, tuple)):
        return 1
    if id(value) not in known:
        known[id(value)] = math.inf  # within itself
        parts = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_values(part, known) for part in parts)
    return known[id(value)]


def _check_names(program: bytes) -> None:
    """Raises ValueError where a pickle builds anything but tensors and plain values: what torch lets through beside can
    take all memory.
    """
    for code, argument, _ in pickletools.genops(program):
        if code.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4") or (
            code.name == "GLOBAL" and not NAMES.fullmatch(str(argument))
        ):
            raise ValueError(f"it names {str(argument)[:80]!r}, and may hold tensors and plain values alone")
