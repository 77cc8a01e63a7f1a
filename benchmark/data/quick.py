"""Whether files that are here can be what their cards say, told by their sizes: no file is read through for a plan,
unless its size is wrong.
"""

from __future__ import annotations

import functools
import os
import zipfile
from pathlib import Path

from benchmark.data.absent import mend
from benchmark.data.cards import Card, FileCard
from benchmark.data.declared import load
from benchmark.data.home import data_root
from benchmark.errors import GanbenchError, plain


def damaged(name: str, files: list[FileCard], places: list[Path | None]) -> str | None:
    """What is wrong with the first of these files of dataset ``name`` that is here and has another size than its card
    says; None if none has.
    """
    for file, path in zip(files, places):
        if path is None:
            continue
        try:
            if _size(path, file) != file.bytes % 2**32:
                _read_through(name, file, path, os.stat(path).st_mtime_ns)
        except (OSError, GanbenchError) as error:
            return f"dataset {name}: {error}"
    return None


def not_added(c: Card, split: str) -> str | None:
    """What of a set of images is missing, or cut short, with the command that mends it; None if nothing is."""
    from benchmark.data.lsun import lacking  # late: planning without such sets needs no numpy

    try:
        found = load(data_root() / c.name, c.name, c.split(split).get("of", split))
    except GanbenchError as error:
        return f"dataset {c.name}: {error}"
    if found is None or split not in found.contents:
        return f"dataset {c.name}: {split} is not in {data_root()}; {mend(c)}"
    if not (path := found.at(data_root() / c.name)).exists():
        return f"dataset {c.name}: {plain(str(path))} is gone; put it back, or run: ganbench data add {c.name} FOLDER"
    if found.form == "zip" and (why := _broken_zip(path)):
        return f"dataset {c.name}: {why}; put it back, or run: ganbench data add {c.name} FOLDER"
    return lacking() if found.form == "lmdb" else None


def _broken_zip(path: Path) -> str | None:
    """That a zip has lost its end, where its list of files is."""
    try:
        whole = zipfile.is_zipfile(path)
    except OSError as error:
        return f"{plain(str(path))} cannot be read ({error.strerror})"
    return None if whole else f"{plain(str(path))} is truncated or no zip"


def _size(path: Path, file: FileCard) -> int:
    """Decompressed, modulo 2^32, as far as the file itself says: gzip's last four bytes do."""
    if path.name == file.file:
        return os.stat(path).st_size % 2**32
    with path.open("rb") as stream:
        stream.seek(-min(4, stream.seek(0, os.SEEK_END)), os.SEEK_END)
        return int.from_bytes(stream.read(4), "little")


@functools.lru_cache
def _read_through(name: str, file: FileCard, path: Path, changed: int) -> None:
    """Raises GanbenchError unless it is the card's file after all (of several gzip members the last tells its own
    size).
    """
    from benchmark.data.check import check_file

    check_file(name, file, path)
