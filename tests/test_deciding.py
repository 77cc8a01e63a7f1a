"""``run --until-decided`` on runs whose results are made up: what it asks for, charges, says, and returns."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.cli import main
from benchmark.collate.judging import claim_odds
from benchmark.collate.judging.decide import open_questions
from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.verdict import judge
from benchmark.collate.presenting.report import judged_claims
from benchmark.collate.statistics import outlook
from benchmark.collate.statistics.comparisons import Pair, compare
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.looks import LAST
from benchmark.commands import rounds
from benchmark.commands.pace import width_of
from benchmark.errors import GanbenchError
from benchmark.plan.blocks import BLOCKED, Hindrance
from benchmark.plan.devices import named
from benchmark.plan.plan import Plan
from benchmark.records import failures, store
from benchmark.records.record import Record
from benchmark.schedule.launch import Options
from benchmark.schedule.summary import Summary
from benchmark.suite.claim import AtLeast, Check, Claim, Number, Rank
from benchmark.suite.load import load
from benchmark.suite.model import Cell, Published, Tolerance
from tests.test_collate import EXACT, PUBLISHED, THEORY, full_cells, record_for

METRICS = ("L_Vg_Bz", "V_g", "D_G")
Draw = Callable[[Cell, int], tuple[float, ...] | str]


def record(cell: Cell, seed: int, values: tuple[float, ...], planned: int) -> Record:
    return dataclasses.replace(record_for(cell, seed, dict(zip(METRICS, values))), planned=planned)


class Lab:
    """Results of Table 1 with ``seeds`` each, and a scheduler whose runs end at once as ``draw`` says."""

    def __init__(self, results: Path, monkeypatch: pytest.MonkeyPatch, spread: float = 0.03, seeds: int = 3) -> None:
        self.results, self._rng, self._spread = results, np.random.default_rng(0), spread
        self.blocked: dict[str, str] = {}  # method -> why
        self.made: list[tuple[str, int]] = []
        self.draw: Draw = lambda cell, seed: self.noisy(cell)
        monkeypatch.setattr(
            "benchmark.plan.run.hindrance",
            lambda recipe, protocol: next(
                (
                    Hindrance(BLOCKED, why)
                    for c in full_cells()
                    if c.recipe == recipe and (why := self.blocked.get(c.method))
                ),
                None,
            ),
        )
        monkeypatch.setattr(rounds, "run_plan", self.run_plan)
        for cell in full_cells():
            for seed in range(seeds):
                self.keep(cell, seed, self.noisy(cell), seeds)

    def noisy(self, cell: Cell) -> tuple[float, ...]:
        return tuple(float(v + self._spread * abs(v) * self._rng.normal()) for v in PUBLISHED[cell.method])

    def keep(self, cell: Cell, seed: int, values: tuple[float, ...], planned: int) -> None:
        store.write(self.results, "theory/x", record(cell, seed, values, planned))

    def replace(self, method: str, values: list[tuple[float, ...]]) -> None:
        """Other seeds in a cell's place."""
        for found in store.read_all(self.results)[0]:
            if f"/{method}[" in found.cell:
                next(self.results.rglob(f"*{found.evaluation}-s{found.seed}.json")).unlink()
        for cell in full_cells():
            for seed, one in enumerate(values if cell.method == method else ()):
                self.keep(cell, seed, one, len(values))

    def run_plan(self, plan: Plan, results: Path, options: Options) -> Summary:
        summary = Summary()
        for run in plan.of("to do"):
            cell = run.cells[0]
            self.made.append((cell.method, run.seed))
            out = self.draw(cell, run.seed)
            if out == "fits nowhere":
                summary.counts["blocked"] += 1
                summary.failures.append(f"{run.name}: blocked: fits on no node")
            elif out == "failed":
                summary.counts["failed"] += 1
                failures.keep(results, run.evaluation, run.seed, "boom")
            elif out == "diverged":
                store.write(
                    results,
                    "theory/x",
                    dataclasses.replace(record(cell, run.seed, (1.0, 1.0, 1.0), 0), status="diverged", final=None),
                )
            else:
                self.keep(cell, run.seed, out, run.planned)
        return summary

    def decide(self, budget: str = "1000h", *more: str) -> int:
        return main(
            [
                "run",
                "theory",
                "--only",
                "table=1",
                "--results",
                str(self.results),
                "--executor",
                "inline",
                "--device",
                "cpu",
                "--until-decided",
                "--budget",
                budget,
                *more,
            ]
        )


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Nothing is counted there: a run takes what its records took, an hour."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return Lab(tmp_path / "results", monkeypatch)


def listed(said: str, title: str) -> str:
    """The lines below a title."""
    below = said.partition(f"\n{title} (")[2].splitlines()[1:]
    return "\n".join(below[: next((i for i, line in enumerate(below) if not line.startswith("  ")), len(below))])


def test_as_many_runs_are_chosen_as_go_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    gpu = named("H100")
    assert width_of(Options(cpus=64), gpu) == 2 and width_of(Options(cpus=64), None) == 2, (
        "a whole GPU each where the part is estimated"
    )
    assert (
        width_of(Options(cpus=64, gpu_share=0.4), gpu) == 4
        and width_of(Options(cpus=64, gpu_share=0.1), gpu) == 20
        and width_of(Options(cpus=3, gpu_share=0.1), gpu) == 3
    )
    assert (
        width_of(Options(cpus=8, threads=2), named("cpu")) == 4
        and width_of(Options(cpus=1, threads=2), named("cpu")) == 1
    )
    assert (
        width_of(Options(cpus=8, max_parallel=3), named("cpu"))
        == width_of(Options(address="a", max_parallel=3), None)
        == 3
    )
    assert (
        width_of(Options(executor="inline", cpus=8), named("cpu")) == 1 and width_of(Options(address="a"), None) > 1000
    )


def test_a_machine_with_a_gpu_and_no_options(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "NVIDIA H100 80GB HBM3")
    assert (
        main(["run", "theory", "--only", "table=1", "--results", str(lab.results), "--until-decided", "--budget", "2h"])
        == 1
    )
    assert len(lab.made) == 1 and "stopped after 1 run" in capsys.readouterr().err


@pytest.mark.parametrize("end", ["diverged", "failed"])
def test_what_was_lost_is_not_called_decided(end: str, lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.draw = lambda cell, seed: end
    assert lab.decide() == 1
    said = capsys.readouterr().err
    assert ": decided" not in said and "every verdict that seeds could decide has fallen" not in said
    assert (
        "larger-domain-better, slightly-worse-domain: not judged: " in said
        and "claim theory: domain-lipschitz-tradeoff: not judged" in said
        and "(was: holds)" in said
    )
    why = next(line for line in said.splitlines() if line.startswith("stopped"))
    assert (
        "nothing is left that seeds could decide; " in why
        and "verdicts lost, since runs of " in why
        and all(f"/{m}[" in why for m in PUBLISHED)
    )
    assert f": {end}: " in listed(said, "lost") and "not judged" in listed(said, "lost") and len(lab.made) == 3
    assert lab.decide() == 1, "the same again, since nothing has changed"
    said = capsys.readouterr().err
    assert "nothing to decide" in said and f": {end}: " in listed(said, "lost to runs that failed or diverged")


@pytest.mark.slow
def test_a_claims_verdict_is_said(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """The gap between two methods is a third of their seed noise at first, and many times it in the end."""
    wide = {m: [tuple(v * (1 + d) for v in PUBLISHED[m]) for d in (-0.4, 0.0, 0.4)] for m in PUBLISHED}
    for method, values in wide.items():
        lab.replace(method, values)
    lab.draw = lambda cell, seed: tuple(
        v * (1 + 1e-3 * (-1) ** seed * (1 + seed / 100)) for v in PUBLISHED[cell.method]
    )
    lab.decide()
    assert "  claim theory: domain-lipschitz-tradeoff: holds\n" in capsys.readouterr().err


def test_blocked_cells_are_sorted_out_and_cost_nothing(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.blocked = dict.fromkeys(("B_z=10^0", "B_z=10^2"), "data not here")
    assert lab.decide("3h") == 1
    said = capsys.readouterr().err
    assert {method for method, _ in lab.made} == {"B_z=10^-2"} and len(lab.made) == 2, "the whole budget is theirs"
    assert "2 open verdicts that seeds could decide" in said and "stopped after 2 runs, 2 h of device time" in said
    assert "blocked: data not here" in listed(said, "open, and blocked") and "B_z=10^0[MLP]/mnist L_Vg_Bz" in listed(
        said, "still open, and blocked"
    )
    assert "B_z=10^0" not in listed(said, "still open") and "B_z=10^-2" in listed(said, "still open")
    lab.blocked = dict.fromkeys(PUBLISHED, "data not here")
    assert lab.decide("3h") == 1 and "nothing to decide" in capsys.readouterr().err and len(lab.made) == 2


def test_a_run_that_fits_nowhere_costs_nothing_and_is_not_asked_for_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.draw = lambda cell, seed: "fits nowhere" if cell.method == "B_z=10^0" else lab.noisy(cell)
    monkeypatch.setattr(rounds.time, "monotonic", itertools.count(0, 10_000).__next__)  # rounds of hours
    assert lab.decide() == 1
    said = capsys.readouterr().err
    assert Counter(method for method, _ in lab.made)["B_z=10^0"] == 1 and "fits on no node" in listed(
        said, "still open, and blocked"
    )
    assert f"stopped after {len(lab.made) - 1} runs, {len(lab.made) - 1} h of device time" in said


def test_a_failed_run_is_charged_what_its_round_took_and_no_more_than_was_predicted(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = rounds.Session([load(THEORY)], None, lab.results, Options(executor="inline", device="cpu"), 1e9)
    chosen = session.round(session.look(), 1, None)
    lab.draw = lambda cell, seed: "failed"
    for took, charged in ((10.0, 10.0), (1e6, 3601.0)):
        clock = iter((0.0, took))
        monkeypatch.setattr(rounds.time, "monotonic", lambda clock=clock: next(clock))
        session.spent_s = 0.0
        session.make(chosen)
        assert session.spent_s == pytest.approx(charged) and session.made == 0


def test_seeds_that_are_all_equal_get_no_more_through_claims(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    equal = tuple(v * 1.3 for v in PUBLISHED["B_z=10^0"])
    lab.replace("B_z=10^0", [equal] * 3)
    lab.draw = lambda cell, seed: equal if cell.method == "B_z=10^0" else lab.noisy(cell)
    assert lab.decide() == 0
    said = capsys.readouterr().err
    assert "B_z=10^0" not in {method for method, _ in lab.made} and len(lab.made) < 30
    assert (
        "claim theory: domain-lipschitz-tradeoff: " in said
        and "all seeds of theory/1/B_z=10^0[MLP]/mnist gave the same L_Vg_Bz: no sample of seed noise" in said
        and "too close" not in listed(said, "given up")
    )


def test_nothing_is_given_up_on_a_single_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = Lab(tmp_path / "results", monkeypatch, seeds=1)
    lab.decide("40h")
    said = capsys.readouterr().err
    assert "given up" not in said.partition("spent; next")[0] and "13 open verdicts that seeds could decide" in said
    assert "B_z=10^0[MLP]/mnist D_G: reproduced" in said


def test_what_is_given_up_on_the_way_is_in_the_summary_and_not_said_before(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(claim_odds, "best_odds", outlook.pair_odds)  # as if what is seen were the best there can be
    assert lab.decide("40h") == 1
    said = capsys.readouterr().err
    on_the_way, _, summary = said.partition("\nstopped after ")
    assert "nothing is left that seeds could decide; 3 verdicts given up" in summary and "not decide" not in on_the_way
    assert "claim theory: larger-domain-better, generalization-follows-lipschitz: " in listed(said, "given up")


def test_a_verdict_that_is_taken_back_is_said(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Three quiet seeds, and then louder ones, while another metric keeps the runs going."""
    for method, (first, *others) in PUBLISHED.items():
        lab.replace(method, [(first * (1 + d / 1000), *(v * (1 + d) for v in others)) for d in (-0.3, 0.0, 0.3)])
    lab.draw = lambda cell, seed: (PUBLISHED[cell.method][0] * (1 + 0.3 * (-1) ** seed), *lab.noisy(cell)[1:])
    lab.decide("10h")
    assert "L_Vg_Bz: inconclusive (was: reproduced)" in capsys.readouterr().err


def test_an_error_of_a_round_comes_after_the_summary(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_plan(plan: Plan, results: Path, options: Options) -> Summary:
        if len(lab.made) == 2:
            raise GanbenchError("another 'ganbench run' works on these")
        return lab.run_plan(plan, results, options)

    monkeypatch.setattr(rounds, "run_plan", run_plan)
    assert lab.decide() == 1
    summary, _, error = (
        capsys.readouterr()
        .err.partition("\nstopped after 2 runs, 2 h of device time: an error, said last\n")[2]
        .partition("\nganbench: ")
    )
    assert (
        "another 'ganbench run'" in error
        and summary.startswith("still open (")
        and "B_z=10^-2[MLP]/mnist V_g, D_G" in summary
    )


def test_an_interrupted_session_says_what_is_open(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rounds, "run_plan", lambda *_: Summary(Counter(interrupted=1)))
    assert lab.decide() == 130
    said = capsys.readouterr().err
    assert (
        "stopped after 0 runs" in said
        and "interrupted: run the same command again to go on" in said
        and "larger-domain-better" in listed(said, "still open")
    )


def test_no_cell_gets_more_seeds_than_the_last_look_has() -> None:
    cells, suite = full_cells(), load(THEORY)
    rng = np.random.default_rng(3)
    many, spread = (
        {"B_z=10^-2": LAST, "B_z=10^0": 3, "B_z=10^2": 3},
        {"B_z=10^-2": 0.3, "B_z=10^0": 0.4, "B_z=10^2": 0.01},
    )
    found = [
        record(c, s, tuple(v * (1 + spread[c.method] * rng.normal()) for v in PUBLISHED[c.method]), 0)
        for c in cells
        for s in range(many[c.method])
    ]
    joined = load_joined(THEORY, found)[1]
    questions, _ = open_questions(
        [j for rows in joined.values() for j in rows],
        {t.key: t.tolerance for t in suite.tables},
        judged_claims(suite, joined),
    )
    asked = {q.name: q.cells for q in questions}
    assert asked["claim theory: domain-lipschitz-tradeoff"] == (
        "theory/1/B_z=10^2[MLP]/mnist",
        "theory/1/B_z=10^0[MLP]/mnist",
    ), "the third has all it can get"
    assert not any("B_z=10^-2[" in cell for cells in asked.values() for cell in cells)


def number(cell: str) -> Number:
    return Number(cell, "FID", "lower")


def test_a_claim_that_one_comparison_can_fail_is_not_hopeless_for_a_closer_one() -> None:
    a, b, c = map(number, "abc")
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(3, 3))
    numbers = {
        n: estimate((m + row).tolist(), looked=True)
        for n, m, row in zip((a, b, c), (10.0, 10.0, 8.0), noise - noise.mean(1, keepdims=True))
    }
    checks = (Check("better", a, b), Check("better", a, c))
    pairs = {check: [Pair(check.a, check.b)] for check in checks}
    assert not any(answer.sign for answer in compare([p for (p,) in pairs.values()], numbers).values())
    odds = {pair: outlook.pair_odds(pair, numbers[pair.a], numbers[pair.b], 50, 50, 1e-3) for (pair,) in pairs.values()}
    for quantity, could in (("all", True), ("any", False), ("most", True)):
        assert (outlook.outlook(Claim("p", "x", "", "", AtLeast(quantity, checks)), pairs, odds) > 0.8) == could


def test_ranks_and_margins_are_weighed_as_they_are_judged() -> None:
    a, b, c, d = map(number, "abcd")
    rank = Rank(a, (b, c, d), 2)
    pairs = {rank: [Pair(a, n) for n in (b, c, d)]}

    def of(*odds: tuple[float, float]) -> float:
        return outlook.outlook(Claim("p", "x", "", "", AtLeast("all", (rank,))), pairs, dict(zip(pairs[rank], odds)))

    assert of((0.9, 0), (0.7, 0), (0, 0)) == 0.7, "better than two of three: within the first two"
    assert of((0, 0.9), (0, 0.6), (0.5, 0)) == 0.6, "worse than two of three" and of((0.9, 0), (0, 0.5), (0, 0)) == 0
    close = Check("close", a, b)
    ends = [Pair(a, b, 1.0, 0.9), Pair(a, b, 1.0, 1.1)]
    for odds, chance in ((((0, 0.9), (0.8, 0)), 0.8), (((0, 0.9), (0, 0.7)), 0.7), (((0.9, 0), (0, 0.9)), 0.0)):
        assert (
            outlook.outlook(Claim("p", "x", "", "", AtLeast("all", (close,))), {close: ends}, dict(zip(ends, odds)))
            == chance
        )


def test_why_no_seeds_would_decide_a_number_off_beyond_its_band() -> None:
    def why(seeds: list[float], std: float) -> str:
        return judge(
            Published("20", 20.0, std, "seeds", "own"),
            estimate(seeds),
            0,
            [EXACT],
            "lower",
            Tolerance(0.05, "a test"),
            "",
        ).why

    assert "too close to the band's edge for 50 seeds to decide" in why([20.75, 21.05, 21.35], 1e-6), (
        "the paper's number has no noise to speak of"
    )
    assert "the seed noise of the published number leaves it open" in why([22.7, 23.0, 23.3], 3.0)
