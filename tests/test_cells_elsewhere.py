"""Cells of suites that have no name here: every command that takes a cell takes the suite's file before it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmark.arguments import completing
from benchmark.cli import main
from benchmark.suite.find import suite_of
from tests.conftest import ROOT
from tests.test_working_directory import MINI

INNER = "1/plain/shapes"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    for name in ("x.yaml", "x.yml", "x"):
        Path("mine", name).write_text(MINI)
    np.save("made.npy", np.random.default_rng(0).integers(0, 256, (8, 28, 28, 1), dtype=np.uint8))
    return tmp_path


@pytest.mark.parametrize("whole", ["", "mini/"])
@pytest.mark.parametrize("file", ["mine/x.yaml", "./mine/x.yml", "./mine/x", "{}/mine/x.yaml"])
def test_every_command_takes_its_file(file: str, whole: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell, other = f"{file.format(here)}/{whole}{INNER}", f"{file.format(here)}/1/SN-D/shapes"
    assert main(["show", cell]) == 0 and main(["diff", cell, other]) == 0
    assert "mini/1/SN-D/shapes" in capsys.readouterr().out.replace("\n", "")
    assert main(["enter", cell, "V_g=-0.4", "--by", "me"]) == 0
    assert capsys.readouterr().out.startswith(f"mini/{INNER}  reported: me")
    assert main(["measure", "made.npy", "--as", cell]) == 2
    assert "its protocol measures V_g" in capsys.readouterr().err, "refused for what it measures, not for its name"


def test_what_was_entered_is_compared(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enter", f"mine/x.yaml/{INNER}", "V_g=-0.4", "--by", "me"]) == 0
    capsys.readouterr()
    assert main(["compare", "mine/x.yaml", "--format", "json"]) == 0
    assert any(row["source"].startswith("reported: me") for row in json.loads(capsys.readouterr().out))


@pytest.mark.slow
def test_images_are_measured_as_a_cell_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "suites/gran.yaml", "mine/own.yaml")
    np.save("made.npy", np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), dtype=np.uint8))
    assert main(["measure", "made.npy", "--as", "mine/own.yaml/2/NSGAN/cifar10", "--profile", "ci"]) == 0
    assert capsys.readouterr().out.startswith("gran/2/NSGAN/cifar10  external: ")


def test_a_selections_cells_are_its_own_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "ci/theory/2/sigma=sqrt(2)[MLP]/mnist"]) == 0
    assert "theory/2/sigma=sqrt(2)[MLP]/mnist  (profile ci)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("mine/x.yaml/1/plian/shapes", f"did you mean 'mine/x.yaml/{INNER}'"),
        ("mine/x.yaml", "no cell 'mine/x.yaml'"),
        ("mine/y.yaml/1/plain/shapes", "no suite 'mine/y.yaml'"),
        (f"mini/{INNER}", f"of a suite that is elsewhere: FILE.yaml/{INNER}"),
    ],
)
def test_what_is_no_cell_is_said(cell: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enter", cell, "V_g=1", "--by", "me"]) == 2 and said in capsys.readouterr().err
    assert main(["diff", cell, cell]) == 2 and said in capsys.readouterr().err


def test_a_cell_names_its_suite() -> None:
    assert suite_of("gran/2/NSGAN/cifar10") == ("gran", "2/NSGAN/cifar10")
    assert suite_of("gran") == ("gran", "") and suite_of("x.yaml/1/a/b") == ("x.yaml", "1/a/b")


def test_shells_complete_it() -> None:
    assert f"mine/x.yaml/{INNER}" in completing._cells("mine/x.yaml/1")
    assert "mine/x.yaml/" in completing._cells("mine/")


@pytest.mark.parametrize("words", [["show"], ["diff", "gran/2/NSGAN/cifar10"], ["enter"]])
def test_a_suite_s_name_is_no_cell_and_its_hundreds_are_not_all_named(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "gran", *["FID=1", "--by", "x"] * (words == ["enter"])]) == 2
    assert capsys.readouterr().err.endswith("no cell 'gran'; see: ganbench list gran\n")
