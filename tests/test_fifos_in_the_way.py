"""FIFOs, and devices, where a run keeps its files: what waits on one waits for ever."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from benchmark.collate.presenting.site.folder import LIST, Folder
from benchmark.metrics import store
from benchmark.schedule.runlog import NAME, logged
from benchmark.train import checkpoint
from tests.test_decide import run, values, write

MAKE: dict[str, Callable[[Path], None]] = {
    "a FIFO": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
}


@pytest.fixture(params=MAKE)
def put(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    return MAKE[request.param]


def test_a_log_that_is_no_file_costs_the_log_only(put: Callable[[Path], None], tmp_path: Path) -> None:
    put(tmp_path / NAME)
    with logged(tmp_path) as log:
        logging.getLogger("benchmark").info("a line")
        assert log.lost is not None and "not a file" in str(log.lost)


@pytest.mark.parametrize("kind", ["a FIFO", "a device"])
def test_what_lies_in_a_checkpoint_s_way_is_taken_away(kind: str, tmp_path: Path) -> None:
    MAKE[kind](tmp_path / f"{checkpoint.CURRENT}.tmp")
    checkpoint.save(tmp_path, {"a": 1})
    assert checkpoint.load(tmp_path) == {"a": 1} and os.listdir(tmp_path) == [checkpoint.CURRENT]


def test_a_page_takes_the_place_of_whatever_stands_there(tmp_path: Path) -> None:
    (elsewhere := tmp_path / "mine").write_text("kept")
    (tmp_path / "report").mkdir()
    os.mkfifo(tmp_path / "report/a.html")
    (tmp_path / "report/b.html").symlink_to(elsewhere)
    (left := tmp_path / f"report/.ganbench-report.{999_999_999}.tmp").write_text("of a process that was killed")
    with Folder(tmp_path / "report") as folder:
        assert [folder.write(name, "x").read_text() for name in ("a.html", "b.html")] == ["x", "x"]
    assert elsewhere.read_text() == "kept" and not left.exists()


@pytest.mark.parametrize("name", [LIST, "old.html"])
def test_a_report_waits_on_nothing_that_lies_in_its_folder(
    name: str, put: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / LIST).write_text('{"files": {"old.html": "0"}}')
    (tmp_path / name).unlink(missing_ok=True)
    put(tmp_path / name)
    with suppress(OSError), Folder(tmp_path) as folder:
        folder.write("a.html", "x")
    assert (tmp_path / "a.html").read_text() == "x"


def test_features_are_kept_whatever_lies_in_the_way_of_their_half(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tmp")
    store.put(tmp_path / "a.npz", "features", lambda stream: stream.write(b"x"))
    assert (tmp_path / "a.npz").read_bytes() == b"x" and os.listdir(tmp_path) == ["a.npz"]


def test_a_report_that_the_disk_does_not_take_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"), Folder(tmp_path):
        monkeypatch.setattr(os, "replace", full)
    assert os.listdir(tmp_path) == []


def test_a_run_goes_on_beside_a_log_that_is_a_fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, results = write(tmp_path / "tiny.yaml"), tmp_path / "results"
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    assert run(suite, results, "--seeds", "1", "--only", "method=A") == 0
    (log,) = results.rglob(NAME)
    log.unlink()
    os.mkfifo(log)
    for record in (results / "records").rglob("*.json"):
        record.unlink()
    assert run(suite, results, "--seeds", "1", "--only", "method=A") == 0 and len(values(results, "A")) == 1
