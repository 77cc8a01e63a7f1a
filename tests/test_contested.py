"""Two results of one run that differ: judged nowhere, and said everywhere, whatever their folders are called."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import benchmark as gb
from benchmark.cli import main
from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.render import markdown
from benchmark.collate.presenting.report import write_report
from benchmark.collate.presenting.table import view
from benchmark.records import shelf, store
from benchmark.records.merge import merge
from benchmark.records.record import Record
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells

FIRST = full_cells()[0].id


def other(record: Record) -> Record:
    """The same run with another V_g."""
    return dataclasses.replace(record, final=record.final | {"V_g": {"value": -0.9, "std": 0.05}})


def lab(results: Path, order: str, how: str) -> Path:
    """The theory paper's table, with two results of seed 1 of its first cell: in two folders, or after a merge."""
    records = _three_seeds(PUBLISHED)
    one = next(r for r in records if r.cell == FIRST and r.seed == 1)
    for r in records:
        if r is not one:
            store.write(results, "theory/x", r)
    first, second = (one, other(one)) if order == "right first" else (other(one), one)
    store.write(results, "a", first)
    if how == "folders":
        store.write(results, "b", second)
    else:
        store.write(results.parent / "theirs", "x", second)
        merge(results, [results.parent / "theirs"])
    return results


@pytest.mark.parametrize("read", [store.read_all, shelf.read_all])
@pytest.mark.parametrize("how", ["folders", "merge"])
@pytest.mark.parametrize("order", ["right first", "wrong first"])
def test_neither_is_judged(tmp_path: Path, order: str, how: str, read) -> None:
    found = read(lab(tmp_path / "results", order, how))[0]
    suite, joined = load_joined(THEORY, found)
    entries = joined["theory/1"][0].entries
    assert {e.verdict.name for e in entries.values()} == {"contested"} and entries["V_g"].achieved is None
    assert all(f"{v}" in entries["V_g"].verdict.why for v in ("-0.9", "-0.6569"))
    claim = next(c for c in suite.claims if any(n.cell == FIRST for n in c.numbers()))
    judged = judge_claim(claim, [j for rows in joined.values() for j in rows]).achieved
    assert judged.name == "not judged" and "two results that differ" in judged.why
    assert {r.methods for r in rankings(suite.tables[0], joined["theory/1"])} == {2}
    assert "reproduced" in {e.verdict.name for e in joined["theory/1"][1].entries.values()}


def test_it_is_said_in_tables_frames_compare_and_the_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = lab(tmp_path / "results", "right first", "merge")
    suite, joined = load_joined(THEORY, shelf.read_all(results)[0])
    shown = view(suite.tables[0], joined["theory/1"])
    assert all("contested" in text and "-0.9" in text.replace("$-$", "-") for text in (markdown(shown), latex(shown)))
    frames = gb.collate(["theory"], results)
    mine = frames.joined[frames.joined["cell"] == FIRST]
    assert set(mine["verdict"]) == {"contested"} and mine["mean"].isna().all()
    assert "contested" in set(frames.achieved[frames.achieved["cell"] == FIRST]["status"])
    main(["compare", "theory", "--results", str(results)])
    said = capsys.readouterr().out
    assert "contested" in said and "two results of one run differ (seed 1: " in said
    write_report(suite, joined, str(results), tmp_path / "out")
    pages = "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "out").rglob("*.html"))
    assert "contested" in pages and "two results of one run differ" in pages


def test_once_the_wrong_one_is_removed_the_other_counts(tmp_path: Path) -> None:
    results = lab(tmp_path / "results", "wrong first", "folders")
    next((results / "records" / "a").iterdir()).unlink()
    _, joined = load_joined(THEORY, shelf.read_all(results)[0])
    assert {e.verdict.name for e in joined["theory/1"][0].entries.values()} == {"reproduced"}


def test_equal_copies_contest_nothing(tmp_path: Path) -> None:
    results = lab(tmp_path / "results", "right first", "folders")
    next((results / "records" / "b").iterdir()).unlink()
    store.write(results, "c", next(r for r in _three_seeds(PUBLISHED) if r.cell == FIRST and r.seed == 1))
    assert not any(r.contested for r in shelf.read_all(results)[0])
