"""A full disk: what cannot be written is said, plainly and once, nothing is left of it, and the next command works."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark import files
from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.plan import counted, devices
from benchmark.records import failures, remembered, store
from benchmark.schedule import runlog
from benchmark.suite.load import load
from tests.test_collate import THEORY, record_for
from tests.test_decide import run, write


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes, a folder ``r`` on it, and no room left."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        (folder / "r").mkdir()
        fill(folder)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with (disk / "fill").open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        while True:
            stream.write(bytes(4096))


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if "tmp" in path.name or path.name.startswith("ganbench-")]


@pytest.mark.parametrize("checkpoints", ["beside the records", "elsewhere"])
def test_runs_end_in_rescued_records_and_plain_words(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, checkpoints: str
) -> None:
    (tmp_path / "rescue").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "rescue"))
    suite, results = write(tmp_path / "tiny.yaml"), disk / "r"
    more = ("--checkpoints", str(tmp_path / "runs")) if checkpoints == "elsewhere" else ()
    for _ in range(2):  # the next command, too
        assert run(suite, results, *more) == 1
        said = capsys.readouterr().err
        assert said.count("status.json cannot be written: the disk is full") == 1
        assert said.count("failures cannot be written: the disk is full") == 1
        assert said.count("run.log cannot be written") == (not more)
        assert (
            "unexpected" not in said and "Traceback" not in said and "when there is room, run: ganbench merge" in said
        )
        assert not left(disk)
    for words in (["status"], ["compare", str(suite)], ["plan", str(suite)]):
        assert main([*words, "--results", str(results)]) == 0
    (disk / "fill").unlink()
    rescued = [str(path) for path in (tmp_path / "rescue").glob("ganbench-*")]  # torch may keep something there, too
    assert main(["merge", *rescued, "--results", str(results)]) == 0 and len(store.read_all(results)[0]) == 2
    assert run(suite, results, *more) == 0 and "nothing to do" in capsys.readouterr().err


def test_where_no_place_takes_the_record_that_is_said(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    assert run(write(tmp_path / "tiny.yaml"), disk / "r", "--checkpoints", str(tmp_path / "runs")) == 1
    said = capsys.readouterr().err
    assert "Nor can it be kept elsewhere" in said and "set TMPDIR" in said and not left(disk)


def _remember(folder: Path) -> None:
    remembered.write(folder / "records/list.json", {"x" * 100_000: [None, "", {}, []]})


def _failure(folder: Path) -> None:
    failures.keep(folder, "0" * 16, 0, "x" * 500)


def _record(folder: Path) -> None:
    store.write(folder, "x", record_for(load(THEORY).cells[0], 0, {"V_g": 1.0}))


def _count(folder: Path) -> None:
    counted.Counts(folder / "work.json")._keep()


def _device(folder: Path) -> None:
    devices.keep("x" * 10_000, devices.CPU)


def _log(folder: Path) -> None:
    with runlog.logged(folder):
        runlog.logging.getLogger("benchmark").info("x" * 10_000)


@pytest.mark.parametrize("writer", [_remember, _failure, _record, _count, _device, _log])
def test_nothing_is_left_of_a_write_that_failed(
    disk: Path, writer: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(disk / "r"))
    try:
        writer(disk / "r")
    except (GanbenchError, OSError) as error:
        assert "full" in str(error) or "No space" in str(error)
    assert not left(disk)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_what_was_there_stays_and_the_reason_is_said(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    files.write_whole(path, b"before")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OSError) as error:
        files.write_whole(path, b"after")
    full = number in (errno.ENOSPC, errno.EDQUOT)
    assert files.why(error.value) == ("the disk is full" if full else os.strerror(number))
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]
