"""A record that takes the place of another of the same run. The old one is kept, and one is always there."""

from __future__ import annotations

import fcntl
import itertools
import os
from contextlib import suppress
from pathlib import Path

from benchmark.errors import GanbenchError
from benchmark.files import let_go, read_regular, why, write_whole
from benchmark.records import store
from benchmark.records.format import file_bytes
from benchmark.records.record import Record

KEPT = ".before"
"""After the name of a record's file: it is no record any more."""


def replace(results: Path, folder: str, record: Record) -> None:
    """Write ``record`` over those of the same run, wherever below ``results/records/`` they are; without any to
    ``results/records/<folder>/``. Each that was there stays as ``….json.before`` (with a number where there is one
    already).

    Raises:
        GanbenchError: the disk is full or not writable; the records that were there still are.
    """
    start = record.name.removesuffix(".json").split(".")[0]
    there = [path for path in store.paths(results) if path.name.split(".")[0] == start]
    same = [path for path in there if path.name == record.name]
    if not same:
        store.write(results, folder, record)
    for path in same:
        _over(path, file_bytes(record))
    for path in there:
        if path not in same:  # of another step
            try:
                os.rename(path, _aside(path))
            except OSError as error:
                raise GanbenchError(f"cannot move {path} aside: {why(error)}") from None


def _over(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            with suppress(OSError):  # a disk without locks
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # being written, and not left over (``leftovers``)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _keep(path)
        os.replace(temporary, path)
    except OSError as error:
        raise GanbenchError(f"cannot write {path}: {why(error)}") from None
    finally:
        let_go(temporary)


def _keep(path: Path) -> None:
    try:
        os.link(path, _aside(path))
    except OSError:  # no hard links on this disk
        write_whole(_aside(path), read_regular(path, store.MAX_BYTES))


def _aside(path: Path) -> Path:
    names = (path.with_name(f"{path.name}{KEPT}{f'-{n}' if n else ''}") for n in itertools.count())
    return next(name for name in names if not os.path.lexists(name))
