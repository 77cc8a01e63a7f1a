"""``compare``, ``claims`` and ``diff`` fit the terminal and end in a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.commands import columns
from benchmark.commands.columns import beside, fitting, wrapped

WIDE = "cell                "  # how the table begins, where there is room for it
WHOLE = 10_000
PAIRS = [
    ("theory/1/B_z=10^-2[MLP]/mnist", "theory/2/sigma=sqrt(2)[MLP]/mnist"),
    ("theory/1/B_z=10^0[MLP]/mnist", "gran/2/GraND-GAN/cifar10"),
]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, room: int, *words: str) -> str:
    monkeypatch.setattr(columns, "terminal", lambda: room)
    assert main(list(words)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("suite", ["theory", "sdp"])
@pytest.mark.parametrize("command", ["compare", "claims"])
def test_they_fit(command: str, suite: str, at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    *_, last = said(capsys, at, WHOLE, command, suite).splitlines()
    assert ("claim" in last if command == "claims" else " cells: " in last) and last.split()[0].isdecimal()
    for room in (40, 80):
        lines = said(capsys, at, room, command, suite).splitlines()
        assert max(map(len, lines)) <= room and " ".join(" ".join(lines).split()).endswith(last)


def test_where_there_is_room_it_is_one_table_and_formats_for_programs_have_no_summary(
    at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, at, WHOLE, "compare", "theory").startswith(WIDE)
    assert said(capsys, at, 200, "compare", "theory").startswith(WIDE)
    assert len(json.loads(said(capsys, at, 80, "compare", "theory", "--format", "json"))) == 105
    assert len(said(capsys, at, 80, "compare", "theory", "--format", "csv").splitlines()) == 1 + 105


def test_the_last_lines_count(at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    compared = said(capsys, at, WHOLE, "compare", "theory").splitlines()[-1]
    assert compared.startswith("105 numbers of 23 cells: ")
    assert sum(int(part.split()[0]) for part in compared.partition(": ")[2].split(", ")) == 105
    claims = said(capsys, at, WHOLE, "claims", "theory").splitlines()[-1]
    by_theirs = "by the published numbers 8 hold (6 fragile), 13 not judged"
    assert claims == f"21 claims: {by_theirs}; by ours 21 not judged"
    alone = said(capsys, at, WHOLE, "claims", "theory", "--published-only").splitlines()[-1]
    assert alone == claims.partition("; by ours")[0]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("room", "more"), [(80, []), (60, ["--all"]), (132, ["--profile", "ci"])])
def test_cells_stand_side_by_side(
    pair: tuple[str, str], room: int, more: list[str], at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(capsys, at, room, "diff", *pair, *more).splitlines()
    assert max(map(len, lines)) <= room
    assert "recipe" in lines and "protocol" in lines and "where the values come from" in lines
    assert any(line.startswith("≠ ") for line in lines)
    assert ("--all" in more) == (not any(" alike, and of one kind" in line for line in lines))


def test_a_difference_is_shown_with_its_kind_and_source(
    at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = ("gran/2/NSGAN/cifar10", "gran/2/GraND-GAN/cifar10")
    text = said(capsys, at, 120, "diff", *pair)
    assert "≠ parts               none" in text and "gran (tau 1.2, eps 1e-08)" in text
    assert "inferred: gran.tau; chosen:" in text and "[2] stated: equation 20" in text and "14.965" in text
    assert "24 fields alike" in text and "batch_d" not in text
    assert "batch_d" in said(capsys, at, 120, "diff", *pair, "--all")
    twice = said(capsys, at, 120, "diff", pair[0], pair[0])
    assert "≠" not in twice and "29 fields alike" in twice


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([PAIRS[0][0], "theory/1/B_z=10^-2[MPL]/mnist"], f"did you mean '{PAIRS[0][0]}'"),
        ([PAIRS[0][0], "nosuch"], "no suite 'nosuch'"),
        ([*PAIRS[0], "--profile", "cii"], "did you mean 'ci'"),
    ],
)
def test_what_is_no_cell_is_said(
    words: list[str], message: str, at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *words]) == 2
    assert message in capsys.readouterr().err


def test_columns() -> None:
    assert beside(["a b", "c"], [1, 3]) == ["a  c", "b"] and beside(["", "x"], [4, 4]) == ["      x"]
    assert fitting([["a" * 50, "b"], ["a", "b" * 30]], 60) == [29, 29] and fitting([["a", ""]], 40) == [1, 1]
    assert wrapped("    " + "word " * 20, 40)[1].startswith("      word") and wrapped("short", 40) == ["short"]
    assert max(map(len, wrapped("x" * 500, 40))) == 40
