"""A verdict that fell stands: no seed that agrees undoes it, whatever the plans; one that contradicts it may."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.collate.judging import number
from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.number import Target, decided
from benchmark.collate.judging.standing import Rule, standing
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.looks import Look, before, looked
from benchmark.records.merge import merge
from benchmark.records.record import Record
from benchmark.records.store import read_all, write
from benchmark.suite.model import Published, Tolerance
from tests.test_collate import THEORY, full_cells, record_for

PRINTED = Published("10", 10.0, None, None, "own")
PLANS = {
    "until decided": [0] * 12,
    "one, then until decided": [1] + [0] * 11,
    "two, then until decided": [2] * 2 + [0] * 10,
    "three, then until decided": [3] * 3 + [0] * 9,
    "three, then a plan of eight": [3] * 3 + [8] * 9,
    "one more each time": [2, 2, *range(3, 13)],
    "ten, on the way": [10] * 12,
    "five, then twelve": [5] * 5 + [12] * 7,
    "not said": [None] * 12,
}
SHAPES = {
    "normal": lambda rng, n: rng.normal(0, 1, n),
    "heavy": lambda rng, n: rng.standard_t(3, n) / np.sqrt(3),
    "skewed": lambda rng, n: (rng.lognormal(0, 0.6, n) - np.exp(0.18)) / 0.79,
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many more seeds would decide is no part of a verdict, and takes most of the time."""
    monkeypatch.setattr(number, "needed", lambda *of: "")


def verdict(values: list[float], plans: list[int | None], direction: str = "lower") -> Verdict:
    """Of a number that is printed as 10, with a band of 0.5."""
    records = [SimpleNamespace(planned=p) for p in plans[: len(values)]]
    e = estimate(values, looked=looked(records))
    band = Tolerance(0.05, "a test")
    return judge(PRINTED, e, 0, [Tier("exact", ())], direction, band, "", looks=before(records))


@pytest.mark.parametrize(("shape", "direction"), [("normal", "lower"), ("heavy", "lower"), ("skewed", "higher")])
@pytest.mark.parametrize("plan", PLANS)
def test_no_seed_that_agrees_undoes_a_verdict(plan: str, shape: str, direction: str) -> None:
    """Wherever in the band it lies, or beyond it on the same side; after each number of seeds."""
    rng, fell = np.random.default_rng([len(plan), len(shape)]), {"reproduced": 0, "better": 0, "not reproduced": 0}
    low, high = ("better", "not reproduced") if direction == "lower" else ("not reproduced", "better")
    for off, spread in itertools.product((0.0, 0.3, -1.5, 1.5), (0.01, 0.2)):
        values = (10 + off + spread * SHAPES[shape](rng, 12)).tolist()
        for n in range(2, 12):
            name = verdict(values[:n], PLANS[plan], direction).name
            if name not in fell:
                continue
            fell[name] += 1
            places = {"reproduced": (9.5001, 10.4999, 10.01), low: (9.4, 7.5), high: (10.6, 12.5)}[name]
            for agreeing in places:
                after = verdict([*values[:n], agreeing], PLANS[plan], direction)
                if "collapsed" not in after.why:  # a collapse is no seed that agrees
                    assert after.name == name, (values[:n], agreeing, after.why)
    assert min(fell.values()) > 3, "verdicts fell"


@pytest.mark.parametrize("plan", ["two, then until decided", "three, then a plan of eight", "until decided"])
def test_seeds_of_the_same_truth_rarely_undo_one(plan: str) -> None:
    rng, fell, undone = np.random.default_rng(0), 0, 0
    for values in rng.normal(10, 0.15, (60, 12)).tolist():
        names = [verdict(values[:n], PLANS[plan]).name for n in range(2, 13)]
        first = names.index("reproduced") if "reproduced" in names else len(names)
        fell, undone = fell + (first < len(names)), undone + any(n != "reproduced" for n in names[first:])
    assert fell > 30 and undone <= 1


def test_a_seed_that_contradicts_undoes_it() -> None:
    three = [10.0, 10.05, 9.95]
    plan = PLANS["three, then until decided"]
    assert verdict(three, plan).name == "reproduced"
    stood = verdict([*three, 10.4], plan)
    assert stood.name == "reproduced" and "mean of 3 seeds" in stood.why and "all 4 are off by +0.1" in stood.why
    assert verdict([*three, 10.7], plan).name == "inconclusive"
    assert verdict([*three, 10.7, 10.0], plan).name == "inconclusive", "undone is undone"
    far = [11.0, 11.05, 10.95]
    assert verdict(far, plan).name == "not reproduced" == verdict([*far, 10.6], plan).name
    assert verdict([*far, 10.3], plan).name == "inconclusive"
    assert (
        verdict([*far, 10.3], plan, "higher").name == "inconclusive" and verdict(far, plan, "higher").name == "better"
    )


def test_one_seed_beyond_the_band_undoes_nothing_that_all_would_give_as_one_plan() -> None:
    ten = (10 + 0.1 * np.random.default_rng(0).normal(size=10)).tolist()
    plan = [10] * 10 + [0] * 2
    assert verdict(ten, plan).name == verdict([*ten, 10.51], plan).name == "reproduced"


def test_what_bars_a_verdict_bars_one_that_stands() -> None:
    plan = PLANS["three, then until decided"]
    three = [10.0, 10.05, 9.95]
    assert verdict([*three, 10.0], plan).name == "inconclusive", "a tie"
    found = verdict([*three, 10.02, 30.0], plan)
    assert found.name == "reproduced where it trains" and "1 of 5 seeds collapsed" in found.why
    assert verdict([10.0, 10.3, 30.0, 9.7, 10.02], plan).name == "inconclusive", "nothing fell before"


@pytest.mark.parametrize("direction", ["lower", "higher"])
def test_a_seed_inside_a_wide_band_is_no_collapse(direction: str) -> None:
    """Near zero an absolute band is many times as wide as half of the median."""
    printed, wide = Published("0.02", 0.02, None, None, "own"), Tolerance(0.05, "a test", 0.05, "a test")
    three, records = [0.02, 0.021, 0.019], [SimpleNamespace(planned=p) for p in (3, 3, 3, 0)]
    for more in ([], [0.005], [0.069], [-0.029]):
        ours = records[: 3 + len(more)]
        e = estimate(three + more, looked=looked(ours))
        assert judge(printed, e, 0, [Tier("exact", ())], direction, wide, "", looks=before(ours)).name == "reproduced"


def test_looks_that_there_may_have_been() -> None:
    def looks(*planned: int | None) -> list[tuple[int, bool]]:
        return [tuple(look) for look in before([SimpleNamespace(planned=p) for p in planned])]

    assert looks(3, 3, 3, 5, 5) == [(3, False), (4, True)]
    assert looks(2, 2, 0, 0) == [(2, False), (3, True)]
    assert looks(1, 3, 3, 0) == [(3, False)]
    assert looks(4, 4, 4, 4) == [(3, True)] == looks(5, 5, 5, 5) == looks(0, 0, 0, 0) == looks(None, None, None, None)
    assert looks(3, 3) == looks() == looks(1) == []


def _cell(values: list[float], plans: list[int]) -> list[Record]:
    other = {"L_Vg_Bz": 5.0, "D_G": -0.48}
    return [
        dataclasses.replace(record_for(full_cells()[0], s, other | {"V_g": v}), planned=p)
        for s, (v, p) in enumerate(zip(values, plans))
    ]


def test_the_seeds_numbers_give_the_order_and_no_folder_does(tmp_path: Path) -> None:
    made = _cell([-0.651, -0.657, -0.663, -0.675, -0.635], [3, 3, 3, 0, 0])

    def name(found: list[Record]) -> str:
        return load_joined(THEORY, found)[1]["theory/1"][0].entries["V_g"].verdict.name

    assert name(made[:3]) == name(made) == name(made[::-1]) == name(made[3:] + made[:3]) == "reproduced"
    assert name(made[:2] + made[3:]) == "inconclusive", "nobody leaves out a seed"
    for i, r in enumerate(made):
        write(tmp_path / f"lab {i % 2}", "x", r)
    for i, order in enumerate(((0, 1), (1, 0))):
        (tmp_path / f"both {i}").mkdir()
        merge(tmp_path / f"both {i}", [tmp_path / f"lab {k}" for k in order])
        assert name(read_all(tmp_path / f"both {i}")[0]) == "reproduced"
    again = [dataclasses.replace(r, planned=0) for r in made[:3]]
    assert name(made + again) == name(again + made) == "inconclusive", "who made them again by looks had no first plan"


@pytest.mark.parametrize("off", [1.0001, 2.0])
@pytest.mark.parametrize("plan", [(2, 20), (3, 20), (5, 7), (20, 20), (0, 20)])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_stands_is_rarely_false(shape: str, plan: tuple[int, int], off: float) -> None:
    """At the very edge of the band, and at twice the tolerance: after all seeds."""
    first, n = plan
    draws, rng = 250, np.random.default_rng([first, len(shape)])
    target = Target(PRINTED, "lower", Tolerance(0.05, "a test"), 1)
    looks = [Look(k, k != first) for k in range(2, n) if k >= 3 or k == first]
    looks = [look for look in looks if look.seeds >= first or first == n]
    rule = Rule(functools.partial(decided, target), target.place)
    false = 0
    for row in SHAPES[shape](rng, (draws, n)):
        e = estimate((10 + 0.5 * off + 0.4 * row).tolist(), looked=first != n)
        false += "reproduced" in (decided(target, e), standing(rule, e, looks).name)
    assert false / draws <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / draws)
