"""What a paper means by "did not converge" (GraN-GAN: no FID below 70): as a rule, by its numbers and by ours."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from benchmark.collate.judging.by_ours import by_ours
from benchmark.collate.judging.join import Entry, Joined
from benchmark.collate.judging.limit import beside_a_dash
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.statistics.comparisons import Pair
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.outlook import pair_odds
from benchmark.suite.load import load
from benchmark.suite.model import Published
from benchmark.suite.nodes import SuiteError

ROOT = Path(__file__).resolve().parents[1]
SUITE = load(ROOT / "suites/gran.yaml")
TABLE = next(t for t in SUITE.tables if t.id == "3")
DASH = Published("not-converged", None, None, None, "own")
EXACT = Tier("exact", ())
OPEN = Verdict("", "no published number (not-converged)")


def test_the_papers_tables_and_those_beside_them_have_its_limit() -> None:
    limits = {t.id: t.converged for t in SUITE.tables if t.converged}
    assert limits == {key: {"FID": 70.0} for key in ("2", "3", "losses", "K", "K-tuned")}


@pytest.mark.parametrize(
    ("values", "tier", "metric", "name", "said"),
    [
        ([30.0, 31.0, 32.0], EXACT, "FID", "converged", "70 is its limit"),
        ([90.0, 91.0, 92.0], EXACT, "FID", "reproduced", "did not converge either"),
        ([60.0, 70.0, 80.0], EXACT, "FID", "inconclusive", "both sides"),
        ([30.0], EXACT, "FID", "inconclusive", "no interval"),
        ([30.0, 30.0, 30.0], EXACT, "FID", "inconclusive", "no interval"),
        ([30.0, 31.0, 32.0], Tier("proxy", ("steps",)), "FID", "", "no verdict from such runs"),
        ([3.0, 3.1, 3.2], EXACT, "KIDx1000", "", "no published number"),
    ],
)
def test_a_run_of_ours_beside_a_dash(values: list[float], tier: Tier, metric: str, name: str, said: str) -> None:
    found = beside_a_dash(OPEN, DASH, estimate(values), [tier], TABLE, metric)
    assert found.name == name and said in found.why


def test_other_verdicts_and_numbers_stay_as_they_are() -> None:
    ours = estimate([30.0, 31.0, 32.0])
    failed = Verdict("failed", "a run")
    assert beside_a_dash(failed, DASH, ours, [EXACT], TABLE, "FID") is failed
    for printed in (None, dataclasses.replace(DASH, text="not-reported"), Published("1", 1.0, None, None, "own")):
        assert beside_a_dash(OPEN, printed, ours, [EXACT], TABLE, "FID") is OPEN
    assert beside_a_dash(OPEN, DASH, ours, [EXACT], TABLE, "FID", gap=1).name == ""


def _cells(values: dict[str, list[float]]) -> list[Joined]:
    """NSGAN and WGAN-GP of Table 3 with FIDs of ours."""
    found = []
    for cell in TABLE.cells:
        if cell.id in values:
            entry = Entry(cell, "FID", "lower", cell.published["FID"], estimate(values[cell.id]), None, OPEN)
            record: Any = object()
            found.append(Joined(cell, (record,), EXACT, {"FID": entry}))
    return found


@pytest.mark.parametrize(
    ("fid", "name"),
    [([90.0, 91.0, 92.0], "holds"), ([30.0, 31.0, 32.0], "fails"), ([60.0, 70.0, 80.0], "inconclusive")],
)
def test_a_claim_that_nothing_converged_is_judged_by_our_runs(fid: list[float], name: str) -> None:
    claim = next(c for c in SUITE.claims if c.id == "nsgan-does-not-converge")
    assert [n.metric for n in claim.numbers()] == ["FID"] * 3
    cells = _cells({n.cell: [90.0, 91.0, 92.0] for n in claim.numbers()} | {"gran/3/NSGAN/celeba": fid})
    entries = {n: j.entries["FID"] for n in claim.numbers() for j in cells if j.cell.id == n.cell}
    verdict = by_ours(claim, cells, entries)
    assert verdict.name == name and (name == "inconclusive" or "limit 70" in str(verdict))


def test_more_seeds_are_worth_asking_for_where_a_mean_is_near_the_limit() -> None:
    number = next(c for c in SUITE.claims if c.id == "nsgan-does-not-converge").numbers()[0]
    ours = estimate([64.0, 66.0, 68.0])
    few, many = (pair_odds(Pair(number, number, limit=70.0), ours, ours, n, n, 0.025) for n in (3, 20))
    assert many[0] > few[0] and many[0] > 0.9 and many[1] < 0.01


def test_a_limit_is_of_a_metric_of_the_table(tmp_path: Path) -> None:
    text = (ROOT / "suites/gran.yaml").read_text(encoding="utf-8")
    (tmp_path / "gran.yaml").write_text(
        text.replace("converged: {FID: 70}", "converged: {FIT: 70}", 1), encoding="utf-8"
    )
    with pytest.raises(SuiteError, match="gran.yaml:.*FIT"):
        load(tmp_path / "gran.yaml")
