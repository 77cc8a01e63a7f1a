"""Runs that failed: one small file each in ``results/failures/``, beside the records and never one of them.

A failure is no result: the run is still to do. Its file goes when the run ends in a record, and no longer counts from
that moment. The reason is text of whatever failed, and is untrusted like everything on the disk.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmark.files import open_regular, write_whole
from benchmark.records.folders import below

LONGEST = 500
MAX_BYTES = 64_000
NAME = re.compile(r"([0-9a-f]{16})-s([0-9]{1,18})\.json")


@dataclass(frozen=True)
class Failure:
    """One run that failed, and the last reason why."""

    evaluation: str  # evaluation key
    seed: int
    reason: str  # one printable line
    when: str  # date, or "" where the file does not say
    results: str  # the results folder, as commands are to name it


def keep(results: Path, evaluation: str, seed: int, reason: str) -> None:
    """Write the failure down, whole or not at all; raises OSError where it cannot be: then it is only printed."""
    content = json.dumps({"reason": _line(reason), "time": time.time()})
    write_whole(Path(_path(results, evaluation, seed)), content.encode())


def forget(results: Path, evaluation: str, seed: int) -> None:
    """The run has a record now."""
    with suppress(OSError):  # mostly, there is none
        os.unlink(_path(results, evaluation, seed))


def read_all(results: Path) -> dict[str, Failure]:
    """Every failure by evaluation key; one whose file says nothing legible is a failure all the same.

    Raises:
        GanbenchError: the folder cannot be read.
    """
    found = {}
    for path in below(results, "failures"):
        if name := NAME.fullmatch(path.name):
            reason, when = _read(path)
            found[name[1]] = Failure(name[1], int(name[2]), reason, when, str(results))
    return found


def _path(results: Path, evaluation: str, seed: int) -> str:
    return f"{results}/failures/{evaluation}-s{seed}.json"


def _read(path: Path) -> tuple[str, str]:
    try:
        with open_regular(path) as stream:
            content = json.loads(stream.read(MAX_BYTES))
        return _line(str(content["reason"])) or "no reason given", time.strftime(
            "%Y-%m-%d", time.gmtime(float(content["time"]))
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return f"{path.name} cannot be read", ""


def _line(text: str) -> str:
    """One line in which nothing steers a terminal or turns the direction of writing."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST]
