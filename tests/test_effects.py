"""Each effect is said of the change that it is known for, and of no other change of its field."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.collate.judging.effects import EFFECTS, known
from benchmark.collate.judging.tier import Difference
from benchmark.collate.judging.values import flat, said

JPEG = "through JPEG"
OTHER = "other images"

SAID: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("dataset", {"dataset": "cifar10"}, {"dataset": "cifar10-jpeg"}, JPEG),
    ("dataset", {"dataset": "cifar10-jpeg"}, {"dataset": "cifar10"}, JPEG),
    ("dataset", {"dataset": "cifar100"}, {"dataset": "cifar10-jpeg"}, OTHER),
    ("dataset", {"dataset": "mnist"}, {"dataset": "shapes"}, OTHER),
    ("dataset", {"dataset": "obama"}, {"dataset": "emoji-faces"}, OTHER),
    ("dataset", {"dataset": "stl10"}, {"dataset": "cifar10"}, OTHER),
    ("real_split", {"real_split": "train"}, {"real_split": "test"}, "14.2"),
    ("real", {"real": 50000}, {"real": 10000}, "+2 FID"),
    ("generated", {"generated": 50000}, {"generated": 5000}, "+5 to +7"),
    ("resize", {"resize": "box"}, {"resize": "lanczos"}, "4.30"),
    ("quantise", {"quantise": "floor"}, {"quantise": "round"}, "0.1 FID"),
    ("features", {"features": "inception-2015-12-05"}, {"features": "efficientnet-lite0"}, "another scale"),
    ("is_generated", {"is_generated": 50000, "generated": 10000}, {"generated": 5000}, "IS rises"),
    ("is_splits", {"is_splits": 10}, {"is_splits": 2}, "fewer images a split"),
    ("bn_mode", {"bn_mode": "eval"}, {"bn_mode": "train"}, "BigGAN"),
    ("weights", {"weights": "ema"}, {"weights": "raw"}, "BigGAN"),
    ("ema", {"ema": 0.9999}, {}, "BigGAN"),
    ("hflip", {"hflip": True, "images": 100}, {"images": 100}, "little data"),
    ("hflip", {"hflip": False, "data_percent": 10.0}, {"hflip": True, "data_percent": 10.0}, "little data"),
    ("checkpoint", {"checkpoint": "best", "best_by": "FID"}, {"checkpoint": "last"}, "never worse"),
    ("precision", {"precision": "float32"}, {"precision": "bfloat16"}, "mixed precision"),
    ("sample_batch", {"sample_batch": 50, "bn_mode": "train"}, {"sample_batch": 4, "bn_mode": "eval"}, "couples"),
]

UNSAID: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("real_split", {"real_split": "train+unlabeled"}, {"real_split": "train"}),
    ("real_split", {"real_split": "test"}, {"real_split": "all"}),
    ("real", {"real": 50000}, {"real": 5000}),
    ("generated", {"generated": 50000}, {"generated": 2048}),
    ("generated", {"generated": 10000}, {"generated": 5000}),
    ("resize", {"resize": "bilinear"}, {}),
    ("resize", {"resize": "bilinear"}, {"resize": "box"}),
    ("crop", {"crop": "center"}, {}),
    ("quantise", {"quantise": "min-max"}, {"quantise": "round"}),
    ("is_generated", {"is_generated": 5000, "generated": 50000}, {"generated": 5000}),
    ("is_splits", {}, {"is_splits": 2}),
    ("ema", {"ema": 0.9999}, {"ema": 0.99}),
    ("hflip", {"hflip": True, "data_percent": 100.0}, {"data_percent": 100.0}),
    ("hflip", {"hflip": True, "images": 100}, {"data_percent": 100.0}),
    ("hflip", {"hflip": False, "images": 100}, {"images": 100}),
    ("checkpoint", {"checkpoint": "best", "best_by": "IS"}, {"checkpoint": "last"}),
    ("sample_batch", {"sample_batch": 50, "bn_mode": "eval"}, {"sample_batch": 4, "bn_mode": "eval"}),
    ("batch_d", {"batch_d": 64}, {"batch_d": 32}),
]


@pytest.mark.parametrize(("field", "theirs", "ours", "text"), SAID)
def test_an_effect_is_said_of_its_change(field: str, theirs: dict[str, Any], ours: dict[str, Any], text: str) -> None:
    effect = known(field, theirs, ours)
    assert effect is not None and effect.field == field and text in effect.size
    assert (JPEG in effect.size) == (text == JPEG)
    assert known(field, theirs, theirs) is None and known(field, ours, ours) is None


@pytest.mark.parametrize(("field", "theirs", "ours"), UNSAID)
def test_and_of_no_other(field: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    assert known(field, theirs, ours) is None and known(field, ours, theirs) is None


def test_every_effect_has_a_change_of_its_own_above() -> None:
    assert {id(known(field, a, b)) for field, a, b, _ in SAID} == {id(e) for e in EFFECTS}


NETWORK = ["sngan-resnet", {"width": 1.0, "pool": "sum", "head": "linear"}]


@pytest.mark.parametrize(
    ("field", "theirs", "ours", "text"),
    [
        ("batch_d", 64, 32, "64 -> 32"),
        ("network", NETWORK, ["sngan-resnet", NETWORK[1] | {"width": 0.125}], "width 1 -> 0.125"),
        ("network", NETWORK, ["mlp", {"width": 1.0}], "sngan-resnet (width 1, pool sum, head linear) -> mlp (width 1)"),
        ("loss", ["hinge", {}], ["hinge", {"margin": 2}], "margin – -> 2"),
        ("metrics", ["FID", "IS"], ["FID"], "FID, IS -> FID"),
        ("ema", "none", 0.99, "none -> 0.99"),
        ("parts", [["gran", {"tau": 1.2, "eps": 1e-8}]], [["gran", {"tau": 1.0, "eps": 1e-8}]], "gran.tau 1.2 -> 1"),
        ("parts", [], [["diffaugment", {"policy": ["color", "cutout"]}]],
         "diffaugment – -> yes, diffaugment.policy – -> color, cutout"),
    ],
)  # fmt: skip
def test_a_difference_is_said_in_words_and_no_more_of_it(field: str, theirs: Any, ours: Any, text: str) -> None:
    line = str(Difference(field, theirs, ours, "", None))
    assert line == f"{field}: {text}" and not set("{}[]'") & set(line)


def test_nothing_is_said_as_a_program_writes_it() -> None:
    assert said({"a": {"b": [1, True, None]}}) == "a b 1, yes, –" and said(["x", {}]) == "x"
    twice = flat({"parts": [["spectral-norm", {"player": "D"}], ["spectral-norm", {"player": "G"}]], "ema": None})
    assert twice == {"parts.spectral-norm": "yes", "parts.spectral-norm.player": "D and G"}
