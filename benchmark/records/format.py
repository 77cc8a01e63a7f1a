"""A record's file: its text, and the record in a text from anyone, believed only after every check."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import orjson

from benchmark.canonical import json_text
from benchmark.errors import GanbenchError
from benchmark.keys import evaluation_key, run_key
from benchmark.recipe import Protocol, Recipe
from benchmark.records.bounds import check_beside, check_dense, check_depth, check_types, impossible
from benchmark.records.contradictions import contradiction
from benchmark.records.record import OPTIONAL, SCHEMA, Record, RecordError
from benchmark.records.shapes import check_made, check_nested


def file_bytes(record: Record) -> bytes:
    """A record's file: JSON with one field a line, and one measurement a line: small, and legible in a diff."""
    content = record.fields() | {"recipe": record.recipe.text, "protocol": record.protocol.text}
    content["history"] = b"[\n  " + b",\n  ".join(map(json_text, record.history)) + b"\n ]"
    lines = (
        b' "%b": %b' % (key.encode(), value if isinstance(value, bytes) else json_text(value))
        for key, value in content.items()
    )
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def parse(content: bytes, path: Path) -> Record:
    """A record from a file's bytes; ``path`` is for what is said of it. Raises RecordError as ``store.read`` does."""
    try:
        check_dense(content)
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
        check_beside(data)
        return _parse(data, path)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, GanbenchError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(path, f"not a whole record ({type(error).__name__}: {error})", damaged=True) from None


def _parse(data: dict[str, Any], path: Path) -> Record:
    recipe: Recipe = _made(Recipe, orjson.dumps(data["recipe"]))
    protocol: Protocol = _made(Protocol, orjson.dumps(data["protocol"]))
    fields: dict[str, Any] = {k: data.get(k) if k in OPTIONAL else data[k] for k in Record.__dataclass_fields__}
    record = Record(**fields | {"recipe": recipe, "protocol": protocol})
    check_types(record)
    check_nested(record)
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
    record.__dict__["contradiction"] = contradiction(record)
    record.__dict__["_path"] = path  # for what is said of it
    return record


@functools.lru_cache(maxsize=4096)
def _made(kind: type[Recipe] | type[Protocol], text: bytes) -> Any:
    """A recipe or protocol from its JSON text: made, checked and later hashed once for all records that share it."""
    check_made(made := kind.from_json(json.loads(text)))
    return made
