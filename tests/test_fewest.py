"""What a plan lets through can be measured: too few images for a metric are said before the run."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import pytest
import torch

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.metrics.extract import Extracted
from benchmark.metrics.fewest import too_few
from benchmark.metrics.frechet import MomentSum
from benchmark.metrics.measure import images_needed, measure
from benchmark.plan.blocks import what_blocks
from benchmark.recipe import Protocol
from tests.conftest import protocol, recipe
from tests.test_decide import write

MEASURED = protocol(
    metrics=("FID",),
    features="efficientnet-lite0",
    quantise="round",
    real_split="train",
    generated=64,
    std_of="none",
    every_epochs=None,
    jac_G_every_epochs=None,
    is_splits=2,
    kid_subsets=2,
    kid_subset_size=20,
)
SETS: tuple[dict[str, object], ...] = (
    {"metrics": ("FID",)},
    {"metrics": ("tFID",)},
    {"metrics": ("vFID",)},
    {"metrics": ("precision",)},
    {"metrics": ("recall", "FID")},
    *({"metrics": ("IS",), "is_splits": n} for n in (1, 2, 5)),
    *({"metrics": ("IS", "FID"), "is_splits": 2, "is_generated": n} for n in (1, 2, 9)),
    *({"metrics": ("KIDx1000",), "kid_subset_size": n} for n in (1, 2, 3, 4)),
)


def seen(n: int) -> Extracted:
    """``n`` images as an extractor leaves them; raises GanbenchError as ``extract`` does."""
    features, sums = torch.randn(n, 6), MomentSum()
    sums.add(features.numpy())
    return Extracted(sums.moments(), features, features)


def can_be_measured(p: Protocol, real: int, validation: int) -> bool:
    """Whether the real code gives finite numbers."""
    try:
        generated = dataclasses.replace(seen(p.generated), logits=seen(p.is_generated or p.generated).logits)
        found = measure(p, generated, seen(real), seen(validation))
    except GanbenchError:
        return False
    assert set(found) == set(p.metrics)
    return all(math.isfinite(value) for numbers in found.values() for value in numbers.values())


@pytest.mark.parametrize("settings", SETS, ids=str)
def test_the_plan_refuses_what_measuring_would_fail_on_and_nothing_else(settings: dict[str, object]) -> None:
    torch.manual_seed(0)
    for generated, real, validation in itertools.product((1, 2, 3, 4, 5), (1, 2, 3, 4, 5), (2, 4)):
        p = dataclasses.replace(MEASURED, generated=generated, real=real, **settings)
        assert images_needed(p) >= generated
        why = too_few(p, real, validation if "vFID" in p.metrics else None)
        assert (why is None) == can_be_measured(p, real, validation), (generated, real, validation, why)


@pytest.mark.parametrize(
    ("changes", "data", "message"),
    [
        ({"metrics": ("KIDx1000",), "kid_subset_size": 100, "generated": 5000, "real": 80}, {}, "below 80"),
        (
            {"metrics": ("KIDx1000",), "kid_subset_size": 3000, "generated": 5000, "real_split": "test"},
            {},
            "below 2,048",
        ),
        ({"metrics": ("KIDx1000",), "kid_subset_size": 64}, {}, "below 64"),
        (
            {"metrics": ("KIDx1000",), "kid_subset_size": 100, "generated": 5000},
            {"dataset": "shells", "resolution": 256, "images": None},
            "below 64",
        ),
        ({"metrics": ("KIDx1000",), "kid_subset_size": 1}, {}, "at least 2"),
        ({"metrics": ("precision",), "real": 3}, {}, "more than 3 images a side"),
        ({"metrics": ("recall",), "generated": 3}, {}, "more than 3 images a side"),
        ({"generated": 1}, {}, "generates 1 image"),
        ({"real": 1}, {}, "compares with 1 image"),
        ({"metrics": ("tFID",), "real": 1}, {}, "compares with 1 image"),
        ({"metrics": ("IS",), "generated": 1, "is_splits": 1}, {}, "generates 1 image"),
        ({"metrics": ("IS",), "is_generated": 1, "is_splits": 1}, {}, "generates for IS 1 image"),
        ({"metrics": ("IS",), "is_generated": 4, "is_splits": 5}, {}, "at most the 4 generated"),
        ({"metrics": ("vFID",)}, {}, "as many generated images as there are validation images, 2,048"),
        (
            {"metrics": ("vFID",), "real_split": "train"},
            {"dataset": "shells", "resolution": 256, "images": None},
            "no split test to compare with",
        ),
    ],
)
def test_a_cell_is_blocked_before_its_run(changes: dict[str, object], data: dict[str, object], message: str) -> None:
    small = dataclasses.replace(recipe(resolution=32, channels=3), **data)
    assert what_blocks(recipe(), MEASURED) is None
    assert message in (what_blocks(small, dataclasses.replace(MEASURED, **changes)) or "")


PROTOCOL = """metrics: [V_g, D_G, FID, KIDx1000, precision], generated: 500, features: efficientnet-lite0,
  quantise: round, real_split: test, kid_subsets: 2, kid_subset_size: 200"""
PROFILES = """profiles:
  real: {protocol: {real: 150}}
  generated: {protocol: {generated: 200}}
  three: {protocol: {real: 3, kid_subset_size: 2}}
  one: {protocol: {real: 1}}
  images: {recipe: {images: 31}}
  percent: {recipe: {images: null, data_percent: 0.3}}
  nothing: {recipe: {images: null, data_percent: 0.001, drop_last: false}}"""


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("real", "kid_subset_size below 150"),
        ("generated", "kid_subset_size below 200"),
        ("three", "more than 3 images a side: the protocol generates 500 images and compares with 3"),
        ("one", "compares with 1 image"),
        ("images", "31 images are fewer than one batch of 32"),
        ("percent", "25 images are fewer than one batch of 32"),
        ("nothing", "0 images are fewer than one batch of 32"),
    ],
)
def test_a_profile_that_shrinks_too_far_is_blocked_in_the_plan_and_runs_nothing(
    profile: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "few.yaml")
    text = path.read_text().replace("profiles: {reduced: {recipe: {images: 32}}}", PROFILES)
    path.write_text(text.replace("metrics: [V_g, D_G], generated: 40", PROTOCOL))
    words = [str(path), "--results", str(tmp_path / "results"), "--profile", profile]
    assert main(["plan", *words, "--explain"]) == 0
    said = capsys.readouterr().out
    assert "blocked: tiny/1/A/shapes seed 0: " in said and message in said and "0 to do, 0 done, 2 blocked" in said
    assert main(["run", *words, "--executor", "inline", "--device", "cpu"]) == 1
    assert message in capsys.readouterr().err and not (tmp_path / "results" / "records").exists()
