"""STL-10's binary files: 96 x 96 RGB images channel by channel, each channel column by column; labels from 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.errors import GanbenchError

SIDE = 96
SHAPE = (3, SIDE, SIDE)  # as stored: channel, column, row
UNLABELLED = -1  # as torchvision has it


def read(images: list[Path], labels: Path | None) -> tuple[list[np.ndarray], np.ndarray]:
    """The images as memory-mapped arrays (n, 3, 96, 96) uint8, rows before columns, one a file, and the classes (N,)
    int64.

    Args:
        labels: of the first file; images of the others, and of all where it is None, have class -1.

    Raises:
        GanbenchError: a file holds no whole number of images, or other labels than 1 to 10.
    """
    if packed := next((path for path in [*images, *([labels] if labels else [])] if path.suffix == ".gz"), None):
        raise GanbenchError(f"{packed} is packed: unpack it")
    found = [_images(path) for path in images]
    classes = [np.full(len(f), UNLABELLED, np.int64) for f in found]
    if labels is not None:
        classes[0] = _labels(labels, len(found[0]))
    return found, np.concatenate(classes)


def _images(path: Path) -> np.ndarray:
    size, one = path.stat().st_size, int(np.prod(SHAPE))
    if size == 0 or size % one:
        raise GanbenchError(f"{path} has {size:,} bytes: not a whole number of images of {one:,}")
    return np.memmap(path, np.uint8, "r").reshape(-1, *SHAPE).transpose(0, 1, 3, 2)


def _labels(path: Path, count: int) -> np.ndarray:
    found = np.fromfile(path, np.uint8).astype(np.int64) - 1
    if len(found) != count or not (found.min() >= 0 and found.max() < 10):
        raise GanbenchError(f"{path} holds {len(found):,} labels, not {count:,} from 1 to 10")
    return found
