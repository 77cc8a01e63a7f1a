"""A log that cannot be written, whenever and however, ends neither its run nor the driver, and is said."""

from __future__ import annotations

import errno
import io
import logging
from pathlib import Path

import pytest

from benchmark.schedule import runlog

FULL = OSError(errno.ENOSPC, "No space left on device")


class Stream(io.StringIO):
    """One that fails in one thing, from the third time on."""

    def __init__(self, what: str, error: Exception) -> None:
        super().__init__()
        self._what, self._error, self._times = what, error, 0

    def _may_fail(self, what: str) -> None:
        self._times += what == self._what
        if what == self._what and (self._times > 2 or what == "close"):
            raise self._error

    def write(self, text: str) -> int:
        self._may_fail("write")
        return super().write(text)

    def flush(self) -> None:
        self._may_fail("flush")

    def seek(self, *words: int) -> int:
        self._may_fail("seek")
        return super().seek(*words)

    def close(self) -> None:
        self._may_fail("close")


@pytest.mark.parametrize("error", [FULL, ValueError("I/O operation on closed file")], ids=["full", "closed"])
@pytest.mark.parametrize("what", ["write", "flush", "seek", "close"])
def test_it_never_fails_who_logs(what: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runlog.LogFile, "_open", lambda self: Stream(what, error))
    with runlog.logged(tmp_path) as log_file:
        for _ in range(6):
            logging.getLogger("benchmark").info("a line")
    assert log_file.lost is FULL or error is not FULL


@pytest.mark.parametrize("what", ["open", "rename"])
def test_nor_where_its_file_cannot_be_opened_or_put_aside(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(runlog, "MOST_BYTES", 10)
    monkeypatch.setattr(runlog.LogFile, "_open" if what == "open" else "rotate", full)
    with runlog.logged(tmp_path) as log_file:
        for _ in range(6):
            logging.getLogger("benchmark").info("a line")
    assert log_file.lost is FULL
