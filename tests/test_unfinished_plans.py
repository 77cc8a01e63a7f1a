"""A plan of which the last seeds have no record may hide a collapse: nothing that is there flatters."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.decide import Hopeless, Question, open_questions
from benchmark.collate.judging.join import Joined, load_joined
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.judging.seeds import seeds_of
from benchmark.collate.judging.unfinished import unfinished, without_flattery
from benchmark.collate.judging.verdict import VERDICTS, Verdict
from benchmark.records.furthest import by_evaluation
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.model import Suite
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells, record_for
from tests.test_deciding import Lab, listed

CELL = full_cells()[0]


def _made(plans: list[int], scale: float = 1.0) -> list[Record]:
    """As many seeds of the first method near ``scale`` times what is printed."""
    values = dict(zip(("L_Vg_Bz", "V_g", "D_G"), PUBLISHED[CELL.method]))
    return [
        dataclasses.replace(
            record_for(CELL, s, {m: v * (1 + ((0.618 * s) % 1 - 0.5) / 100) * scale for m, v in values.items()}),
            planned=p,
        )
        for s, p in enumerate(plans)
    ]


def _joined(found: list[Record]) -> tuple[Suite, Joined]:
    suite, joined = load_joined(THEORY, found)
    return suite, next(j for j in joined["theory/1"] if j.cell.id == CELL.id)


def test_the_last_of_five_taken_out() -> None:
    whole = _joined(_made([5] * 5))[1].entries["V_g"].verdict
    assert whole.name == "reproduced"
    fewer = _joined(_made([5] * 5)[:4])[1].entries["V_g"].verdict
    assert fewer.name == "reproduced where it trains"
    assert fewer.why.startswith("4 of 5 planned seeds are there; seed 4 has no record, and may have collapsed: mean of")


@pytest.mark.parametrize("plans", [[3] * 3, [5] * 5, [3, 3, 3, 0], [3, 3, 3, 5, 5], [0] * 4, [2, 2, 0, 0]])
def test_plans_that_are_there_are_plainly_judged(plans: list[int]) -> None:
    cell = _joined(_made(plans))[1]
    assert cell.short == "" and cell.entries["V_g"].verdict.name == "reproduced"


@pytest.mark.parametrize("plans", [[5] * 4, [3, 3, 3, 5], [20] * 12, [0, 0, 0, 7], [2**62] * 3])
def test_plans_that_are_not(plans: list[int]) -> None:
    cell = _joined(_made(plans))[1]
    assert f"{len(plans)} of {max(plans):,} planned" in cell.entries["V_g"].verdict.why
    assert {e.verdict.name for e in cell.entries.values()} <= {"reproduced where it trains", "inconclusive"}
    high = _joined(_made(plans, 0.5))[1]
    assert {e.verdict.name for e in high.entries.values()} <= {
        "inconclusive",
        "not reproduced",
        "not reached as assumed",
        "untrained",
    }
    assert any(e.verdict.name != "inconclusive" for e in _joined(_made([0] * len(plans), 0.5))[1].entries.values())


@pytest.mark.parametrize("dash", [True, False])
def test_every_verdict(dash: bool) -> None:
    for name in VERDICTS:
        found = without_flattery(Verdict(name, "w"), "4 of 5", dash).name
        assert found not in ("reproduced", "better", "differs", "converged")
        assert without_flattery(Verdict(name, "w"), "", dash) == Verdict(name, "w")
        if name in ("diverged", "failed", "contested", "not run", "not reproduced", "incomparable"):
            assert found == name
    assert unfinished([]) == ""


def test_claims_wait_for_the_plan_and_seeds_are_asked_for() -> None:
    made = _three_seeds(PUBLISHED)
    suite, joined = load_joined(THEORY, made)
    claim = suite.claims[0]
    assert judge_claim(claim, joined["theory/1"]).achieved.name == "holds"
    for planned, kind in ((5, Question), (500, Hopeless)):
        found = [dataclasses.replace(r, planned=planned) if r.cell == CELL.id else r for r in made]
        _, joined = load_joined(THEORY, found)
        judged = judge_claim(claim, joined["theory/1"])
        assert judged.achieved.name == "inconclusive" and f"3 of {planned} planned" in judged.achieved.why
        assert [r.methods for r in rankings(suite.tables[0], joined["theory/1"])] == [2, 2, 2]
        asked, hopeless = open_questions(joined["theory/1"], {t.key: t.tolerance for t in suite.tables}, [judged])
        about = [x for x in (*asked, *hopeless) if x.name.startswith("claim")]
        assert [type(x) for x in about] == [kind]
        if planned == 5:
            assert [(x.cells, x.chance(1), x.chance(2)) for x in about] == [((CELL.id,), 0.0, 1.0)]


@pytest.mark.parametrize("plans", [(3, 5), (3, 0, 7), (1, 5), (2, 3, 4), (0, 5)])
def test_plans_of_several_labs_that_disagree_end_with_the_largest(plans: tuple[int, ...]) -> None:
    """A plan that is complete beside a larger one, of which seeds were taken out, does not hide it; in any order."""
    for order in itertools.permutations(plans):
        merged = [r for p in order for r in _made([p] * 3)]
        for found in (merged, list(by_evaluation(merged).values())):
            entries = _joined(found)[1].entries.values()
            assert all(f"3 of {max(plans)} planned" in e.verdict.why for e in entries)
            assert {e.verdict.name for e in entries} == {"reproduced where it trains"}
    rest = _made([max(plans)] * max(plans))
    assert _joined([*merged, *rest])[1].entries["V_g"].verdict.name == "reproduced"


def test_a_plan_that_is_asked_for_again_smaller_or_under_another_protocol_stays_unfinished() -> None:
    assert _joined(_made([5, 5, 3]))[1].short.startswith("3 of 5 planned")
    other = [
        dataclasses.replace(r, evaluation=f"{r.seed:064x}", protocol=dataclasses.replace(r.protocol, probe_images=9))
        for r in _made([5] * 5)
    ]
    assert _joined([*_made([3] * 3), *other])[1].short.startswith("3 of 5 planned")
    assert _joined([*_made([3] * 5), *other])[1].short == ""


def _until_decided(folder: Path, monkeypatch: pytest.MonkeyPatch, planned: int) -> Lab:
    """Three of so many planned seeds of the first method, and all of the others', all of them at what is printed."""
    monkeypatch.setenv("GANBENCH_CACHE", str(folder / "cache"))
    lab = Lab(folder / "results", monkeypatch, spread=1e-3, seeds=0)
    for cell in full_cells():
        for seed in range(3):
            lab.keep(cell, seed, lab.noisy(cell), planned if cell.id == CELL.id else 3)
    return lab


def test_until_decided_ends_an_interrupted_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = _until_decided(tmp_path, monkeypatch, 5)
    assert lab.decide() == 0
    said = capsys.readouterr().err
    assert {(CELL.method, 3), (CELL.method, 4)} <= set(lab.made) and len(lab.made) < 9
    assert "D_G, L_Vg_Bz, V_g: reproduced (was: reproduced where it trains)" in said


@pytest.mark.parametrize("planned, barred, said", [(5, "no data", "no data"), (60, "", "'run --seeds 60' makes")])
def test_until_decided_says_why_it_does_not_end_a_plan(
    planned: int, barred: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    lab = _until_decided(tmp_path, monkeypatch, planned)
    lab.blocked = {CELL.method: barred} if barred else {}
    assert lab.decide() == 1 and lab.made == []
    found = capsys.readouterr().err
    assert said in listed(found, "open, and blocked") and "cannot be decided" not in found


@pytest.mark.parametrize("made, planned, asked", [(1, 1, True), (2, 2, True), (3, 5, True), (3, 3, False)])
@pytest.mark.parametrize("diverged", [True, False])
def test_seeds_beside_a_dash_are_asked_for_up_to_the_first_look(
    made: int, planned: int, asked: bool, diverged: bool
) -> None:
    suite = load("suites/gran.yaml", "full")
    table = next(t for t in suite.tables if t.key == "gran/2")
    cell = next(c for c in table.cells if c.published["FID"].text == "not-converged")
    end: dict[str, object] = {"status": "diverged", "final": None} if diverged else {}
    found = [record_for(cell, s, dict.fromkeys(table.metrics, 69.0 + s), seeds=planned, **end) for s in range(made)]
    joined = load_joined("suites/gran.yaml", found)[1][table.key]
    questions, _ = open_questions(joined, {table.key: table.tolerance}, [])
    assert (f"{cell.id} FID" in {q.name for q in questions}) == asked


def test_the_command_that_makes_a_cell_again_ends_its_plan() -> None:
    """A smaller one, in a fresh folder, would make the same seeds a complete plan."""
    assert seeds_of(_made([5] * 3), ()) == (5, False)
    assert seeds_of(_joined([*_made([3] * 3), *_made([5] * 3)])[1].records, ()) == (5, True)
    assert seeds_of(_made([3] * 3), ()) == (3, False) and seeds_of(_made([1, 0, 0, 0]), ()) == (4, True)


def test_the_last_seed_that_an_older_version_measured_is_not_called_collapsed() -> None:
    *made, last = _made([3] * 3)
    older = dataclasses.replace(last, measure_version=last.measure_version - 1, evaluation="0" * 64)
    cell = _joined([*made, older])[1]
    assert "2 of 3 planned seeds are there; seed 2 is measured by version" in cell.short
    assert "collapsed" not in cell.short and cell.entries["V_g"].verdict.why.startswith(cell.short)
