"""``status`` for somebody who may only read: a driver at work is said to be, and what cannot be told is no success."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.commands import running  # noqa: F401  (nobody may not be able to read it)
from benchmark.schedule.state import WATCH_EVERY_S

NOBODY = 65534


def without_rights(action: Callable[[], int], out: Path) -> tuple[int, str]:
    """The exit code of ``action`` in a child process that is not root, and what it printed."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            if os.getuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            with contextlib.redirect_stdout(Said(out)), contextlib.redirect_stderr(Said(out)):
                os._exit(action())
        os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), out.read_text(encoding="utf-8")


class Said:
    """A stream into a file that is there, flushed at once."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", encoding="utf-8")

    def write(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()

    closed = False

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


@pytest.fixture
def results() -> Iterator[Path]:
    """A results folder that everybody may read and nobody but its owner write, with a driver's status of just now."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    (folder / "results" / "runs").mkdir(parents=True)
    (folder / "results" / ".lock").touch()
    row = {"run": "x", "state": "running", "name": "tiny/1/A/shapes seed 0", "step": 5, "of": 10, "rate": 1.0}
    row |= {"eta_s": 5.0, "silent_s": 0.0, "ran_s": 5.0}
    content = {"pid": 1, "time": time.time(), "eta_s": 5.0, "counts": {"running": 1}, "runs": [row]}
    (folder / "results" / "runs" / "status.json").write_text(json.dumps(content))
    (folder / "said").touch()
    (folder / "said").chmod(0o666)
    for path in (folder / "results" / "runs", folder / "results"):
        path.chmod(0o555)
    (folder / "results" / ".lock").chmod(0o444)
    yield folder / "results"
    for path in (folder / "results", folder / "results" / "runs"):
        path.chmod(0o755)
    shutil.rmtree(folder)


@contextlib.contextmanager
def driver(results: Path) -> Iterator[None]:
    with (results / ".lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def status(results: Path, *more: str) -> tuple[int, str]:
    return without_rights(lambda: main(["status", "--results", str(results), *more]), results.parent / "said")


def test_a_reader_is_told_of_the_driver_at_work_and_of_its_end(results: Path) -> None:
    with driver(results):
        code, said = status(results)
    assert code == 0 and "a driver is at work" in said and "no driver" not in said and "\n  running: tiny/1/A" in said
    code, said = status(results)
    assert code == 0 and "no driver is at work" in said and "was running: tiny/1/A" in said


def test_watch_goes_on_until_the_driver_that_may_not_be_touched_ends(results: Path) -> None:
    start = time.monotonic()
    lock = subprocess.Popen(["flock", "-x", str(results / ".lock"), "sleep", str(WATCH_EVERY_S / 2)])
    while subprocess.run(["flock", "-n", "-s", str(results / ".lock"), "true"]).returncode == 0:
        assert time.monotonic() - start < 30
    code, said = status(results, "--watch")
    lock.wait()
    assert code == 0 and said.index("a driver is at work") < said.index("no driver is at work")


@pytest.mark.parametrize("more", [(), ("--watch",)])
@pytest.mark.parametrize("held", [True, False])
def test_what_cannot_be_told_is_said_and_is_no_success(more: tuple[str, ...], held: bool, results: Path) -> None:
    (results / ".lock").chmod(0o000)
    with driver(results) if held and os.getuid() == 0 else contextlib.nullcontext():
        code, said = status(results, *more)
    assert code == 1 and "whether a driver is at work on" in said and ".lock: Permission denied" in said
    assert "running: tiny/1/A" in said and "was running" not in said and "no driver" not in said
    assert "the last driver was heard" in said and said.count("cannot be told") == 1


@pytest.mark.parametrize("more", [(), ("--watch",)])
@pytest.mark.parametrize("hidden", [".", "runs", "runs/status.json"])
def test_a_state_that_may_not_be_read_is_not_damaged_and_not_nothing(
    more: tuple[str, ...], hidden: str, results: Path
) -> None:
    (results / hidden).chmod(0o000)
    code, said = status(results, *more)
    (results / hidden).chmod(0o755)
    assert code == 1 and ": Permission denied" in said and "cannot read" in said and "damaged" not in said


def test_a_driver_that_has_said_nothing_yet_is_at_work(results: Path) -> None:
    (results / "runs").chmod(0o755)
    (results / "runs" / "status.json").unlink()
    with driver(results):
        code, said = status(results)
    assert code == 0 and "a driver is at work: nothing has been run" in said
    code, said = status(results.parent / "nowhere")
    assert code == 0 and "nothing has been run" in said
