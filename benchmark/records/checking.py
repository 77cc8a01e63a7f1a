"""Checking many records in full, on all cores where there are many."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from benchmark.process import home
from benchmark.records import store
from benchmark.records.record import Record, RecordError

WORTH = 300
"""Records that are worth a process."""

ON_DISK = ("history", "samples")
SHARED = ("recipe", "protocol", "versions")
LIGHT = tuple(f.name for f in dataclasses.fields(Record) if f.name not in ON_DISK)
Entry = list[Any]
"""What is remembered of a checked file: its mark, its outcome, its light fields, and the texts of its shared ones."""

Fault = dict[str, Any]
"""What is wrong with a file: what its RecordError is made of."""


def _check(path: Path) -> Entry | Fault:
    """Read and check one record in full. A file that changes meanwhile has no mark."""
    mark = mark_of(path)
    try:
        record = store.read(path)
    except RecordError as error:
        return {"what": error.what, "damaged": error.damaged, "unread": error.unread}
    texts = [record.recipe.canonical, _text(record.protocol.to_json()), _text(record.versions)]
    return [
        mark if mark == mark_of(path) else None,
        record.outcome,
        {key: getattr(record, key) for key in (*LIGHT, "contradiction") if key not in SHARED},
        texts,
    ]


def check_all(paths: list[Path]) -> dict[Path, Entry | Fault]:
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
    question = orjson.dumps([as_text(path) for path in share])
    try:
        done = subprocess.run(
            home.module("benchmark.records.checking"),
            input=question,
            capture_output=True,
            env=home.environment(),
            check=True,
        )
        answer = orjson.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return answer if len(answer) == len(share) else None


def mark_of(path: Path) -> list[int] | None:
    """What tells a file from itself after a change; None if it is gone."""
    try:
        s = os.stat(path)
    except OSError:
        return None
    return [s.st_size, s.st_ino, s.st_mtime_ns, s.st_ctime_ns]


def as_text(path: Path) -> str:
    """Its bytes as text that JSON takes, whatever their encoding; ``_as_path`` is the way back."""
    return os.fsencode(path).decode("latin-1")


def _as_path(text: str) -> Path:
    return Path(os.fsdecode(text.encode("latin-1")))


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps([_check(_as_path(name)) for name in orjson.loads(sys.stdin.buffer.read())]))
