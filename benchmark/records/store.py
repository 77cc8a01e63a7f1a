"""Records: the immutable results under ``results/records/``, one JSON file a measured run.

A file is written once, atomically, and never over another. Reading trusts nothing: a record may
come from another lab, another version, or a broken disk.
"""

from __future__ import annotations

import errno
import functools
import itertools
import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from benchmark.canonical import json_text
from benchmark.errors import GanbenchError
from benchmark.files import let_go, why
from benchmark.keys import evaluation_key, run_key
from benchmark.recipe import Protocol, Recipe
from benchmark.records.bounds import check_depth, check_types, impossible
from benchmark.records.folders import below
from benchmark.records.record import OPTIONAL, SCHEMA, Record, RecordError
from benchmark.suite.slug import on_disk

MAX_BYTES = 50_000_000


def write(results: Path, folder: str, record: Record) -> Path:
    """Write ``record`` to ``results/records/<folder>/``; an equal one that is there already is left alone.

    Raises:
        GanbenchError: another record has that name, or the disk is full or not writable.
    """
    place, content = f"{results}/records/{on_disk(folder)}", file_bytes(record)
    target, temporary = Path(f"{place}/{record.name}"), f"{place}/.{record.name}.{os.getpid()}.tmp"
    try:
        with _new(temporary) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _place(temporary, target)
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


def file_bytes(record: Record) -> bytes:
    """A record's file: JSON with one field a line, and one measurement a line: small, and legible in a diff."""
    content = record.fields() | {"recipe": record.recipe.text, "protocol": record.protocol.text}
    content["history"] = b"[\n  " + b",\n  ".join(map(json_text, record.history)) + b"\n ]"
    lines = (
        b' "%b": %b' % (key.encode(), value if isinstance(value, bytes) else json_text(value))
        for key, value in content.items()
    )
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _place(temporary: str, target: Path) -> None:
    """Give a finished file its name; unlike a rename, never over another file."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        if target.exists():  # no hard links on this disk; the results folder's lock keeps other writers out
            raise FileExistsError from None
        os.replace(temporary, target)


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
        return parse(path.read_bytes(), path)
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


def parse(content: bytes, path: Path) -> Record:
    """A record from a file's bytes; ``path`` is for what is said of it. Raises RecordError as ``read`` does."""
    try:
        data = orjson.loads(content)  # refuses NaN, infinity and half a character, none of which could be written again
    except ValueError as error:
        raise RecordError(path, f"unreadable ({str(error).splitlines()[0]})", damaged=True) from None
    if not isinstance(data, dict) or not isinstance(data.get("schema"), int):
        raise RecordError(path, "not a ganbench record", damaged=True)
    if data["schema"] > SCHEMA:
        raise RecordError(
            path, f"schema {data['schema']}, this ganbench reads up to {SCHEMA}: upgrade ganbench to use it"
        )
    try:
        check_depth(data)
        return _parse(data, path)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, GanbenchError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(path, f"not a whole record ({type(error).__name__}: {error})", damaged=True) from None


def read_all(results: Path) -> tuple[list[Record], list[RecordError]]:
    """Every record below ``results/records/``, in path order, and what could not be read.

    Raises:
        GanbenchError: a folder cannot be read.
    """
    found: list[tuple[Path, Record | RecordError]] = []
    for path in paths(results):
        try:
            found.append((path, read(path)))
        except RecordError as error:
            found.append((path, error))
    return agreeing(found)


def paths(results: Path, room: str = "records") -> list[Path]:
    """The record files below ``results/<room>/``, sorted; raises GanbenchError if any folder there cannot be read."""
    return [path for path in below(results, room) if path.suffix == ".json"]


def agreeing(found: Iterable[tuple[Path, Record | RecordError]]) -> tuple[list[Record], list[RecordError]]:
    """The records that were read, and the problems, among them files that disagree about one run: the first counts."""
    records, problems = [], []
    ends: dict[str, tuple[Path, str]] = {}
    for path, record in found:
        if isinstance(record, RecordError):
            problems.append(record)
            continue
        first, outcome = (
            ends.setdefault(record.evaluation, (path, record.outcome))
            if record.status != "partial"
            else (path, record.outcome)
        )
        if outcome != record.outcome:
            problems.append(
                RecordError(
                    path, f"this file and {first} disagree about the same run: remove the wrong one; the first is used"
                )
            )
        else:
            records.append(record)
    return records, problems


def _parse(data: dict[str, Any], path: Path) -> Record:
    recipe: Recipe = _made(Recipe, orjson.dumps(data["recipe"]))
    protocol: Protocol = _made(Protocol, orjson.dumps(data["protocol"]))
    fields: dict[str, Any] = {k: data.get(k) if k in OPTIONAL else data[k] for k in Record.__dataclass_fields__}
    record = Record(**fields | {"recipe": recipe, "protocol": protocol})
    check_types(record)
    run = run_key(recipe, record.content, record.subset, record.seed, record.versions)
    if record.run != run or record.evaluation != evaluation_key(run, protocol, record.measure_version, record.real):
        raise RecordError(
            path, "its recipe, data, seed or protocol do not match its key: altered or damaged", damaged=True
        )
    if record.outcome != data["outcome"]:
        raise RecordError(path, "its numbers do not match its checksum: altered or damaged", damaged=True)
    if record.planned is not None and record.seal != data.get("seal"):
        raise RecordError(
            path, "the number of seeds that were planned does not match its checksum: altered or damaged", damaged=True
        )
    if why := impossible(record):
        raise RecordError(path, f"impossible: {why}", damaged=True)
    return record


@functools.lru_cache(maxsize=4096)
def _made(kind: type[Recipe] | type[Protocol], text: bytes) -> Any:
    """A recipe or protocol from its JSON text: made, checked and later hashed once for all records that share it."""
    return kind.from_json(json.loads(text))
