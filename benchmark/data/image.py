"""One encoded image to RGB pixels, cut and resized as a recipe says."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from benchmark.data.parts import ends_early, too_many
from benchmark.errors import GanbenchError, plain

warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
"""Of what is beside the pixels (EXIF, tags): nobody reads it here, and the file's name is not in the warning."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # of these suffixes, whatever a name says
"""What a file may be, whatever its name says. Other decoders drop bits (PPM, SGI, AVIF) or run programs (EPS)."""
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
BITS_PER_SAMPLE, COLOUR_MAP, SAMPLE_FORMAT = 258, 320, 339  # tags of TIFF
UNSIGNED = (1, 4)  # sample formats: whole numbers, and "undefined", which is read as such


def decode(data: bytes, name: str, over: str | None = None) -> Image.Image:
    """The whole picture in RGB; grey is repeated, a palette looked up, transparency dropped, as torchvision's loader
    does.

    Args:
        over: a colour that the picture is laid over where it is transparent.

    Raises:
        GanbenchError: ``data`` is empty, damaged, truncated, too large, of no format of ``FORMATS``, holds several
            pictures, is made of too many parts, or has not 8 bits a channel.
    """
    name = plain(name)
    if not data:
        raise GanbenchError(f"{name} is empty: get the file again")
    if many := too_many(data):
        raise GanbenchError(f"{name} {many}: it is not an image to be trusted")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise GanbenchError(f"{name}: {image.width} x {image.height} pixels are too many")
            if why := _unfit(image):
                raise GanbenchError(f"{name} {why}")
            if image.format == "PNG" and _last_is_blank(image) and ends_early(data):
                raise GanbenchError(f"{name} ends before its last row: get the file again")
            return _laid(image, over) if over and image.has_transparency_data else image.convert("RGB")
    except GanbenchError:
        raise
    except UnidentifiedImageError:
        raise GanbenchError(
            f"{name} is not an image that can be read: none of {', '.join(FORMATS)}, or damaged; get the file again"
        ) from None
    except Exception as error:  # decoders have many kinds for a damaged file
        why = str(error) or type(error).__name__
        raise GanbenchError(f"{name} is not an image that can be read: {why}; get the file again") from None


def _last_is_blank(image: ImageFile) -> bool:
    """Whether rows may be missing, which Pillow leaves at 0; an interlaced picture may lack others than the last."""
    last = image.crop((0, image.height - 1, image.width, image.height))
    return bool(image.info.get("interlace")) or last.getbbox(alpha_only=False) is None


def _laid(image: Image.Image, over: str) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, over), image.convert("RGBA")).convert("RGB")


def _unfit(image: ImageFile) -> str | None:
    """Why the picture as Pillow gives it is not the whole of the file; None if it is."""
    if getattr(image, "is_animated", False):
        return "holds several pictures (an animation, or pages): only files of one picture are read"
    if image.mode not in MODES:
        return f"has pixels of kind {image.mode}: only 8-bit images are read"
    if image.format == "PNG" and ";16" in str(image.tile[0][3]):  # how it lies in the file; the mode says 8 bits
        return "has 16 bits a channel: only 8-bit images are read"
    return _unfit_tiff(image) if isinstance(image, TiffImageFile) else None


def _unfit_tiff(image: TiffImageFile) -> str | None:
    bits, colours = max(image.tag_v2.get(BITS_PER_SAMPLE, (1,))), image.tag_v2.get(COLOUR_MAP)
    if bits > 8:
        return f"has {bits} bits a channel: only 8-bit images are read"
    if any(kind not in UNSIGNED for kind in image.tag_v2.get(SAMPLE_FORMAT, (1,))):
        return "has negative pixels, or broken numbers: only 8-bit images are read"
    if image.mode in ("P", "PA") and colours and 0 < max(colours) < 256:  # their high bytes would be read: black
        return "has a palette of 8-bit colours, where TIFF has 16-bit ones: save it anew"
    return None


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
