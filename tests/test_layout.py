"""Which memory layout a run takes: the rule, the switch, the record, a run that goes on, and the planner."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmark.catalogue import plugins
from benchmark.cli import main, parser
from benchmark.collate.presenting.site.facts import provenance
from benchmark.commands.pace import seconds_each
from benchmark.data.read import read
from benchmark.plan import calibrate, devices
from benchmark.plan.counted import Counts
from benchmark.plan.measured import Measured
from benchmark.recipe import Recipe
from benchmark.records.store import read_all
from benchmark.train.layout import AUTO, CHANNELS_LAST, CONTIGUOUS, FASTER_LAST, LAYOUTS, is_channels_last
from benchmark.train.run import run
from tests.conftest import protocol, recipe

DATA = read("shapes", "train", 32, 3, images=64)
CONVOLUTIONS: dict[str, Any] = dict(
    resolution=32,
    channels=3,
    images=64,
    network=("dcgan", {"width": 0.0625, "g_norm": "batch", "d_norm": "batch"}),
    batch_d=16,
    batch_g=16,
    parts=(),
)
SUITE = """suite: two
paper: {title: Two, venue: here}
protocol: {metrics: [V_g], generated: 8, sample_batch: 8, bn_mode: eval, weights: raw, checkpoint: last, std_of: none}
recipes:
  mlp: {dataset: shapes, split: train, resolution: 32, channels: 3, data_percent: 100, images: 8,
    network: {name: mlp, width: 0.1, bn_eps: 0.8}, z_dim: 8, z_distribution: normal, z_scale: 1.0,
    loss: {name: non-saturating, d_scale: 1.0}, batch_d: 4, batch_g: 4, n_dis: 1, steps: 2, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate,
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}
  dcgan: {from: mlp, network: {name: dcgan, width: 0.0625, g_norm: batch, d_norm: batch}}
tables:
  "1": {caption: c, std_of: none, metrics: {V_g: lower},
    rows: {mlp: {recipe: mlp, V_g: 1.0}, dcgan: {recipe: dcgan, V_g: 1.0}}}
"""
PROTOCOL = protocol(metrics=("V_g",), every_epochs=None, jac_G_every_epochs=None)


def trained(folder: Path, layout: str = AUTO, **changes: Any) -> dict[str, Any]:
    """What four epochs of a small convolutional pair give."""
    result = run(recipe(**CONVOLUTIONS), PROTOCOL, 0, DATA, folder, layout=layout, **changes)
    assert result is not None
    return result


def stretches(result: dict[str, Any]) -> list[tuple[int, int, bool]]:
    return [(s["from_step"], s["to_step"], s["channels_last"]) for s in result["segments"]]


@pytest.mark.parametrize("network", [*sorted(plugins("networks")), "of-somebody-else"])
def test_the_rule_goes_by_network_and_device_and_a_switch_goes_before_it(network: str) -> None:
    for device in ("cpu", "cuda", "cuda:1"):
        assert is_channels_last(CHANNELS_LAST, network, device) and not is_channels_last(CONTIGUOUS, network, device)
        assert is_channels_last(AUTO, network, device) == (device == "cpu" and network in FASTER_LAST)


def test_the_rule_knows_networks_that_there_are_and_leaves_what_was_not_measured() -> None:
    assert plugins("networks").keys() >= FASTER_LAST and not FASTER_LAST & {"mlp", "of-somebody-else"}


def test_the_rule_comes_without_torch() -> None:
    code = "import sys, benchmark.train.layout; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "layout"),
    [([], AUTO), (["--channels-last"], CHANNELS_LAST), *(([f"--layout={name}"], name) for name in LAYOUTS)],
)
def test_the_command_line_takes_each(words: list[str], layout: str) -> None:
    assert parser().parse_args(["run", "theory", *words]).layout == layout


@pytest.mark.parametrize(
    "words", [["--layout", "channels_last"], ["--channels-last", "--layout", "contiguous"], ["--layout"]]
)
def test_what_it_does_not_take_is_bad_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["run", "theory", *words])
    assert ended.value.code == 2 and "--layout" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "network", "last"),
    [
        ([], "mlp", False),
        ([], "dcgan", True),
        (["--channels-last"], "mlp", True),
        (["--layout", "contiguous"], "dcgan", False),
    ],
)
def test_the_record_and_the_page_say_what_a_run_took(
    words: list[str], network: str, last: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "two.yaml").write_text(SUITE, encoding="utf-8")
    chosen = ("--only", f"method={network}", "--results", str(tmp_path), "--executor", "inline", "--device", "cpu")
    assert main(["run", str(tmp_path / "two.yaml"), *chosen, *words]) == 0
    (record,), problems = read_all(tmp_path)
    assert not problems and [s["channels_last"] for s in record.provenance["segments"]] == [last]
    assert f"1 thread(s), {'channels last' if last else 'contiguous'}, " in provenance(record)[1]
    older = [{k: v for k, v in s.items() if k != "channels_last"} for s in record.provenance["segments"]]
    said = provenance(dataclasses.replace(record, provenance={"segments": older}))[1]
    assert f"1 thread(s), {older[0]['device']}" in said, "an older record says nothing of it"


def test_a_run_gets_the_rules_layout_and_its_bits_are_that_layouts(tmp_path: Path) -> None:
    auto, last, usual = (trained(tmp_path / layout, layout) for layout in LAYOUTS)
    assert stretches(auto) == stretches(last) == [(0, 16, True)] and stretches(usual) == [(0, 16, False)]
    assert auto["final"] == last["final"] and auto["samples"] == last["samples"]
    assert usual["final"]["V_g"]["value"] == pytest.approx(auto["final"]["V_g"]["value"], rel=1e-2)


def test_a_run_that_was_stopped_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    stopped = run(recipe(**CONVOLUTIONS), PROTOCOL, 0, DATA, tmp_path / "two", tick=lambda done, todo: done >= 4)
    assert stopped is None
    again = trained(tmp_path / "two")
    assert stretches(again) == [(0, 4, True), (4, 16, True)]
    assert (again["final"], again["samples"]) == (whole["final"], whole["samples"])


@pytest.mark.parametrize(("first", "then"), [(CONTIGUOUS, AUTO), (AUTO, CONTIGUOUS), (CHANNELS_LAST, CONTIGUOUS)])
def test_a_run_that_goes_on_in_the_other_layout_says_both(
    first: str, then: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained(tmp_path, first, until_epoch=2)
    with caplog.at_level("INFO"):
        result = trained(tmp_path, then)
    was, now = (is_channels_last(layout, "dcgan", "cpu") for layout in (first, then))
    assert was != now and stretches(result) == [(0, 8, was), (8, 16, now)]
    words = {True: "channels last", False: "contiguous"}
    assert f"memory layout {words[now]} (until here {words[was]})" in caplog.text


def test_calibrating_times_steps_in_the_layout_that_runs_get(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, bool] = {}

    def step(gan: Any, next_real: Any) -> None:
        """Notes how the pair and its images lie."""
        weights = [p for p in gan.G.parameters() if p.dim() == 4 and min(p.shape) > 1]
        last = all(p.is_contiguous(memory_format=torch.channels_last) for p in (*weights, next_real()[0]))
        seen[gan.recipe.network[0]] = last and bool(weights)

    monkeypatch.setattr(calibrate, "train_step", step)
    mlp = recipe(parts=())
    calibrate.step_seconds({"a": recipe(**CONVOLUTIONS), "b": mlp}, budget_s=0.0, rounds=1)
    assert seen == {"dcgan": True, "mlp": False}


def test_a_processor_that_was_calibrated_under_another_rule_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    here = devices.this_device("cpu")
    kept = dataclasses.replace(devices.CPU, conv=1.0)
    devices.keep(here, kept)
    assert devices.named("cpu").conv == 1.0
    found = json.loads(devices.factors_file().read_text())
    found["NVIDIA A100"] = found[here] | {"name": "cuda"}
    for entry in found.values():
        del entry["layout_rule"]  # as before there was one
    devices.factors_file().write_text(json.dumps(found))
    assert devices.named("cpu") == devices.CPU and devices.named("A100").conv == 1.0  # a GPU's layout did not change


def made(r: Recipe, seconds: float, **segment: Any) -> Any:
    """As much of a record as the planner reads."""
    segments = [{"device": "here", "threads": 1} | segment]
    return SimpleNamespace(
        recipe=r, steps=100, train_s=seconds * 100, train_cpu_s=None, provenance={"segments": segments}
    )


@pytest.mark.parametrize(
    ("name", "network", "layout", "counts_last"),
    [
        ("cpu", "dcgan", AUTO, True),
        ("cpu", "dcgan", CONTIGUOUS, False),
        ("cpu", "mlp", AUTO, False),
        ("cpu", "mlp", CHANNELS_LAST, True),
        ("A100", "dcgan", AUTO, False),
    ],
)
def test_only_records_in_the_layout_of_the_runs_refine_a_prediction(
    name: str, network: str, layout: str, counts_last: bool, tmp_path: Path
) -> None:
    r = recipe(**CONVOLUTIONS) if network == "dcgan" else recipe()
    counts = Counts(tmp_path / "work.json")
    counts.count_all([(r, 10)])
    device = dataclasses.replace(devices.CPU, name=name)
    mixed = made(r, 1.0)
    mixed.provenance["segments"].append({"device": "here", "threads": 1, "channels_last": True})
    found = [made(r, 2.0, channels_last=True), made(r, 3.0, channels_last=False), made(r, 4.0), mixed]
    known = Measured(found, "here".__eq__, counts, device, layout)
    expected = (2.0, "measured, 1 record") if counts_last else (3.0, "measured, 2 records")
    assert known.step(counts.key(r), network, 9.0) == expected


def test_more_seeds_are_priced_in_the_layout_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Nothing:
        """A forecast that knows no cost."""

        plan = SimpleNamespace(runs=())

        def __init__(self, plan: Any, device: Any, counts: Any, found: Any, layout: str) -> None:
            asked.append(layout)

    monkeypatch.setattr("benchmark.commands.pace.Forecast", Nothing)
    seconds_each([], devices.CPU, [], CONTIGUOUS)
    assert asked == [CONTIGUOUS]
