"""Runs of profile ``ci`` lie in a folder of their own, and no table of a paper shows one unless it is asked for."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import benchmark as gb
from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.records import store
from benchmark.schedule.watch import Watch
from benchmark.suite.apart import CI_RESULTS, RESULTS, results_of
from benchmark.suite.load import load
from tests.conftest import ROOT
from tests.test_collate import record_for

SUITE = ROOT / "suites/theory.yaml"
NUMBERS = {"L_Vg_Bz": 5.0, "V_g": -0.657, "D_G": -0.48}
AGAIN = "suite: {}\ninclude:\n  - {{suite: {}}}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("suites").mkdir()
    for name in ("theory", "gran", "ci"):
        if name != "ci":
            Path(f"suites/{name}.yaml").write_bytes((ROOT / f"suites/{name}.yaml").read_bytes())
    some = "suite: {}\ninclude:\n  - {{suite: theory, profile: ci}}\n  - {{suite: gran{}}}\n"
    Path("suites/ci.yaml").write_text(some.format("ci", ", profile: ci"), encoding="utf-8")
    Path("suites/mixed.yaml").write_text(some.format("mixed", ""), encoding="utf-8")
    Path("suites/again.yaml").write_text(AGAIN.format("again", "ci"), encoding="utf-8")
    Path("suites/circle.yaml").write_text(AGAIN.format("circle", "circle"), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("suites", "profile", "apart"),
    [
        (["theory"], "ci", True), ([], "ci", True), (["ci"], None, True), (["suites/ci.yaml"], None, True),
        (["again"], None, True), (["ci", "again"], None, True), (["mixed"], "ci", True), (["suites"], "ci", True),
        (["theory"], None, False), ([], None, False), (["theory"], "reduced", False), (["ci"], "reduced", False),
        (["mixed"], None, False), (["ci", "theory"], None, False), (["suites"], None, False), (["no"], None, False),
        (["circle"], None, False),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("here")
def test_which_folder_is_meant(suites: list[str], profile: str | None, apart: bool) -> None:
    assert results_of(suites, profile) == (CI_RESULTS if apart else RESULTS)


@pytest.mark.parametrize("words", [["theory", "--profile", "ci"], ["ci"]])
@pytest.mark.usefixtures("here")
def test_ci_runs_have_a_folder_of_their_own(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that is about them looks there; whoever gives a folder keeps it."""
    seen: list[Path] = []
    stop = GanbenchError("seen")

    def look(results: Path, *_: object) -> None:
        seen.append(results)
        raise stop

    for place in ("records.store.read_all", "records.shelf.read_all"):
        monkeypatch.setattr(f"benchmark.{place}", look)
    for command in ("run", "plan", "compare", "claims", "report", "export"):
        assert main([command, *words]) == 1 and main([command, *words, "--results", "mine"]) == 1
        assert seen[-2:] == [CI_RESULTS, Path("mine")], command
        assert capsys.readouterr().err.count("records in results/ci") == 1
        assert main([command, "theory"]) == 1 and seen[-1] == RESULTS
        assert "results/ci" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("listing.show theory/1/x --profile ci", CI_RESULTS), ("listing.show theory/1/x", RESULTS),
        ("measuring.measure x --as theory/1/x --profile ci", RESULTS),
        ("measuring.enter theory/1/x V_g=1 --by me", RESULTS), ("sharing.merge x", RESULTS),
        ("machine.doctor", RESULTS), ("judging.claims --profile ci", CI_RESULTS), ("judging.claims", RESULTS),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("here")
def test_results_from_outside_and_this_machine_are_no_ci_runs(
    words: str, expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, *more = words.split()
    seen: list[Path] = []
    monkeypatch.setattr(f"benchmark.commands.{command}", lambda a: seen.append(a.results) or 0)
    assert main([command.split(".")[1], *more]) == 0 and seen == [expected]


@pytest.fixture
def both(here: Path) -> Path:
    """One folder with a record of profile ci and one of reduced, of two cells."""
    for number, profile in enumerate(("ci", "reduced")):
        cell = load(SUITE, profile).cells[number]
        store.write(Path("results"), f"theory/{cell.slug}", record_for(cell, 0, NUMBERS))
    return here


def _compare(capsys: pytest.CaptureFixture[str], *more: str) -> set[str]:
    capsys.readouterr()
    assert main(["compare", *more, "--results", "results", "--format", "json"]) == 0
    return {row["profile"] for row in json.loads(capsys.readouterr().out) if row["tier"]}


@pytest.mark.usefixtures("both")
def test_no_table_of_a_paper_shows_one_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert _compare(capsys, "theory") == {"reduced"}
    assert _compare(capsys, "theory", "--profile", "ci") == {"ci"}
    assert _compare(capsys, "ci") == {"ci"}
    assert main(["report", "theory", "--results", "results", "--out", "out"]) == 0
    rows = list(csv.DictReader(io.StringIO(Path("out/theory.csv").read_text(encoding="utf-8"))))
    assert {row["tier"] for row in rows} == {"", "proxy"}
    assert {j.cell.profile for j in gb.collate("theory").cells if j.records} == {"reduced"}
    assert {j.cell.profile for j in gb.collate("theory", "results", "ci").cells if j.records} == {"ci"}
    assert not [j for j in gb.collate("theory", profile="ci").cells if j.records], "results/ci is empty"
    _, joined = gb.load_joined(SUITE, gb.read_all(Path("results"))[0])
    assert {j.cell.profile for rows in joined.values() for j in rows if j.records} == {"reduced"}


@pytest.mark.usefixtures("here")
def test_status_shows_the_folder_that_was_written_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0 and "nothing has been run in results yet" in capsys.readouterr().out
    plan = gb.make_plan(load(SUITE, "ci").cells, [0], {})
    write: Callable[[Path], None] = lambda results: Watch(plan, results, None).close()  # noqa: E731
    write(CI_RESULTS)
    assert main(["status"]) == 0
    said = capsys.readouterr()
    assert "18 to do" in said.out and "records in results/ci" in said.err
    write(RESULTS)
    os.utime(CI_RESULTS / "runs/status.json", (1, 1))
    assert main(["status"]) == 0 and "results/ci" not in capsys.readouterr().err


def test_git_ignores_the_folder() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    found = subprocess.run(["git", "-C", ROOT, "check-ignore", "results/ci/records/x.json"], capture_output=True)
    assert found.returncode == 0, found
