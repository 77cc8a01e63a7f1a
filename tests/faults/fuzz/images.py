"""Damaged, forged and enormous images, as bytes and in folders."""

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.data.image import decode, pixels
from benchmark.data.pictures import from_folder
from benchmark.errors import GanbenchError
from tests.faults.fuzz.damage import bomb, damaged, odd_file

SIDE = 24
MODES = {
    "PNG": ("RGB", "P", "LA", "1"),
    "JPEG": ("RGB", "L", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("RGB", "L", "P"),
    "TIFF": ("RGB", "L", "P", "1", "CMYK"),
}
OTHERS = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", b"P6 8 8 255\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"\0\0\0\x20ftypavif", b"8BPS\0\1", b"%PDF-1.4\n", b"\x59\xa6\x6a\x95", b"#!/bin/sh\n",
)  # fmt: skip
Good = dict[str, list[bytes]]


def prepare(folder: Path) -> Good:
    """Small images of all formats and modes, progressive, interlaced, compressed in all ways."""
    shown = Image.fromarray(np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    found = {form: [_encoded(shown.convert(mode), form) for mode in modes] for form, modes in MODES.items()}
    found["JPEG"].append(_encoded(shown, "JPEG", progressive=True, quality=40))
    found["TIFF"] += [_encoded(shown, "TIFF", compression=c) for c in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")]
    found["TIFF"].append(_encoded(shown.convert("1"), "TIFF", compression="group4"))
    found["WEBP"].append(_encoded(shown, "WEBP", lossless=True))
    return found


def _encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def case(good: Good, rng: random.Random, folder: Path) -> str:
    """One image, decoded as bytes or out of a folder."""
    data = _forged(good, rng)
    name = rng.choice(("a", "ß\u202e", "x" * 200)) + rng.choice((".png", ".jpg", ".webp", ".tif"))
    path = folder / name
    try:
        if rng.random() < 0.1:
            odd_file(path, rng, data[:100])
        else:
            path.write_bytes(data)
        found = from_folder(folder)
        for i, name in enumerate(found.names):
            pixels(decode(found.load(i), name, rng.choice((None, "white"))), 8, "center", "bilinear", name)
    except GanbenchError as error:
        words = str(error).split(": ")[-2 if str(error).endswith("again") else -1].split()
        return f"refused: {' '.join(w for w in words[:6] if w.isalpha())}"
    return "accepted" if found.names else "no image"


def _forged(good: Good, rng: random.Random) -> bytes:
    form = rng.choice(list(good))
    whole = rng.choice(good[form])
    match rng.randrange(12):
        case 0:
            return _png(rng.choice((0, 1, 5000, 7000, 100_000, 2**31 - 1)), rng.choice((0, 1, 7000, 2**31)), rng)
        case 1:
            return rng.choice(OTHERS) + rng.randbytes(200)
        case 2 if form == "PNG":
            return _resealed(damaged(whole, rng))
        case 3:
            return _many_scans(good["JPEG"][-1], rng) if rng.random() < 0.2 else _header(whole, form, rng)
        case 4:
            return _tiff(rng)
        case 5 if rng.random() < 0.1:
            return _chunks(whole, rng)
        case 6:
            return whole
        case _:
            return damaged(whole, rng)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, rng: random.Random) -> bytes:
    """Any size that a header can say, with right checksums, and a bomb for its pixels or its text."""
    head = struct.pack(
        ">IIBBBBB", width, height, rng.choice((1, 8, 16)), rng.choice((0, 2, 3, 6)), 0, 0, rng.choice((0, 1))
    )
    packed = bomb(rng.choice((1, 200)) << 20) if rng.random() < 0.05 else zlib.compress(bytes(5000))
    text = _chunk(b"zTXt", b"a\0\0" + packed) + _chunk(b"iCCP", b"a\0\0" + packed)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + text + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunks(whole: bytes, rng: random.Random) -> bytes:
    """A PNG of very many chunks."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + _chunk(rng.choice((b"IDAT", b"tEXt", b"pHYs")), b"") * rng.choice((1000, 200_000))
    )


def _resealed(data: bytes) -> bytes:
    """A PNG with the right checksum of every chunk."""
    out, at = bytearray(data[:8]), 8
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        out += data[at : at + 8] + content + struct.pack(">I", zlib.crc32(kind + content))
        at += 12 + size
    return bytes(out)


def _header(whole: bytes, form: str, rng: random.Random) -> bytes:
    """Sizes in headers blown up."""
    out = bytearray(whole)
    size = rng.choice((65535, 60000, 7000, 30000))
    if form == "JPEG" and (at := max(out.find(b"\xff\xc0"), out.find(b"\xff\xc2"))) > 0:
        out[at + 5 : at + 9] = struct.pack(">HH", size, rng.choice((size, 800)))
    elif form == "BMP":
        out[18:26] = struct.pack("<ii", rng.choice((size, -size)), rng.choice((size, -size, 800)))
    elif form == "WEBP":
        out[20:30] = rng.randbytes(10)
    return bytes(out)


def _many_scans(progressive: bytes, rng: random.Random) -> bytes:
    """A JPEG that repeats its last scan, over a large picture."""
    out = bytearray(progressive)
    at = out.find(b"\xff\xc2")
    side = rng.choice((SIDE, 7000))
    out[at + 5 : at + 9] = struct.pack(">HH", side, side)
    last = out.rfind(b"\xff\xda")
    return bytes(out[:-2] + out[last:-2] * rng.choice((50, 3000)) + b"\xff\xd9")


def _tiff(rng: random.Random) -> bytes:
    """A TIFF whose tags have wrong types, counts and offsets, point at each other, or are very many."""
    side = rng.choice((8, 8, 3000, 60_000))
    tags = {256: (4, 1, side), 257: (4, 1, side), 258: (3, 1, 8), 259: (3, 1, rng.choice((1, 5, 8, 32773)))}
    tags |= {262: (3, 1, 1), 273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, side), 279: (4, 1, 64)}
    for _ in range(rng.choice((0, 1, 3))):
        tags[rng.choice([*tags, 320, 322, 323, 324, 325, 330, 339, 34675, 50000])] = (
            rng.choice((1, 2, 3, 4, 5, 12, 13, 16, 99)),
            rng.choice((0, 1, 2, 60_000, 2_000_000, 2**32 - 1)),
            rng.choice((0, 8, 64, 2**31, 2**32 - 1)),
        )
    entries = b"".join(struct.pack("<HHII", tag, *found) for tag, found in sorted(tags.items()))
    head = b"II*\0" + struct.pack("<I", 72) + bytes(64) + struct.pack("<H", len(tags)) + entries
    tail = struct.pack("<I", rng.choice((0, 0, 72, 8, 2**31)))
    return head + tail + (bytes(8_000_000) if rng.random() < 0.05 else b"")
