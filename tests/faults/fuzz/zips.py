"""Damaged and forged archives of images: names that climb out, doubled and overlapping members, bombs, odd kinds."""

import io
import random
import stat
import warnings
import zipfile
from pathlib import Path

from PIL import Image

from benchmark.data.folders import read
from benchmark.data.pictures import from_zip
from benchmark.errors import GanbenchError
from tests.faults.fuzz.damage import damaged, odd_file

NAMES = (
    "../../a.png", "/etc/a.png", "a\\b.png", "a\0b.png", "\x1b[2J\u202e.png", "x" * 5000 + ".png", "d/" * 500 + "a.png",
    "__MACOSX/a.png", "a.mdb", "a.exe", "", ".", "..", "c/../../a.png", "C:a.png", "a.png/", "a.PNG", "con.png",
)  # fmt: skip
KINDS = (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR, stat.S_IFCHR, stat.S_IFSOCK, stat.S_IFREG, 0)


def prepare(folder: Path) -> list[bytes]:
    """Archives of four images in two class folders, packed or not."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    files = [(f"{c}/{i}.png", out.getvalue()) for c in "ab" for i in range(2)]
    return [_zip(files, how) for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)]


def _zip(files: list[tuple[str, bytes]], how: int = zipfile.ZIP_DEFLATED, mode: int = 0) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", how) as archive:
        warnings.simplefilter("ignore")  # names that come twice
        for name, data in files:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, how
            archive.writestr(info, data)
    return out.getvalue()


def case(good: list[bytes], rng: random.Random, folder: Path) -> str:
    """One archive, read as a file and member by member, or whole in memory."""
    data, path = _forged(good, rng), folder / "a.zip"
    try:
        if rng.random() < 0.5:
            read(data, 8, None, "bilinear", "a.zip")
            return "accepted"
        if rng.random() < 0.1:
            odd_file(path, rng, data[:50])
        else:
            path.write_bytes(data)
        found = from_zip(path, str(path), under=rng.choice(("", "a")))
        for i in range(len(found.names)):
            found.load(i)
    except GanbenchError as error:
        return f"refused: {' '.join(w for w in str(error).partition('a.zip')[2].split()[:9] if w.isalpha())}"
    return "accepted"


def _forged(good: list[bytes], rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(good[0])) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist()]
    match rng.randrange(8):
        case 0:
            chosen = [(name, files[0][1]) for name in rng.choices(NAMES, k=rng.choice((1, 2)))]
            return _zip([*files, *chosen], mode=rng.choice(KINDS))
        case 1:
            return _zip(files + files[:1])
        case 2:
            size = rng.choice((1, 40, 60, 300)) if rng.random() < 0.1 else 1
            return _zip([*files, ("a/bomb.png", bytes(size << 20))])
        case 3:
            return _zip([*files, ("a/inner.png", rng.choice(good)), ("b/inner.zip", good[0])][: rng.choice((5, 6))])
        case 4 if rng.random() < 0.1:
            return _zip([(f"a/{i}.png", b"") for i in range(rng.choice((3000, 30_000)))], zipfile.ZIP_STORED)
        case 5:
            return _within(good[1], rng)
        case 6:
            return rng.choice(good)
        case _:
            return damaged(rng.choice(good), rng)


def _within(whole: bytes, rng: random.Random) -> bytes:
    """Fields of the directory set: sizes, offsets, methods, flags, so that members lie in one another."""
    out, at = bytearray(whole), whole.find(b"PK\1\2")
    for _ in range(rng.choice((1, 2, 8))):
        entry = rng.choice([i for i in range(at, len(out) - 46) if out[i : i + 4] == b"PK\1\2"])
        field, width = rng.choice(((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (38, 4), (42, 4)))
        out[entry + field : entry + field + width] = rng.choice((0, 1, 8, 99, 60, 2**16 - 1)).to_bytes(width, "little")
    return bytes(out)
