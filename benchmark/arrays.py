"""Archives of plain arrays (``.npz``) from anyone: what is said of sizes is looked at before anything is read."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmark.files import open_regular


def load_arrays(path: Path, most: int, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of those names, or all; no pickle is ever opened.

    Args:
        most: bytes that they take at most, altogether.

    Raises:
        OSError: the file cannot be read, or is no regular one.
        KeyError: an array is not there.
        ValueError: they are packed, come twice, or take more than ``most``; zipfile and numpy have many other kinds
            for what is no archive of plain arrays.
    """
    with open_regular(path) as stream:
        with zipfile.ZipFile(stream) as archive:
            chosen = sizes(archive)
        if names is not None:
            chosen = {name: chosen[name] for name in names}
        if (size := sum(chosen.values())) > most:
            raise ValueError(f"its arrays take {size:,} bytes, where {most:,} are the most")
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in chosen}


def sizes(archive: zipfile.ZipFile) -> dict[str, int]:
    """Bytes of each array by name.

    Raises:
        ValueError: one is packed or comes twice, as ``numpy.savez`` never does.
    """
    members = archive.infolist()
    if any(m.compress_type != zipfile.ZIP_STORED or m.file_size > m.compress_size for m in members):
        raise ValueError("it is compressed, as no file of ganbench data stats --export is")
    found = {member.filename.removesuffix(".npy"): member.file_size for member in members}
    if len(found) < len(members):
        raise ValueError("it holds two arrays of one name")
    return found
