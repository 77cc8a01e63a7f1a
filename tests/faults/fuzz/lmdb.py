"""Databases cut short or changed: every image of them is read, or they are refused. The process that reads is forked
here, where the program starts one anew: ten thousand starts of Python would take an hour. One in fifty is a real one.
"""

import io
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from PIL import Image

from benchmark.data import lmdb_program, lmdb_reader
from benchmark.data.layout import find
from benchmark.errors import GanbenchError
from tests.faults.fuzz.damage import damaged, odd_file

PAGE = 4096
COUNT = 120


def prepare(folder: Path) -> bytes:
    """A database of small images and some large ones, with keys like LSUN's."""
    import lmdb

    draw = random.Random(1)
    with lmdb.open(str(folder), map_size=2**24) as store, store.begin(write=True) as transaction:
        for i in range(COUNT):
            out = io.BytesIO()
            Image.new("RGB", (8, 8), (i, 7, 7)).save(out, "WEBP")
            transaction.put(draw.randbytes(20).hex().encode(), out.getvalue() + bytes(6000 * (i % 20 == 0)))
    return (folder / "data.mdb").read_bytes()


def case(good: bytes, rng: random.Random, folder: Path) -> str:
    """One database, all of whose values are read."""
    if rng.random() < 0.05:
        odd_file(folder / "data.mdb", rng, good[:PAGE])
    else:
        (folder / "data.mdb").write_bytes(_damaged(good, rng))
    try:
        with patch.object(lmdb_reader.subprocess, "Popen", subprocess.Popen if rng.random() < 0.02 else Forked):
            found = find({"skip": ["lock.mdb"]}, folder)
            for i in range(len(found.names) if found else 0):
                assert found and len(found.load(i)) < 10_000_000
    except GanbenchError as error:
        why = str(error).partition("can be read: ")[2] or str(error).partition(": ")[2]
        return f"refused: {' '.join(w for w in why.replace(';', '').split()[:9] if w.isalpha() or w[:1] == '(')}"
    return "accepted" if found else "nothing"


def _damaged(whole: bytes, rng: random.Random) -> bytes:
    out, pages = bytearray(whole), len(whole) // PAGE
    here, there = rng.randrange(pages) * PAGE, rng.randrange(pages) * PAGE
    match rng.randrange(7):
        case 0:
            for _ in range(rng.choice((1, 4, 64))):
                out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        case 1:
            for _ in range(rng.choice((1, 2, 8))):
                out[here + rng.randrange(64)] = rng.randrange(256)
        case 2:
            del out[rng.randrange(len(out)) :]
        case 3:
            out[here : here + PAGE] = out[there : there + PAGE]
        case 4:  # a number of the meta pages, a page's head or an entry
            at = rng.choice((0, PAGE, here)) + rng.choice(
                (0, 8, 10, 12, 14, 16, 24, 32, 40, 64, 88, 112, 120, 128, 136)
            )
            out[at : at + rng.choice((2, 4, 8))] = rng.choice((0, 1, pages - 1, pages, 2**31, 2**63)).to_bytes(
                8, "little"
            )
        case 5:
            out[here : here + PAGE] = bytes(PAGE)
        case _:
            return damaged(whole, rng)
    return bytes(out)


class Forked:
    """As much of ``subprocess.Popen`` as the reader uses, of a process that is forked."""

    def __init__(self, command: list[str], **options: Any) -> None:
        (theirs_in, ours_in), (ours_out, theirs_out) = os.pipe(), os.pipe()
        self.pid, self.returncode = os.fork(), None
        if self.pid == 0:
            os.dup2(theirs_in, 0), os.dup2(theirs_out, 1)
            os.closerange(3, 256)
            sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
            sys.argv = command[command.index(str(lmdb_reader.PROGRAM)) :]
            try:
                lmdb_program.main()
                sys.stdout.flush()
            finally:
                os._exit(0)
        os.close(theirs_in), os.close(theirs_out)
        self.stdin, self.stdout = os.fdopen(ours_in, "wb", 0), os.fdopen(ours_out, "rb", 0)

    def wait(self, timeout: float | None = None) -> int | None:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, 9)
