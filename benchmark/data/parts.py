"""Of how many parts an encoded image is made: decoders take minutes and gigabytes over millions of empty ones, so that
they are counted first, as far as one may have them.
"""

from __future__ import annotations

import struct
import zlib
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PARTS = 20_000
"""Chunks of a PNG (a writer's of 50 MB has 6,000), segments of a JPEG, strips of a TIFF."""
MOST_SCANS = 100
"""Of a progressive JPEG; encoders make 10, and each costs a pass over the whole picture."""
BYTES = (1, 2, 6, 7)  # types of a TIFF's tags that are read at once
COMPRESSION, OLD_TIFF_JPEG, TIFF_JPEG = 259, 6, 7
STRIPS, TILES = 273, 324
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG, by its type of colours
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and steps between columns and rows, of each pass of an interlaced PNG."""


def too_many(data: bytes) -> str | None:
    """Of what the image has too many; None where nothing is known against it."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG"):
        return _over(_png(data), "chunks")
    if data.startswith((b"II", b"MM")):
        return _tiff(data)
    return None


def is_jpeg_in_tiff(data: bytes) -> bool:
    """Whether it is a TIFF that holds a JPEG, of the older or the newer kind."""
    return data.startswith((b"II", b"MM")) and any(
        tag == COMPRESSION and value in (OLD_TIFF_JPEG, TIFF_JPEG) for tag, _, _, value in _tags(data)
    )


def is_lossy_webp(data: bytes) -> bool:
    """Whether a WebP holds a lossy picture, in whichever of its chunks (after a profile, beside an alpha)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return False
    at = 12
    while at + 8 <= len(data) and data[at : at + 4] != b"VP8 ":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + (16 if data[at : at + 4] == b"ANMF" else size + size % 2)  # a frame's chunks lie within it
    return data[at : at + 4] == b"VP8 "


def _over(parts: Iterator[object], what: str) -> str | None:
    full = next(islice(parts, MOST_PARTS, None), None) is not None
    return f"has more than {MOST_PARTS:,} {what}" if full else None


def _png(data: bytes) -> Iterator[int]:
    """Where each chunk begins."""
    at = 8
    while at + 8 <= len(data):
        yield at
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def ends_early(data: bytes) -> bool:
    """Whether a PNG's pixels are fewer than its head says."""
    width, height, bits, kind, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in passes]
    expected = sum(h * (1 + (w * bits * CHANNELS[kind] + 7) // 8) for w, h in sizes if w > 0 and h > 0)
    pixels, found = zlib.decompressobj(), 0
    for at in _png(data):
        if data[at + 4 : at + 8] == b"IDAT" and found < expected:
            part = data[at + 8 : at + 8 + int.from_bytes(data[at : at + 4], "big")]
            found += len(pixels.decompress(part, expected - found))
    return found < expected


def _jpeg(data: bytes) -> str | None:
    if (scans := data.count(b"\xff\xda")) > MOST_SCANS:
        return f"has {scans:,} scans"
    return _over(_segments(data), "segments")


def _segments(data: bytes) -> Iterator[int]:
    """Where each marker before the first scan begins, and each byte that is none."""
    at = 2
    while at + 4 <= len(data) and (mark := data[at : at + 2]) != b"\xff\xda":
        yield at
        alone = mark[0] != 0xFF or mark[1] in (0x00, 0xFF)
        at += 1 if alone else 2 if 0xD0 <= mark[1] <= 0xD9 else 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def _tiff(data: bytes) -> str | None:
    counts = {tag: (count, value) for tag, kind, count, value in _tags(data) if kind not in BYTES}
    if any(count > MOST_PARTS for count, _ in counts.values()):
        return f"has more than {MOST_PARTS:,} strips, or values of a tag"
    strips = max(counts.get(tag, (0, 0))[0] for tag in (STRIPS, TILES))
    scans = data.count(b"\xff\xda") if counts.get(COMPRESSION, (1, 1))[1] == TIFF_JPEG else 0
    return f"has {scans:,} scans" if scans > MOST_SCANS + strips else None


def _tags(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, number of values, and the value where there is one, of the first picture."""
    order, big = "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")
    at_form, count_form, entry = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    try:
        (at,) = struct.unpack_from(order + at_form, data, 8 if big else 4)
        (entries,) = struct.unpack_from(order + count_form, data, at)
        at += struct.calcsize(order + count_form)
        for i in range(min(entries, 2**16)):
            tag, kind, count, value = struct.unpack_from(order + entry, data, at + i * struct.calcsize(order + entry))
            yield tag, kind, count, struct.unpack_from(order + "H", value)[0]
    except struct.error:  # cut short: Pillow says so
        return
