"""Recipes that cannot be trained are refused before anything trains, in one line each: by list --check, plan, run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.plan.built import refusals
from benchmark.plan.representative import REPRESENTATIVE
from benchmark.recipe import Recipe

CHAIN = {
    "version": "batch",
    "norm": "arms",
    "weight": 1.0,
    "p0": 0.0,
    "tau": 0.5,
    "delta_p": 0.1,
    "start": 0,
    "decay": 0.9,
}


def recipe(name: str, **changes: object) -> Recipe:
    return dataclasses.replace(REPRESENTATIVE[name], **changes)


FASTGAN: dict[str, object] = {
    "network": ("fastgan", {"width": 0.0625, "d": "bn"}),
    "resolution": 64,
    "d_pass": "separate",
}

BAD = {
    "a value of a part": (
        recipe("mlp", parts=(("dequantise", {"scale": 0.0, "width": 0.1}),)),
        "dequantise: scale is of pixels",
    ),
    "a word in a part's text": (
        recipe("resnet, narrow", parts=(("diffaugment", {"policy": "cutot", "random_order": False}),)),
        "did you mean 'cutout'",
    ),
    "a part that does not fit the network": (
        recipe("mlp", parts=(("chain", CHAIN | {"eps": 1e-5, "blocks": "all"}),)),
        "this network's D has none",
    ),
    "a part whose penalty does not fit D's logits": (
        recipe("resnet, narrow", **FASTGAN, parts=(("lecam", {"weight": 0.3, "decay": 0.9, "start": 0}),)),
        "lecam is defined for a D with one logit an image; this one gives 50",
    ),
    "a part that G's step comes too early for": (
        recipe(
            "resnet, narrow",
            **FASTGAN | {"network": ("fregan", {"width": 0.0625})},
            parts=(("hf-alignment", {"weight": 1.0}),),
            player_order="g-first",
        ),
        "hf-alignment needs D's step before G's",
    ),
    "a margin of no hinge": (
        recipe("resnet, narrow", loss=("hinge", {"margin": 0.0, "margin_jitter": 0.2})),
        "hinge: margin is 0",
    ),
    "a resolution that the network has not": (recipe("resnet, narrow", resolution=40), "40"),
    "one image where BatchNorm needs two": (recipe("mlp", batch_g=1, batch_d=1), "a batch of 1 image at"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_trained_is_refused_with_its_reason(case: str) -> None:
    bad, words = BAD[case]
    (said,) = refusals({"paper/1/A/mnist": bad, "paper/1/B/mnist": bad, "paper/1/C/mnist": recipe("mlp")})
    assert said.startswith("paper/1/A/mnist and 1 more: ") and words in said and "\n" not in said


def test_what_works_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = recipe("mlp"), BAD["a value of a part"][0]
    assert not refusals({"good": good}) and refusals({"bad": bad})
    tried = []
    monkeypatch.setattr("benchmark.plan.trial.trial", lambda r: tried.append(r))
    refusals({"good": good, "bad": bad})
    assert tried == [bad], "what was refused is tried again: a plug-in may have been mended"


def test_every_kind_of_network_can_be_built() -> None:
    assert not refusals(REPRESENTATIVE)


@pytest.mark.parametrize("command", ["list --check", "plan", "run --executor inline"])
def test_commands_refuse_it_before_anything_trains(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suites = Path(__file__).parents[1] / "suites"
    text = (suites / "theory.yaml").read_text(encoding="utf-8")
    given = "parts: [spectral-norm: {player: D}]"
    assert given in text
    path = tmp_path / "theory.yaml"
    path.write_text(
        text.replace(given, "parts: [spectral-norm: {player: D}, dequantise: {scale: 0, width: 0.1}]", 1),
        encoding="utf-8",
    )
    name, *options = command.split()
    more = [] if name == "list" else ["--profile", "ci", "--results", str(tmp_path / "results")]
    code = main([name, str(path), *options, *more])
    printed = "".join(capsys.readouterr())
    assert code == 2 and "dequantise: scale is of pixels, from 1 to 65,536, found 0" in printed
    assert "Traceback" not in printed and not (tmp_path / "results").exists()


@pytest.mark.parametrize("command", ["plan", "run --executor inline"])
def test_one_image_left_for_the_last_batch_is_refused_where_batch_norm_needs_two(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[1] / "suites" / "theory.yaml").read_text(encoding="utf-8")
    assert "      images: 1024\n" in text
    path = tmp_path / "theory.yaml"
    path.write_text(text.replace("      images: 1024\n", "      images: 65\n"), encoding="utf-8")
    name, *options = command.split()
    code = main([name, str(path), *options, "--profile", "ci", "--results", str(tmp_path / "results")])
    printed = "".join(capsys.readouterr())
    assert code == 2 and "(the last batch)" in printed and "mlp cannot see a batch of 1 image at 28 pixels" in printed
    assert "Traceback" not in printed and not (tmp_path / "results").exists()
