"""Which image files are read: one picture of 8 bits a channel, of a known format. What else Pillow opens is refused."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from benchmark.data.add import add
from benchmark.data.image import decode
from benchmark.errors import GanbenchError
from tests.test_image_sets import QUIET, lay

RNG = np.random.default_rng(7)
SIDE = 8
LOW = np.full((SIDE, SIDE, 4), 200, np.uint16)  # as 16-bit numbers: nearly black, and its high bytes are 0
PICTURE = Image.fromarray(RNG.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))


def png16(channels: int, before: bytes = b"") -> bytes:
    """A PNG of 16 bits a channel; ``before``: chunks between its header and its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in LOW[:, :, :channels])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 16, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(pixels: bytes, bits: int, channels: int, order: str = "<", **tags: int | list[int]) -> bytes:
    """A TIFF of one strip, or one a channel (``planar=2``); ``tags``: SHORTs beside the usual ones, named as below."""
    numbers = {"photometric": 262, "planar": 284, "map": 320, "extra": 338, "format": 339, "compression": 259}
    strips = channels if tags.get("planar") == 2 else 1
    size = len(pixels) // strips
    entries: dict[int, tuple[str, list[int]]] = {
        256: ("H", [SIDE]),
        257: ("H", [SIDE]),
        278: ("H", [SIDE]),
        258: ("H", [bits] * channels),
        277: ("H", [channels]),
        273: ("I", [8 + i * size for i in range(strips)]),
        279: ("I", [size] * strips),
        262: ("H", [{1: 1, 3: 2, 4: 2}[channels]]),
        259: ("H", [1]),
    }
    entries |= {numbers[k]: ("H", v if isinstance(v, list) else [v]) for k, v in tags.items()}
    at = 8 + len(pixels)
    table, beyond = b"", at + 2 + 12 * len(entries) + 4
    rest = b""
    for tag, (kind, values) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}{kind}", *values)
        inline = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(f"{order}I", beyond + len(rest))
        rest += packed if len(packed) > 4 else b""
        table += struct.pack(f"{order}HHI", tag, {"H": 3, "I": 4}[kind], len(values)) + inline
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at)
    return head + pixels + struct.pack(f"{order}H", len(entries)) + table + bytes(4) + rest


def raw(channels: int, kind: str) -> bytes:
    return LOW[:, :, :channels].astype(kind).tobytes()


def saved(form: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    PICTURE.convert(mode).save(out, form, **options)
    return out.getvalue()


DEEP = {
    **{f"PNG, {n} channels": png16(n) for n in (1, 2, 3, 4)},
    "PNG, a chunk before the pixels": png16(3, b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))),
    **{f"TIFF, {n} channels, {o}": tiff(raw(n, f"{o}u2"), 16, n, o) for n in (1, 3, 4) for o in "<>"},
    "TIFF, channel by channel": tiff(np.ascontiguousarray(LOW[:, :, :3].transpose(2, 0, 1)).tobytes(), 16, 3, planar=2),
    "TIFF, CMYK": tiff(raw(4, "<u2"), 16, 4, photometric=5),
    "TIFF, RGBA": tiff(raw(4, "<u2"), 16, 4, extra=2),
    "TIFF, 32 bits": tiff(raw(1, "<u4"), 32, 1),
    "TIFF, floats": tiff(raw(1, "<f4"), 32, 1, format=3),
    "TIFF, signed": tiff(LOW[:, :, 0].astype(np.uint8).tobytes(), 8, 1, format=2),
    "TIFF, an 8-bit palette": tiff(bytes(SIDE * SIDE), 8, 1, photometric=3, map=[200] * 768),
}


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in DEEP.items()])
def test_what_has_more_than_8_bits_is_refused(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:  # Pillow opens it
        image.load()
    with pytest.raises(GanbenchError, match=r"^a\.png has .*(8-bit|16-bit)"):
        decode(data, "a.png")


MORE = {"save_all": True, "append_images": [PICTURE.rotate(90), PICTURE.rotate(180)]}
SEVERAL = {
    **{form: saved(form, **MORE) for form in ("PNG", "WEBP", "TIFF", "MPO")},
    "PNG with a default image": saved("PNG", default_image=True, **MORE),
}


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in SEVERAL.items()])
def test_animations_and_pages_are_refused(data: bytes) -> None:
    with pytest.raises(GanbenchError, match=r"^a\.png holds several pictures"):
        decode(data, "a.png")


OTHER = ("GIF", "AVIF", "PPM", "JPEG2000", "SGI", "TGA", "PCX", "ICO", "EPS", "PDF", "DDS", "QOI", "DIB")


@pytest.mark.parametrize("form", OTHER)
def test_other_formats_are_refused_whatever_the_name_says(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.init()
    if form not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {form}")
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *a, **k: pytest.fail("a program was run"))
    with pytest.raises(GanbenchError, match="none of JPEG, PNG, WEBP, BMP, TIFF"):
        decode(saved(form), "a.png")


WHOLE = [
    *((form, mode, {}) for form in ("PNG", "BMP", "TIFF", "WEBP") for mode in ("1", "L", "P", "RGB")),
    *((form, mode, {}) for form in ("PNG", "TIFF") for mode in ("LA", "RGBA")),
    ("WEBP", "RGBA", {}),
    ("BMP", "RGBA", {}),
    ("TIFF", "PA", {}),
    ("TIFF", "CMYK", {}),
    ("TIFF", "YCbCr", {}),
    *(("JPEG", mode, {}) for mode in ("L", "RGB", "CMYK", "YCbCr")),
    ("JPEG", "RGB", {"progressive": True}),
    *(("TIFF", "RGB", {"compression": c}) for c in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")),
    ("TIFF", "1", {"compression": "group4"}),
    ("MPO", "RGB", {}),
    ("PNG", "P", {"transparency": 3}),
    ("PNG", "P", {"bits": 2}),
    ("PNG", "RGB", {"transparency": (1, 2, 3)}),
]


@pytest.mark.parametrize(("form", "mode", "options"), [pytest.param(*w, id=" ".join(map(str, w))) for w in WHOLE])
def test_pictures_of_8_bits_are_what_they_were(form: str, mode: str, options: dict[str, object]) -> None:
    """The contents of sets that were added hang on it: pixel by pixel what a bare ``convert`` gives."""
    data = saved(form, mode, **options)
    assert decode(data, "a").tobytes() == Image.open(io.BytesIO(data)).convert("RGB").tobytes()


AVIF = b"\0\0\0\x1cftypavif" + bytes(400)


@pytest.mark.parametrize("data", [DEEP["PNG, 3 channels"], SEVERAL["WEBP"], AVIF], ids=["deep", "WEBP", "AVIF"])
def test_a_set_with_one_such_file_is_refused_by_its_name(data: bytes, small, tmp_path: Path) -> None:
    small("obama", train={"count": 2, "size": [SIDE, SIDE]})
    folder = lay(tmp_path / "set", {"0.png": saved("PNG"), "one.png": data})
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as z:
        for path in folder.iterdir():
            z.write(path, path.name)
    for where in (folder, tmp_path / "set.zip"):
        with pytest.raises(GanbenchError, match=r"one\.png (has 16 bits|holds several|is not an image)"):
            add("obama", where, **QUIET)
    assert not (tmp_path / "data").exists()
