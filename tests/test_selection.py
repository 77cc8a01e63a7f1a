"""Nothing rests on a selection: a seed that is missing, a metric that one seed leaves out, a last measurement that is
not the last.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.index import first_gap
from benchmark.collate.judging.join import join, load_joined
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import judge
from benchmark.collate.presenting.site.curves import curves
from benchmark.collate.presenting.site.scatters import scatters
from benchmark.collate.presenting.site.slopes import slopes
from benchmark.collate.statistics.comparisons import Pair, compare
from benchmark.collate.statistics.improvement import improvements
from benchmark.collate.statistics.interval import estimate
from benchmark.records import store
from benchmark.records.record import Record
from benchmark.suite.claim import Number
from benchmark.suite.load import load
from benchmark.suite.model import Published, Tolerance
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells, record_for

JUDGING = {"reproduced", "better", "not reproduced"}
VALUES = {"L_Vg_Bz": 5.0, "V_g": -0.657, "D_G": -0.48}


def _without(found: list[Record], seed: int) -> list[Record]:
    """Of the first method's records, all but one seed's."""
    return [r for r in found if not (r.seed == seed and r.cell == full_cells()[0].id)]


def test_a_seed_missing_in_between_leaves_a_number_and_its_claims_open() -> None:
    suite, joined = load_joined(THEORY, _three_seeds(PUBLISHED))
    whole = joined["theory/1"]
    assert all("B_z=10^-2 [MLP]:" in p.text for p in slopes(suite.tables[0], whole))
    assert (
        whole[0].entries["V_g"].verdict.name == "reproduced"
        and judge_claim(suite.claims[0], whole).achieved.name == "holds"
    )
    for lost, planned, judged in ((0, 3, False), (1, 3, False), (2, 2, True)):  # the last one: two seeds were planned
        _, joined = load_joined(
            THEORY, [dataclasses.replace(r, planned=planned) for r in _without(_three_seeds(PUBLISHED), lost)]
        )
        cells = joined["theory/1"]
        verdicts = {e.verdict.name for e in cells[0].entries.values()}
        assert bool(verdicts & JUDGING) == judged, lost
        if not judged:
            assert f"seed {lost} is missing" in cells[0].entries["V_g"].verdict.why
            assert judge_claim(suite.claims[0], cells).achieved.name == "not judged"
            assert {r.methods for r in rankings(suite.tables[0], cells)} == {2}
            assert not any("B_z=10^-2 [MLP]:" in p.text for p in slopes(suite.tables[0], cells))


def test_gaps_of_seeds() -> None:
    made = [record_for(full_cells()[0], s, VALUES) for s in (0, 1, 2, 5)]
    assert first_gap(made) == 3 and first_gap(made[:3]) is None and first_gap(made[1:]) == 0 and first_gap([]) is None
    assert first_gap([dataclasses.replace(made[0], seed=2**62)]) == 0


def test_a_metric_that_one_seed_leaves_out_is_not_averaged_over_the_others() -> None:
    found = [record_for(full_cells()[0], s, VALUES | {"V_g": v}) for s, v in enumerate((-0.657, -0.6571, -0.6569))]
    found.append(record_for(full_cells()[0], 3, {"L_Vg_Bz": 5.0, "D_G": -0.48}))
    entry = load_joined(THEORY, found)[1]["theory/1"][0].entries["V_g"]
    assert entry.achieved is None and entry.verdict.name not in JUDGING and "every record" in entry.verdict.why


def test_survivors_of_divergence_are_not_ranked_in_the_figure() -> None:
    found = [
        dataclasses.replace(r, status="diverged", final=None) if r.seed == 2 and r.cell == full_cells()[0].id else r
        for r in _three_seeds(PUBLISHED)
    ]
    suite, joined = load_joined(THEORY, found)
    assert not any("B_z=10^-2 [MLP]:" in p.text for p in slopes(suite.tables[0], joined["theory/1"]))


def test_a_stand_in_extractors_numbers_are_drawn_beside_no_published_one() -> None:
    """An FID of another network on one axis with a published FID would look like a comparison."""
    _, joined = load_joined(THEORY, _three_seeds(PUBLISHED))
    real = joined["theory/1"]
    standing_in = [
        dataclasses.replace(
            j,
            records=tuple(
                dataclasses.replace(r, protocol=dataclasses.replace(r.protocol, features="efficientnet-lite0"))
                for r in j.records
            ),
        )
        for j in real
    ]
    assert len(scatters("t", real)) == 3 and scatters("t", standing_in) == []
    dashed = [[m.kind for p in curves(cells[0]) for m in p.marks].count("across") for cells in (real, standing_in)]
    assert dashed == [3, 0]


@pytest.mark.parametrize("step", [1, 187599])
def test_a_last_measurement_that_is_not_of_the_last_step_is_refused(tmp_path: Path, step: int) -> None:
    made = record_for(full_cells()[0], 0, VALUES)
    store.write(tmp_path, "a", dataclasses.replace(made, final={**made.final, "step": step}))
    found, problems = store.read_all(tmp_path)
    assert not found and f"its last measurement is of step {step:,} of 187,600" in str(problems[0])


def test_a_published_zero_has_no_band_and_stops_nothing() -> None:
    zero = Published("0.00", 0.0, None, None, "own")
    for values in ([0.3], [0.3, 0.31, 0.32], [0.0, 0.0, 1e-9]):
        verdict = judge(zero, estimate(values), 0, [Tier("exact", ())], "lower", Tolerance(0.05, "a test"), "")
        assert verdict.name == "inconclusive" and "no width" in verdict.why


def test_seeds_that_agree_to_the_last_digit_are_not_known_exactly_in_a_comparison() -> None:
    a, b = Number("a", "FID", "lower"), Number("b", "FID", "lower")
    same, other = estimate([10.0] * 3), estimate([12.0, 12.1, 12.2])
    assert compare([Pair(a, b)], {a: same, b: other})[Pair(a, b)].sign == 0
    assert improvements([(same, other)], True)[0][1:] == (0.0, 1.0)


def test_join_of_nothing_has_no_gap() -> None:
    suite = load(THEORY)
    assert all(j.gap is None for rows in join(suite, []).values() for j in rows)
