"""A record that takes the place of another of the same run. The old one is kept, and one is always there."""

from __future__ import annotations

import dataclasses
import fcntl
import itertools
import os
from contextlib import suppress
from pathlib import Path

from benchmark.errors import GanbenchError
from benchmark.files import let_go, read_regular, why, write_whole
from benchmark.records import store
from benchmark.records.format import file_bytes
from benchmark.records.record import Record, RecordError

KEPT = ".before"
"""After the name of a record's file: it is no record any more."""


def replace(results: Path, folder: str, record: Record) -> None:
    """Write ``record`` over those of the same run, wherever below ``results/records/`` they are; without any to
    ``results/records/<folder>/``. Each that was there stays as ``….json.before`` (with a number where there is one
    already), but for one that got further than a partial ``record``: that is left.

    Every plan that the training was part of is still said, by a copy each: who made it anew has looked at it, and has
    ended no larger plan (``furthest.by_evaluation``).

    Raises:
        GanbenchError: the disk is full or not writable; the records that were there still are.
    """
    start = record.name.removesuffix(".json").split(".")[0]
    there = {path: _read(path) for path in store.paths(results) if path.name.split(".")[0] == start}
    same = [path for path in there if path.name == record.name]
    others = [path for path, old in there.items() if path not in same and not _further(old, record)]
    if not same:
        store.write(results, folder, record)
    for path in same:
        _over(path, file_bytes(_of_plan(record, there[path])))
    said = {_planned(there[path]) for path in same} or {record.planned or 0}
    for plan, old in {_planned(there[path]): there[path] for path in others}.items():
        if plan not in said:
            store.write(results, f"{folder}/planned-{plan}", _of_plan(record, old))
    for path in others:
        try:
            os.rename(path, _aside(path))
        except OSError as error:
            raise GanbenchError(f"cannot move {path} aside: {why(error)}") from None


def _read(path: Path) -> Record | None:
    try:
        return store.read(path)
    except RecordError:
        return None


def _further(old: Record | None, record: Record) -> bool:
    return record.status == "partial" and (old is None or old.steps > record.steps)


def _planned(old: Record | None) -> int:
    return (old and old.planned) or 0


def _of_plan(record: Record, old: Record | None) -> Record:
    """The record under the plan of another; of one that cannot be read, under none."""
    return dataclasses.replace(record, planned=old.planned if old else 0)


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
