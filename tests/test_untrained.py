"""A dead GAN is not flattered: its suite says what a run that trained has; and no side is better that nobody ranks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.judging.verdict import LOST
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.table import view
from benchmark.records import store
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError
from tests.test_collate import PUBLISHED, THEORY, _three_seeds

JUDGING = {"reproduced", "better", "differs", "not reproduced", "inconclusive"}


def dying(cells: set[str], seeds: set[int], least: float = 0.001) -> list[Record]:
    """Table 1, where these runs ended with D at 1/2 everywhere."""
    dead = _three_seeds(dict.fromkeys(PUBLISHED, (least, -0.69315, -0.5)), 1e-4)
    living = _three_seeds(PUBLISHED)
    return [d if a.seed in seeds and any(c in a.cell for c in cells) else a for d, a in zip(dead, living)]


@pytest.mark.parametrize("cells", [{m} for m in PUBLISHED] + [set(PUBLISHED)])
@pytest.mark.parametrize("seeds", [{0}, {1, 2}, {0, 1, 2}])
def test_none_of_its_numbers_is_judged(cells: set[str], seeds: set[int]) -> None:
    suite, joined = load_joined(THEORY, dying(cells, seeds))
    for j in joined["theory/1"]:
        names = {e.verdict.name for e in j.entries.values()}
        assert (names == {"untrained"}) if j.cell.method in cells else (names == {"reproduced"})
        assert j.cell.method not in cells or "L_Vg_Bz 0.001" in j.entries["V_g"].verdict.why
    rows = [j for found in joined.values() for j in found]
    assert judge_claim(suite.claims[0], rows).achieved.name == "not judged" or cells != set(PUBLISHED)
    assert all(r.methods == 3 - len(cells) for r in rankings(suite.tables[0], joined["theory/1"]))
    assert "untrained" in {*LOST} and "untrained" in latex(view(suite.tables[0], joined["theory/1"]))


def test_a_run_that_trained_is_judged_and_so_are_the_committed_ones() -> None:
    _, joined = load_joined(THEORY, dying(set(PUBLISHED), {0, 1, 2}, 0.2))
    assert {e.verdict.name for j in joined["theory/1"] for e in j.entries.values()} <= JUDGING
    found, _ = store.read_all(Path("results"))
    _, joined = load_joined(THEORY, found)
    assert not any(e.verdict.name == "untrained" for rows in joined.values() for j in rows for e in j.entries.values())


def test_where_the_paper_ranks_nothing_ours_differs(tmp_path: Path) -> None:
    path = tmp_path / "theory.yaml"
    text, line = THEORY.read_text(encoding="utf-8"), "    std_of: noises\n"
    for guess in ("      chosen: [loss.name]\n", "bn_mode, jac_G"):  # else nothing is more than "as assumed"
        assert guess in text
        text = text.replace(guess, guess.partition("bn_mode, ")[2])
    path.write_text(text.replace(line, f"{line}    unranked: [V_g]\n", 1), encoding="utf-8")
    for far, name in ((-0.9, "differs"), (-0.4, "not reproduced")):
        _, joined = load_joined(path, _three_seeds(PUBLISHED | {"B_z=10^-2": (3.0, far, -0.7)}))
        entries = joined["theory/1"][0].entries
        assert [entries[m].verdict.name for m in ("L_Vg_Bz", "V_g", "D_G")] == ["better", name, "better"]
    path.write_text(path.read_text(encoding="utf-8").replace("[V_g]", "[FID]"), encoding="utf-8")
    with pytest.raises(SuiteError, match="FID"):
        load(path)


def test_both_are_part_of_the_table() -> None:
    table = load(THEORY).tables[0]
    assert table.alive["L_Vg_Bz"].least == 0.1 and table.alive["L_Vg_Bz"].source and table.unranked == ()
    assert dataclasses.replace(table, alive={}).alive == {}
