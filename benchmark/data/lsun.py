"""LSUN's LMDB databases: one encoded image (WebP) a key, in the order of the keys, as torchvision reads them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from benchmark.data.image import MOST_BYTES
from benchmark.data.pictures import Pictures
from benchmark.errors import GanbenchError

CHUNK = 100_000  # keys held as Python objects at a time


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
    import lmdb

    try:
        store = lmdb.open(str(folder), readonly=True, lock=False, readahead=False, create=False, max_readers=64)
        keys = _keys(store)
    except (lmdb.Error, OSError) as error:
        raise GanbenchError(
            f"{folder} is not an LMDB database that can be read: {error}; unpack the archive again"
        ) from None

    def load(i: int) -> bytes:
        """The encoded bytes of image i; raises GanbenchError where they are damaged or too many."""
        try:
            with store.begin() as transaction:
                data = transaction.get(bytes(keys[i]))
        except lmdb.Error as error:
            raise GanbenchError(f"{folder} is damaged: {error}; unpack the archive again") from None
        if data is None or len(data) > MOST_BYTES:
            raise GanbenchError(f"{folder}: {bytes(keys[i])!r} holds no image of at most {MOST_BYTES:,} bytes")
        return data

    return Pictures(str(folder), _Names(keys), load, "lmdb")


def _keys(store) -> np.ndarray:
    """All keys in their order, as fixed-width bytes: three million of them as objects would take half a gigabyte."""
    parts, some = [np.empty(0, "S1")], []
    with store.begin() as transaction:
        for key in transaction.cursor().iternext(keys=True, values=False):
            some.append(bytes(key))
            if len(some) == CHUNK:
                parts.append(np.array(some))
                some.clear()
    return np.concatenate([*parts, np.array(some, "S")] if some else parts)


class _Names:
    """The keys as a sequence of text."""

    def __init__(self, keys: np.ndarray) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, i: int) -> str:
        return bytes(self._keys[i]).decode("latin-1")
