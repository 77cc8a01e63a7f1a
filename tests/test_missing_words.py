"""What is not there is called by its name: a metric, a version of the measuring code, a model that did not converge."""

from __future__ import annotations

import dataclasses

import pytest

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined, load_joined
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.render import markdown
from benchmark.collate.presenting.table import view
from benchmark.collate.statistics.interval import estimate
from benchmark.plan.keys import MEASURE_VERSION
from benchmark.records.record import Record
from benchmark.suite.model import Published, Tolerance
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells

EXACT, PROXY = Tier("exact", ()), Tier("proxy", ("epochs: 200 -> 20",))


def joined_with(changed: dict[int, dict[str, object]]) -> tuple[Joined, Entry]:
    """The first cell's three records, some of them changed, and what becomes of V_g."""
    first = full_cells()[0].id
    found = [
        dataclasses.replace(r, **changed[r.seed]) if r.cell == first and r.seed in changed else r
        for r in _three_seeds(PUBLISHED)
    ]
    joined = load_joined(THEORY, found)[1]["theory/1"][0]
    return joined, joined.entries["V_g"]


def without(record: Record, metric: str) -> dict[str, object]:
    return {"final": {m: v for m, v in record.final.items() if m != metric}}


@pytest.mark.parametrize("lack", [{0}, {1, 2}, {0, 1, 2}])
def test_a_metric_that_records_lack_is_not_measured(lack: set[int]) -> None:
    records = [r for r in _three_seeds(PUBLISHED) if r.cell == full_cells()[0].id]
    joined, entry = joined_with({seed: without(records[seed], "V_g") for seed in lack})
    assert entry.verdict.name == "not measured" and "not run" not in entry.verdict.why
    assert (f"{min(lack)}" if len(lack) < 3 else "no record has V_g") in entry.verdict.why
    assert joined.entries["D_G"].verdict.name == "reproduced"
    suite, rows = load_joined(THEORY, list(joined.records))
    shown = view(suite.tables[0], rows["theory/1"])
    assert "not measured" in markdown(shown) and "not measured" in latex(shown)


@pytest.mark.parametrize(
    ("old", "verdict"), [({0}, "inconclusive"), ({0, 1}, "inconclusive"), ({0, 1, 2}, "not measured")]
)
def test_two_versions_of_measuring_are_said_and_no_seed_is_called_missing(old: set[int], verdict: str) -> None:
    joined, entry = joined_with({seed: {"measure_version": MEASURE_VERSION + 6} for seed in old})
    allowed = (verdict, "missing here") if len(old) == 3 else (verdict,)  # where its images are not here
    assert entry.verdict.name in allowed and "is missing" not in entry.verdict.why
    assert f"version {MEASURE_VERSION + 6} of the measuring code" in entry.verdict.why
    assert f"seed{'s' * (len(old) > 1)} {', '.join(map(str, sorted(old)))} " in entry.verdict.why
    if verdict == "inconclusive":
        suite, rows = load_joined(THEORY, list(_three_seeds(PUBLISHED))[3:] + list(joined.records))
        assert judge_claim(suite.claims[0], rows["theory/1"]).achieved.name == "not judged"


def test_a_seed_of_which_nothing_is_known_is_still_missing() -> None:
    found = [r for r in _three_seeds(PUBLISHED) if (r.cell, r.seed) != (full_cells()[0].id, 1)]
    why = load_joined(THEORY, found)[1]["theory/1"][0].entries["V_g"].verdict.why
    assert "seed 1 is missing" in why


NOT_CONVERGED = Published("not-converged", None, None, None, "own")


def lost(diverged: int, values: list[float] = [], tier: Tier = EXACT, **more: object) -> Verdict:  # noqa: B006
    band = Tolerance(0.05, "a test")
    achieved = estimate(values) if values else None
    return judge(NOT_CONVERGED, achieved, diverged, [tier], "lower", band, "", **more)


@pytest.mark.parametrize(("n", "least"), [(3, "37 %"), (5, "55 %"), (10, "74 %")])
def test_that_it_did_not_converge_can_be_reproduced(n: int, least: str) -> None:
    found = lost(n)
    assert found.name == "reproduced" and least in found.why


def test_and_is_not_by_few_seeds_by_some_of_them_or_by_another_recipe() -> None:
    assert lost(1).name == lost(2).name == "inconclusive"
    assert lost(2, [20.0]).name == lost(3, [20.0]).name == "diverged"
    assert lost(3, tier=PROXY).name == "diverged"
    assert lost(3, gap=1).name == "diverged"
    assert lost(3, failed="seed 4 failed").name == "failed"
    quoted = dataclasses.replace(NOT_CONVERGED, origin="quoted")
    assert judge(quoted, None, 3, [EXACT], "lower", Tolerance(0.05, "a test"), "").name == "diverged"
    assert judge(Published("7.0", 7.0, None, None, "own"), None, 3, [EXACT], "lower", None, "").name == "diverged"
