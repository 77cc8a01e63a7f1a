"""PNGs whose stream is whole, and whose rows are not all there; and what Pillow warns of beside the pixels."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from benchmark.data.image import decode
from benchmark.data.parts import ADAM7, CHANNELS
from benchmark.errors import GanbenchError

SIDE = 13


def png(content: bytes, kind: int = 2, bits: int = 8, interlaced: bool = False, parts: int = 1) -> bytes:
    """Of these filtered rows, packed, in as many chunks."""
    packed = zlib.compress(content)
    step = -(-len(packed) // parts)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, bits, kind, 0, 0, interlaced))]
    chunks += [(b"PLTE", bytes(range(6)))] if kind == 3 else []
    chunks += [(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step)]
    made = [
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in [*chunks, (b"IEND", b"")]
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def rows(kind: int, bits: int, interlaced: bool, value: int) -> bytes:
    """All of them, each of one value."""
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = [(len(range(x, SIDE, across)), len(range(y, SIDE, down))) for x, y, across, down in passes]
    return b"".join((b"\0" + bytes([value]) * (-(-w * bits * CHANNELS[kind] // 8))) * h for w, h in sizes)


FORMS = [(0, 1), (0, 8), (2, 8), (3, 1), (3, 8), (4, 8), (6, 8)]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "bits"), FORMS)
@pytest.mark.parametrize("value", [0, 1, 255])
def test_rows_are_all_there_or_the_file_is_refused(kind: int, bits: int, interlaced: bool, value: int) -> None:
    value = min(value, 1) if kind == 3 else value
    whole = rows(kind, bits, interlaced, value)
    for content in (whole, whole + b"more"):
        assert decode(png(content, kind, bits, interlaced, 3), "whole.png").size == (SIDE, SIDE)
    row = 1 + -(-SIDE * bits * CHANNELS[kind] // 8)
    for missing in (1, row, 3 * row, len(whole) // 3):  # Pillow finds those that end within a row
        with pytest.raises(GanbenchError, match=r"short.png ends before its last row|truncated"):
            decode(png(whole[:-missing], kind, bits, interlaced), "short.png")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_black_pictures_are_whole(mode: str) -> None:
    stream = io.BytesIO()
    Image.new(mode, (SIDE, SIDE)).save(stream, "PNG")
    assert not np.asarray(decode(stream.getvalue(), "black.png")).any()


def test_what_is_beside_the_pixels_is_not_warned_of() -> None:
    code = (
        "import io; from PIL import Image; from benchmark.data.image import decode; s = io.BytesIO();"
        r"Image.new('RGB', (8, 8)).save(s, 'JPEG', exif=b'Exif\0\0II*\0\x08\0\0\0\xff\xff\0\0');"
        "print(decode(s.getvalue(), 'a.jpg').size)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(8, 8)\n", "")
