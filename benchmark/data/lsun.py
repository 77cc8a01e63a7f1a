"""LSUN's LMDB databases: one encoded image (WebP) a key, in the order of the keys, as torchvision reads them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.image import MOST_BYTES
from benchmark.data.lmdb_reader import Reader
from benchmark.data.pictures import Pictures
from benchmark.errors import GanbenchError, plain

MOST_KEYS = 2**30  # bytes; LSUN's largest database needs 120 MB


def lacking() -> str | None:
    """What must be installed before a database can be read; None if nothing."""
    return (
        None
        if importlib.util.find_spec("lmdb")
        else "reading LSUN's databases needs the package lmdb; run: pip install 'ganbench[lsun]'"
    )


def from_lmdb(folder: Path) -> Pictures:
    """Every image of the database ``folder`` (with its ``data.mdb``), by key; it is opened for reading only and never
    locked.

    Raises:
        GanbenchError: lmdb is not installed, or the database is damaged.
    """
    if problem := lacking():
        raise GanbenchError(problem)
    reader = Reader(folder, MOST_BYTES)
    keys = _packed(reader)
    return Pictures(plain(str(folder)), _Names(keys), lambda i: reader.value(bytes(keys[i])), "lmdb")


def _packed(reader: Reader) -> np.ndarray:
    """All keys in their order, as fixed-width bytes: three million of them as objects would take half a gigabyte.

    Raises:
        GanbenchError: one is so long that this would take more than ``MOST_KEYS`` bytes.
    """
    parts, longest, count = [np.empty(0, "S1")], 1, 0
    for some in filter(None, reader.keys()):
        parts.append(np.array(some))
        longest, count = max(longest, parts[-1].dtype.itemsize), count + len(some)
        if longest * count > MOST_KEYS:
            raise GanbenchError(f"{reader.name}: {count:,} keys of up to {longest} bytes are too many")
    return np.concatenate(parts)


class _Names(Sequence[str]):
    """The keys as a sequence of text."""

    def __init__(self, keys: np.ndarray) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, i: Any) -> Any:
        return bytes(self._keys[i]).decode("latin-1")
