"""Records: the immutable results under ``results/records/``, one JSON file a measured run.

A file is written once, atomically, and never over another. Reading trusts nothing: a record may
come from another lab, another version, or a broken disk.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from benchmark.errors import GanbenchError
from benchmark.files import let_go, place, read_regular, why
from benchmark.records.contested import contest
from benchmark.records.folders import below
from benchmark.records.format import file_bytes, parse
from benchmark.records.record import Record, RecordError
from benchmark.suite.slug import on_disk

MAX_BYTES = 50_000_000


def write(results: Path, folder: str, record: Record) -> Path:
    """Write ``record`` to ``results/records/<folder>/``; an equal one that is there already is left alone.

    Raises:
        GanbenchError: another record has that name, or the disk is full or not writable.
    """
    room, content = f"{results}/records/{on_disk(folder)}", file_bytes(record)
    target, temporary = Path(f"{room}/{record.name}"), f"{room}/.{record.name}.{os.getpid()}.tmp"
    try:
        with _new(temporary) as stream:
            with suppress(OSError):  # a disk without locks
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # being written, and not left over (``leftovers``)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        place(Path(temporary), target)
    except FileExistsError:
        if read(target).outcome != record.outcome:
            raise GanbenchError(
                f"{target} holds another result of the same run; the new one was not written over it"
            ) from None
    except OSError as error:
        raise GanbenchError(f"cannot write {target}: {why(error)}") from None
    finally:
        let_go(temporary)
    return target


def _new(path: str) -> BinaryIO:
    """The file, in a folder that is made when it is missing: of many records, few are the first of theirs."""
    try:
        return open(path, "wb")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "wb")


def read(path: Path) -> Record:
    """One record.

    Raises:
        RecordError: not readable, not a record, altered since it was written, impossible, or of a newer schema.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise RecordError(path, "not a file", unread=True)  # reading a pipe or a device might never end
        if found.st_size > MAX_BYTES:
            raise RecordError(path, f"larger than {MAX_BYTES:,} bytes: not a record")
        return parse(read_regular(path, MAX_BYTES), path)
    except OSError as error:
        raise RecordError(path, f"unreadable ({error.strerror or error})", unread=True) from None


def set_aside(path: Path) -> Path | None:
    """Move a damaged record out of the way of a new one, to ``….json.damaged`` (with a number where there is one
    already).

    None if it is not there any more, or whole: another driver was here.

    Raises:
        GanbenchError: it cannot be moved.
    """
    if not path.exists():
        return None
    with suppress(RecordError):
        read(path)
        return None
    names = (path.with_name(f"{path.name}.damaged{f'-{n}' if n else ''}") for n in itertools.count())
    aside = next(name for name in names if not name.exists())
    try:
        os.rename(path, aside)
    except OSError as error:
        raise GanbenchError(f"cannot move {path} aside: {error.strerror}") from None
    return aside


def read_all(results: str | Path) -> tuple[list[Record], list[RecordError]]:
    """Every record below ``results/records/``, in path order, and what could not be read.

    Raises:
        GanbenchError: a folder cannot be read.
    """
    found: list[tuple[Path, Record | RecordError]] = []
    for path in paths(Path(results)):
        try:
            found.append((path, read(path)))
        except RecordError as error:
            found.append((path, error))
    return agreeing(found, kept_apart(results))


def kept_apart(results: str | Path) -> list[Record]:
    """What ``merge`` found to disagree with records that were there; what of it cannot be read, ``report`` says.

    Raises:
        GanbenchError: a folder cannot be read.
    """
    found = []
    for path in paths(Path(results), "conflicts"):
        with suppress(RecordError):
            found.append(read(path))
    return found


def paths(results: Path, room: str = "records") -> list[Path]:
    """The record files below ``results/<room>/``, sorted; raises GanbenchError if any folder there cannot be read."""
    return [path for path in below(results, room) if path.suffix == ".json"]


def agreeing(
    found: Iterable[tuple[Path, Record | RecordError]], apart: Iterable[Record] = ()
) -> tuple[list[Record], list[RecordError]]:
    """The records that were read, and the problems, among them files that disagree about one run: it is contested.

    Args:
        apart: results of others, kept apart since they disagreed when they were merged.
    """
    records, problems = list[Record](), list[RecordError]()
    ends: dict[str, tuple[Path, Record]] = {}
    for path, record in found:
        if isinstance(record, RecordError):
            problems.append(record)
            continue
        first, counts = (
            ends.setdefault(record.evaluation, (path, record)) if record.status != "partial" else (path, record)
        )
        if counts.outcome != record.outcome:
            contest(counts, record)
            said = (
                f"this file and {first} disagree about the same run: remove the wrong one; until then it is contested"
            )
            problems.append(RecordError(path, said))
        else:
            records.append(record)
    for other in apart:
        if (
            other.status != "partial"
            and other.evaluation in ends
            and (ours := ends[other.evaluation][1]).outcome != other.outcome
        ):
            contest(ours, other)
    for record in records:  # copies of it too
        if record.status != "partial" and (said := ends[record.evaluation][1].contested):
            record.__dict__["contested"] = said
    return records, problems
