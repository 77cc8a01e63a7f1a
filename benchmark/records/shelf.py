"""Reading a whole results folder quickly: every record is checked in full once, and again whenever its file has
changed.

What was checked is remembered in the user's cache folder, never beside the records: nobody can send a list of
records that need no checking. A file counts as unchanged while its size, its inode, and the times of its last
change of content (mtime) and of anything else (ctime, which no program can set) are what they were, and were
old enough to tell a later change from. Another version of the checking code checks everything anew.

Histories and sample grids, nearly all of a record's bytes, are left on the disk until someone asks for them, and
are checked again then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from benchmark.recipe import Protocol, Recipe
from benchmark.records import remembered, store
from benchmark.records.checking import ON_DISK, SHARED, Entry, as_text, check_all, mark_of
from benchmark.records.record import Record, RecordError

SETTLED = 2.0
"""Seconds: a file that was changed less long ago is checked again next time, since clocks are coarse."""


class Shelved(Record):
    """A record whose history and samples are read from its file when they are first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name not in ON_DISK or "_path" not in self.__dict__:
            raise AttributeError(name)
        whole = store.read(self.__dict__["_path"])
        if whole.outcome != self.outcome:
            raise RecordError(self.__dict__["_path"], "was changed while it was being used")
        self.__dict__.update({key: getattr(whole, key) for key in ON_DISK})
        return self.__dict__[name]


def read_all(results: Path) -> tuple[list[Record], list[RecordError]]:
    """As ``store.read_all``: every record below ``results/records/``, in path order, and what could not be read.

    Raises:
        GanbenchError: a folder cannot be read.
    """
    paths = store.paths(results)
    place = remembered.place_of(results)
    known = remembered.read(place)
    now = time.time()
    fresh = {
        path: entry for path in paths if (entry := known.get(as_text(path))) and entry[0] and entry[0] == mark_of(path)
    }
    checked = check_all([path for path in paths if path not in fresh])
    kept = {as_text(path): entry for path, entry in fresh.items()}
    kept |= {
        as_text(path): entry
        for path, entry in checked.items()
        if isinstance(entry, list) and entry[0] and max(entry[0][2:]) < (now - SETTLED) * 1e9
    }
    if kept.keys() != known.keys() or any(kept[name] is not known[name] for name in kept):
        remembered.write(place, kept)
    shared: dict[tuple[str, str], Any] = {}
    found = ((path, fresh.get(path) or checked[path]) for path in paths)
    return store.agreeing(
        (
            (path, _shelved(path, entry, shared) if isinstance(entry, list) else RecordError(path, **entry))
            for path, entry in found
        ),
        store.kept_apart(results),
    )


def _shelved(path: Path, entry: Entry, shared: dict[tuple[str, str], Any]) -> Shelved:
    """The record of an entry; equal recipes, protocols and versions are one object."""
    _, outcome, light, texts = entry
    record = object.__new__(Shelved)
    parts = {}
    makers: tuple[Callable[[Any], Any], ...] = (Recipe.from_json, Protocol.from_json, dict)
    for key, text, make in zip(SHARED, texts, makers):
        if (key, text) not in shared:
            shared[key, text] = make(orjson.loads(text))
        parts[key] = shared[key, text]
    record.__dict__.update(light, **parts, _path=path, outcome=outcome)
    return record
