"""Prepared pixels on disk: decoded, cut and resized once, then memory-mapped by every run, so that memory stays flat.

A file is named by what decides its bytes (the content of the split, the images drawn from it, how they
are cut and resized, and by which Pillow), never by a name or a path. It is written once, however many
workers ask at the same time, and checked against its own hash when it is opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from benchmark.canonical import content_hash
from benchmark.data.cards import cache_folder
from benchmark.data.threads import mapped
from benchmark.errors import GanbenchError
from benchmark.files import let_go, open_lock, open_regular, read_regular, take
from benchmark.pulse import beat, doing

VERSION = 2  # 1 took 16-bit colours by their high bytes, and animations and pages by their first
SPARE_BYTES = 2**28  # left free on the disk
LARGEST_HEADER = 2**12  # bytes of an .npy before the pixels
BLOCK = 2**24  # bytes hashed at a time
LOOK_S = 0.1  # seconds between looks at whether another process is done


def kept(identity: list[Any], count: int, side: int) -> np.ndarray | None:
    """The pixels kept under ``identity``: (count, 3, side, side) uint8, memory-mapped; None if there are none, or the
    file is damaged.

    The mapping is private and copy-on-write: what a caller does to the array never reaches the file.
    """
    return _load(_path(identity), (count, 3, side, side))


def keep(identity: list[Any], count: int, side: int, opened: Callable[[], Callable[[int], np.ndarray]]) -> np.ndarray:
    """The pixels of ``identity``, made now if they are not kept: ``opened()`` gives the function that makes image i,
    (3, side, side) uint8.

    Raises:
        GanbenchError: an image cannot be made (nothing is kept then), or the cache has no room or cannot be written.
    """
    path, shape = _path(identity), (count, 3, side, side)
    for insist in (False, True):  # checked outside of the lock: forty workers may then check at the same time
        if (found := _load(path, shape)) is not None:
            return found
        with _alone(path):
            if insist or not path.with_suffix(".json").exists() or not path.exists():
                _make(path, shape, opened)
    if (found := _load(path, shape)) is None:
        raise GanbenchError(
            f"{path} does not hold what was written to it: the disk is damaged, or another program writes there"
        )
    return found


def _make(path: Path, shape: tuple[int, ...], opened: Callable[[], Callable[[int], np.ndarray]]) -> None:
    _room(path, int(np.prod(shape)))
    image = opened()
    scratch = path.with_suffix(
        ".tmp"
    )  # one name: under the lock there is one writer, and what a killed one left is written over
    try:
        digest = _write(scratch, shape, image)
        path.with_suffix(".json").unlink(missing_ok=True)
        os.replace(scratch, path)
        scratch.write_text(json.dumps({"sha256": digest, "shape": shape, "of": path.stem}), encoding="utf-8")
        os.replace(scratch, path.with_suffix(".json"))
    except OSError as error:
        raise GanbenchError(
            f"cannot keep prepared images in {path.parent} ({error.strerror or error}); set GANBENCH_CACHE "
            "to a folder with room"
        ) from None
    finally:
        let_go(scratch)


def _path(identity: list[Any]) -> Path:
    return cache_folder() / "pixels" / f"{content_hash([VERSION, PIL.__version__, *identity])}.npy"


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the lock dies with its holder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open_lock(path.with_suffix(".lock"))
    except OSError as error:
        raise GanbenchError(
            f"cannot keep prepared images in {path.parent} ({error.strerror}); set GANBENCH_CACHE to a "
            "folder that can be written"
        ) from None
    with lock:
        if not take(lock):
            with doing("waiting for prepared images"):
                while not take(lock):
                    beat()
                    time.sleep(LOOK_S)
        yield


def _room(path: Path, size: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < size + SPARE_BYTES:
        raise GanbenchError(
            f"the prepared images need {size / 2**30:.1f} GiB, {path.parent} has {free / 2**30:.1f} GiB "
            "free; set GANBENCH_CACHE to a folder with room"
        )


def _write(path: Path, shape: tuple[int, ...], image: Callable[[int], np.ndarray]) -> str:
    """Make every image and write it; the sha256 of the file as it was meant to be."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    digest = hashlib.sha256(header.getvalue())
    with path.open("wb") as stream:  # through the file, not a mapping: a full disk is then an error, not a crash
        stream.write(header.getvalue())
        for _, block in mapped(image, shape[0]):
            data = np.ascontiguousarray(np.stack(block)).data
            digest.update(data)
            stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


def _load(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    try:
        about = json.loads(read_regular(path.with_suffix(".json")))
        if about["of"] != path.stem or path.stat().st_size > np.prod(shape) + LARGEST_HEADER:
            return None
        if about["sha256"] != _digest(path):  # a file under another's name is not believed, either
            return None
        found = np.lib.format.open_memmap(path, mode="c")
    except (OSError, ValueError, TypeError, KeyError, EOFError, RecursionError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None


def _digest(path: Path) -> str:
    whole, buffer = hashlib.sha256(), bytearray(BLOCK)
    with open_regular(path) as stream:
        while size := stream.readinto(buffer):
            beat()
            whole.update(memoryview(buffer)[:size])
    return whole.hexdigest()
