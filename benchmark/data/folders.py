"""A zip of images in class folders, read without being unpacked: no path of it ever reaches the disk."""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmark.errors import GanbenchError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
MOST_BYTES = 50_000_000  # of one image file
MOST_PIXELS = 50_000_000


def read(archive: bytes, side: int | None, crop: str | None, resize: str | None, path: str) -> tuple[np.ndarray, np.ndarray]:
    """RGB images (N, 3, side, side) uint8 in the order of their names, and the number of their folder (N,) int64.

    Args:
        side: the size wanted, in pixels; without ``resize`` every (cropped) image must have it.
        crop: ``center`` (largest square) or ``center-178``, before resizing; None: the whole image.
        resize: ``bilinear``, antialiased and whatever the shape; None: as it is.
        path: the archive's name, for messages.

    Raises:
        GanbenchError: the archive or an image is damaged, too large, of another size, or there is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            names = sorted(i.filename for i in zipped.infolist() if i.filename.lower().endswith(SUFFIXES) and i.file_size <= MOST_BYTES)
            folders = sorted({name.rpartition("/")[0] for name in names})
            images = [_image(zipped.read(name), side, crop, resize, f"{path}: {name}") for name in names]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, MemoryError) as error:
        raise GanbenchError(f"{path} is not a zip archive that can be read: {error}") from None
    if not images:
        raise GanbenchError(f"{path} holds no image")
    classes = {folder: i for i, folder in enumerate(folders)}
    return np.stack(images), np.array([classes[name.rpartition("/")[0]] for name in names], np.int64)


def _image(data: bytes, side: int | None, crop: str | None, resize: str | None, name: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise GanbenchError(f"{name}: {image.width} x {image.height} pixels are too many")
            if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"):
                raise GanbenchError(f"{name} has pixels of kind {image.mode}: only 8-bit images are read")
            picture = image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise GanbenchError(f"{name} is not an image that can be read: {error}") from None
    picture = fit(picture, side, crop, resize)
    if side is not None and picture.size != (side, side):
        raise GanbenchError(f"{name} has {picture.width} x {picture.height} pixels, not {side} x {side}, and the recipe says no resize")
    return np.asarray(picture, np.uint8).transpose(2, 0, 1)


def fit(picture: Image.Image, side: int | None, crop: str | None, resize: str | None) -> Image.Image:
    """The picture cut and resized as a recipe says."""
    if crop:
        size = min(picture.size) if crop == "center" else int(crop.rpartition("-")[2])
        if size > min(picture.size):
            raise GanbenchError(f"a square of {size} pixels cannot be cut out of {picture.width} x {picture.height}")
        left, top = (picture.width - size) // 2, (picture.height - size) // 2
        picture = picture.crop((left, top, left + size, top + size))
    if resize and side is not None:
        picture = picture.resize((side, side), Image.Resampling.BILINEAR)
    return picture
