"""Claims of one number against a limit, and of what was measured image by image in the middle of training: GraN's
section 7, PGN's bound, CHAIN's fake against testing data. All of them our runs alone decide.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark.collate.judging.alike import unlike_numbers
from benchmark.collate.judging.by_ours import _achieved, comparisons
from benchmark.collate.judging.by_published import by_published
from benchmark.collate.judging.claim_odds import ClaimOdds
from benchmark.collate.judging.claims import JudgedClaim, judge_claim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.findings import ClaimVerdict
from benchmark.collate.judging.join import join
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.presenting.report import judged_claims
from benchmark.collate.presenting.site.claim_chart import rows
from benchmark.collate.statistics.halfway import of_images
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.outlook import outlook
from benchmark.metrics.names import SLOPES
from benchmark.plan.make_record import make_record
from benchmark.plan.plan import make_plan
from benchmark.records.bounds import impossible
from benchmark.records.format import parse
from benchmark.suite.claim import AtLeast, Check, Claim, Number
from benchmark.suite.load import load
from benchmark.suite.model import Cell, Published, Suite
from benchmark.suite.nodes import SuiteError

ROOT = Path(__file__).resolve().parents[1]
K = 1 / 1.2
MINE = {
    "gran": (
        *("nsgan-gradients-are-larger", "baselines-gradients-are-reasonable", "gradients-are-k"),
        *("differences-are-well-behaved", "differences-are-bounded", "differences-vary-as-wgan-gps"),
    ),
    "pgn": ("gradient-norm-bounded", "gradient-norm-bounded-appendix"),
    "chain": ("reduces-fake-test-discrepancy",),
}
TABLES = ("Fig3", "Fig4", "bound", "fake-test")
Numbers = dict[str, dict[str, float | None]]
Measured = Callable[[Cell, int, float], Numbers]
"""(cell, seed, share of training) to a measurement."""
Change = Callable[[Cell, int, dict[str, Any]], object]
"""(cell, seed, result): changes what a run came to."""


@functools.cache
def suite(paper: str) -> Suite:
    return load(ROOT / f"suites/{paper}.yaml")


def judged(paper: str, measured: Measured, seeds: int = 4, change: Change | None = None) -> dict[str, JudgedClaim]:
    """The claims of a paper by made-up records at full size, in ``TABLES``.

    Args:
        change: is asked before it is a record; a run of status "" has none.
    """
    records = []
    for run in make_plan([c for c in suite(paper).cells if c.table in TABLES], range(seeds), {}).runs:
        cell, total = run.cells[0], run.total_steps
        history = [{"step": int(total * at), "epoch": 0} | measured(cell, run.seed, at) for at in (0.0, 0.5, 1.0)]
        result = dict(
            status="finished", steps=total, total_steps=total, epochs=1.0, final=history[-1], history=history,
            samples="", train_s=1.0, eval_s=1.0, segments=[], libraries={}, floor=None, imported=False, trouble="",
            **run.data(),
        )  # fmt: skip
        if change:
            change(cell, run.seed, result)
        if result["status"]:
            record = make_record(run, result)
            assert impossible(record) is None
            records.append(parse(json.dumps(record.to_json()).encode(), Path("x.json")))
    found = {c.claim.id: c for c in judged_claims(suite(paper), join(suite(paper), records))}
    return {name: found[name] for name in MINE[paper]}


def ours(found: dict[str, JudgedClaim]) -> list[str]:
    assert all(c.published.name == "not judged" for c in found.values())
    return [c.achieved.name for c in found.values()]


def box(mean: float, far: float, seed: int, deltas: bool) -> dict[str, float | None]:
    """A box about ``mean`` that reaches ``far`` to both sides, a little otherwise for each seed."""
    far *= 1 - 0.02 * seed
    five: dict[str, float | None] = {
        "least": max(mean - far, 0.0),
        "q25": mean,
        "median": mean,
        "q75": mean,
        "most": mean + far,
    }
    five["std"] = far / 2
    off = mean + 0.01 * seed * (far if far < 1e-3 else mean)
    many = {f"{k}_at_{d:g}": v for k, v in {**five, "value": off}.items() for d in (0.01, 0.1, 1.0, 10.0)}
    return {"value": off, **(many if deltas else five)}


MEANS = {"NSGAN": (4.0, 2.0), "WGAN-GP": (0.9, 0.2), "SNGAN": (0.8, 0.3)}


def as_the_paper_says(cell: Cell, seed: int, at: float) -> Numbers:
    """Halfway; before and after nothing is as the paper says."""
    if at != 0.5:
        return {m: box(30.0, 25.0, seed, m.startswith("diff")) for m in SLOPES}
    mean, far = MEANS.get(cell.method, (K, 0.1))
    near = 5e-7 if cell.method.startswith("GraN") else far
    return {m: box(mean, far if m.startswith("diff") else near, seed, m.startswith("diff")) for m in SLOPES}


def test_section_7_holds_where_runs_are_as_the_paper_says() -> None:
    assert ours(judged("gran", as_the_paper_says)) == ["holds"] * 6


@pytest.mark.parametrize(
    ("method", "metric", "mean", "far", "fails"),
    [
        ("NSGAN", "grad_real", 0.9, 0.2, {"nsgan-gradients-are-larger"}),
        ("NSGAN", "grad_fake", 1.6, 0.2, {"nsgan-gradients-are-larger"}),  # 1.9 times K
        ("SNGAN", "grad_fake", 0.8, 12.0, {"baselines-gradients-are-reasonable"}),
        ("GraNC-GAN", "grad_fake", K, 4e-6, {"gradients-are-k"}),
        ("GraND-GAN", "grad_real", K - 1e-5, 1e-7, {"gradients-are-k"}),  # narrow, and elsewhere
        ("GraND-GAN", "difference_real", 0.9, 0.9, {"differences-are-bounded", "differences-vary-as-wgan-gps"}),
        ("GraNC-GAN", "difference_fake", 1.2, 0.1, {"differences-are-well-behaved", "differences-are-bounded"}),
    ],
)
def test_section_7_fails_claim_by_claim(method: str, metric: str, mean: float, far: float, fails: set[str]) -> None:
    def measured(cell: Cell, seed: int, at: float) -> Numbers:
        found = as_the_paper_says(cell, seed, at)
        if cell.method == method and at == 0.5:
            found[metric] = box(mean, far, seed, metric.startswith("diff"))
        return found

    found = judged("gran", measured)
    assert {name for name, c in found.items() if c.achieved.name == "fails"} == fails
    assert set(ours(found)) == {"holds", "fails"}


@pytest.mark.parametrize("delta", ["0.01", "0.1", "1", "10"])
def test_one_step_makes_up_for_no_other(delta: str) -> None:
    """The mean over all δ is at most 20 % above K there."""

    def measured(cell: Cell, seed: int, at: float) -> Numbers:
        found = as_the_paper_says(cell, seed, at)
        if cell.method == "GraND-GAN":
            found["difference_real"] |= {f"{k}_at_{delta}": v for k, v in box(1.2, 0.1, seed, False).items()}
        return found

    found = judged("gran", measured)
    assert {name for name, c in found.items() if c.achieved.name == "fails"} == {
        *("differences-are-well-behaved", "differences-are-bounded")
    }


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ((8.0, 0.7), ["fails", "holds"]),  # the released form, as it may be
        ((0.6, 0.999), ["holds", "holds"]),
        ((0.6, 1.4), ["holds", "fails"]),
        ((1.0002, 0.7), ["inconclusive", "holds"]),
    ],
)
def test_pgns_bound_is_disproved_by_what_lies_above(value: tuple[float, float], names: list[str]) -> None:
    def measured(cell: Cell, seed: int, at: float) -> Numbers:
        mine = value[cell.method.endswith("(appendix)")]
        return {"grad_most": {"value": mine + (seed - 1.5) * (1e-4 if abs(mine - 1) < 0.01 else 0.01)}}

    assert ours(judged("pgn", measured)) == names


@pytest.mark.parametrize("when", [0.0, 0.5, 1.0])
def test_pgns_bound_is_disproved_at_any_time(when: float) -> None:
    def measured(cell: Cell, seed: int, at: float) -> Numbers:
        steep = cell.method == "PGN-GAN" and at == when
        return {"grad_most": {"value": (3.0 if steep else 0.7) + 0.01 * seed}}

    assert ours(judged("pgn", measured)) == ["fails", "holds"]


@pytest.mark.parametrize(("gap", "name"), [(0.3, "holds"), (2.0, "fails"), (1.0, "inconclusive")])
def test_fake_against_testing_data(gap: float, name: str) -> None:
    def measured(cell: Cell, seed: int, at: float) -> Numbers:
        mine = gap if cell.method == "BigGAN+CHAIN" else 1.0
        return {m: {"value": mine + 0.01 * seed} for m in ("gap_fake_test", "D_fake", "D_test")}

    assert ours(judged("chain", measured)) == [name]


# --- what says nothing ----------------------------------------------------------------------------------------------


def _of(method: str, **fields: Any) -> Change:
    def change(cell: Cell, seed: int, result: dict[str, Any]) -> None:
        if cell.method == method and seed == 1:
            result.update(fields)

    return change


def _no_boxes(cell: Cell, seed: int, result: dict[str, Any]) -> None:
    for entry in result["history"]:
        for m in SLOPES:
            entry[m] = {"value": entry[m]["value"]}


def _lost_in_the_middle(cell: Cell, seed: int, result: dict[str, Any]) -> None:
    result["history"][1]["grad_real"] = dict.fromkeys(result["history"][1]["grad_real"])


@pytest.mark.parametrize(
    ("change", "name", "why"),
    [
        (_of("GraND-GAN", status=""), "gradients-are-k", "seed 1 "),
        (_of("GraND-GAN", status="diverged", final=None), "gradients-are-k", "diverged"),
        (_no_boxes, "gradients-are-k", "without such a measurement in the middle"),
        (_no_boxes, "differences-vary-as-wgan-gps", "without such a measurement in the middle"),
        (_lost_in_the_middle, "nsgan-gradients-are-larger", "or one not finite"),
        (lambda cell, seed, result: result["history"].pop(1), "nsgan-gradients-are-larger", "in the middle"),
    ],
)
def test_nothing_is_said_of_what_was_not_measured(change: Change, name: str, why: str) -> None:
    found = judged("gran", as_the_paper_says, change=change)[name].achieved
    assert found.name == "not judged" and why in found.why


def test_cells_that_are_left_out_are_named() -> None:
    claim = next(c for c in suite("pgn").claims if c.id == "gradient-norm-bounded")
    joined = [j for of in join(suite("pgn"), []).values() for j in of if j.cell.table == "II"]
    assert "leaves out pgn/bound/PGN-GAN/cifar10" in judge_claim(claim, joined).achieved.why


def test_what_of_images_takes() -> None:
    def record(*history: Any, total: int = 100) -> Any:
        return SimpleNamespace(history=list(history), total_steps=total)

    look = {"step": 50, "grad_real": {"value": 2.0, "std": 0.5, "least": 1.0, "most": 3.0}}
    for of, expected in (("halfway", 2.0), ("halfway-most", 3), ("halfway-spread", 0.5)):
        assert of_images(record({"step": 0, "grad_real": {"value": 9.0}}, look), "grad_real", of) == expected
    for step, there in ((40, True), (60, True), (39, False), (61, False)):
        assert (of_images(record(look | {"step": step}), "grad_real", "halfway") is not None) == there
    by_delta = {f"std_at_{d}": s for d, s in ((10, 4.0), (1, 3.0))} | {
        "most_at_1": 7.0,
        "most_at_10": 5.0,
        "value": 2.0,
    }
    by_delta |= {"value_at_1": 1.0, "value_at_10": 3.0}
    differences = record({"step": 50, "difference_real": by_delta})
    assert of_images(differences, "difference_real", "halfway-spread") == pytest.approx(12.5**0.5)
    assert of_images(differences, "difference_real", "halfway-most") == 7
    assert of_images(differences, "difference_real", "halfway-worst") == 3
    assert of_images(differences, "difference_real", "halfway-away", 2.0) == pytest.approx(13.5**0.5)  # not of the mean
    by_noise = record({"step": 50, "jac_V": {"value": 1.0, "std": 3.0, "max": 9.0}})
    for of, expected in (("halfway-most", 9.0), ("halfway-spread", 3.0), ("halfway-away", 5.0)):
        assert of_images(by_noise, "jac_V", of, -3.0) == expected
    without = record({"step": 50, "difference_real": by_delta | {"value_at_1": None}})
    assert of_images(without, "difference_real", "halfway-away", 2.0) is None
    assert of_images(record({"grad_real": {"value": 1.0}}), "grad_real", "halfway") is None  # of no step
    for nothing in (record(), record(look), record({"step": 50, "grad_real": {"value": None, "most": None}})):
        assert of_images(nothing, "difference_real" if nothing.history == [look] else "grad_real", "halfway") is None


# --- the form -------------------------------------------------------------------------------------------------------


def _written(tmp_path: Path, holds: str) -> Claim:
    text = (ROOT / "suites/gran.yaml").read_text(encoding="utf-8")
    (tmp_path / "gran.yaml").write_text(
        text + f"  - {{id: mine, quote: q, where: w, holds: {holds}}}\n", encoding="utf-8"
    )
    return load(tmp_path / "gran.yaml").claims[-1]


def test_limits_are_read(tmp_path: Path) -> None:
    claim = _written(tmp_path, '{table: "2", at-least: {NSGAN: 7, SNGAN: 8}, metrics: [IS], cells: dataset=cifar10}')
    checks = [leaf for leaf in claim.leaves() if isinstance(leaf, Check)]
    assert [(c.test, c.a.cell, c.a.direction, c.limit, c.b) for c in checks] == [
        ("at-least", "gran/2/NSGAN/cifar10", "higher", 7, None),
        ("at-least", "gran/2/SNGAN/cifar10", "higher", 8, None),
    ]
    (leaf, _) = _written(tmp_path, "{table: Fig3, at-most: {NSGAN: 1}, of: halfway-most}").leaves()
    assert isinstance(leaf, Check) and leaf.a == Number(leaf.a.cell, "grad_real", "lower", "halfway-most")
    assert leaf.a.name == "largest grad_real of an image halfway"


@pytest.mark.parametrize(
    ("holds", "message"),
    [
        ("{table: Fig3, at-most: {NSGUN: 1}}", "unknown method of table Fig3 'NSGUN'.*NSGAN"),
        ("{table: Fig3, at-most: NSGAN}", "mapping"),
        ("{table: Fig3, at-most: {NSGAN: much}}", "number"),
        ("{table: Fig3, at-most: {NSGAN: .inf}}", "number"),
        ("{table: Fig3, at-least: {NSGAN: 1}, of: steps}", "unknown quantity of one run 'steps'"),
        ("{table: Fig3, at-least: {NSGAN: 1}, of: halfwy}", "unknown quantity of one run 'halfwy'.*halfway"),
        ("{table: Fig3, at-least: {NSGAN: 1}, of: halfway-away}", "'from: VALUE' go together"),
        ("{table: Fig3, at-least: {NSGAN: 1}, of: halfway, from: 1}", "'from: VALUE' go together"),
        ("{table: Fig3, better: {NSGAN: SNGAN}, of: halfway-away}", "unknown quantity of a run 'halfway-away'"),
        ("{table: Fig3, at-most: {NSGAN: 1}, by: 5%}", "unknown key 'by'"),
        ("{table: Fig3, at-most: {NSGAN: 1}, at-least: {NSGAN: 0}}", "exactly one of"),
        ("{table: Fig3, metrics: [FID], at-most: {NSGAN: 1}}", "unknown metric of table Fig3 'FID'"),
        ("{table: Fig3, cells: method=SNGAN, at-most: {NSGAN: 1}}", "NSGAN has no cell in this selection"),
        ("{table: Fig3, at-most: {}}", "compares nothing"),
        ('{table: "2", at-most: {NSGAN: 1}, of: halfway-most}', "image by image, IS has none"),
        ('{table: "2", metrics: [IS], better: {NSGAN: SNGAN}, of: halfway-spread}', "image by image, IS has none"),
        ('{table: "2", metrics: [KIDx1000], at-least: {NSGAN: 1}, of: halfway-away, from: 1}', "KIDx1000 has none"),
        ("{table: Fig3, at_most: {NSGAN: 1}}", "unknown key 'at_most'; did you mean 'at-most'"),
        ("{table: Fig3, at-lest: {NSGAN: 1}}", "unknown key 'at-lest'; did you mean 'at-least'"),
        ('{table: "2", diverge: [NSGAN], by: much}', "unknown key 'diverge'; did you mean 'diverges'"),
        ('{table: "2", not_converged: [NSGAN]}', "unknown key 'not_converged'; did you mean 'not-converged'"),
        ("{moust: [{table: Fig3, at-most: {NSGAN: 1}}]}", "unknown key 'moust'; did you mean 'most'"),
        ("{table: Fig3, at-most: {NSGAN: 1}, in: moust}", "or all, any, most; found 'moust'"),
    ],
)
def test_limits_that_say_nothing_are_refused(tmp_path: Path, holds: str, message: str) -> None:
    with pytest.raises(SuiteError, match=f"gran.yaml:\\d+.*{message}"):
        _written(tmp_path, holds)


CELL = next(c for c in suite("gran").cells if c.id == "gran/2/NSGAN/cifar10")


def _claim(test: str, metric: str, direction: str, limit: float) -> tuple[Claim, Number]:
    number = Number(CELL.id, metric, direction)
    return Claim("gran", "c", "q", "w", AtLeast("all", (Check(test, number, limit=limit),))), number


@pytest.mark.parametrize(("metric", "direction"), [("FID", "lower"), ("IS", "higher")])
@pytest.mark.parametrize(("test", "limit"), [("at-most", 30.0), ("at-least", 5.0)])
def test_printed_numbers_ours_the_chart_and_the_outlook_agree_on_the_side(
    metric: str, direction: str, test: str, limit: float
) -> None:
    """Whichever is better of the metric: 20 is at most 30 and at least 5; 40 and 2 are not."""
    claim, number = _claim(test, metric, direction, limit)
    (leaf,) = claim.leaves()
    for value, right in ((20.0, True), (40.0 if test == "at-most" else 2.0, False), (limit, True)):
        e = Entry(
            CELL, metric, direction, Published(f"{value:g}", value, None, "none", "own"), None, None, Verdict("", "")
        )
        verdict = by_published(claim, {number: e})
        assert verdict.name == ("holds" if right else "fails")
        assert bool(verdict.fragile) == (value == limit)  # noise could undo it there
        judged = JudgedClaim(claim, verdict, ClaimVerdict("not judged", ""))
        (row,) = rows(judged, {number: e})
        assert row.published is not None and (row.published >= 0) == right
        assert row.name.endswith(f"NSGAN {test.replace('-', ' ')} {limit:g}")
    for value, right in ((20.0, True), (40.0 if test == "at-most" else 2.0, False)):
        found = {number: estimate([value, value + 0.1, value + 0.2, value - 0.1])}
        pairs, answers = comparisons(claim, found, {CELL.id: CELL.full_protocol})
        assert isinstance(leaf, Check)
        assert _achieved(leaf, found, [answers[p] for p in pairs[leaf]]).outcome == (1 if right else -1)
        sure = {p: (float(a.sign > 0), float(a.sign < 0)) for p, a in answers.items()}
        assert outlook(claim, pairs, sure) == 1.0


def test_more_seeds_may_decide_what_is_open() -> None:
    for test, limit, could in (("at-most", 30.0, True), ("at-least", 30.0, True), ("at-most", 21.0, False)):
        claim, number = _claim(test, "FID", "lower", limit)
        values = [20.0, 22.1, 21.0, 20.9] if limit == 21 else [20.0, 30.0]
        c = JudgedClaim(claim, ClaimVerdict("not judged", ""), ClaimVerdict("inconclusive", ""))
        odds = ClaimOdds(c, {number: estimate(values)}, {CELL.id: CELL.full_protocol})
        assert odds.possible() and odds.cells() == (CELL.id,)
        assert could == (odds.chance(100) > 0.5), (test, limit)


def test_probes_of_other_numbers_of_images_are_not_compared() -> None:
    """The largest of more images is larger."""
    one = CELL.full_protocol
    other = dataclasses.replace(one, probe_images=96)
    a, b = (Number(c, "grad_most", "lower") for c in "ab")
    assert unlike_numbers(a, b, {"a": one, "b": other}) == "probe_images None / 96"
    assert not unlike_numbers(a, b, {"a": other, "b": other})
    a, b = (Number(c, "FID", "lower") for c in "ab")
    assert not unlike_numbers(a, b, {"a": one, "b": other})


def test_no_number_is_on_neither_side() -> None:
    claim, number = _claim("at-most", "FID", "lower", 70)
    for text in ("not-converged", "not-reported"):
        e = Entry(CELL, "FID", "lower", Published(text, None, None, "none", "own"), None, None, Verdict("", ""))
        assert by_published(claim, {number: e}).name == "not judged"
        assert rows(JudgedClaim(claim, ClaimVerdict("", ""), ClaimVerdict("", "")), {number: e})[0].published is None


# --- as the papers have it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paper", "name"), [(p, n) for p, names in MINE.items() for n in names])
def test_quotes_are_the_papers_and_the_notes_say_who_decides(paper: str, name: str) -> None:
    claim = next(c for c in suite(paper).claims if c.id == name)
    assert "decided by our runs alone" in claim.note
    assert {n.cell.split("/")[1] for n in claim.numbers()} <= set(TABLES)
    if name == "gradients-are-k":
        tau = {
            dict(c.recipe.parts)["gran"]["tau"]
            for c in suite("gran").cells
            if c.method.startswith("GraN") and c.table == "Fig3"
        }
        assert tau == {1.2} and all(abs(n.centre - K) < 1e-9 for n in claim.numbers())


def test_new_tables_train_what_others_train() -> None:
    """They measure more of runs that are there, and no run of another table changes."""
    for paper, table, beside in (("chain", "fake-test", "analysis"), ("pgn", "bound", "open")):
        recipes = {c.method: c.recipe.canonical for c in suite(paper).cells if c.table == beside}
        mine = {c.method: c.recipe.canonical for c in suite(paper).cells if c.table == table}
        assert len(mine) == 2 and mine.items() <= recipes.items()
        assert all(not c.published for c in suite(paper).cells if c.table == table)
