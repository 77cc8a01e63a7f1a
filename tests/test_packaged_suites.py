"""A suite's name is looked up in ``./suites`` first, then among those that come with the package; and which is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.records.provenance import package_hash
from benchmark.suite import find
from benchmark.suite.load import load, load_all
from benchmark.suite.nodes import SuiteError
from tests.conftest import ROOT
from tests.test_working_directory import MINI

COMES = "the suite that comes with ganbench"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words", [["list", "theory"], ["plan", "theory"], ["show", "theory/1/B_z=10^0[MLP]/mnist"], ["compare", "theory"]]
)
def test_in_an_empty_folder_a_name_is_the_packages_and_that_is_said(
    words: list[str], empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    said = capsys.readouterr()
    assert said.err.count(f"theory: {COMES}: there is no suites/theory.yaml here") == 1 and said.out


def test_without_a_name_they_are_the_packages_papers(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (empty / "suites").mkdir()  # with no suite in it
    assert main(["list"]) == 0
    said = capsys.readouterr()
    assert "the suites that come with ganbench: there are none in suites/ here" in said.err
    assert [s.name for s in load_all([])] == ["chain", "gran", "pgn", "sdp", "theory"]


def test_the_working_directorys_suites_come_first(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (empty / "suites").mkdir()
    (empty / "suites/theory.yaml").write_text(MINI.replace("suite: mini", "suite: theory"))
    assert main(["list", "theory"]) == 0
    said = capsys.readouterr()
    assert "theory/1/plain/shapes" in said.out
    assert "theory: suites/theory.yaml, and not the suite of that name that comes with ganbench" in said.err
    assert [s.path for s in load_all([])] == [Path("suites/theory.yaml")], (
        "a folder of one's own is not mixed with ours"
    )
    assert main(["list", "gran"]) == 0
    assert f"gran: {COMES}" in capsys.readouterr().err
    assert find.called("theory", Path("suites/theory.yaml")) == "theory"
    assert find.called("theory", find.PACKAGED / "theory.yaml") != "theory", "that name is another's here"
    assert find.called("gran", find.PACKAGED / "gran.yaml") == "gran"


def test_nothing_is_said_where_a_name_has_one_meaning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In a checkout, whose suites the package's are; and for a file by its path."""
    (tmp_path / "theory.yaml").write_text(MINI)
    assert main(["list", "theory"]) == 0 and main(["list", str(tmp_path / "theory.yaml")]) == 0
    assert capsys.readouterr().err == ""


def test_a_selection_takes_from_beside_it_and_then_from_the_package(empty: Path) -> None:
    """A file beside the selection wins, here ``./suites`` does not count."""
    (empty / "mine.yaml").write_text("suite: mine\ninclude: [{suite: theory, profile: ci}, {suite: mini}]\n")
    with pytest.raises(SuiteError, match=r"mine.yaml:2:\d+: no suite 'mini' beside this one"):
        load(Path("mine.yaml"))
    (empty / "mini.yaml").write_text(MINI)
    assert {c.paper for c in load(Path("mine.yaml")).cells} == {"theory", "mini"}
    assert load(Path("mine.yaml")).sources[1][1] == find.PACKAGED / "theory.yaml"


def test_a_name_that_nobody_has_is_answered_with_those_of_both_places(empty: Path) -> None:
    (empty / "suites").mkdir()
    (empty / "suites/mine.yaml").write_text(MINI)
    for wrong, near in (("mien", "mine"), ("theroy", "theory")):
        with pytest.raises(SuiteError, match=f"no suite '{wrong}'; did you mean '{near}'"):
            load_all([wrong])


def test_suites_have_no_say_in_what_the_package_is(tmp_path: Path) -> None:
    """They are a link in a checkout, files in a wheel, and copied for workers: the code's hash is one."""
    shutil.copytree(ROOT / "benchmark", tmp_path / "benchmark", ignore=shutil.ignore_patterns("__pycache__"))
    assert (tmp_path / "benchmark/suites/gran.yaml").is_file()
    before = package_hash(tmp_path / "benchmark")
    assert before == package_hash(ROOT / "benchmark")
    (tmp_path / "benchmark/suites/gran.yaml").write_text("suite: other")
    assert package_hash(tmp_path / "benchmark") == before
    (tmp_path / "benchmark/data/cards.yaml").write_text("{}")
    assert package_hash(tmp_path / "benchmark") != before
