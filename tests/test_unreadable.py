"""What cannot be read of a results folder is named, with exit code 1, by every command that would need it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.records import failures, folders, shelf, store
from benchmark.records.merge import conflicts
from benchmark.schedule.launch import Summary
from tests.test_decide import run, write
from tests.unprivileged import locked, without_rights

ROOMS = ["", "records", "records/tiny", "records/tiny/1--B--shapes"]
INLINE = ("--executor", "inline", "--device", "cpu")
COMMANDS = {
    "compare": ("compare", "SUITE"),
    "claims": ("claims", "SUITE"),
    "report": ("report", "SUITE", "--out", "OUT"),
    "show": ("show", "tiny/1/A/shapes"),
    "plan": ("plan", "SUITE"),
    "run": ("run", "SUITE", *INLINE),
    "until decided": ("run", "SUITE", "--until-decided", "--budget", "1h", *INLINE),
    "export": ("export", "SUITE", "--out", "OUT/b.zip"),
    "merge into it": ("merge", "OTHER"),
    "status": ("status",),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a suite, its results, and another lab's; ``run --until-decided`` makes no run."""
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANBENCH_CACHE", str(folder / "cache"))
        (folder / "suites").mkdir()
        suite = write(folder / "suites/tiny.yaml")
        with mock.patch.dict(os.environ):  # a run in this process names its folders there
            assert run(suite, folder / "results") == 0
        failures.keep(folder / "results", "0" * 16, 1, "for a reason")
        shutil.copytree(folder / "results", folder / "other")
        (folder / "results/conflicts/a/records").mkdir(parents=True)
        patch.setattr("benchmark.commands.rounds.run_plan", lambda *_: Summary())
        yield folder


def said(lab: Path, words: tuple[str, ...], *more: str) -> int:
    """The exit code of a command on the lab's results."""
    shutil.rmtree(lab / "out", ignore_errors=True)
    (lab / "out").mkdir()
    named = {"SUITE": "suites/tiny.yaml", "OUT": "out", "OTHER": "other", "OUT/b.zip": "out/b.zip"}
    return main([*(named.get(word, word) for word in words), "--results", "results", *more])


@pytest.fixture
def refused(lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    monkeypatch.chdir(lab)
    monkeypatch.setenv("GANBENCH_CACHE", str(lab / "cache"))

    def check(words: tuple[str, ...], what: str) -> None:
        capsys.readouterr()
        with without_rights():
            code = said(lab, words)
        told = capsys.readouterr().err
        assert code == 1, (code, told)
        assert what in told and "unexpected" not in told and "Traceback" not in told, told

    return check


@pytest.mark.parametrize("name", [n for n in COMMANDS if n != "status"])
def test_a_folder_of_records_that_may_not_be_read_is_named(lab: Path, name: str, refused: Callable[..., None]) -> None:
    for room in ROOMS:
        with locked(lab / "results" / room):
            refused(COMMANDS[name], f"cannot read results/{room or 'records'}")


@pytest.mark.parametrize("name", [n for n in COMMANDS if n != "status"])
def test_a_record_that_may_not_be_read_is_named(lab: Path, name: str, refused: Callable[..., None]) -> None:
    path = next(p for p in store.paths(Path("results")) if "1--B" in str(p))
    with locked(path):
        refused(COMMANDS[name], f"{path}: unreadable (Permission denied)")


@pytest.mark.parametrize("name", ["compare", "claims", "report", "show", "until decided"])
def test_so_are_the_failures(lab: Path, name: str, refused: Callable[..., None]) -> None:
    with locked(lab / "results/failures"):
        refused(COMMANDS[name], "cannot read results/failures: Permission denied")


def test_so_are_conflicts_the_status_and_another_labs_folder(lab: Path, refused: Callable[..., None]) -> None:
    with locked(lab / "results/conflicts/a"):
        refused(COMMANDS["report"], "cannot read results/conflicts/a: Permission denied")
    for room in ("", "runs", "runs/status.json"):
        with locked(lab / "results" / room):
            refused(COMMANDS["status"], "cannot read results/runs")
    for room in ("", "records", "records/tiny"):
        with locked(lab / "other" / room):
            refused(COMMANDS["merge into it"], "cannot read other")
    for room in ("", "suites", "suites/tiny.yaml"):
        with locked(lab / room), without_rights():
            assert main(["list", str(lab / "suites/tiny.yaml")]) == 2


ODD = {
    "a link that leads nowhere": lambda path: path.symlink_to("/nowhere/at/all"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a file": lambda path: path.write_text("no folder"),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("room", ["", "records", "records/tiny", "failures", "conflicts", "runs"])
def test_what_is_no_folder_in_a_folders_place_is_named(
    tmp_path: Path, room: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results" / room
    path.parent.mkdir(exist_ok=True, parents=True)
    ODD[kind](path)
    if (room, kind) == ("records/tiny", "a file"):
        return  # a file among the records that is none
    command = ["status"] if room == "runs" else ["report", "suites/theory.yaml", "--out", str(tmp_path / "out")]
    words = [*command, "--results", str(tmp_path / "results")]
    if not room:  # the folder itself, which was named: bad usage
        with pytest.raises(SystemExit, match="2"):
            main(words)
        assert "ganbench report: --results: " in capsys.readouterr().err
        return
    assert main(words) == 1
    told = capsys.readouterr().err
    assert f"cannot read {path}" in told and "unexpected" not in told


@pytest.mark.parametrize("kind", ["a link that leads nowhere", "a link to itself", "a folder", "a pipe"])
def test_what_is_no_file_in_a_records_place_is_named_and_the_others_count(lab: Path, tmp_path: Path, kind: str) -> None:
    results = tmp_path / "results"
    shutil.copytree(lab / "results", results)
    path = next(p for p in store.paths(results) if "1--B" in str(p))
    path.unlink()
    {**ODD, "a folder": Path.mkdir, "a pipe": os.mkfifo}[kind](path)
    for read in (store.read_all, shelf.read_all):
        found, (problem,) = read(results)
        assert len(found) == 1 and problem.path == path and problem.unread and not problem.damaged


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT])
def test_a_disk_that_has_gone_is_named(lab: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    results, real = lab / "results", os.scandir

    def gone(folder: Path) -> object:
        if str(folder).endswith(("tiny", "failures", "conflicts")):
            raise OSError(number, os.strerror(number), str(folder))
        return real(folder)

    monkeypatch.setattr(folders.os, "scandir", gone)
    for read in (store.read_all, shelf.read_all, failures.read_all, conflicts):
        with pytest.raises(GanbenchError, match=f"cannot read .*: {os.strerror(number)}"):
            read(results)


def test_links_to_folders_are_followed_once(lab: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    (results / "records").mkdir(parents=True)
    (results / "records/tiny").symlink_to(lab / "results/records/tiny")
    (results / "records/again").symlink_to(lab / "results/records")
    (results / "records/here").symlink_to(results / "records")
    (results / "records/lost+found").mkdir(mode=0)
    assert len(store.paths(results)) == len(store.paths(lab / "results")) == 2
    (tmp_path / "linked").symlink_to(results)
    assert len(store.paths(tmp_path / "linked")) == 2 and store.paths(tmp_path / "none") == []
