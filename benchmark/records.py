"""Records: the immutable results under ``results/records/``, one JSON file a measured run.

A file is written once, atomically, and never over another. Reading trusts nothing: a record may
come from another lab, another version, or a broken disk.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import itertools
import json
import math
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmark.bounds import columns, impossible
from benchmark.errors import GanbenchError
from benchmark.recipe import Protocol, Recipe, canonical_bytes, content_hash, evaluation_key, run_key

SCHEMA = 1
MAX_BYTES = 50_000_000
STATUSES = ("finished", "partial", "diverged")
OPTIONAL = ("real", "floor", "planned", "train_cpu_s", "eval_cpu_s")
"""Left out of the file where they are absent, as in files of before they were."""
NUMBERS = {int, float}
OR_NOTHING = {*NUMBERS, type(None)}
OUTCOME = ("run", "evaluation", "status", "steps", "final", "history", "samples")


class RecordError(GanbenchError):
    """A record that cannot be used: the file and what is wrong with it.

    ``damaged``: no version of ganbench could use it. (A newer schema, or a file that may not be read, is not damaged.)
    """

    def __init__(self, path: Path, what: str, damaged: bool = False) -> None:
        super().__init__(f"{path}: {what}")
        self.path, self.damaged = path, damaged


@dataclass(frozen=True)
class Record:
    """One measured run."""

    run: str  # run key
    evaluation: str  # evaluation key
    seed: int
    profile: str
    cell: str  # id of the cell it was run for; other cells may share it
    recipe: Recipe
    protocol: Protocol
    versions: dict[str, Any]  # algorithm versions of the parts used
    measure_version: int  # of the measuring code
    status: str  # "finished", "partial" (stopped before its last step) or "diverged"
    steps: int
    total_steps: int
    epochs: float
    final: dict[str, Any] | None  # metric -> {"value", "std", …}; None if diverged
    history: list[dict[str, Any]]
    samples: str  # PNG, base64
    train_s: float
    eval_s: float
    content: str  # sha256 of the dataset's split
    subset: str  # sha256 of the training subset's indices
    provenance: dict[str, Any]  # code, hardware and libraries of every stretch
    real: str | None = None  # sha256 of the real images compared with; None where the metrics need none
    train_cpu_s: float | None = None  # of the training process: on a busy machine longer, but much less than wall seconds
    eval_cpu_s: float | None = None
    floor: dict[str, Any] | None = None  # the same metrics of other real images (``metrics/floor.py``), with a proxy extractor
    planned: int | None = None  # how many seeds the plan that it was made in asked for; 0: as many as it takes to decide; None: not said

    @property
    def name(self) -> str:
        """File name: the evaluation key and the seed; a partial result also says where it stopped."""
        return f"{self.evaluation}-s{self.seed}{f'.step{self.steps}' if self.status == 'partial' else ''}.json"

    @functools.cached_property
    def outcome(self) -> str:
        """sha256 of all that must be equal, bit for bit, when the same run is made again."""
        kept = {key: getattr(self, key) for key in OUTCOME} | ({"floor": self.floor} if self.floor else {})
        pieces = (b'"%b":%b' % (key.encode(), canonical_bytes(kept[key])) for key in sorted(kept))  # as content_hash of them all, and faster
        return hashlib.sha256(b"{%b}" % b",".join(pieces)).hexdigest()

    @property
    def seal(self) -> str:
        """sha256 that holds ``planned`` to the outcome: the plan is no part of what must be equal when the run is made again."""
        return content_hash([self.outcome, self.planned])

    def to_json(self) -> dict[str, Any]:
        """The file's content."""
        plain = {k: v for k in self.__dataclass_fields__ if (v := getattr(self, k)) is not None or k not in OPTIONAL}
        plain |= {"recipe": self.recipe.to_json(), "protocol": self.protocol.to_json()}
        return {"schema": SCHEMA, **plain, "outcome": self.outcome, **({"seal": self.seal} if self.planned is not None else {})}


def write(results: Path, folder: str, record: Record) -> Path:
    """Write ``record`` to ``results/records/<folder>/``; an equal one that is there already is left alone.

    Raises:
        GanbenchError: another record has that name, or the disk is full or not writable.
    """
    target = results / "records" / folder / record.name
    content = file_bytes(record)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GanbenchError(f"cannot write {target}: {error.strerror}") from None
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _place(temporary, target)
    except FileExistsError:
        if read(target).outcome != record.outcome:
            raise GanbenchError(f"{target} holds another result of the same run; the new one was not written over it") from None
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise GanbenchError(f"cannot write {target}: {what}") from None
    finally:
        with suppress(OSError):  # the disk that would not take it may not let it go either
            temporary.unlink(missing_ok=True)
    return target


def file_bytes(record: Record) -> bytes:
    """A record's file: JSON with one field a line, and one measurement a line: small, and legible in a diff."""
    content = record.to_json()

    def dump(value: Any) -> bytes:
        return orjson.dumps(value) if type(value) is str else _ENCODER.encode(value).encode()  # the same for text, and faster

    history = b"[\n  " + b",\n  ".join(map(dump, content["history"])) + b"\n ]"
    lines = [b' "%b": %b' % (key.encode(), history if key == "history" else dump(value)) for key, value in content.items()]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _place(temporary: Path, target: Path) -> None:
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
            raise RecordError(path, "not a file")  # reading a pipe or a device might never end
        if found.st_size > MAX_BYTES:
            raise RecordError(path, f"larger than {MAX_BYTES:,} bytes: not a record")
        return parse(path.read_bytes(), path)
    except OSError as error:
        raise RecordError(path, f"unreadable ({error.strerror})") from None


def set_aside(path: Path) -> Path | None:
    """Move a damaged record out of the way of a new one, to ``….json.damaged`` (with a number where there is one already).

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
        raise RecordError(path, f"schema {data['schema']}, this ganbench reads up to {SCHEMA}: upgrade ganbench to use it")
    try:
        return _parse(data, path)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, GanbenchError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(path, f"not a whole record ({type(error).__name__}: {error})", damaged=True) from None


def read_all(results: Path) -> tuple[list[Record], list[RecordError]]:
    """Every record below ``results/records/``, in path order, and what could not be read.

    Raises:
        GanbenchError: the folder itself cannot be read.
    """
    found: list[tuple[Path, Record | RecordError]] = []
    for path in paths(results):
        try:
            found.append((path, read(path)))
        except RecordError as error:
            found.append((path, error))
    return agreeing(found)


def paths(results: Path) -> list[Path]:
    """The record files below ``results/records/``, sorted; raises GanbenchError if the folder cannot be read."""
    folder = results / "records"
    try:
        if folder.exists():
            os.listdir(folder)  # rglob passes over a folder that it may not read
        return sorted(p for p in folder.rglob("*.json") if not p.name.startswith("."))
    except OSError as error:
        raise GanbenchError(f"cannot read {folder}: {error.strerror}") from None


def agreeing(found: Iterable[tuple[Path, Record | RecordError]]) -> tuple[list[Record], list[RecordError]]:
    """The records that were read, and the problems, among them files that disagree about one run: the first counts."""
    records, problems = [], []
    ends: dict[str, tuple[Path, str]] = {}
    for path, record in found:
        if isinstance(record, RecordError):
            problems.append(record)
            continue
        first, outcome = ends.setdefault(record.evaluation, (path, record.outcome)) if record.status != "partial" else (path, record.outcome)
        if outcome != record.outcome:
            problems.append(RecordError(path, f"this file and {first} disagree about the same run: remove the wrong one; the first is used"))
        else:
            records.append(record)
    return records, problems


def by_evaluation(records: Iterable[Record]) -> dict[str, Record]:
    """The record that counts for each evaluation key: the one that got furthest, and of equal ones that of the smallest plan."""
    best: dict[str, Record] = {}
    for record in records:
        there = best.get(record.evaluation)
        if there is None or (record.steps, -(record.planned or 0)) > (there.steps, -(there.planned or 0)):
            best[record.evaluation] = record
    return best


def safe_name(name: str) -> str:
    """A name from a suite or a record as one folder name: no separators, no leading dot, nothing to escape."""
    return re.sub(r"[^\w.,+=^@%†‡()\[\]-]", "_", name.replace("/", "--")).lstrip(".") or "_"


def _parse(data: dict[str, Any], path: Path) -> Record:
    recipe, protocol = _made(Recipe, orjson.dumps(data["recipe"])), _made(Protocol, orjson.dumps(data["protocol"]))
    record = Record(**{k: data.get(k) if k in OPTIONAL else data[k] for k in Record.__dataclass_fields__} | {"recipe": recipe, "protocol": protocol})
    _check_types(record)
    run = run_key(recipe, record.content, record.subset, record.seed, record.versions)
    if record.run != run or record.evaluation != evaluation_key(run, protocol, record.measure_version, record.real):
        raise RecordError(path, "its recipe, data, seed or protocol do not match its key: altered or damaged", damaged=True)
    if record.outcome != data["outcome"]:
        raise RecordError(path, "its numbers do not match its checksum: altered or damaged", damaged=True)
    if record.planned is not None and record.seal != data.get("seal"):
        raise RecordError(path, "the number of seeds that were planned does not match its checksum: altered or damaged", damaged=True)
    if why := impossible(record):
        raise RecordError(path, f"impossible: {why}", damaged=True)
    return record


@functools.lru_cache(maxsize=4096)
def _made(kind: type[Recipe] | type[Protocol], text: bytes) -> Recipe | Protocol:
    """A recipe or protocol from its JSON text: made, checked and later hashed once for all records that share it."""
    return kind.from_json(json.loads(text))


def _check_types(record: Record) -> None:
    """Raises ValueError unless every field has the shape that the rest of the code relies on."""
    whole = (record.seed, record.steps, record.total_steps, record.measure_version)
    if any(type(n) is not int or n < 0 for n in whole):
        raise ValueError("seed, steps and versions must be whole numbers")
    if any(type(n) not in (int, float) or not math.isfinite(n) for n in (record.epochs, *_seconds(record))):
        raise ValueError("epochs and seconds must be numbers")
    if any(not isinstance(s, str) for s in (record.run, record.evaluation, record.profile, record.cell, record.samples, record.content, record.subset)):
        raise ValueError("keys and names must be text")
    if record.status not in STATUSES or not isinstance(record.provenance, dict) or not isinstance(record.provenance.get("segments", []), list):
        raise ValueError(f"status {record.status!r} or its provenance")
    if (record.final is None) != (record.status == "diverged") or not isinstance(record.history, list):
        raise ValueError("its measurements are missing")
    if record.planned is not None and (type(record.planned) is not int or record.planned < 0):
        raise ValueError("the number of seeds that were planned")
    _check_floor(record)
    for key, found in columns([*record.history, *([record.final] if record.final else [])]).items():
        parts = found if key in ("step", "epoch") else [v for measured in found for v in dict.values(measured)]
        if not set(map(type, parts)) <= (NUMBERS if parts is found else OR_NOTHING):
            raise ValueError(f"measurement {key!r}")


def _seconds(record: Record) -> list[float]:
    """All that it says of seconds."""
    return [record.train_s, record.eval_s, *(s for s in (record.train_cpu_s, record.eval_cpu_s) if s is not None)]


def _check_floor(record: Record) -> None:
    if record.real is not None and not isinstance(record.real, str):
        raise ValueError("the real images' hash")
    floor = record.floor
    if floor is None:
        return
    numbers = isinstance(floor, dict) and isinstance(floor.get("metrics"), dict) and all(isinstance(m, dict) and type(m.get("value")) in (int, float) for m in floor["metrics"].values())
    if not numbers or not isinstance(floor.get("drawn"), str) or any(type(floor.get(k)) is not int for k in ("images", "against")):
        raise ValueError("its floor")
