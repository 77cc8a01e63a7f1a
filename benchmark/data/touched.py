"""Whether images that were added have been touched since, told by the sizes and times of their files: none is read.

A hash of those is beside a split's manifest (``ganbench-<split>.seen``) from when it was added or verified.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from benchmark.data.cards import Card, data_root
from benchmark.data.declared import Manifest
from benchmark.data.layout import find
from benchmark.errors import GanbenchError, plain
from benchmark.files import read_regular, write_whole

MOST = 200_000
"""Files of a split. Of more, which would take minutes on a network's disk, nothing is told: each is held against its
hash when it is read.
"""


def look(c: Card, manifest: Manifest) -> bytes | None:
    """A hash of names, sizes and times of the files of a split, as they are now; None where that cannot be told."""
    whole = hashlib.sha256()
    if manifest.images > MOST and not manifest.at(data_root() / c.name).is_file():
        return None
    try:
        for name, file in _files(c, manifest):
            about = os.stat(file)
            whole.update(f"{about.st_size} {about.st_mtime_ns} ".encode() + os.fsencode(name) + b"\0")
    except (OSError, GanbenchError):
        return None
    return whole.hexdigest().encode()


def remember(manifest: Manifest, mark: bytes | None) -> None:
    """Keep what ``look`` has found of files that were read through."""
    with suppress(OSError):  # in a folder that is for reading only, what was kept still counts
        _place(manifest).unlink(missing_ok=True) if mark is None else write_whole(_place(manifest), mark)


def is_told(manifest: Manifest) -> bool:
    """Whether anything was kept of a split: earlier versions have kept nothing."""
    return _place(manifest).is_file()


def touched(c: Card, manifest: Manifest) -> str | None:
    """That files of a split are not as they were when they were read through, with what to do; None where they are, or
    nothing was kept (what is read is held against its hash in any case).
    """
    try:
        kept = read_regular(place := _place(manifest))
        since = os.stat(place).st_mtime_ns
    except OSError:
        return None
    if (now := look(c, manifest)) == kept:
        return None
    newer = [name for name, file in _files(c, manifest) if os.stat(file).st_mtime_ns > since] if now else []
    which = f" ({plain(newer[0] or str(manifest.at(data_root() / c.name)))})" if newer else ""
    return (
        f"files of {manifest.split} have other names, sizes or times than when they were read{which}; "
        f"run: ganbench data verify {c.name}"
    )


def _files(c: Card, manifest: Manifest) -> list[tuple[str, Path]]:
    """Those of a folder by their names; the one that an archive or a database is."""
    path, split = manifest.at(data_root() / c.name), c.split(manifest.split)
    if path.is_file():
        return [("", path)]
    for folder in (path, *(path / under for under in split.get("under", ()))):
        if (database := folder / "data.mdb").is_file():
            return [("", database)]
    found = find(split, path)
    return [] if found is None else [(name, Path(found.at, name)) for name in found.names]


def _place(manifest: Manifest) -> Path:
    return data_root() / manifest.dataset / f"ganbench-{manifest.split}.seen"
