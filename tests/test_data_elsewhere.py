"""Records of a dataset that is not on this machine are shown and exported all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.judging.index import by_series, records_of
from benchmark.data import cards
from benchmark.records import store
from benchmark.records.bundle import read_bundle
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.model import Cell
from tests.conftest import ROOT
from tests.test_collate import record_for


@pytest.fixture(scope="module")
def cell() -> Cell:
    return next(c for c in load(ROOT / "suites/chain.yaml").cells if c.dataset == "obama")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing has been added to this machine's data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    return tmp_path


def made_elsewhere(cell: Cell, seed: int, fid: float, content: str = "a") -> Record:
    """As a machine makes it that has such images."""
    with pytest.MonkeyPatch.context() as there:
        there.setattr(cards, "_added", lambda c, split: content * 64)
        steps = cell.recipe.steps
        return record_for(cell, seed, {"FID": fid}, steps=steps, total_steps=steps)


def test_they_are_shown_with_what_is_not_known(cell: Cell, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (0, 1):
        store.write(Path("results"), "chain/x", made_elsewhere(cell, seed, 20.0 + seed))
    assert main(["compare", "chain", "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert "20.5" in out
    assert "obama is not on this machine: whether the images are those of its card was not checked here" in out
    assert main(["export", "chain", "--out", "mine.zip"]) == 0
    found, problems = read_bundle(Path("mine.zip"))
    assert sorted(r.seed for r in found) == [0, 1] and not problems
    assert main(["merge", "mine.zip", "--results", "other"]) == 0 and len(store.read_all(Path("other"))[0]) == 2


def test_two_sets_of_images_are_never_taken_together(cell: Cell, here: Path) -> None:
    one, other = made_elsewhere(cell, 0, 20.0), made_elsewhere(cell, 1, 30.0, content="b")
    assert records_of(cell, by_series([one])) == (one,)
    assert records_of(cell, by_series([one, other])) == ()


def test_another_recipe_or_protocol_is_not_the_cells(cell: Cell, here: Path) -> None:
    others = [c for c in load(ROOT / "suites/chain.yaml").cells if c.dataset == "obama" and c.recipe != cell.recipe]
    assert records_of(cell, by_series([made_elsewhere(others[0], 0, 20.0)])) == ()


def test_where_the_images_are_known_only_records_of_those_count(
    cell: Cell, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = by_series([made_elsewhere(cell, 0, 20.0)])
    monkeypatch.setattr(cards, "_added", lambda c, split: "b" * 64)
    assert records_of(cell, index) == ()
