"""The process around a command: UTF-8 whatever the locale says, and standard streams that cannot fail its work.

Suites, records and the names of files are UTF-8. Where the locale asks for something else, Python is started once
more in its UTF-8 mode, its only one from 3.15 on: for arguments, names, what is printed, and the processes it starts.
A stream that is closed is replaced; one that takes nothing any more (a full disk) is noted, and told at the end.
"""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def is_ours() -> bool:
    """Whether this process is ``ganbench`` or ``python -m benchmark``, and no notebook, test or other program."""
    program = Path(sys.argv[0])
    return program.name in ("ganbench", "ganbench.exe") or program == Path(__file__).parents[1] / "__main__.py"


def run(command: Callable[[], int]) -> int:
    """The exit code of a command that has the process to itself; 1 also where all it lost is its standard output."""
    _start_again_in_utf8()
    for fd in (0, 1, 2):
        _open_if_closed(fd)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the process
    out, err = _Sink(1, "w", closefd=False), _Sink(2, "w", closefd=False)
    out.pipe_matters = True
    sys.stdout, sys.stderr = _text(out, sys.stdout), _text(err, sys.stderr)
    try:
        code = command()
    except SystemExit as end:  # argparse: bad usage, or --help
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    if out.error is None or isinstance(out.error, BrokenPipeError):
        return code
    print(f"ganbench: cannot write to standard output: {out.error.strerror}", file=sys.stderr, flush=True)
    return code or 1


def _start_again_in_utf8() -> None:
    """Where file names would be in another encoding. Workers and other children are then in the same mode."""
    if sys.getfilesystemencoding() == "utf-8" or not sys.executable:
        return
    os.environ["PYTHONUTF8"] = "1"
    with suppress(OSError, UnicodeError):  # its words as the system has them: not every encoding gives bytes back
        _, *words = Path("/proc/self/cmdline").read_bytes().split(b"\0")[:-1]
        os.execv(sys.executable, [os.fsencode(sys.executable), b"-X", b"utf8", *words])


def _open_if_closed(fd: int) -> None:
    """A closed one would be the number of the next file that is opened, and be written into."""
    try:
        os.fstat(fd)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null != fd:
            os.dup2(null, fd)
            os.close(null)
        os.set_inheritable(fd, True)


class _Sink(io.FileIO):
    """A standard stream that swallows everything once it has failed."""

    error: OSError | None = None
    pipe_matters = False  # its reader may go, and then the command should end

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            while self.error is None:
                if (written := super().write(data)) is not None:
                    return written
                select.select([], [self], [])  # the other end has made it one that does not wait
        except OSError as error:
            self.error = error
            if self.pipe_matters and isinstance(error, BrokenPipeError):
                raise
        return memoryview(data).nbytes


def _text(sink: _Sink, before: TextIO | None) -> TextIO:
    """With the encoding that was chosen for it; what that does not have is escaped."""
    encoding = before.encoding if before else "utf-8"
    at_once = sink.isatty() or sink.fileno() == 2 or getattr(before, "write_through", False)
    return io.TextIOWrapper(io.BufferedWriter(sink), encoding, "backslashreplace", line_buffering=at_once)
