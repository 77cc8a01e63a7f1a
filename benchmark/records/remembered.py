"""What is remembered of records that were checked: a list in the user's cache folder, one for each results folder."""

from __future__ import annotations

import functools
import hashlib
import os
from contextlib import suppress
from pathlib import Path

import orjson

from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.files import read_regular, write_whole
from benchmark.records.checking import Entry

CODE = (
    "canonical.py",
    "errors.py",
    "keys.py",
    "metrics/names.py",
    "ranges.py",
    "recipe.py",
    "records/bounds.py",
    "records/boxes.py",
    "records/checking.py",
    "records/contradictions.py",
    "records/format.py",
    "records/record.py",
    "records/remembered.py",
    "records/shapes.py",
    "records/shelf.py",
    "records/store.py",
)
"""Of the package: what decides whether a record is whole, and what is remembered of it."""


def place_of(results: Path) -> Path | None:
    """Where the list of a results folder is kept; None without a home directory."""
    try:
        folder = cache_folder()
    except GanbenchError:
        return None
    return (
        folder / f"records/{hashlib.sha256(os.fsencode(os.path.realpath(results / 'records'))).hexdigest()[:16]}.json"
    )


def read(place: Path | None) -> dict[str, Entry]:
    """Path -> entry; nothing if there is no list of this code's, or a damaged one."""
    if place is None:
        return {}
    try:
        data = orjson.loads(read_regular(place))
        texts = data["texts"]
        entries = {
            name: [mark, outcome, light, [texts[i] for i in parts]]
            for name, (mark, outcome, light, parts) in data["records"].items()
        }
        return entries if data["code"] == _code() else {}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return {}


def write(place: Path | None, kept: dict[str, Entry]) -> None:
    """Write the list, whole or not at all; a cache folder that cannot be written costs time, nothing else."""
    if place is None:
        return
    texts: dict[str, int] = {}
    entries = {
        name: [mark, outcome, light, [texts.setdefault(text, len(texts)) for text in parts]]
        for name, (mark, outcome, light, parts) in kept.items()
    }
    with suppress(OSError):
        write_whole(place, orjson.dumps({"code": _code(), "records": entries, "texts": list(texts)}))


@functools.cache
def _code() -> str:
    """sha256 of the code that reads and checks records."""
    package = Path(__file__).parents[1]
    return hashlib.sha256(b"".join((package / name).read_bytes() for name in CODE)).hexdigest()
