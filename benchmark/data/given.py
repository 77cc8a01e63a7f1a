"""Generated images that any code has written: a folder or a zip archive of images, or an ``.npz`` or ``.npy`` of 8-bit
ones. They come from anyone: nothing is unpacked or unpickled, and they are read some at a time.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.data.arrays import Array, from_npy, from_npz
from benchmark.data.image import decode, pixels
from benchmark.data.parts import is_jpeg_in_tiff, is_lossy_webp
from benchmark.data.pictures import DAMAGED, Pictures, from_folder, from_zip
from benchmark.errors import GanbenchError, plain
from benchmark.files import open_regular

BATCH = 256  # images at a time
NUMPY, ZIP, JPEG = b"\x93NUMPY", b"PK", b"\xff\xd8\xff"


@dataclass(frozen=True)
class Given:
    """Images of one size in a fixed order: files by name, arrays as they are."""

    where: str  # for messages
    form: str  # "folder", "zip", "npz" or "npy"
    count: int
    batches: Callable[[], Iterator[np.ndarray]]  # (B, C, H, W) uint8, the same each time
    labels: np.ndarray | None = None  # (count,) classes
    lossy: set[str] = field(default_factory=set)  # compression that has changed pixels, of images read so far
    mixed: bool = False  # of several folders, which may be classes: in a fixed order that mixes them


def given(source: Path, side: int, channels: int) -> Given:
    """What ``source`` holds, held against the size that is asked for.

    Args:
        side: pixels of a side that every image must have.
        channels: 1, where all images must be grey, or 3; grey ones are repeated.

    Raises:
        GanbenchError: there is no such source, it is none that can be read, or holds no images of that size. What is
            wrong with one image is said when its turn comes.
    """
    where = plain(str(source))
    if source.is_dir():
        return _pictures(from_folder(source), side, channels)
    try:
        with open_regular(source) as stream:
            start = stream.read(len(NUMPY))
    except OSError as error:
        raise GanbenchError(f"{where} cannot be read: {error.strerror or error}") from None
    if start == NUMPY:
        return _array(from_npy(source), where, "npy", side, channels)
    if not start.startswith(ZIP):
        raise GanbenchError(f"{where} is none of these: a folder or zip archive of images, an .npz, an .npy")
    if _holds_arrays(source, where):
        images, labels = from_npz(source)
        return _array(images, where, "npz", side, channels, labels)
    return _pictures(from_zip(source, where), side, channels)


def _holds_arrays(source: Path, where: str) -> bool:
    try:
        with open_regular(source) as stream, zipfile.ZipFile(stream) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except DAMAGED as error:
        raise GanbenchError(f"{where} is not a zip archive that can be read: {error}") from None


def _pictures(found: Pictures, side: int, channels: int) -> Given:
    if not found.names:
        raise GanbenchError(f"{found.where} holds no images")
    lossy: set[str] = set()
    if mixed := len({name.rpartition("/")[0] for name in found.names}) > 1:
        found = found.arranged([int(i) for i in np.random.default_rng(0).permutation(len(found.names))])

    def batches() -> Iterator[np.ndarray]:
        """Decoded one by one."""
        for start in range(0, len(found.names), BATCH):
            numbers = range(start, min(start + BATCH, len(found.names)))
            yield np.stack([_picture(found, i, side, channels, lossy) for i in numbers])

    return Given(found.where, found.form, len(found.names), batches, lossy=lossy, mixed=mixed)


def _picture(found: Pictures, i: int, side: int, channels: int, lossy: set[str]) -> np.ndarray:
    data, name = found.load(i), f"{found.where}: {plain(found.names[i])}"
    if data.startswith(JPEG) or is_jpeg_in_tiff(data):
        lossy.add("JPEG")
    elif is_lossy_webp(data):
        lossy.add("WebP")
    picture = decode(data, name)
    if picture.size != (side, side):
        raise GanbenchError(f"{name} has {_wrong_size(picture.width, picture.height, side)}")
    one: np.ndarray = as_channels(pixels(picture, side, None, None, name)[None], channels, name)[0]
    return one


def _array(images: Array, where: str, form: str, side: int, channels: int, labels: np.ndarray | None = None) -> Given:
    shape = images.shape[1:]
    if shape == (side, side):
        axes: tuple[int, ...] = ()
    elif len(shape) == 3 and shape[2] in (1, 3) and shape[:2] == (side, side):
        axes = (0, 3, 1, 2)
    elif len(shape) == 3 and shape[0] in (1, 3) and shape[1:] == (side, side):
        axes = (0, 1, 2, 3)
    elif len(shape) == 2 or (len(shape) == 3 and (shape[2] in (1, 3) or shape[0] in (1, 3))):
        height, width = shape[:2] if len(shape) == 2 or shape[2] in (1, 3) else shape[1:]
        raise GanbenchError(f"{where}: images have {_wrong_size(width, height, side)}")
    else:
        raise GanbenchError(
            f"{where}: an array of shape {images.shape}; (N, height, width), (N, height, width, 1 or 3) or (N, 1 or 3, "
            "height, width) is wanted"
        )

    def batches() -> Iterator[np.ndarray]:
        """Read one after the other."""
        for part in images.parts(BATCH):
            batch = part.transpose(axes) if axes else part[:, None]
            yield as_channels(np.ascontiguousarray(batch), channels, where)

    return Given(where, form, images.shape[0], batches, labels)


def as_channels(batch: np.ndarray, channels: int, name: str) -> np.ndarray:
    """(B, ``channels``, H, W) of images with 1 or 3; raises GanbenchError where colour would be lost."""
    if batch.shape[1] == channels:
        return batch
    if channels == 3:
        return np.repeat(batch, 3, axis=1)
    if (batch != batch[:, :1]).any():
        raise GanbenchError(f"{name} is in colour, and the cell's images are grey")
    return np.ascontiguousarray(batch[:, :1])


def _wrong_size(width: int, height: int, side: int) -> str:
    return (
        f"{width} x {height} pixels, and the cell asks for {side} x {side}: give images of that size (where they were "
        "resized to it, --resized says how)"
    )
