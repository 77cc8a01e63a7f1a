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

import dataclasses
import functools
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from benchmark import home
from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.files import read_regular, write_whole
from benchmark.recipe import Protocol, Recipe
from benchmark.records import store
from benchmark.records.record import Record, RecordError

SETTLED = 2.0
"""Seconds: a file that was changed less long ago is checked again next time, since clocks are coarse."""

WORTH = 300
"""Records that are worth a process."""

ON_DISK = ("history", "samples")
SHARED = ("recipe", "protocol", "versions")
LIGHT = tuple(f.name for f in dataclasses.fields(Record) if f.name not in ON_DISK)


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
    place = _place(results)
    known = _remembered(place)
    now = time.time()
    fresh = {
        path: entry for path in paths if (entry := known.get(_as_text(path))) and entry[0] and entry[0] == _mark(path)
    }
    checked = _check_all([path for path in paths if path not in fresh])
    kept = {_as_text(path): entry for path, entry in fresh.items()}
    kept |= {
        _as_text(path): entry
        for path, entry in checked.items()
        if isinstance(entry, list) and entry[0] and max(entry[0][2:]) < (now - SETTLED) * 1e9
    }
    if kept.keys() != known.keys() or any(kept[name] is not known[name] for name in kept):
        _remember(place, kept)
    shared: dict[tuple[str, str], Any] = {}
    found = ((path, fresh.get(path) or checked[path]) for path in paths)
    return store.agreeing(
        (path, _shelved(path, entry, shared) if isinstance(entry, list) else RecordError(path, **entry))
        for path, entry in found
    )


Entry = list[Any]
"""What is remembered of a checked file: its mark, its outcome, its light fields, and the texts of its shared ones."""

Fault = dict[str, Any]
"""What is wrong with a file: what its RecordError is made of."""


def _check(path: Path) -> Entry | Fault:
    """Read and check one record in full. A file that changes meanwhile has no mark."""
    mark = _mark(path)
    try:
        record = store.read(path)
    except RecordError as error:
        return {"what": error.what, "damaged": error.damaged, "unread": error.unread}
    texts = [record.recipe.canonical, _text(record.protocol.to_json()), _text(record.versions)]
    return [
        mark if mark == _mark(path) else None,
        record.outcome,
        {key: getattr(record, key) for key in LIGHT if key not in SHARED},
        texts,
    ]


def _check_all(paths: list[Path]) -> dict[Path, Entry | Fault]:
    """Check many records, on all cores where there are many: with as many processes that run this module.

    Processes of their own, since a pool of ``multiprocessing`` would run a notebook's or a script's main module again.
    """
    count = max(1, min(os.cpu_count() or 1, len(paths) // WORTH))
    shares = [paths[i::count] for i in range(count)]
    with ThreadPoolExecutor(count) as threads:  # they only wait
        elsewhere = [threads.submit(_ask, share) for share in shares[1:]]
        answers = [[_check(path) for path in shares[0]], *(answer.result() for answer in elsewhere)]
    return {
        path: entry
        for share, answer in zip(shares, answers)
        for path, entry in zip(share, answer or map(_check, share))
    }


def _ask(share: list[Path]) -> list[Entry | Fault] | None:
    """One process's answers; None if it could not be started or did not finish."""
    question = orjson.dumps([_as_text(path) for path in share])
    try:
        done = subprocess.run(
            home.module("benchmark.records.shelf"),
            input=question,
            capture_output=True,
            env=home.environment(),
            check=True,
        )
        answer = orjson.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return answer if len(answer) == len(share) else None


def _mark(path: Path) -> list[int] | None:
    """What tells a file from itself after a change; None if it is gone."""
    try:
        s = os.stat(path)
    except OSError:
        return None
    return [s.st_size, s.st_ino, s.st_mtime_ns, s.st_ctime_ns]


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


def _place(results: Path) -> Path | None:
    """Where the list of a results folder is kept; None without a home directory."""
    try:
        folder = cache_folder()
    except GanbenchError:
        return None
    return (
        folder / f"records/{hashlib.sha256(os.fsencode(os.path.realpath(results / 'records'))).hexdigest()[:16]}.json"
    )


def _remembered(place: Path | None) -> dict[str, Entry]:
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


def _remember(place: Path | None, kept: dict[str, Entry]) -> None:
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
    names = (
        "records/store.py",
        "records/record.py",
        "recipe.py",
        "canonical.py",
        "records/shelf.py",
        "records/bounds.py",
    )
    return hashlib.sha256(b"".join((package / name).read_bytes() for name in names)).hexdigest()


def _as_text(path: Path) -> str:
    """Its bytes as text that JSON takes, whatever their encoding; ``_as_path`` is the way back."""
    return os.fsencode(path).decode("latin-1")


def _as_path(text: str) -> Path:
    return Path(os.fsdecode(text.encode("latin-1")))


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps([_check(_as_path(name)) for name in orjson.loads(sys.stdin.buffer.read())]))
