"""Closed and full standard streams: what was asked for is done all the same, and lost output is said if it can be."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmark.process import console
from benchmark.records import store
from benchmark.schedule.progress import Progress
from benchmark.schedule.screen import Lines, is_terminal, screen
from tests.conftest import ROOT
from tests.test_decide import write

ALONE = f"exec {sys.executable} -m benchmark"


def shell(command: str) -> subprocess.CompletedProcess[str]:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, env=buffered)
    assert "unexpected" not in done.stderr and "Traceback" not in done.stderr and "ignored" not in done.stderr
    return done


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full", "2</dev/null"])
def test_output_that_nobody_wants_or_that_only_tells_costs_no_command_its_end(streams: str) -> None:
    done = shell(f"{ALONE} --version {streams}")
    assert done.returncode == 0 and done.stdout.startswith("ganbench") == (">&- 2" not in streams and streams != ">&-")
    assert shell(f"{ALONE} list --nosuch {streams}").returncode == 2


@pytest.mark.parametrize("streams", [">/dev/full", "1</dev/null", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize("words", ["--version", "list --help", "published theory"])
def test_output_that_is_lost_is_said_with_exit_code_one(words: str, streams: str) -> None:
    done = shell(f"{ALONE} {words} {streams}")
    assert done.returncode == 1
    assert ("ganbench: cannot write to standard output: " in done.stderr) == ("2>" not in streams)


def test_a_reader_that_has_gone_ends_a_command_in_silence() -> None:
    done = shell(f"set -o pipefail; ({ALONE} published) | true")
    assert done.returncode == 0 and not done.stderr


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", pytest.param(">/dev/full 2>/dev/full", marks=pytest.mark.slow)])
def test_runs_are_made_whatever_becomes_of_what_they_tell(tmp_path: Path, streams: str) -> None:
    suite, results = write(tmp_path / "tiny.yaml"), tmp_path / "results"
    words = f"run {suite} --results {results} --executor inline --device cpu"
    assert shell(f"{ALONE} {words} {streams}").returncode == 0 and len(store.read_all(results)[0]) == 2
    assert all(path.stat().st_size == 0 for path in results.rglob(".lock")), (
        "no message in the place of a closed stream"
    )


def test_a_stream_that_does_not_wait_is_waited_for() -> None:
    """As a parent leaves a pipe that it reads at its leisure: nothing is lost, and nothing is an error."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    sink = console._Sink(writing, "w")
    with ThreadPoolExecutor(1) as reader, open(reading, "rb") as other_end:
        read = reader.submit(lambda: time.sleep(0.1) or other_end.read())
        with io.TextIOWrapper(io.BufferedWriter(sink), "utf-8") as stream:
            stream.write("x" * 300_000)
        assert len(read.result()) == 300_000 and sink.error is None


def test_without_standard_error_nothing_is_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = io.StringIO()
    closed.close()
    for there in (None, closed):
        monkeypatch.setattr(sys, "stderr", there)
        shown = screen(Progress(total_size=1.0), "head")
        assert isinstance(shown, Lines) and not is_terminal(there)
        shown.say("a line")
        shown.close()
    assert capsys.readouterr().out == ""
