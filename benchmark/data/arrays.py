"""Arrays of 8-bit images in ``.npy`` and ``.npz`` files from anyone: no pickle is opened, the header is held against
the file's size before anything else is read, and then only so many images at a time.
"""

from __future__ import annotations

import contextlib
import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmark.data.pictures import DAMAGED, MOST_FILES
from benchmark.errors import GanbenchError, plain
from benchmark.files import kind, open_regular

HEADER = 10_000  # bytes, at most
MOST_BYTES = 2**40  # of all images
MOST_ARRAYS = 100
IMAGES, LABELS = (3, 4), 1
"""How many dimensions each has."""


@dataclass(frozen=True)
class Array:
    """An array in a file, by what its header says."""

    name: str  # for messages
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    open: Callable[[], AbstractContextManager[IO[bytes]]]  # at its first value

    def parts(self, size: int) -> Iterator[np.ndarray]:
        """``size`` of its entries at a time; raises GanbenchError where the file is damaged or ends early."""
        entry = math.prod(self.shape[1:]) * self.dtype.itemsize
        try:
            with self.open() as stream:
                for start in range(0, self.shape[0], size):
                    n = min(size, self.shape[0] - start)
                    data = stream.read(n * entry)
                    if len(data) != n * entry:
                        raise EOFError("it ends early")
                    yield np.frombuffer(data, self.dtype).reshape(n, *self.shape[1:])
        except DAMAGED as error:
            raise GanbenchError(f"{self.name} cannot be read: {error}") from None


def from_npy(path: Path) -> Array:
    """The images of an ``.npy``; raises GanbenchError as ``from_npz``."""

    @contextlib.contextmanager
    def opened() -> Iterator[IO[bytes]]:
        """The file from its start."""
        with open_regular(path) as stream:
            yield stream

    name = plain(str(path))
    found = _array(name, opened, path.stat().st_size)
    if len(found.shape) not in IMAGES:
        raise GanbenchError(f"{name}: an array of shape {found.shape} holds no images")
    return _of_bytes(found)


def from_npz(path: Path) -> tuple[Array, np.ndarray | None]:
    """The one array of images of an ``.npz``, whatever its name, and the classes, if a second array has them.

    Raises:
        GanbenchError: it is damaged, or an array is neither, holds Python objects, or is not as long as it says.
    """
    where = plain(str(path))
    arrays = [_member(path, info) for info in _members(path, where)]
    images = [a for a in arrays if len(a.shape) in IMAGES]
    labels = [a for a in arrays if len(a.shape) == LABELS]
    if len(images) != 1 or len(labels) > 1 or len(arrays) > len(images) + len(labels):
        held = ", ".join(f"{a.name.rpartition(': ')[2]} {a.dtype} {a.shape}" for a in arrays[:6])
        raise GanbenchError(f"{where}: one array of images is wanted, and at most one of classes (N,); it has {held}")
    return _of_bytes(images[0]), _classes(labels[0], images[0].shape[0]) if labels else None


def _members(path: Path, where: str) -> list[zipfile.ZipInfo]:
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
    except DAMAGED as error:
        raise GanbenchError(f"{where} is not an archive of arrays that can be read: {error}") from None
    if len(infos) > MOST_ARRAYS:
        raise GanbenchError(f"{where} holds {len(infos):,} files, and not one array of images")
    for info in infos:
        if not info.filename.endswith(".npy") or kind(info.external_attr >> 16):
            raise GanbenchError(f"{where}: {plain(info.filename)} is not an array: give arrays alone, or images alone")
    return infos


def _member(path: Path, info: zipfile.ZipInfo) -> Array:
    @contextlib.contextmanager
    def opened() -> Iterator[IO[bytes]]:
        """The member, unpacked as it is read."""
        with open_regular(path) as file, zipfile.ZipFile(file) as archive, archive.open(info) as stream:
            yield stream

    return _array(f"{plain(str(path))}: {plain(info.filename.removesuffix('.npy'))}", opened, info.file_size)


def _array(name: str, opened: Callable[[], AbstractContextManager[IO[bytes]]], size: int) -> Array:
    try:
        with opened() as stream:
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):  # others are for headers of more than 64 kB, which are read whole before any check
                raise ValueError(f"version {version} of the format; numpy writes plain arrays in (1, 0)")
            shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=HEADER)
            start = stream.tell()
    except Exception as error:  # numpy, zipfile and zlib have many kinds for what is no array
        why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise GanbenchError(f"{name} is not an array that can be read: {why}") from None
    if dtype.hasobject:
        raise GanbenchError(f"{name} holds Python objects, which nobody should load from a file: save plain numbers")
    if by_column:
        raise GanbenchError(f"{name} lies in Fortran's order: save np.ascontiguousarray(images)")
    if not shape or not 0 < shape[0] <= MOST_FILES or any(n < 1 for n in shape):
        raise GanbenchError(f"{name}: an array of shape {shape} holds no images, or too many")
    if size != start + math.prod(shape) * dtype.itemsize or size > MOST_BYTES:
        raise GanbenchError(f"{name} is not as long as its header says: cut short, or no array to be trusted")

    @contextlib.contextmanager
    def at_first() -> Iterator[IO[bytes]]:
        """Behind the header."""
        with opened() as stream:
            stream.read(start)
            yield stream

    return Array(name, shape, dtype, at_first)


def _of_bytes(images: Array) -> Array:
    if images.dtype != np.uint8:
        raise GanbenchError(
            f"{images.name} holds {images.dtype}, and 8-bit images (uint8, 0 to 255) are measured: round them as their "
            "author does, and say how (--quantised)"
        )
    return images


def _classes(labels: Array, count: int) -> np.ndarray:
    if labels.dtype.kind not in "iu" or labels.shape[0] != count:
        raise GanbenchError(
            f"{labels.name}: {labels.dtype} {labels.shape}, not a whole number for each of {count:,} images"
        )
    return np.concatenate([part.astype(np.int64) for part in labels.parts(count)])
