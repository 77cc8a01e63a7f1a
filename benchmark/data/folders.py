"""A small zip of images in class folders, held in memory and read without being unpacked: no path of it ever reaches
the disk.
"""

from __future__ import annotations

import io

import numpy as np

from benchmark.data.image import decode, pixels
from benchmark.data.pictures import from_zip
from benchmark.errors import GanbenchError


def read(
    archive: bytes, side: int | None, crop: str | None, resize: str | None, path: str
) -> tuple[np.ndarray, np.ndarray]:
    """RGB images (N, 3, side, side) uint8 in the order of their names, and the number of their folder (N,) int64.

    Args:
        side, crop, resize: see ``image.pixels``.
        path: the archive's name, for messages.

    Raises:
        GanbenchError: the archive or an image is damaged, too large, of another size, or there is none.
    """
    found = from_zip(io.BytesIO(archive), path)
    if not found.names:
        raise GanbenchError(f"{path} holds no image")
    images = [
        pixels(decode(found.load(i), name), side, crop, resize, name)
        for i, name in ((i, f"{path}: {n}") for i, n in enumerate(found.names))
    ]
    if len({image.shape for image in images}) > 1:
        raise GanbenchError(f"{path}: its images have several sizes")
    folders = [name.rpartition("/")[0] for name in found.names]
    classes = {folder: i for i, folder in enumerate(sorted(set(folders)))}
    return np.stack(images), np.array([classes[folder] for folder in folders], np.int64)
