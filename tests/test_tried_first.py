"""What would fail after hours, or at once by the machine's memory, is said before anything trains; and what is no
matter for a network, by the linter.
"""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest
import torch

from benchmark.catalogue import plugins
from benchmark.cli import main
from benchmark.methods import perceptual
from benchmark.plan import built
from benchmark.plan.built import refusals
from benchmark.plan.representative import REPRESENTATIVE
from benchmark.recipe import Recipe
from benchmark.suite.lint import lint
from benchmark.suite.load import load

SUITES = Path(__file__).parents[1] / "suites"
STYLEGAN2 = next(c for c in load(SUITES / "chain.yaml", "ci").cells if c.method == "StyleGAN2").recipe
KD = next(c for c in load(SUITES / "chain.yaml", "ci").cells if c.method == "KDDLGAN").recipe


@pytest.fixture(autouse=True)
def nothing_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))


def _kd(**changes: object) -> Recipe:
    return dataclasses.replace(KD, parts=tuple((n, a | changes if n == "kd-dlgan" else a) for n, a in KD.parts))


@pytest.mark.parametrize("size", [1, 64, 223, 225])
def test_clips_size_is_refused_while_its_weights_are_not_here(size: int) -> None:
    (said,) = refusals({"a": _kd(teacher="clip-vit-b32", size=size)})
    assert f"the teacher clip-vit-b32 reads images of 224 pixels, not of {size}" in said
    assert not refusals({"a": KD})


@pytest.mark.parametrize("name", [name for name, r in REPRESENTATIVE.items() if r.network[0] != "stylegan2"][:6])
def test_what_is_larger_than_the_machine_is_refused_and_fits_a_larger_one(name: str) -> None:
    r = REPRESENTATIVE[name]
    assert not refusals({"a": r}, room=10**12)
    (said,) = refusals({"a": r, "b": r}, room=1000)
    assert said.startswith("a and 1 more: its weights, gradients and optimisers take") and "smaller width" in said
    assert not refusals({"a": r}), "kept, and where nothing is known of the machine not refused"


def test_plan_and_run_refuse_a_width_that_no_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (SUITES / "theory.yaml").read_text(encoding="utf-8")
    path = tmp_path / "theory.yaml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(built, "room_here", lambda: 1_000_000)
    words = [str(path), "--profile", "ci", "--results", str(tmp_path / "r")]
    for command in (["plan", *words], ["run", *words, "--executor", "inline"]):
        assert main(command) == 2
        assert "this machine has 0.001 GB" in capsys.readouterr().err and not (tmp_path / "r").exists()
    assert main(["plan", *words, "--gpu", "A100"]) == 0, "another machine's plan"


def test_what_is_held_is_weights_gradients_moments_and_the_average() -> None:
    from benchmark.plan.count import Counted
    from benchmark.plan.trial import held

    for r in (STYLEGAN2, dataclasses.replace(STYLEGAN2, ema=None, ema_start=None, ema_buffers=None)):
        with torch.device("meta"):
            gan = Counted(r, 1)
        G, D = (sum(p.numel() for p in m.parameters()) for m in (gan.G, gan.judges))
        assert held(gan) == 16 * (G + D) + (4 * G if r.ema else 0)


def _nets() -> dict[str, Recipe]:
    found = {r.network[0]: r for r in REPRESENTATIVE.values()}
    for paper in ("chain", "gran", "pgn", "sdp", "theory"):
        found |= {c.recipe.network[0]: c.recipe for c in load(SUITES / f"{paper}.yaml", "ci").cells}
    return found


@pytest.mark.parametrize("network", sorted(_nets()))
def test_networks_state_whether_their_g_has_batch_norm(network: str) -> None:
    r = _nets()[network]
    with torch.device("meta"):
        module = importlib.import_module(f"benchmark.networks.{network.replace('-', '_')}")
        G, _ = module.build((r.channels, r.resolution, r.resolution), r.z_dim, r.classes, **r.network[1])
    normed = any("running_mean" in name or "stored_mean" in name for name, _ in G.named_buffers())
    assert plugins("networks")[network].batch_norm == normed


@pytest.mark.slow
def test_the_linter_says_that_bn_mode_train_is_nothing_to_a_g_without_batch_norm(tmp_path: Path) -> None:
    text = (SUITES / "chain.yaml").read_text(encoding="utf-8")
    start = text.index("  100shot:\n")
    path = tmp_path / "chain.yaml"
    assert not [p for p in lint([SUITES / "chain.yaml"]) if "bn_mode" in p]
    path.write_text(text[:start] + text[start:].replace("bn_mode: eval", "bn_mode: train", 1), encoding="utf-8")
    (said,) = [p for p in lint([path]) if "bn_mode" in p]
    assert "chain/100shot/StyleGAN2/obama and 44 more: bn_mode is 'train', and stylegan2's G has no BatchNorm" in said


def test_the_proxy_distance_takes_float64_where_the_players_have_it() -> None:
    before = torch.get_default_dtype()
    x, y = (torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(n)) * 2 - 1 for n in (0, 1))
    single = perceptual.distance("efficientnet-lite0")(x, y)
    torch.set_default_dtype(torch.float64)
    try:
        found = perceptual.distance("efficientnet-lite0")(x.double(), y.double())
    finally:
        torch.set_default_dtype(before)
    assert found.dtype == torch.float64 and torch.allclose(found.float(), single, rtol=1e-4)


@pytest.mark.parametrize("metrics", [("FID",), ("tFID",), ()])
def test_the_table_of_reduced_runs_takes_records_without_fid(metrics: tuple[str, ...]) -> None:
    table: dict[str, object] = {}
    exec(compile((Path(__file__).parents[1] / "results" / "reduced.py").read_text(), "reduced.py", "exec"), table)
    entry = {m: {"value": 12.0} for m in (*metrics, "precision", "recall")}

    class Made:
        cell, profile, seed, steps, history = "chain/cifar/BigGAN/cifar10", "reduced", 0, 500, [entry, entry]

    row = table["row"](Made())
    fid = {"FID": "12 | 12 | 12", "tFID": "12 (tFID) | 12 (tFID) | 12 (tFID)"}.get("".join(metrics), "not measured")
    assert f"| {fid} |" in row or (not metrics and row.count("not measured") == 4)
