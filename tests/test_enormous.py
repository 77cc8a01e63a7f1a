"""A suite may ask for anything: its plan ends, in bounded time and memory, and says what has no cost and why."""

from __future__ import annotations

import itertools
import json
import resource
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.plan import limit
from benchmark.plan.cost import measurements
from benchmark.plan.count import count
from benchmark.plan.counted import Counts
from benchmark.plan.limit import Limited
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError
from tests.conftest import protocol, recipe
from tests.test_decide import write

HUGE = 10**9
ADA = ("ada", {"pipe": "bgc", "target": 0.6, "kimg": 1.0, "every": 4, "schedule": "adaptive"})
DIFFAUGMENT = ("diffaugment", {"policy": "color,translation,cutout", "random_order": False})
ENORMOUS: dict[str, dict[str, object]] = {
    "noises": {"z_dim": HUGE},
    "D's batch": {"batch_d": HUGE, "share_fakes": False},
    "G's batch": {"batch_g": HUGE, "share_fakes": False},
    "normal noises": {"z_dim": HUGE, "z_distribution": "normal"},
    "copies": {"parts": (("translations", {"shift": 2, "copies": HUGE, "fill": -1.0}),)},
    "adapted batch": {"parts": (ADA,), "batch_d": HUGE, "batch_g": HUGE, "z_dim": 1},
    "width": {"network": ("mlp", {"width": 1e9, "bn_eps": 0.8})},
    "width beyond integers": {"network": ("mlp", {"width": 1e300, "bn_eps": 0.8})},
}
ENDLESS: dict[str, dict[str, object]] = {
    "many parts": {"parts": (DIFFAUGMENT,) * 3000},
    "gradients of gradients": {"parts": (("gn", {}),) * 30, "share_fakes": False},
}


@pytest.mark.parametrize("changes", ENORMOUS.values(), ids=list(ENORMOUS))
def test_what_is_enormous_is_refused_before_anything_is_drawn(changes: dict[str, object]) -> None:
    counts, start = Counts(Path("nowhere/work.json")), time.process_time()
    counts._keep = lambda: None
    asked = recipe(**changes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts.count_all([(asked, 100)])
    assert counts.known(asked) is None and counts.why_not(asked) and "\n" not in counts.why_not(asked)
    assert time.process_time() - start < limit.LONGEST_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2e6, "kB"


@pytest.mark.parametrize("changes", ENDLESS.values(), ids=list(ENDLESS))
def test_what_does_not_end_is_ended(changes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "LONGEST_S", 1.0)
    start = time.process_time()
    with pytest.raises(GanbenchError, match="too much to be counted: it has more operations"):
        count(recipe(**changes), 100)
    assert time.process_time() - start < 6


def test_building_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*shape: object, **more: object) -> tuple[nn.Module, nn.Module]:
        return nn.Sequential(*(nn.Linear(8, 8) for _ in itertools.count())), nn.Identity()

    real = __import__("benchmark.train.gan", fromlist=["plugin"])
    known, endless = real.plugin, SimpleNamespace(load=lambda: SimpleNamespace(build=build))
    monkeypatch.setattr(real, "plugin", lambda room, name: endless if room == "networks" else known(room, name))
    monkeypatch.setattr(limit, "LONGEST_S", 0.5)
    with pytest.raises(GanbenchError, match="too much to be counted: it has more operations"):
        count(recipe(), 100)


@pytest.mark.parametrize(
    "draw",
    [
        lambda n: torch.randn(n),
        lambda n: torch.rand(1, n, generator=torch.Generator()),
        lambda n: torch.randint(0, 2, (n,)),
        lambda n: torch.randperm(n),
        lambda n: torch.arange(n),
        lambda n: torch.zeros(2, n),
        lambda n: torch.empty(n),
        lambda n: torch.full((n,), 1.0),
    ],
)
def test_whatever_makes_numbers_out_of_none_is_bounded_on_the_cpu_alone(draw) -> None:
    with Limited():
        draw(100)
        with pytest.raises(GanbenchError, match="numbers at once"):
            draw(limit.MOST_NUMBERS + 1)
        torch.empty(limit.MOST_NUMBERS + 1, device="meta")
        torch.randint(HUGE, (3,))  # a large number is no large tensor


@pytest.mark.parametrize("more", [("--explain",), ("--gpus", "2"), ("--budget", "5h"), ("--json",)])
def test_the_plan_of_an_enormous_suite_is_made_and_says_so(
    more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    path = write(tmp_path / "tiny.yaml")
    path.write_text(path.read_text().replace("wide: {from: base,", "wide: {from: base, z_dim: 1000000000,"))
    assert main(["plan", str(path), "--results", str(tmp_path), "--gpu", "A100", *more]) == 0
    said = capsys.readouterr()
    assert "counting the work of 2 kinds of step, once: 0 done" in said.err
    if "--json" in more:
        assert [set(row) & {"cost"} for row in json.loads(said.out)] == [{"cost"}, set()]
    else:
        assert "1 to do without a cost: its step is too much to be counted: it draws 32,000,000,000 numbers" in said.out
        assert ("\n  no cost: its step is too much" in said.out) == ("--explain" in more)


def test_measurements_are_counted_as_the_run_makes_them_and_without_listing_them() -> None:
    for total, every, epochs in itertools.product((1, 6, 7, 12, 100), (None, 1, 2, 5, 200), (None, 1, 2, 50)):
        r = recipe(epochs=None, steps=total, images=128, batch_d=64, batch_g=64)  # two steps an epoch
        steps = {total} | set(range(0, total + 1, every) if every else ())
        steps |= set(range(2 * epochs, total + 1, 2 * epochs) if epochs else ())
        p = protocol(every_steps=every, every_epochs=epochs)
        assert measurements(r, p, 128)[0] == len(steps), (total, every, epochs)
    endless = recipe(epochs=None, steps=10**15)
    assert measurements(endless, protocol(every_steps=1, every_epochs=1), 128)[0] == 10**15 + 1


@pytest.mark.parametrize("field", ["z_dim", "batch_d", "n_dis", "images", "epochs"])
@pytest.mark.parametrize(
    "value", ["9007199254740992", "9007199254740993", "1.0e+30", "-1.0e+300", "100000000000000000000"]
)
def test_whole_numbers_that_are_not_told_apart_are_refused(field: str, value: str, tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.yaml")
    text = path.read_text()
    old = next(line for line in text.replace("{", ",").replace("}", ",").split(",") if f" {field}: " in f" {line}")
    path.write_text(text.replace(old, f" {field}: {value}", 1))
    with pytest.raises(
        SuiteError, match=r"tiny.yaml:\d+:\d+: expected a whole number of at most 9,007,199,254,740,991"
    ):
        load(path)


def test_many_kinds_that_cannot_be_counted_share_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty such kinds of step must not take twenty times as long as one."""
    monkeypatch.setattr(limit.time, "process_time", lambda: 100.0)
    assert [limit.deadline(wasted) - 100 for wasted in (0.0, 12.0, 16.0, 400.0)] == [20.0, 8.0, 4.0, 4.0]
