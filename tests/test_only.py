"""``--only`` chooses cells in one way for every command that is about cells."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.suite.filter import Filter
from benchmark.suite.load import load
from benchmark.suite.narrow import narrowed

EXPR = "table=1 & method!~10^0"
CHOSEN = ["theory/1/B_z=10^-2[MLP]/mnist", "theory/1/B_z=10^2[MLP]/mnist"]
COMMANDS = {
    "list": ["list", "theory", "--json"],
    "published": ["published", "theory"],
    "plan": ["plan", "theory", "--json"],
    "compare": ["compare", "theory", "--format", "json"],
    "claims": ["claims", "theory"],
    "report": ["report", "theory"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one; every recipe counts as one that can be built."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("benchmark.plan.built.refusals", lambda *_: [])


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(list(words)) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_filter_or_leaves_nothing_is_said_alike(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = COMMANDS[command]
    assert "unknown field 'tabel'; did you mean 'table'" in said(capsys, *words, "--only", "tabel=3", code=2)
    assert "leaves no cell; see: ganbench list theory" in said(capsys, *words, "--only", "table=99", code=2)
    assert not Path("report").exists()


def test_rows_for_programs_are_of_the_chosen_cells(capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["id"] for row in json.loads(said(capsys, *COMMANDS["list"], "--only", EXPR))] == CHOSEN
    planned = json.loads(said(capsys, *COMMANDS["plan"], "--only", EXPR))
    assert sorted(cell for row in planned for cell in row["cells"]) == CHOSEN
    assert (
        list(dict.fromkeys(row["cell"] for row in json.loads(said(capsys, *COMMANDS["compare"], "--only", EXPR))))
        == CHOSEN
    )
    rows = list(csv.DictReader(io.StringIO(said(capsys, *COMMANDS["published"], "--only", EXPR))))
    assert {(row["table"], row["method"]) for row in rows} == {("1", "B_z=10^-2"), ("1", "B_z=10^2")} and len(rows) == 6


def test_the_list_counts_what_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    listed = said(capsys, "list", "ci", "theory", "--only", "paper=theory & table=2")
    assert "theory: " in listed and listed.count("table 2: 2 cells") == 2 and "table 1" not in listed
    assert "--only" in said(capsys, "list", "theory", "--check", "--only", "table=3", code=2)


def test_rows_that_are_no_method_are_chosen_by_what_they_have(capsys: pytest.CaptureFixture[str]) -> None:
    every = list(csv.DictReader(io.StringIO(said(capsys, "published", "pgn"))))
    real = [row for row in every if row["method"] == "Real data"]
    found = csv.DictReader(io.StringIO(said(capsys, "published", "pgn", "--only", "method=Real data")))
    assert list(found) == real and real


@pytest.mark.parametrize("expr", [EXPR, "table=2"])
def test_claims_that_compare_a_chosen_cell_are_judged_by_all_of_theirs(
    expr: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def verdicts(*words: str) -> dict[str, str]:
        text = said(capsys, "claims", "theory", "--published-only", *words)
        return dict(re.findall(r"^theory: (\S+) .*\n(?:  .*\n)*?  published: (.*)$", text, re.M))

    only, suite = Filter(expr), load("theory")
    there = {c.id for c in suite.cells if only(c)}
    wanted = {c.id for c in suite.claims if any(n.cell in there for n in c.numbers())}
    found, every = verdicts("--only", expr), verdicts()
    assert found == {name: every[name] for name in wanted} and 0 < len(found) < len(every)
    assert {c.id for c in narrowed(suite, only).claims} == wanted


def test_a_report_has_the_chosen_cells_and_no_dead_link(capsys: pytest.CaptureFixture[str]) -> None:
    written = said(capsys, "report", "theory", "sdp", "--only", EXPR)
    assert "sdp" not in written and len(list(Path("report/cells").iterdir())) == len(CHOSEN)
    for page in Path("report").rglob("*.html"):
        for target in re.findall(r'href="([^"#]+)', page.read_text(encoding="utf-8")):
            assert target.startswith(("http", "data:")) or (page.parent / target).exists(), (page, target)
    text = Path("report/theory.md").read_text(encoding="utf-8").replace("\\", "")
    assert f"a selection: {EXPR}" in text and "B_z=10^2" in text.partition("## Claims")[0]
    assert "B_z=10^0" not in text.partition("## Claims")[0]
    assert re.findall(r"^- \*\*(.*?)\*\*", text, re.M) and "this selection leaves out" not in text


def test_a_profile_is_that_of_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(said(capsys, *COMMANDS["compare"], "--only", "profile=full & table=2"))
    assert {row["profile"] for row in rows} == {"full"}
    assert "leaves no cell" in said(capsys, "compare", "theory", "--only", "profile=ci", code=2), "there is no record"
