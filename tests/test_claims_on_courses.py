"""Claims of the papers on the course of training and on its costs: which rows, by which quantity, typed in by hand from
the sentences. The papers print no number for any of them.
"""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import judged_claims
from benchmark.plan.keys import series_of
from benchmark.suite.claim import Check
from benchmark.suite.load import load
from benchmark.suite.model import Suite

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def suite(paper: str) -> Suite:
    """As committed, under its full profile."""
    return load(ROOT / f"suites/{paper}.yaml")


@functools.cache
def judged(paper: str) -> dict[str, JudgedClaim]:
    """Every claim of a paper, by the published numbers alone."""
    return {c.claim.id: c for c in judged_claims(suite(paper), join(suite(paper), []))}


def compared(paper: str, name: str) -> set[tuple[str, str, str]]:
    """(quantity, the better method, the other or the limit), of every comparison of a claim."""
    found = set()
    for leaf in judged(paper)[name].claim.leaves():
        assert isinstance(leaf, Check)
        other = leaf.b.cell.split("/")[2] if leaf.b else f"{leaf.limit:g}"
        found.add((leaf.a.name, leaf.a.cell.split("/")[2], other))
    return found


STEADY = "unsteadiness of {}"
STEPS = "steps to a FID that both reach"
EQUAL = {
    ("PGN-GAN (hinge, Kaiming)[CNN]", "GN-GAN (hinge, Kaiming)[CNN]"),
    ("PGN-GAN (BCE, N02)[CNN]", "GN-GAN (BCE, N02)[CNN]"),
    ("PGN-GAN[ResNet]", "GN-GAN[ResNet]"),
}
SIDES, GRAN = ("real", "fake"), ("GraND-GAN", "GraNC-GAN")
SDP = ("LSGAN", "WGAN-GP", "HingeGAN", "SN-GAN", "AutoGAN")
EXPECTED: dict[tuple[str, str], set[tuple[str, str, str]]] = {
    ("sdp", "more-stable-training"): {
        *((STEADY.format("FID"), f"{m}-SDP", m) for m in SDP),
        *((STEADY.format("FID"), f"WGAN-GP-SDP ({s})", f"WGAN-GP ({s})") for s in ("lr=0.001", "No Norm")),
    },
    ("sdp", "no-norm-diverges-after-a-start"): {
        ("rise of FID at the end", "WGAN-GP (No Norm)", "0.05"),
        ("rise of FID at the end", "WGAN-GP", "WGAN-GP (No Norm)"),
        ("rise of FID at the end", "WGAN-GP-SDP (No Norm)", "WGAN-GP (No Norm)"),
    },
    ("sdp", "lambda-stabilises-d-loss"): {
        (STEADY.format("D_loss"), a, b)
        for a, b in (("λ=0.01", "λ=0"), ("λ=0.03", "λ=0"), ("λ=0", "λ=0.05"), ("λ=0", "λ=0.1"))
    },
    ("theory", "unsteady-without-penalty"): {(STEADY.format(m), "SN-D[MLP]", "none[MLP]") for m in ("V_g", "D_G")},
    ("theory", "both-avoid-it"): {
        (quantity, "SN-both[MLP]", "none[MLP]")
        for quantity in ("jac_D", "jac_V", STEADY.format("V_g"), STEADY.format("D_G"))
    },
    ("theory", "sn-on-g-gradient-vanishes"): {("jac_V", "SN-G[MLP]", "SN-D[MLP]")},
    ("theory", "sn-on-d-reduces-slope-in-z"): {("jac_V", "SN-D[MLP]", "none[MLP]")},
    ("theory", "sn-on-d-reduces-slope-in-weights"): {("V_phi", "SN-D[MLP]", "none[MLP]")},
    ("gran", "ns-loss-is-steadier"): {(STEADY.format("FID"), "GraND-GAN", "GraNC-GAN")},
    ("gran", "stabilises-training"): {(STEADY.format("FID"), "GraND-GAN", "NSGAN")},
    ("gran", "soft-hinge-is-steadier"): {(STEADY.format("FID"), "GraNC-GAN", "GraNC-GAN (hinge)")},
    ("gran", "hinge-is-steadier"): {
        (STEADY.format("FID"), "GraNC-GAN", "GraNC-GAN (hinge)"),
        (STEADY.format("FID"), "GraNC-GAN (hinge)", "GraNC-GAN (Wasserstein)"),
    },
    ("gran", "diverges-late"): {
        ("rise of FID at the end", m, "0.5")
        for m in (
            *("GraND-GAN", "GraNC-GAN", "NSGAN", "NSGAN-GP", "NSGAN-SN", "NSGAN-GP†", "NSGAN-SN†"),
            *("WGAN-GP", "SNGAN", "WGAN-GP†", "SNGAN†"),
        )
    },
    ("gran", "nsgan-gradients-are-larger"): {
        *((f"grad_{side} halfway", m, "NSGAN") for side in SIDES for m in ("WGAN-GP", "SNGAN")),
        *((f"grad_{side} halfway", "NSGAN", "1.66667") for side in SIDES),  # twice 1/1.2
    },
    ("gran", "baselines-gradients-are-reasonable"): {
        (f"largest grad_{side} of an image halfway", m, "10") for side in SIDES for m in ("WGAN-GP", "SNGAN")
    },
    ("gran", "gradients-are-k"): {
        (f"distance of grad_{side} from 0.8333333 halfway", m, "1e-06") for side in SIDES for m in GRAN
    },
    ("gran", "differences-are-well-behaved"): {
        (f"largest mean difference_{side} of any δ halfway", m, "1") for side in SIDES for m in GRAN
    },
    ("gran", "differences-are-bounded"): {
        (f"largest difference_{side} of an image halfway", m, "1") for side in SIDES for m in GRAN
    },
    ("gran", "differences-vary-as-wgan-gps"): {
        (f"spread of difference_{side} over images halfway", m, "WGAN-GP") for side in SIDES for m in GRAN
    },
    ("pgn", "converges-faster"): {(STEPS, a, b) for a, b in EQUAL},
    ("pgn", "improves-stability"): {(STEADY.format("FID"), a, b) for a, b in EQUAL},
    ("pgn", "gn-gan-converges-slowly"): {
        (STEPS, f"{m}[ResNet]", "GN-GAN[ResNet]") for m in ("1-GP", "0-GP", "CR", "SN-GAN")
    },
    ("pgn", "reduces-costs"): {
        ("seconds a step", "PGN-GAN[ResNet]", f"{m}[ResNet]") for m in ("1-GP", "0-GP", "CR", "SN-GAN", "GN-GAN")
    },
    ("pgn", "computationally-efficient"): {
        ("seconds a step", "PGN-GAN[ResNet]", f"{m}[ResNet]") for m in ("BN", "SN-GAN")
    },
    ("pgn", "sn-costs"): {("seconds a step", "GAN[ResNet]", "SN-GAN[ResNet]")},
    ("chain", "enhances-stability"): {(STEADY.format("feature_grad"), "BigGAN+CHAIN", "BigGAN")},
    ("chain", "reduces-fake-test-discrepancy"): {("gap_fake_test", "BigGAN+CHAIN", "BigGAN")},
    ("pgn", "gradient-norm-bounded"): {("largest grad_most of the run", "PGN-GAN", "1.0001")},
    ("pgn", "gradient-norm-bounded-appendix"): {("largest grad_most of the run", "PGN-GAN (appendix)", "1.0001")},
    ("chain", "bn-impairs-performance"): {("tFID", "BigGAN", "BigGAN+BN")},
    ("chain", "bn-reduces-discrepancy"): {("gap_real_fake", "BigGAN+BN", "BigGAN")},
    ("chain", "bn-risks-explosion"): {(metric, "BigGAN", "BigGAN+BN") for metric in ("d_weight_grad", "feature_grad")},
}


@pytest.mark.parametrize(("paper", "name"), list(EXPECTED))
def test_the_sentence_is_held_against_these_rows(paper: str, name: str) -> None:
    assert compared(paper, name) == EXPECTED[paper, name]
    claim = judged(paper)[name]
    assert (claim.published.name, claim.published.why) == ("not judged", "the paper prints no numbers for it")
    assert "decided by our runs alone" in claim.claim.note


def test_every_claim_on_a_course_or_cost_is_in_the_list_above() -> None:
    of_runs = {
        (paper, name)
        for paper in ("chain", "gran", "pgn", "sdp", "theory")
        for name, c in judged(paper).items()
        if any(n.of for n in c.claim.numbers())
    }
    of_results = ("bn-", "reduces-fake-test", "sn-on-")
    assert of_runs == {key for key in EXPECTED if not key[1].startswith(of_results)}


def test_costs_are_of_recipes_that_differ_in_the_method_alone() -> None:
    for name in ("reduces-costs", "gn-gan-converges-slowly", "sn-costs"):
        assert len(judged("pgn")[name].recipes) == 1 and "nothing beside" in judged("pgn")[name].recipes[0]
    assert judged("pgn")["computationally-efficient"].recipes == (
        "PGN-GAN[ResNet], BN[ResNet] (cifar10): d_pass joint / separate",
        "the other 1 pair(s) of recipes: nothing beside the method's parts",
    )
    rows = {c.method: dict(c.full_recipe.parts) for c in suite("pgn").cells if c.table == "costs"}
    targets = [rows[m]["gradient-penalty"]["target"] for m in ("1-GP", "0-GP")]
    assert targets == [1.0, 0.0] and rows["GAN"] == {}


def test_the_steps_that_were_timed_are_the_notes() -> None:
    table = (ROOT / "docs/costs.md").read_text(encoding="utf-8")
    note = judged("pgn")["reduces-costs"].claim.note
    for row in ("GN, PGN, GraN with the exact G step | 1.20, 1.21", "gradient penalty | 1.20", "spectral norm | 1.02"):
        assert f"| {row}" in table
    assert "consistency regularisation | 1.05" in table
    assert "1.21 of the plain GAN's with PGN, 1.20 with GN or a gradient penalty, 1.05 with CR, 1.02 with SN" in note


def test_figure_3b_is_of_the_runs_of_figure_3_and_batch_norm_stands_beside_the_analysis() -> None:
    of = {t: {c.method: c.full_recipe for c in suite("sdp").cells if c.table == t} for t in ("Fig3", "Fig3b")}
    assert of["Fig3"] == of["Fig3b"] and len(of["Fig3"]) == 5
    chain = {c.id: c for c in suite("chain").cells}
    for method in ("BigGAN", "BigGAN+CHAIN"):
        a, b = (chain[f"chain/{t}/{method}/cifar10@10%"] for t in ("analysis", "batch-norm"))
        assert series_of(a.recipe, a.protocol) == series_of(b.recipe, b.protocol)
