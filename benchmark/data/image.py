"""One encoded image to RGB pixels, cut and resized as a recipe says."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmark.errors import GanbenchError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
MOST_BYTES = 50_000_000  # of one image file
MOST_PIXELS = 50_000_000
MODES = (
    "1",
    "L",
    "LA",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
)  # of 8 bits; a 16-bit image would be clipped, not scaled


def decode(data: bytes, name: str) -> Image.Image:
    """The whole picture in RGB; grey is repeated, a palette looked up, transparency dropped, as torchvision's loader does.

    Raises:
        GanbenchError: ``data`` is empty, damaged, truncated, too large, or has not 8 bits a channel.
    """
    if not data:
        raise GanbenchError(f"{name} is empty: get the file again")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise GanbenchError(f"{name}: {image.width} x {image.height} pixels are too many")
            if image.mode not in MODES:
                raise GanbenchError(f"{name} has pixels of kind {image.mode}: only 8-bit images are read")
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise GanbenchError(f"{name} is not an image that can be read: {error}; get the file again") from None


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


def pixels(picture: Image.Image, side: int | None, crop: str | None, resize: str | None, name: str) -> np.ndarray:
    """(3, side, side) uint8 of an RGB picture.

    Args:
        side: the size wanted, in pixels; without ``resize`` the (cropped) picture must have it.
        crop: ``center`` (largest square) or ``center-178``, before resizing; None: the whole picture.
        resize: ``bilinear``, antialiased and whatever the shape; None: as it is.

    Raises:
        GanbenchError: the picture has another size, or is smaller than what is to be cut out of it.
    """
    try:
        picture = fit(picture, side, crop, resize)
    except GanbenchError as error:
        raise GanbenchError(f"{name}: {error}") from None
    if side is not None and picture.size != (side, side):
        raise GanbenchError(
            f"{name} has {picture.width} x {picture.height} pixels, not {side} x {side}, and the recipe says no resize"
        )
    return np.asarray(picture, np.uint8).transpose(2, 0, 1)
