"""Results from outside, in ``results/external/``: never among the records of our runs, and never averaged with them.

``external``: images that other code made, measured here. ``reported``: numbers that somebody else measured, too. Who
trained, and how, is what somebody declares. A file is named by the hash of its content, and believed after every check.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmark.canonical import content_hash, json_text
from benchmark.errors import GanbenchError
from benchmark.files import read_regular, why, write_whole
from benchmark.recipe import Recipe
from benchmark.records import store
from benchmark.records.bounds import check_beside, check_dense, check_depth
from benchmark.records.external_bounds import DATA, check
from benchmark.records.record import RecordError
from benchmark.suite.slug import on_disk, safe_name

SCHEMA = 1
ROOM = "external"
SHOWN = 60
"""Of which tables show so many; their notes have the rest."""


@dataclass(frozen=True)
class External:
    """What one person measured of one cell (``reported``: of one training run or of several)."""

    kind: str  # of KINDS
    cell: str  # id of the cell that it is declared to be of
    profile: str
    seed: int
    trained_by: str  # who trained it and how, in its author's words; "" if nobody says
    measured_by: str  # who measured it and with what; "" of images that were measured here
    data: dict[str, Any]  # fields of a Recipe: which images it is to be like
    protocol: dict[str, Any]  # fields of a Protocol; of a reported number those that are stated
    numbers: dict[str, list[dict[str, Any]]]  # metric -> {"value", "std"} of each run
    prepared: dict[str, str] = field(default_factory=dict)  # what its images have been through -> how
    findings: list[str] = field(default_factory=list)  # what is wrong with its images
    remarks: list[str] = field(default_factory=list)  # what could not be looked at, or was left out
    images: str = ""  # sha256 of the images that were measured
    real: str | None = None  # sha256 of the real ones
    measure_version: int | None = None
    floor: dict[str, Any] | None = None
    samples: str = ""  # PNG, base64
    provenance: dict[str, Any] = field(default_factory=dict)  # where and with what it was measured

    @functools.cached_property
    def key(self) -> str:
        """16 hex digits of the sha256 over all but where it was measured."""
        return content_hash({k: v for k, v in self._plain().items() if k != "provenance"})[:16]

    @property
    def name(self) -> str:
        """File name."""
        return f"{self.key}-s{self.seed}.json"

    @property
    def folder(self) -> str:
        """Below ``external/``."""
        paper, _, rest = self.cell.partition("/")
        return f"{safe_name(paper)}/{safe_name(rest)}"

    @property
    def source(self) -> str:
        """In a few words, for tables."""
        who = (self.trained_by if self.kind == "external" else self.measured_by) or "nobody says by whom"
        return f"{self.kind}: {who if len(who) <= SHOWN else who[: SHOWN - 1] + '…'}"

    def _plain(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


def data_of(recipe: Recipe) -> dict[str, Any]:
    """What a recipe says of the images that it is to make."""
    return {name: value for name in DATA if (value := getattr(recipe, name)) is not None}


def file_bytes(record: External) -> bytes:
    """Its file: JSON with one field a line."""
    content = {"schema": SCHEMA, **record._plain(), "key": record.key}
    return b"{\n" + b",\n".join(b' "%b": %b' % (k.encode(), json_text(v)) for k, v in content.items()) + b"\n}\n"


def write(results: Path, record: External) -> Path:
    """Write it to ``results/external/``; raises GanbenchError where it cannot be, or nobody could read it again."""
    try:
        check(record)
    except (ValueError, GanbenchError) as error:
        raise GanbenchError(f"{record.cell}: this cannot be kept: {error}") from None
    path = Path(f"{results}/{ROOM}/{on_disk(record.folder)}/{record.name}")
    try:
        if not path.exists():
            write_whole(path, file_bytes(record))
    except OSError as error:
        raise GanbenchError(f"cannot write {path}: {why(error)}") from None
    return path


def read_all(results: str | Path) -> tuple[list[External], list[RecordError]]:
    """All below ``results/external/``, in path order, and what could not be read.

    Raises:
        GanbenchError: a folder cannot be read.
    """
    found, problems = list[External](), list[RecordError]()
    for path in store.paths(Path(results), ROOM):
        try:
            found.append(read(path))
        except RecordError as error:
            problems.append(error)
    return list({r.key: r for r in found}.values()), problems


def read(path: Path) -> External:
    """One; raises RecordError as ``store.read`` does."""
    try:
        return parse(read_regular(path, store.MAX_BYTES), path)
    except OSError as error:
        large = error.errno == errno.EFBIG  # no result at all
        raise RecordError(path, f"unreadable ({error.strerror or error})", unread=not large) from None


def parse(content: bytes, path: Path) -> External:
    """From a file's bytes; ``path`` is for what is said of it. Raises RecordError."""
    try:
        check_dense(content)
        data = orjson.loads(content)
    except ValueError as error:
        raise RecordError(path, f"unreadable ({str(error).splitlines()[0]})", damaged=True) from None
    if not isinstance(data, dict) or not isinstance(data.get("schema"), int):
        raise RecordError(path, "not a result from outside that ganbench wrote", damaged=True)
    if data["schema"] > SCHEMA:
        raise RecordError(
            path, f"schema {data['schema']}, this ganbench reads up to {SCHEMA}: upgrade ganbench to use it"
        )
    try:
        check_depth(data)
        check_beside(data)
        record = External(**{f.name: data[f.name] for f in dataclasses.fields(External)})
        check(record)
        if record.key != data["key"]:
            raise ValueError("its content does not match its key: altered or damaged")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, GanbenchError) as error:
        raise RecordError(
            path, f"not a whole result from outside ({type(error).__name__}: {error})", damaged=True
        ) from None
    return record
