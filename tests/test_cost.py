"""The work of a step against closed forms, costs against what a loop does, keys, devices, budgets."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.metrics import frechet as distance
from benchmark.plan import calibrate, counted, devices
from benchmark.plan.budget import Item, choose, parse_hours
from benchmark.plan.calibrate import fit
from benchmark.plan.cost import EIGENVALUES, frechet, measurements
from benchmark.plan.count import count
from benchmark.plan.counted import Counts, work_key
from benchmark.plan.devices import Device
from benchmark.plan.forecast import LAUNCH_S, forecast, in_order
from benchmark.plan.forecast_in_words import lines
from benchmark.plan.in_words import hours
from benchmark.plan.measured import Measured
from benchmark.plan.plan import make_plan
from benchmark.plan.representative import REPRESENTATIVE
from benchmark.plan.several_kinds import together
from benchmark.plan.simulate import placed
from benchmark.plan.tally import Tally
from benchmark.plan.work import Count, Work
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import protocol, recipe


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))


def _mlp(**changes: object):
    return recipe(parts=(), share_fakes=False, player_order="d-first", **changes)


def _macs(sizes: list[int]) -> int:
    return sum(a * b for a, b in itertools.pairwise(sizes))


G_SIZES, D_SIZES = [10, 13, 26, 51, 102, 784], [784, 51, 26, 1]  # of the MLP at width 0.1


def test_a_steps_flops_are_those_of_its_matrix_products_by_hand() -> None:
    """Per image: forward 2·MACs, gradient of weights 2·MACs, gradient of inputs 2·MACs, but for a first layer whose
    input needs none.
    """
    r = _mlp(n_dis=3, batch_d=64, batch_g=32)
    g, d, d_first, g_first = _macs(G_SIZES), _macs(D_SIZES), 784 * 51, 10 * 13
    d_step = 64 * 2 * g + 2 * 64 * (2 * 3 * d - 2 * d_first)  # fakes without gradient; D on real and on fake
    g_step = (
        32 * (2 * 3 * g - 2 * g_first) + 32 * 2 * 2 * d
    )  # G learns; D gives the gradient of its input alone, all of its layers
    counted = count(r, 100)
    assert counted.step.matmul == 3 * d_step + g_step and counted.step.conv == 0
    assert counted.sample.matmul == 32 * 2 * g and counted.judge.matmul == 32 * 2 * d
    weights = (
        sum(a * b + b for a, b in itertools.pairwise(G_SIZES))
        + sum(a * b + b for a, b in itertools.pairwise(D_SIZES))
        + 2 * (26 + 51 + 102)
    )
    assert counted.parameters == weights


def test_a_gradient_penalty_counts_its_double_backward() -> None:
    """The penalty's extra pass: forward, gradient of the input, and the backward of both, by hand for D's three
    layers.
    """
    plain, penalised = _mlp(), _mlp()
    penalised = dataclasses.replace(
        penalised, parts=(("gradient-penalty", {"weight": 10.0, "target": 1.0, "sides": "two"}),)
    )
    extra = count(penalised, 100).step.matmul - count(plain, 100).step.matmul
    d, last = _macs(D_SIZES), 26
    forward, input_gradient = d, d
    of_input_gradient = (
        2 * d - last
    )  # each product W·δ gives its weight and its δ a gradient, but for the constant δ that it begins with
    of_forward = 2 * (
        d - last
    )  # LeakyReLU's second derivative is 0, and autograd sends it down all the same, below the head
    assert extra == 64 * 2 * (forward + input_gradient + of_input_gradient + of_forward)


def test_convolutions_are_counted_by_hand_and_in_whole_vectors() -> None:
    with torch.device("meta"):
        thin, thick, apart = (
            torch.nn.Conv2d(3, 20, 3, padding=1),
            torch.nn.Conv2d(32, 16, 4, 2, 1),
            torch.nn.Conv2d(8, 8, 3, groups=8),
        )
    images = torch.empty(2, 3, 8, 8, device="meta")
    with torch.no_grad(), Tally() as a:
        thin(images)
    assert a.conv == 2 * 2 * 8 * 8 * 20 * 3 * 9 and a.padded == a.conv * 16 / 3 * 32 / 20 and a.calls == a.convs == 1
    assert a.bytes == 4 * (2 * 3 * 64 + 20 * 27 + 20 + 2 * 20 * 64)
    with torch.no_grad(), Tally() as b:
        thick(torch.empty(1, 32, 8, 8, device="meta"))
    assert b.conv == b.padded == 2 * 4 * 4 * 16 * 32 * 16
    with torch.no_grad(), Tally() as c:
        apart(torch.empty(1, 8, 5, 5, device="meta"))
    assert c.conv == 2 * 9 * 8 * 9 and c.padded == 2 * c.conv


def test_each_gradient_of_a_convolution_is_a_call_and_pooling_moves_slow_bytes() -> None:
    with torch.device("meta"):
        first, second = torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(4, 5, 1)
    images = torch.empty(2, 3, 8, 8, device="meta")
    with Tally() as found:
        second(first(images)).backward(torch.empty(2, 5, 8, 8, device="meta"))
    assert found.convs == 2 + 2 + 1, "the first one's input needs no gradient"
    assert not found.slow_bytes
    maps = torch.empty(2, 4, 8, 8, device="meta")
    with Tally() as found:
        torch.nn.functional.avg_pool2d(maps + maps, 2)
    assert found.slow_bytes == 4 * 2 * 4 * (64 + 16) and found.bytes == found.slow_bytes + 4 * 2 * 4 * 3 * 64


@pytest.mark.parametrize("name", ["mlp", "resnet, tiny batch", "many layers"])
def test_the_count_is_that_of_torchs_own_counter_on_a_real_step(name: str) -> None:
    """Without penalties: torch's counter follows modules by hooks, which refuse gradients inside a forward pass."""
    r = dataclasses.replace(REPRESENTATIVE[name], batch_d=2, batch_g=2)
    gan = Gan(r, 0, total_steps=10)
    real = torch.zeros(2, r.channels, r.resolution, r.resolution), torch.zeros(2, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        train_step(gan, lambda: real)
    assert count(r, 10).step.flops == pytest.approx(counter.get_total_flops(), rel=1e-6)


def test_more_d_steps_are_counted_as_a_real_step_makes_them() -> None:
    r = _mlp(n_dis=4, batch_d=8, batch_g=4)
    gan = Gan(r, 0, total_steps=10)
    with FlopCounterMode(display=False) as counter:
        train_step(gan, lambda: (torch.zeros(8, 1, 28, 28), torch.zeros(8, dtype=torch.int64)))
    assert count(r, 10).step.flops == counter.get_total_flops()


def test_memory_and_disk_hold_weights_moments_and_the_average() -> None:
    plain, averaged = count(_mlp(), 10), count(_mlp(ema=0.99, ema_start=0), 10)
    statistics = 2 * 4 * (26 + 51 + 102) + 3 * 8
    assert plain.checkpoint == 4 * 3 * plain.parameters + statistics
    assert (
        averaged.checkpoint - plain.checkpoint
        == 4 * (sum(a * b + b for a, b in itertools.pairwise(G_SIZES)) + 2 * (26 + 51 + 102)) + statistics
    )
    assert plain.memory > plain.checkpoint + 4 * 784 * 64  # a batch of images at the least
    assert count(_mlp(batch_d=256, batch_g=256), 10).memory > plain.memory


def test_adaptive_parts_are_counted_as_under_way() -> None:
    base = {"pipe": "bgc", "target": 0.6, "kimg": 500.0, "every": 4, "schedule": "adaptive"}
    without, with_ada = _mlp(), dataclasses.replace(_mlp(), parts=(("ada", base),))
    assert (
        count(with_ada, 100).step.bytes > count(without, 100).step.bytes
    )  # p is 0 in the first step of a real run, and nothing is augmented


def test_work_keys_go_by_what_a_step_does() -> None:
    base = recipe()
    same = [recipe(lr_g=1.0), recipe(epochs=9), recipe(images=100), recipe(z_scale=3.0), recipe(data_percent=10.0)]
    assert {work_key(r) for r in same} == {work_key(base)}
    others = [
        recipe(batch_d=32, batch_g=32),
        recipe(z_dim=11),
        recipe(n_dis=2),
        recipe(parts=()),
        recipe(resolution=32),
        recipe(ema=0.9, ema_start=0),
        recipe(network=("mlp", {"width": 0.2, "bn_eps": 0.8})),
    ]
    assert len({work_key(r) for r in [base, *others]}) == len(others) + 1


def test_a_plug_ins_new_version_is_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = work_key(recipe())
    monkeypatch.setattr(counted, "COUNT_VERSION", counted.COUNT_VERSION + 1)
    second = work_key(recipe())
    monkeypatch.setattr(counted, "algorithm_versions", lambda r: {"step": 99})
    assert len({before, second, work_key(recipe())}) == 3


def test_counts_are_kept_and_damage_counts_as_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "work.json"
    Counts(place).count_all([(recipe(), 10), (recipe(lr_g=1.0), 10)])
    assert len(json.loads(place.read_text())) == 1
    again: list[object] = []
    monkeypatch.setattr("benchmark.plan.count.count", lambda *asked: again.append(asked))
    kept = Counts(place)
    kept.count_all([(recipe(epochs=7), 10)])
    assert kept.known(recipe()).step.flops > 0 and not again
    early = Counts(place)
    monkeypatch.undo()
    Counts(place).count_all([(recipe(z_dim=11), 10)])
    early.count_all([(recipe(z_dim=12), 10)])  # does not know of the one before
    assert len(json.loads(place.read_text())) == 3
    for damage in ("", "[1]", '{"a": {"step": 3}}', place.read_text()[:-9]):
        place.write_text(damage)
        assert Counts(place).known(recipe()) is None


UNIT = Device("unit", conv=1.0, matmul=10.0, byte=100.0, call=1000.0)


def test_a_device_sums_or_overlaps() -> None:
    work = Work(conv=1.0, matmul=2.0, padded=3.0, bytes=4.0, calls=5.0)
    assert UNIT.seconds(work) == 1 + 20 + 400 + 5000
    assert dataclasses.replace(UNIT, padded=True).seconds(work) == 3 + 20 + 400 + 5000
    assert dataclasses.replace(UNIT, overlap=True).seconds(work) == 5000
    assert dataclasses.replace(UNIT, overlap=True, call=1.0).seconds(work) == 421
    slow = dataclasses.replace(work, slow_bytes=3.0, convs=2.0)
    assert UNIT.seconds(slow) == UNIT.seconds(work), "a GPU's bytes are alike"
    assert dataclasses.replace(UNIT, slow_byte=1e5, conv_call=1e6).seconds(slow) == UNIT.seconds(work) + 3e5 + 2e6


def test_fitting_recovers_a_devices_costs() -> None:
    true = Device("cpu", 2e-11, 1e-11, 5e-11, 2e-5, padded=True, slow_byte=3e-10, conv_call=1e-4)
    rng = np.random.default_rng(0)
    names = ("conv", "matmul", "padded", "bytes", "slow_bytes", "calls", "convs")
    works = [
        Work(
            **{
                name: 10 ** rng.uniform(*between)
                for name, between in zip(names, ((8, 11), (7, 10), (9, 11), (7, 10), (6, 9), (2, 4), (1, 3)))
            }
        )
        for _ in range(14)
    ]
    found = fit("cpu", [(w, true.seconds(w)) for w in works])
    costs = ("conv", "matmul", "byte", "call", "slow_byte", "conv_call")
    assert [getattr(found, name) for name in costs] == pytest.approx(
        [getattr(true, name) for name in costs], rel=1e-6
    ) and found.padded


def test_a_slow_spell_of_the_machine_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes take turns: where one round of three is slow as a whole, no step's time is."""
    asked: list[str] = []

    def step(recipe, device: str):
        def one() -> float:
            asked.append(recipe)
            return 10.0 if 7 <= len(asked) <= 12 else {"a": 1.0, "b": 2.0}[recipe]

        return one

    monkeypatch.setattr(calibrate, "_step", step)
    assert calibrate.step_seconds({"x": "a", "y": "b"}, budget_s=0.0, rounds=3) == {"x": 1.0, "y": 2.0}
    assert "".join(asked) == "aaabbb" * 3, "the first of a round warms up"


@pytest.mark.slow
def test_what_a_run_takes_beside_holds_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of the small run takes 0.8 s longer: that is a step's matter."""

    def slow(gan, batch):
        began = time.process_time()
        while time.process_time() - began < 0.8:
            pass
        return train_step(gan, batch)

    monkeypatch.setattr("benchmark.train.run.train_step", slow)
    assert 0.01 < calibrate.start_seconds() < 1.5


@pytest.mark.parametrize(("generated", "real"), [(40, 60), (5, 60), (60, 5), (5, 6)])
def test_a_frechet_distance_is_reckoned_by_the_way_that_it_takes(
    generated: int, real: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 12 dimensions; the dear way where either side has fewer images."""
    rng, factored, moments = np.random.default_rng(0), [], []
    by_factors = distance._nuclear_norm
    monkeypatch.setattr(distance, "_nuclear_norm", lambda a, b: factored.append(True) or by_factors(a, b))
    for n in (generated, real):
        sums = distance.MomentSum()
        sums.add(rng.normal(size=(n, 12)))
        moments.append(sums.moments())
    distance.frechet_distance(*moments)
    assert bool(factored) == (min(generated, real) <= 12)
    beside = frechet(12, generated, real).matmul - EIGENVALUES * 12**3 * (real > 12)
    assert beside > 0 if factored else beside == 0


def test_a_v100_takes_what_mimicrys_authors_report_for_an_sn_resnet() -> None:
    """0.455 s a step of 5 + 1 on a GPU that is not named: the right order, no more."""
    r = dataclasses.replace(
        REPRESENTATIVE["resnet, narrow"],
        network=("sngan-resnet", {**REPRESENTATIVE["resnet, narrow"].network[1], "width": 1.0}),
        batch_d=64,
        batch_g=64,
        n_dis=5,
    )
    assert 0.455 / 2 < devices.named("v100").seconds(count(r, 100).step) < 0.455 * 2


def test_an_unknown_device_is_named_with_the_nearest() -> None:
    with pytest.raises(GanbenchError, match="H100"):
        devices.named("H10")


def test_what_was_calibrated_is_used_and_a_damaged_file_is_not() -> None:
    devices.keep(devices.this_device("cpu"), dataclasses.replace(UNIT, name="cpu"))
    assert devices.named("cpu").byte == 100.0
    devices.factors_file().write_text('{"x": {"speed": 3}}')
    assert devices.named("cpu") == devices.CPU


def test_who_calibrates_beside_other_work_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calibrate, "calibrate", lambda device: iter(()))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for at_work, told in ((0.9, False), (1.0, True), (7.0, True)):
        monkeypatch.setattr(os, "getloadavg", lambda at_work=at_work: (at_work, 0.0, 0.0))
        assert main(["calibrate"]) == 0
        assert (f"busy (load {at_work} on 4 cores)" in capsys.readouterr().err) is told


@pytest.mark.parametrize(
    ("every", "looks", "dear"),
    [
        ({"every_epochs": 1, "jac_G_every_epochs": 2}, 4, 2),
        ({"every_epochs": 3, "jac_G_every_epochs": None}, 2, 1),
        ({"every_epochs": None, "jac_G_every_epochs": None, "every_steps": 5}, 5, 1),
    ],
)
def test_measurements_are_those_of_a_run(every: dict, looks: int, dear: int) -> None:
    """4 epochs of 4 steps: by epochs 1 to 4; by epoch 3 and the end; at the start, steps 5, 10 and 15, and the end."""
    assert measurements(recipe(), protocol(**every), 200) == (looks, dear)
    assert measurements(recipe(), protocol(**(every | {"metrics": ("V_g",)})), 200)[1] == 0


def _record(r, seconds: float, steps: int = 100, device: str = "here", threads: int = 1, cpu: float | None = None):
    from types import SimpleNamespace

    return SimpleNamespace(
        recipe=r,
        train_s=seconds * steps,
        train_cpu_s=None if cpu is None else cpu * steps,
        steps=steps,
        provenance={"segments": [{"device": device, "threads": threads}]},
    )


def test_records_correct_what_was_counted() -> None:
    counts = Counts()
    other = recipe(z_dim=20)
    counts.count_all([(recipe(), 10), (other, 10)])
    device = Device("cpu", 1e-10, 1e-10, 1e-10, 1e-5)
    predicted = device.seconds(counts.known(recipe()).step)
    silent = [
        _record(recipe(), 9.0, device="elsewhere"),
        _record(recipe(), 9.0, steps=19),
        _record(recipe(), 9.0, threads=2),
    ]
    nothing = Measured(silent, "here".__eq__, counts, device)
    assert nothing.step(counts.key(recipe()), "mlp", 1.0) == (1.0, "counted")
    known = Measured(
        [*silent, *(_record(recipe(), k * predicted) for k in (30.0, 2.0, 1.0, 3.0))], "here".__eq__, counts, device
    )
    assert known.step(counts.key(recipe()), "mlp", 1.0)[0] == pytest.approx(predicted)
    assert known.step(counts.key(other), "mlp", 1.0)[0] == pytest.approx(2.0) and known.step("x", "dcgan", 1.0) == (
        1.0,
        "counted",
    )


def test_cpu_seconds_count_where_a_record_has_them() -> None:
    """Of records of one run, 5 wall seconds a step on a busy machine: 2 by the processor's clock. On a GPU the host's
    clock says nothing.
    """
    counts, cpu, gpu = Counts(), Device("cpu", 1e-10, 1e-10, 1e-10, 1e-5), Device("A100", 1e-10, 1e-10, 1e-10, 1e-5)
    counts.count_all([(recipe(), 10)])
    found = [_record(recipe(), 5.0, cpu=2.0), _record(recipe(), 6.0)]
    for device, seconds in ((cpu, 2.0), (gpu, 5.0)):
        assert Measured(found, "here".__eq__, counts, device).step(counts.key(recipe()), "mlp", 1.0)[
            0
        ] == pytest.approx(seconds)


def test_the_plan_goes_by_seconds_once_they_are_known() -> None:
    cells = [c for c in load(Path("suites/theory.yaml"), "ci").cells if c.table != "section-4"]  # measures Fig1's again
    made = make_plan(cells, [0], {})
    assert in_order(made) is made
    found = forecast(made, devices.named("cpu"), say=lambda done, todo: None)
    ordered = in_order(made)
    assert [run.size for run in ordered.runs] == sorted((found.cost(run).total_s for run in made.runs), reverse=True)
    assert {run.key for run in ordered.runs} == {run.key for run in made.runs}
    seconds = [t.seconds for t in found.trainings()]
    assert sum(seconds) == pytest.approx(sum(run.size for run in ordered.runs))
    assert (
        f"all on 2 of them, longest first: {hours(placed(seconds, [1.0, 1.0]) + LAUNCH_S)}, with 9 s until"
        in lines(found, 2, None)[1]
    )


def test_the_price_of_data_that_is_not_here_is_told_and_of_what_is_not_implemented_it_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    cells = [
        next(c for c in load(Path(f"suites/{suite}.yaml"), "full").cells if c.table == table)
        for suite, table in (("sdp", "II"), ("chain", "100shot"))
    ]
    cells[1] = dataclasses.replace(cells[1], recipe=dataclasses.replace(cells[1].recipe, parts=(("no-such", {}),)))
    made = forecast(make_plan(cells, [0], {}), devices.named("A100"), say=lambda done, todo: None)
    far, unmade = sorted(made.plan.runs, key=lambda run: run.cells[0].paper, reverse=True)
    assert not far.key and (far.state, unmade.state) == ("missing here", "blocked"), "nor is known what is in the data"
    assert "not implemented" in unmade.reason
    priced = made.cost(far)
    assert priced.count == count(far.recipe, far.total_steps) and far.images == 100_000 and made.cost(unmade) is None
    assert lines(made, 1, None)[-1] == f"1 training with something missing here would take {hours(priced.total_s)} more"
    other = forecast(make_plan(cells, [0], {}, elsewhere=True), devices.named("A100"), say=lambda done, todo: None)
    assert [t.seconds for t in other.trainings()] == [priced.total_s], "another machine may have them"
    few = [dataclasses.replace(cells[0], recipe=dataclasses.replace(far.recipe, images=3, drop_last=True))]
    made = forecast(make_plan(few, [0], {}), devices.named("A100"), say=lambda done, todo: None)
    assert made.cost(made.plan.runs[0]) is None, "less than one batch"


def test_what_cannot_be_counted_or_run_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    blocked = forecast(
        make_plan(load(Path("suites/theory.yaml"), "full").cells[:2], [0], {}),
        devices.named("A100"),
        say=lambda done, todo: None,
    )
    assert lines(blocked, 2, None)[-1].startswith("2 trainings with something missing here would take")
    assert blocked.trainings() == blocked.trainings("blocked") == []
    price = hours(sum(t.seconds for t in blocked.trainings("missing here")))
    assert (
        lines(blocked, 2, 3600.0)[-2:]
        == [
            "missing here, and not among these:",
            f"  table theory/1: 2 trainings, {price} ({blocked.plan.runs[0].reason})",
        ]
        and "mnist" in blocked.plan.runs[0].reason
    )

    def refuse(*_: object) -> Count:
        raise GanbenchError("no such width")

    monkeypatch.setattr("benchmark.plan.count.count", refuse)
    cells = [
        dataclasses.replace(c, recipe=dataclasses.replace(c.recipe, z_dim=77))
        for c in load(Path("suites/theory.yaml"), "ci").cells[:1]
    ]
    made = forecast(make_plan(cells, [0], {}), devices.named("A100"), say=lambda done, todo: None)
    said = lines(made, 1, 3600.0)
    assert "1 to do without a cost: no such width" in said and not any("0 trainings to do" in line for line in said)


@pytest.mark.slow
def test_planning_without_costs_imports_no_torch_for_kinds_of_run_that_were_tried() -> None:
    code = (
        "import sys; from benchmark.cli import main; main(['plan', 'theory', '--profile', 'ci', "
        "'--results', 'nowhere', *sys.argv[1:]]); "
        "sys.exit(bool({'torch', 'ray', 'pandas', 'scipy'} & sys.modules.keys()))"
    )
    first, again, explained = (
        subprocess.run([sys.executable, "-c", code, *words], capture_output=True) for words in ((), (), ("--explain",))
    )
    assert b"trying the networks of 9 kinds of run" in first.stderr
    assert again.returncode == explained.returncode == 0 and not again.stderr


def test_gpus_of_several_kinds_are_used_together(capsys: pytest.CaptureFixture[str]) -> None:
    made = make_plan(load(Path("suites/theory.yaml"), "ci").cells, [0], {})
    fast, slow = (forecast(made, devices.named(name), say=lambda done, todo: None) for name in ("A100", "V100"))
    alone, both = together([fast], [2]), together([fast, slow], [2, 2])
    assert (
        alone == pytest.approx(placed([t.seconds for t in fast.trainings()], [1.0, 1.0])) and alone / 2 < both < alone
    )
    assert main(["plan", "theory", "--profile", "ci", "--results", "nowhere", "--gpu", "A100:2,V100:2"]) == 0
    said = capsys.readouterr().out
    assert (
        "all on 2 A100 and 2 V100, each where it is expected to end first: " + hours(both) in said
        and "on V100: " in said
    )
    for wrong, message in (
        (["--gpu", "A100:2,V100:2", "--gpus", "3"], "not in both"),
        (["--gpu", "A100:no"], "'no' is no number"),
        (["--gpu", "A100:2,V10"], "V100"),
    ):
        assert (
            main(["plan", "theory", "--profile", "ci", "--results", "nowhere", *wrong]) == 2
            and message in capsys.readouterr().err
        )


@pytest.mark.slow
def test_suites_of_higher_priority_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    def order(*priority: str) -> list[str]:
        assert (
            main(
                [
                    "plan",
                    "theory",
                    "gran",
                    "--profile",
                    "ci",
                    "--only",
                    "table=1 | table=2 & dataset=cifar10",
                    "--results",
                    "nowhere",
                    "--json",
                    *priority,
                ]
            )
            == 0
        )
        runs = [row["cells"][0].split("/")[0] for row in json.loads(capsys.readouterr().out) if row["state"] == "to do"]
        return [paper for paper, _ in itertools.groupby(runs)]

    assert order("--priority", "theory=1") == ["theory", "gran"] and order(
        "--priority", "theory=1", "--priority", "gran=2"
    ) == ["gran", "theory"] == order("--priority", "theory=-1")
    assert (
        main(["plan", "theory", "--profile", "ci", "--results", "nowhere", "--priority", "thoery=1"]) == 2
        and "theory" in capsys.readouterr().err
    )
    with pytest.raises(SystemExit, match="2"):
        main(["plan", "theory", "--priority", "3"])


ITEMS = [
    Item("a/1/x", "a/1", frozenset({"r1", "r2"}), True),
    Item("a/1/y", "a/1", frozenset({"r3"}), True),
    Item("a/2/x", "a/2", frozenset({"r1", "r2"}), True),
    Item("a/2/z", "a/2", frozenset({"r4"}), True),
    Item("b/1/u", "b/1", frozenset({"r5"}), True),
    Item("b/1/v", "b/1", frozenset({"r6"}), True),
    Item("b/open/w", "b/open", frozenset({"r7"}), False),
]
SECONDS = {"r1": 2.0, "r2": 2.0, "r3": 3.0, "r4": 4.0, "r5": 1.0, "r6": 50.0, "r7": 0.5}


def test_a_budget_buys_whole_tables_then_single_cells_then_what_nobody_printed() -> None:
    taken, left = choose(ITEMS, SECONDS, 13.0)
    assert [(t.name, t.seconds) for t in taken] == [
        ("table a/1", 7.0),
        ("table a/2", 4.0),
        ("b/1/u", 1.0),
        ("table b/open", 0.5),
    ] and left == ["b/1/v"]
    assert choose(ITEMS, SECONDS, 6.9)[0][0].name == "b/1/u"  # no table fits: the cheapest cells
    assert choose(ITEMS, SECONDS, 0.4) == ([], [item.cell for item in ITEMS])
    everything, none = choose(ITEMS, SECONDS, sum(SECONDS.values()))
    assert none == [] and sum(t.seconds for t in everything) == pytest.approx(sum(SECONDS.values()))


def test_a_budget_buys_suites_of_higher_priority_first() -> None:
    items = [dataclasses.replace(item, priority=int(item.table.startswith("b"))) for item in ITEMS]
    assert [t.name for t in choose(items, SECONDS, 53.0)[0]] == ["table b/1", "table b/open"] and [
        t.name for t in choose(items, SECONDS, 8.6)[0]
    ] == ["b/1/u", "table b/open", "table a/1", "a/2/x"]  # the last costs nothing: a/1 has its runs


def test_a_budget_is_never_overdrawn_and_no_run_is_paid_for_twice() -> None:
    rng = random.Random(0)
    for _ in range(200):
        seconds = {f"r{i}": rng.uniform(0.1, 10) for i in range(12)}
        items = [
            Item(
                f"c{i}",
                f"t{rng.randrange(4)}",
                frozenset(rng.sample(sorted(seconds), rng.randint(1, 3))),
                rng.random() < 0.8,
            )
            for i in range(10)
        ]
        budget = rng.uniform(0, 70)
        taken, left = choose(items, seconds, budget)
        bought = {cell for t in taken for cell in t.cells}
        needs = {need for item in items if item.cell in bought for need in item.needs}
        assert (
            sum(t.seconds for t in taken) == pytest.approx(sum(seconds[n] for n in needs))
            and sum(t.seconds for t in taken) <= budget
        )
        assert bought | set(left) == {item.cell for item in items} and not bought & set(left)


@pytest.mark.parametrize(("text", "seconds"), [("500h", 1.8e6), ("90min", 5400.0), ("2d", 172800.0), ("1.5", 5400.0)])
def test_times_are_read(text: str, seconds: float) -> None:
    assert parse_hours(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "0h", "nan", "infh", "5 parsecs"])
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError):
        parse_hours(text)


def test_counts_survive_the_round_trip() -> None:
    counted = Count(Work(1, 2, 3, 4, 5), Work(6), Work(7), 8, 9, 10)
    assert Count.from_json(json.loads(json.dumps(counted.to_json()))) == counted
