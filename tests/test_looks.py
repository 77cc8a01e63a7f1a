"""Seeds that were added after a look: who is told so by the records, and intervals that hold all the same."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from benchmark.cli import parser
from benchmark.collate.judging.join import Entry, Joined, join, load_joined
from benchmark.collate.presenting.render import markdown
from benchmark.collate.presenting.site import facts
from benchmark.collate.presenting.table import view
from benchmark.collate.statistics.comparisons import Pair, compare
from benchmark.collate.statistics.improvement import improvements
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.looks import LAST, LEVEL, PAIR_SHARE, PAIRS, SHARE, critical, looked
from benchmark.keys import evaluation_key, run_key
from benchmark.records import shelf
from benchmark.records.bundle import export
from benchmark.records.failures import Failure
from benchmark.records.furthest import by_evaluation
from benchmark.records.merge import merge
from benchmark.records.record import Record, RecordError
from benchmark.records.store import read, read_all, write
from benchmark.suite.claim import Number
from benchmark.suite.load import load
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells, record_for
from tests.test_decide import run
from tests.test_decide import write as write_suite

SCRIPT = Path(__file__).parents[1] / "results/verdicts/peeking.py"
PAGE = SCRIPT.parents[2] / "docs/verdicts.md"


@pytest.fixture(scope="module")
def sim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ganbench_peeking", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("planned", "wide"),
    [
        ([3, 3, 3], False),
        ([1], False),
        ([3], True),  # the first of three
        ([1, 3, 3], False),  # one seed decides nothing: no look
        ([5, 5, 5, 5, 5], False),
        ([5, 5, 5], True),  # two of the five are not there
        ([3, 3, 3, 5, 5], True),  # a second plan, after a look at the first
        ([2, 2, 3], True),
        ([3, 3, 3, 0], True),
        ([0, 0, 0], True),
        ([None, None, None], True),  # they do not say
        ([3, 3, None], True),
        ([4, 4, 4, 4, 4], True),  # more than were planned
    ],
)
def test_the_records_tell_whether_somebody_may_have_looked(planned: list[int | None], wide: bool) -> None:
    assert looked(SimpleNamespace(planned=p) for p in planned) is wide


def test_plans_are_in_the_records_and_no_careless_edit_narrows_an_interval(tmp_path: Path) -> None:
    made = [dataclasses.replace(r, planned=0) for r in _three_seeds(PUBLISHED) if r.cell == full_cells()[0].id]
    path = write(tmp_path, "a", made[0])
    assert read(path).planned == 0
    for edit in ({"planned": 3}, {"planned": -1}, {"planned": True}, {"planned": "3"}):
        (tmp_path / "edited.json").write_text(json.dumps(json.loads(path.read_text()) | edit))
        with pytest.raises(RecordError, match="planned"):
            read(tmp_path / "edited.json")
    without = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("planned", "seal")}
    (tmp_path / "edited.json").write_text(json.dumps(without))
    assert looked([read(tmp_path / "edited.json"), *made[1:]])
    twice = [dataclasses.replace(made[0], planned=3), made[0]]
    assert (
        {r.planned for r in by_evaluation(twice).values()}
        == {r.planned for r in by_evaluation(twice[::-1]).values()}
        == {0}
    ), "of two copies the one of the smaller plan"


def test_labs_that_made_the_same_seeds_by_other_plans_agree_after_merging(tmp_path: Path) -> None:
    made = [r for r in _three_seeds(PUBLISHED, 0.005) if r.cell == full_cells()[0].id]
    labs = {"a": made, "b": [dataclasses.replace(r, planned=0) for r in made]}
    for name, found in labs.items():
        for r in found:
            write(tmp_path / name, "theory/x", r)
    for name, order in {
        "first a": "ab",
        "first b": "ba",
        "again": "abab",
    }.items():  # into a folder that has none of its own
        (tmp_path / name).mkdir()
        assert merge(tmp_path / name, [tmp_path / lab for lab in order]) == (3, 3 * (len(order) - 1), [])
        assert len(read_all(tmp_path / name)[0]) == 6, "a copy for each plan, however often it comes"
    for ours, theirs in (("a", "b"), ("b", "a"), ("a", "b")):
        assert merge(tmp_path / ours, [tmp_path / theirs])[2] == []
    found = [_first(read_all(tmp_path / name)[0]) for name in (*labs, "first a", "first b", "again")]
    assert (
        all(e.achieved == found[0].achieved and e.verdict == found[0].verdict for e in found)
        and found[0].achieved.looked
    )


def test_plans_of_other_sizes_count_in_whatever_order_labs_are_merged(tmp_path: Path) -> None:
    made = [r for r in _three_seeds(PUBLISHED, 0.005) if r.cell == full_cells()[0].id]
    for name, planned in (("three", 3), ("five", 5)):
        for r in made:
            write(tmp_path / name, "theory/x", dataclasses.replace(r, planned=planned))
    for name, order in {"a": ("three", "five"), "b": ("five", "three")}.items():
        (tmp_path / name).mkdir()
        merge(tmp_path / name, [tmp_path / lab for lab in order])
        assert _first(read_all(tmp_path / name)[0]).achieved.looked


def _first(found: list[Record]) -> Entry:
    """What the first cell gets."""
    return load_joined(THEORY, found)[1]["theory/1"][0].entries["V_g"]


def test_a_look_is_remembered_when_its_trainings_are_measured_again_or_gone_on_with(tmp_path: Path) -> None:
    """Other records of the same recipe, data and seeds speak of looks, too: of another protocol, another version, fewer
    steps.
    """
    cell, values = full_cells()[0], {"L_Vg_Bz": 5.0, "V_g": -0.657, "D_G": -0.48}
    other = dataclasses.replace(cell, protocol=dataclasses.replace(cell.protocol, every_epochs=2))
    old = {
        name: [_as(record_for(cell, s, values), planned=p, **changes) for s, p in enumerate(plans)]
        for name, (plans, changes) in {
            "until decided": ([3, 3, 3, 0, 0], {"measure_version": 0}),
            "of a smaller plan": ([3, 3, 3, 5, 5], {"versions": {"step": 0}}),
            "stopped early": ([3, 3, 3], {"status": "partial", "steps": 938, "epochs": 1.0}),
            "not said": ([None] * 5, {"measure_version": 0}),
        }.items()
    }
    early = {"status": "partial", "steps": 938, "epochs": 1.0}
    old["stopped early"] = [record_for(cell, s, values, seeds=3, **early) for s in range(3)]
    old["another protocol"] = [_as(record_for(other, s, values), planned=0) for s in range(5)]
    new = [record_for(cell, s, {**values, "V_g": -0.657 - s / 1e5}, seeds=5) for s in range(5)]
    assert not _first(new).achieved.looked
    for name, before in old.items():
        assert all(_first(found).achieved.looked for found in (before + new, new + before)), name
        assert by_evaluation(before + new)[new[0].evaluation].outcome == new[0].outcome, name
    assert not _first(new + [record_for(cell, s, values, seeds=5, **early) for s in range(5)]).achieved.looked, (
        "the same plan"
    )
    assert not _first([*new, _as(record_for(other, 0, values), planned=1)]).achieved.looked, "one seed decides nothing"
    assert not _first(new + [record_for(full_cells()[1], s, values, seeds=3) for s in range(3)]).achieved.looked, (
        "other trainings"
    )
    for i, r in enumerate(old["stopped early"] + new):
        write(tmp_path, f"x/{i}", r)
    export([load(THEORY)], [cell], read_all(tmp_path)[0], tmp_path / "mine.zip")
    (tmp_path / "theirs").mkdir()
    merge(tmp_path / "theirs", [tmp_path / "mine.zip"])
    assert _first(read_all(tmp_path / "theirs")[0]).achieved.looked, (
        "a bundle, which leaves out what does not count, says so"
    )
    shelved = shelf.read_all(tmp_path)[0]
    kept = by_evaluation(shelved)[new[0].evaluation]
    assert kept.planned == 0 and "samples" not in kept.__dict__ and kept.history == new[0].history


def _as(record: Record, **changes: object) -> Record:
    """The record with its keys as they follow from what is changed."""
    changed = dataclasses.replace(record, **changes)
    run = run_key(changed.recipe, changed.content, changed.subset, changed.seed, changed.versions)
    return dataclasses.replace(
        changed, run=run, evaluation=evaluation_key(run, changed.protocol, changed.measure_version, changed.real)
    )


def test_who_makes_the_runs_again_by_the_printed_command_gets_the_same_interval() -> None:
    suite = load(THEORY)
    cell = suite.cells[0]
    values = [{"L_Vg_Bz": 5.0, "V_g": -0.657 - s / 1e4, "D_G": -0.48} for s in range(5)]

    def made(plans: list[int], failed: tuple[int, ...] = ()) -> Joined:
        lost = {
            r.evaluation: Failure(r.evaluation, s, "boom", "", "r")
            for s in failed
            for r in [record_for(cell, s, values[0])]
        }
        return join(
            suite,
            [record_for(cell, s, values[s], seeds=p) for s, p in enumerate(plans) if s not in failed],
            failures=lost,
        )["theory/1"][0]

    for plans in ([3, 3, 3], [3, 3, 3, 0, 0], [1, 0, 0], [3, 3, 3, 5, 5], [5, 5, 5, 5, 5], [1], [0]):
        joined = made(plans)
        a = parser().parse_args(shlex.split(facts.command(joined, "r"))[1:])
        again = made([0 if a.looked else a.seeds] * a.seeds)
        assert [e.achieved.half for e in again.entries.values()] == [
            e.achieved.half for e in joined.entries.values()
        ], plans
    a = parser().parse_args(shlex.split(facts.command(made([5, 5, 5]), "r"))[1:])
    assert (a.seeds, a.looked) == (5, False), "the whole of a plan that is not finished"
    for plans, failed, seeds, chosen in (
        ([5] * 5, (2,), 5, False),
        ([5] * 3, (1,), 5, False),
        ([3, 3, 3, 0, 0], (4,), 5, True),
        ([1, 0, 0], (2,), 3, True),
    ):
        joined = made(plans, failed)
        for command in (facts.command(joined, "r"), joined.entries["V_g"].verdict.why.rpartition("again: ")[2]):
            a = parser().parse_args(shlex.split(command)[1:])
            assert (a.seeds, a.looked) == (seeds, chosen), "no more is said of looks than there were, and no less"


def test_run_looked_makes_records_that_say_so(tmp_path: Path) -> None:
    suite, results = write_suite(tmp_path / "tiny.yaml"), tmp_path / "results"
    assert run(suite, results, "--seeds", "2", "--looked", "--only", "method=A") == 0
    assert [r.planned for r in read_all(results)[0]] == [0, 0]


def test_verdict_interval_and_footnote_are_those_of_all_looks() -> None:
    suite, fixed = load_joined(THEORY, _three_seeds(PUBLISHED, 0.005))
    _, added = load_joined(THEORY, [dataclasses.replace(r, planned=0) for r in _three_seeds(PUBLISHED, 0.005)])
    narrow, wide = (joined["theory/1"][0].entries["V_g"] for joined in (fixed, added))
    assert wide.achieved.half == pytest.approx(narrow.achieved.half * stats.t.ppf(0.9975, 2) / stats.t.ppf(0.975, 2))
    assert (
        narrow.verdict.name == "reproduced"
        and wide.verdict.name == "inconclusive"
        and "over all looks" in wide.verdict.why
    )
    for joined, said in ((fixed, False), (added, True)):
        assert ("holds over all looks" in markdown(view(suite.tables[0], joined["theory/1"]))) is said
    two = [
        dataclasses.replace(
            record_for(full_cells()[0], s, {"L_Vg_Bz": 5.0, "V_g": -0.657 - s / 1e5, "D_G": -0.48}), planned=0
        )
        for s in (0, 1)
    ]
    entry = load_joined(THEORY, two)[1]["theory/1"][0].entries["V_g"]
    assert (
        entry.achieved.half is None and entry.verdict.name == "inconclusive" and "judged from 3 on" in entry.verdict.why
    )


def test_intervals_of_all_looks_together_hold_the_truth() -> None:
    """The design's own promise, by draws that know nothing of the code: 95 % up to the last look, and no narrower after
    it.
    """
    x = np.random.default_rng(3).normal(size=(6000, LAST))
    n = np.arange(1, LAST + 1)
    mean = np.cumsum(x, 1) / n
    with np.errstate(all="ignore"):
        std = np.sqrt((np.cumsum(x * x, 1) - n * mean**2) / (n - 1))
    reach = np.array([math.inf, math.inf, *(critical(int(k), True) / math.sqrt(k) for k in n[2:])])
    held = np.mean((np.abs(mean[:, 2:]) <= reach[2:] * std[:, 2:]).all(1))
    assert 0.945 <= held <= 0.975, held
    assert critical(4 * LAST, True) / math.sqrt(4 * LAST) == pytest.approx(
        critical(LAST, True) / math.sqrt(LAST)
    ) and critical(5, False) == pytest.approx(stats.t.ppf(0.975, 4))


@pytest.mark.parametrize("effect", [0.999, 1.001])
def test_who_looks_after_every_seed_gets_no_more_false_verdicts(sim: ModuleType, effect: float) -> None:
    draws = 250
    for plan in (
        "`--until-decided`",
        "1, then 3, then one plan more for each seed",
        "10 planned, and looked at from 3 on",
    ):
        looks = {n: sim.by_plan(plan, n) for n in range(3, 11)}
        found = sim.many(effect, 0.02, looks, draws, np.random.default_rng(len(plan)))
        assert found.false / draws <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws), plan
    assert (
        sim.many(0, 0.01, dict.fromkeys(range(3, 11), True), 100, np.random.default_rng(0)).verdicts["reproduced"] > 90
    ), "and gets verdicts"


def test_comparisons_pay_for_looks_too(sim: ModuleType) -> None:
    a, b = Number("a", "FID", "lower"), Number("b", "FID", "lower")
    x, y = [1.0, 1.1, 0.9], [1.6, 1.7, 1.5]
    plain, paid = (
        compare([Pair(a, b)], {a: estimate(x, looked=wide), b: estimate(y, looked=wide)})[Pair(a, b)]
        for wide in (False, True)
    )
    assert (
        plain.sign == 1
        and paid.sign == 0
        and paid.p == pytest.approx(18 * 2 * stats.t.sf(abs(stats.ttest_ind(x, y).statistic), 2))
    )
    wrong = 0
    for u, v in zip(*np.random.default_rng(4).normal(size=(2, 250, 12)).tolist()):
        wrong += any(
            compare([Pair(a, b)], {a: estimate(u[:n], looked=True), b: estimate(v[:m], looked=True)})[Pair(a, b)].sign
            for n, m in sim.PATHS["in turn"]
            if max(n, m) <= 12
        )
    assert wrong / 250 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 250)


def test_comparisons_get_no_narrower_after_the_last_look() -> None:
    """As intervals of one number: what 50 seeds leave open by a hair, 400 of the same mean and spread leave open,
    too.
    """
    a, b = Number("a", "FID", "lower"), Number("b", "FID", "lower")
    unit = {
        n: (z - z.mean()) / z.std(ddof=1)
        for n in (30, LAST, 8 * LAST)
        for z in [np.random.default_rng(n).normal(size=n)]
    }

    def p(n: int, looks: bool) -> float:
        return compare(
            [Pair(a, b)],
            {a: estimate(unit[n].tolist(), looked=looks), b: estimate((unit[n] + 0.5).tolist(), looked=looks)},
        )[Pair(a, b)].p

    assert (
        p(8 * LAST, True) == pytest.approx(p(LAST, True))
        and p(30, True) > 1.5 * p(LAST, True)
        and p(8 * LAST, False) < 1e-9
    )
    width = {
        n: np.ptp(
            improvements(
                [(estimate(unit[n].tolist(), looked=True), estimate((unit[n] + 0.5).tolist(), looked=True))], True
            )[0][1:]
        )
        for n in unit
    }
    assert width[8 * LAST] == pytest.approx(width[LAST], rel=1e-6) and width[30] > 1.1 * width[LAST]


def test_the_share_of_the_level_is_the_largest_that_holds_at_all_looks(sim: ModuleType) -> None:
    """Exactly, with all noise on one side; the quadrature agrees with plain draws."""
    x = np.random.default_rng(6).normal(size=(20_000, LAST))
    n = np.arange(3, LAST + 1)
    mean, squares = np.cumsum(x, 1)[:, 2:] / n, np.cumsum(x * x, 1)[:, 2:]
    t = np.abs(mean) / np.sqrt((squares - n * mean**2) / (n - 1) / n)
    drawn = np.mean((t > stats.t.ppf(1 - 0.025 / SHARE, n - 1)).any(1))
    exact = {
        (pairs, share): sim.ever((1 - LEVEL) / pairs, share, 2000, 200) / (1 - LEVEL) * pairs
        for pairs, share in ((1, SHARE), (1, SHARE - 1), (PAIRS, PAIR_SHARE), (PAIRS, PAIR_SHARE - 1))
    }
    assert drawn == pytest.approx(0.05 * exact[1, SHARE], abs=0.005)
    assert exact[1, SHARE] <= 1 < exact[1, SHARE - 1] and exact[PAIRS, PAIR_SHARE] <= 1 < exact[PAIRS, PAIR_SHARE - 1]


def test_what_is_said_of_looks_after_a_plan_is_what_was_simulated(sim: ModuleType) -> None:
    text = SCRIPT.with_suffix(".md").read_text(encoding="utf-8")
    lines = text.split("## A plan of so many seeds")[1].split("## Families")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith(("| number", "| pair"))]
    worst = {first: max(float(row[5]) for row in rows if int(row[2]) == first) for first in (1, 2, 3, 5)}
    assert (
        len(rows) == 16
        and worst[1] < 5
        and all(float(row[3]) <= float(row[4]) <= float(row[5]) for row in rows if row[3] != "–")
    )
    page = SCRIPT.with_name("blind.md").read_text(encoding="utf-8").split("at any look")[1].split("\n## ")[0]
    after = {
        row.split(" | ")[0].strip("| "): row.strip("| ").split(" | ") for row in page.splitlines() if row[:1] == "|"
    }
    normal, skewed = (max(map(float, v[2:5])) for k, v in after.items() if k == "normal" or k.startswith("strongly"))
    said = re.search(r"at most (\S+) % in all with normal noise, and up to (\S+) %", PAGE.read_text(encoding="utf-8"))
    assert said and normal <= float(said[1]) and skewed == float(said[2])
    ends = sim.onward(3, 400, np.random.default_rng(2), 5)
    assert 0.02 < np.mean(ends == 3) < np.mean(ends > 0) < 0.15
    again = np.mean(sim.onward(1, 400, np.random.default_rng(2)) > 0)
    assert 0 < again <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_the_committed_figures_keep_the_promise() -> None:
    text = SCRIPT.with_suffix(".md").read_text(encoding="utf-8")
    rows = [
        line.strip("| ").split(" | ")
        for line in text.split("## Looking after")[1].split("## What it costs")[0].splitlines()
        if line.startswith("| normal")
    ]
    assert (
        len(rows) == 6
        and all(float(rate) <= 5 for row in rows for rate in (row[3], *row[5:]))
        and max(float(row[4]) for row in rows) > 5
    )
