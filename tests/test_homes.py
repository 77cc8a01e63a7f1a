"""No home directory, folders that cannot be used: reading needs none, and the rest says which variable to set."""

from __future__ import annotations

import hashlib
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.data.cards import FileCard
from benchmark.data.home import cache_folder, data_root
from benchmark.data.place import store
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from tests.test_decide import run, write
from tests.unprivileged import locked, without_rights

NAMES = ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "TORCH_HOME")
VARIABLES = (*NAMES, "GANBENCH_DATA", "GANBENCH_CACHE", "GANBENCH_WEIGHTS")
NSGAN = ("gran", "--profile", "ci", "--only", "table=2 & dataset=cifar10 & method=NSGAN")


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of whom the system knows nothing."""

    def unknown(_: object) -> None:
        raise KeyError("no such user")

    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def _file(path: Path) -> Path:
    path.write_text("no folder")
    return path


def _locked(path: Path) -> Path:
    path.mkdir()
    path.chmod(0)
    return path


def _circle(path: Path) -> Path:
    path.symlink_to(path)
    return path


def _long(path: Path) -> Path:
    return path.with_name("n" * 300)


KINDS = {"a file": _file, "unreadable": _locked, "a circle of links": _circle, "too long": _long}


def check_reading(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that reads, on a suite whose data are made and on one whose data are files."""
    results = ("--results", str(folder / "results"))
    for words in (
        ("list", "theory"), ("published", "theory"), ("claims", "theory", *results), ("plan", "theory", *results),
        ("plan", str(folder / "tiny.yaml"), "--explain", *results), ("show", "theory/1/B_z=10^0[MLP]/mnist", *results),
        ("compare", "theory", *results), ("status", *results),
        ("report", "theory", *results, "--out", str(folder / "out")),
    ):  # fmt: skip
        with without_rights():
            assert main([*words]) == 0, words
        assert "unexpected" not in capsys.readouterr().err


def test_reading_needs_no_home(homeless: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "tiny.yaml")
    assert run(tmp_path / "tiny.yaml", tmp_path / "results") == 0, "nor do runs that need no folder of the user's"
    check_reading(tmp_path, capsys)


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (("data", "list"), "GANBENCH_DATA"),
        (("data", "verify", "mnist"), "GANBENCH_DATA"),
        (("data", "fetch", "mnist"), "GANBENCH_DATA"),
        (("data", "stats"), "GANBENCH_CACHE"),
        (("calibrate",), "GANBENCH_CACHE"),
        (("run", *NSGAN, "--executor", "inline", "--device", "cpu"), "GANBENCH_CACHE"),
        (("run", "theory", "--executor", "inline"), "GANBENCH_DATA"),
    ],
)
def test_what_needs_one_says_which_variable_to_set(
    homeless: None, tmp_path: Path, words: tuple[str, ...], variable: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--results", str(tmp_path / "results")) if words[0] == "run" else ()
    assert main([*words, *more]) == 1
    said = capsys.readouterr().err
    assert f"set {variable} to a folder" in said and "unexpected" not in said


@pytest.mark.parametrize("path", ["~/x", "~no-such-user/x"])
@pytest.mark.parametrize(("find", "variable"), [(data_root, "GANBENCH_DATA"), (cache_folder, "GANBENCH_CACHE")])
def test_a_home_that_is_not_known_is_no_bug(
    homeless: None, monkeypatch: pytest.MonkeyPatch, find: Callable[[], Path], variable: str, path: str
) -> None:
    monkeypatch.setenv(variable, path)
    with pytest.raises(GanbenchError, match=f"set {variable}"):
        find()


@pytest.mark.parametrize("kind", KINDS)
def test_a_data_folder_that_cannot_be_used_is_named(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "tiny.yaml")
    monkeypatch.setenv("GANBENCH_DATA", str(folder := KINDS[kind](tmp_path / "data")))
    check_reading(tmp_path, capsys)
    with without_rights():
        assert main(["show", "theory/1/B_z=10^0[MLP]/mnist"]) == 0
        shown = capsys.readouterr().out
        (tmp_path / "x").write_bytes(b"x")
        with pytest.raises(GanbenchError, match="set GANBENCH_DATA"):
            store("mnist", FileCard("x", 1, hashlib.sha256(b"x").hexdigest()), tmp_path / "x")
    assert str(folder) in shown and "set GANBENCH_DATA" in shown and "unexpected" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_a_cache_that_cannot_be_used_costs_readers_nothing(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "tiny.yaml")
    monkeypatch.setenv("GANBENCH_CACHE", str(KINDS[kind](tmp_path / "cache")))
    check_reading(tmp_path, capsys)
    with without_rights():
        assert main(["plan", str(tmp_path / "tiny.yaml"), "--gpu", "A100"]) == 0
        for words in (["calibrate"], ["data", "stats"]):
            assert main(words) == 1
            assert "set GANBENCH_CACHE to a folder" in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["TORCH_HOME", "XDG_CACHE_HOME", "GANBENCH_WEIGHTS"])
def test_weights_in_a_folder_that_may_not_be_read_are_missing(
    tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TORCH_HOME", "GANBENCH_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "there").mkdir()
    monkeypatch.setenv(variable, str(tmp_path / "there/weights.pth"))
    with locked(tmp_path / "there"), without_rights():
        why = extractors.missing("inception-2015-12-05")
    assert why and "Permission denied" in why and "--weights" in why


@pytest.mark.parametrize("words", [["compare", "theory"], ["run", "theory"], ["list"]])
def test_a_working_directory_that_is_gone_is_said(words: list[str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir {gone}; exec {sys.executable} -P -m benchmark {' '.join(words)}"
    done = subprocess.run(["sh", "-c", command], cwd=gone, capture_output=True, text=True)
    assert done.returncode == 1 and "is gone: cd to one that is there" in done.stderr and "Trace" not in done.stderr
