"""An LMDB database that another process reads for this one, since a damaged one may crash its reader, or never end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import subprocess
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from benchmark.data.pictures import MOST_FILES
from benchmark.errors import GanbenchError, plain
from benchmark.process import home
from benchmark.pulse import beat

PROGRAM = Path(__file__).with_name("lmdb_program.py")
LONGEST_FRAME = 2**24  # bytes of keys
SILENT_S = 60.0  # without a byte: the other process is given up
ENDING_S = 5.0  # for the other process to end once it has closed its output
CRASHES = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL")
CIRCLE = "SIGVTALRM"


class Reader:
    """First all keys, then values, from any thread. After an error nothing comes but that error.

    Raises:
        GanbenchError: the process cannot be started, the database is damaged, or there is no answer.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        """``largest``: bytes of a value; a larger one is refused."""
        self.name, self._largest = plain(str(folder)), largest
        self._lock, self._failed = threading.Lock(), ""
        command = home.python(str(PROGRAM), str(folder), str(largest), str(MOST_FILES))
        try:
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                env=home.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise GanbenchError(f"{self.name}: no process could be started to read it ({error.strerror})") from None
        weakref.finalize(self, _end, self._process)
        assert self._process.stdin and self._process.stdout
        self._questions, self._answers = self._process.stdin, self._process.stdout

    def keys(self) -> Iterator[list[bytes]]:
        """All keys in their order, some at a time."""
        while (answer := self._ask(b"", "its keys"))[0] == b"k":
            beat()
            yield _unpacked(answer[1])

    def value(self, key: bytes) -> bytes:
        """The value of one of the keys, which have all been read."""
        letter, value = self._ask(struct.pack(">I", len(key)) + key, repr(key))
        if letter != b"v":
            self._fail("keys come in place of a value")
        return value

    def _ask(self, question: bytes, what: str) -> tuple[bytes, bytes]:
        """The letter and content of the next frame, after a question (of keys, which come unasked: none)."""
        with self._lock:
            if self._failed:
                raise GanbenchError(self._failed)
            self._failed = f"{self.name}: reading it was interrupted"  # half a frame would be taken for the next
            with contextlib.suppress(BrokenPipeError):  # the answer says why
                self._questions.write(question)
            letter, size = struct.unpack(">cI", self._exactly(5, what))
            if size > max(self._largest, LONGEST_FRAME):
                self._fail(f"{what} brought {size:,} bytes")
            content = self._exactly(size, what)
            if letter == b"x":
                self._fail(content.decode("utf-8", "replace"))
            self._failed = ""
            return letter, content

    def _exactly(self, size: int, what: str) -> bytes:
        found, stream, ready = bytearray(), self._answers.fileno(), select.poll()
        ready.register(stream, select.POLLIN)
        while len(found) < size:
            if not ready.poll(1000 * SILENT_S):
                self._fail(f"no answer for {SILENT_S:.3g} s, at {what}")
            if not (block := os.read(stream, size - len(found))):
                self._ended(what)
            found += block
        return bytes(found)

    def _ended(self, what: str) -> NoReturn:
        """Say how the process ended, and what was asked of it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_S)
        code = self._process.returncode
        name = next((s.name for s in signal.Signals if -s == code), f"exit code {code}")
        if name in CRASHES:
            self._fail(f"{what} crashed the process that reads it ({name})")
        if name == CIRCLE:
            self._fail(f"{what} led the process that reads it in a circle")
        self._failed = (
            f"{self.name}: the process that reads it was ended, at {what} ({name}); run the same command again"
        )
        raise GanbenchError(self._failed)

    def _fail(self, why: str) -> NoReturn:
        _end(self._process)
        self._failed = f"{self.name} is not an LMDB database that can be read: {why}; unpack the archive again"
        raise GanbenchError(self._failed)


def _unpacked(content: bytes) -> list[bytes]:
    """The keys of a frame, each after 2 bytes of length."""
    found, at = [], 0
    while at < len(content):
        start = at + 2
        at = start + int.from_bytes(content[at:start], "big")
        found.append(content[start:at])
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
