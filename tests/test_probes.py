"""Probes of D: closed forms, plain autograd on a network of the test's own, no trace left in training, and what a suite
makes of them.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import judged_claims
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.metrics.geometry import effective_rank, mean_cosine
from benchmark.metrics.names import OF_D, PROBES
from benchmark.metrics.real import real_key
from benchmark.plan.blocks import what_blocks
from benchmark.plan.make_record import make_record
from benchmark.plan.plan import make_plan
from benchmark.recipe import Protocol
from benchmark.records.bounds import impossible
from benchmark.records.format import parse
from benchmark.suite.load import load
from benchmark.train import run as room
from benchmark.train.gan import Gan
from benchmark.train.lemmas import SHARP
from benchmark.train.probes import Probes
from benchmark.train.run import run
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step
from benchmark.train.streams import stream
from tests.conftest import protocol, recipe
from tests.test_dataeff_training import EAGER, LECAM, conditional

DATA = read("shapes", "train", 28, 1, images=200)
COLOUR = read("shapes", "train", 32, 3, images=24)


def probing(images: int, **changes: object) -> Protocol:
    return protocol(
        **({"metrics": PROBES, "probe_images": images, "every_epochs": None, "jac_G_every_epochs": None} | changes)
    )


# --- closed forms ---------------------------------------------------------------------------------------------------


def test_effective_rank_of_known_spectra() -> None:
    q = torch.linalg.qr(torch.randn(20, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))[0]
    assert effective_rank(q) == pytest.approx(6) and effective_rank(
        q[:, :1] @ torch.ones(1, 9, dtype=torch.float64)
    ) == pytest.approx(1)
    assert effective_rank(q * torch.tensor([3.0, 1, 0, 0, 0, 0])) == pytest.approx(
        math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    )
    assert effective_rank(7 * q + 100) < 2, "not centred: a mean far from 0 is a direction"
    assert math.isnan(effective_rank(torch.zeros(4, 3))) and math.isnan(effective_rank(torch.full((4, 3), math.inf)))


def test_cosine_of_all_pairs() -> None:
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(1)) + 1
    pairs = [
        F.cosine_similarity(x[i].double(), x[j].double(), dim=0).item() for i in range(7) for j in range(7) if i != j
    ]
    assert mean_cosine(x) == pytest.approx(np.mean(pairs), abs=1e-9)
    assert mean_cosine(torch.eye(4)) == pytest.approx(0) and mean_cosine(torch.ones(4, 3)) == pytest.approx(1)
    assert mean_cosine(torch.tensor([[1.0, 0], [-2, 0], [0, 0]])) == pytest.approx(-1 / 3) and math.isnan(
        mean_cosine(torch.ones(1, 3))
    )


# --- against plain autograd -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_pass", ["separate", "joint"])
def test_probes_of_a_plain_net_equal_autograd(d_pass: str) -> None:
    """An MLP without BatchNorm: everything anew from the weights, in float64, with the batches that the docstring
    promises.
    """
    r = recipe(parts=(), d_pass=d_pass, loss=("hinge", {"margin": 1.0, "margin_jitter": 0.0}), batch_d=16, batch_g=16)
    gan = Gan(r, 3)
    found = Probes(r, probing(40), DATA).measure(gan, 5, 7)

    unseen = read("shapes", "test", 28, 1)
    real, test = (
        d.images[np.random.default_rng(0).permutation(len(d.images))[:40]] / 127.5 - 1 for d in (DATA, unseen)
    )
    linears = [m for m in gan.D.modules() if isinstance(m, nn.Linear)]
    weights = [p.detach().double().requires_grad_() for layer in linears for p in (layer.weight, layer.bias)]
    logits, norms, feature_norms, pooled = {"D_real": [], "D_fake": [], "D_test": []}, [], [], []
    for i in range(2):  # whole batches: 32 of the 40
        with torch.no_grad():
            fake = gan.G(gan.noise(16, stream(5, "probe", "noise", 7, i))).double()
        sides = {
            "D_real": torch.tensor(real[16 * i : 16 * i + 16]),
            "D_fake": fake,
            "D_test": torch.tensor(test[16 * i : 16 * i + 16]),
        }
        maps = {}
        for name, x in sides.items():
            h, maps[name] = x.double().flatten(1), []
            for n in range(0, len(weights) - 2, 2):
                h = F.leaky_relu(F.linear(h, weights[n], weights[n + 1]), 0.2)
                maps[name].append(h)
            logits[name].append(F.linear(h, *weights[-2:]).squeeze(1))
        loss = F.relu(1 - logits["D_real"][i]).mean() + F.relu(1 + logits["D_fake"][i]).mean()
        flat = [m for pair in zip(maps["D_real"], maps["D_fake"]) for m in pair]
        grads = torch.autograd.grad(loss, [*weights, *flat])
        norms.append(math.sqrt(sum(g.square().sum().item() for g in grads[: len(weights)])))
        feature_norms.append(
            [
                math.sqrt(sum(g.square().sum().item() for g in grads[n : n + 2]))
                for n in range(len(weights), len(grads), 2)
            ]
        )
        pooled.append(flat)
    for name, said in logits.items():
        said = torch.cat(said).detach().numpy()
        assert found[name]["value"] == pytest.approx(said.mean(), rel=1e-4, abs=1e-6) and found[name][
            "std"
        ] == pytest.approx(said.std(ddof=1), rel=1e-4)
    assert found["gap_real_fake"]["value"] == abs(found["D_real"]["value"] - found["D_fake"]["value"]) > 0
    assert found["gap_real_test"]["value"] == abs(found["D_real"]["value"] - found["D_test"]["value"]) > 0
    assert found["gap_fake_test"]["value"] == abs(found["D_fake"]["value"] - found["D_test"]["value"]) > 0
    assert found["d_weight_grad"]["value"] == pytest.approx(np.mean(norms), rel=1e-4) and found["d_weight_grad"][
        "std"
    ] == pytest.approx(np.std(norms, ddof=1), rel=1e-2)
    by_block = np.mean(feature_norms, 0)
    assert [v for k, v in found["feature_grad"].items() if k != "value"] == pytest.approx(
        by_block.tolist(), rel=1e-4
    ) and len(by_block) == len(linears) - 1
    assert found["feature_grad"]["value"] == pytest.approx(by_block.mean(), rel=1e-4)
    for block in range(len(by_block)):
        for i, side in enumerate(("real", "fake")):
            features = torch.cat([flat[2 * block + i] for flat in pooled]).detach()
            assert found["cosine"][f"{side}_{block + 1}"] == pytest.approx(mean_cosine(features), rel=1e-4)
            assert found["effective_rank"][f"{side}_{block + 1}"] == pytest.approx(effective_rank(features), rel=1e-4)


QUICK = tuple(m for m in PROBES if m not in SHARP)


# --- nothing is disturbed -------------------------------------------------------------------------------------------


ADA = ("ada", {"pipe": "bgc", "target": 0.6, "kimg": 1, "every": 1, "schedule": "adaptive"})
METHODS = {
    "chain running": dict(
        parts=(("spectral-norm", {"player": "D"}), ("spectral-norm", {"player": "G"}), ("chain", EAGER))
    ),
    "chain batch": dict(parts=(("chain", EAGER | {"version": "batch"}),), ema=0.9, ema_start=0, ema_buffers=True),
    "lecam, ada, joint": dict(
        parts=(("spectral-norm", {"player": "D"}), ADA, ("lecam", LECAM)),
        d_pass="joint",
        loss=("hinge", {"margin": 0.5, "margin_jitter": 2.0}),
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(m, marks=() if m == "chain batch" else pytest.mark.slow) for m in METHODS]
)
def test_probing_leaves_training_as_it_was_bit_by_bit(name: str) -> None:
    """Weights, optimisers, spectral vectors, CHAIN's R, Φ, p and pending squares, LeCam's means, ADA's p, every
    generator: after six steps, probed before each or never.
    """
    r = conditional(classes=10, **METHODS[name])
    ends, found = [], []
    for probed in (False, True, True):
        gan, sampler, probes = (
            Gan(r, 0),
            Sampler(COLOUR.images, COLOUR.labels, 4, True, 0, torch.device("cpu")),
            Probes(r, probing(4, metrics=QUICK), COLOUR),
        )
        torch.manual_seed(11)
        measured = []
        for _ in range(6):
            if probed:
                before = {p: p.grad for p in gan.judges.parameters()}
                measured.append(probes.measure(gan, 0, gan.step))
                assert all(p.grad is g for p, g in before.items()) and gan.loss.rng is gan.rng["augment"]
            train_step(gan, sampler.next)
        ends.append(_flat({**gan.state_dict(), "global": torch.random.get_rng_state(), "position": sampler.position}))
        found.append(measured)
    mine = probes.measure(gan, 0, gan.step)
    for rng in gan.rng.values():
        torch.rand(3, generator=rng)
    assert probes.measure(gan, 0, gan.step) == mine != probes.measure(gan, 1, gan.step), (
        "nothing is drawn from training's streams"
    )
    assert len(ends[0]) > 100 and all(_same(a, b) for a, b in zip(ends[0], ends[1], strict=True))
    assert found[1] == found[2] and found[1][0] != found[1][5], "a function of the pair, the seed and the step"
    if "chain" in name:
        assert gan.parts[-1].shared.p > 0.5, "CHAIN was at work"


def _flat(x: object) -> list[object]:
    if isinstance(x, (dict, list, tuple)):
        return [leaf for v in (x.values() if isinstance(x, dict) else x) for leaf in _flat(v)]
    return [x.clone() if isinstance(x, torch.Tensor) else x]


def _same(a: object, b: object) -> bool:
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def test_each_batch_sees_chains_statistics_with_itself_taken_in() -> None:
    """The logits of a probe are those that the next step's own passes over that batch would give, whatever other
    batches were probed before.
    """
    r = conditional(classes=10, **METHODS["chain running"])
    gan, sampler = Gan(r, 0), Sampler(COLOUR.images, COLOUR.labels, 4, True, 0, torch.device("cpu"))
    for _ in range(4):
        train_step(gan, sampler.next)
    both, last = (Probes(r, probing(8, metrics=OF_D), COLOUR) for _ in range(2))
    last.real, last.unseen = (tuple(x[4:] for x in images) for images in (both.real, both.unseen))
    a, b = both.measure(gan, 0, 4), last.measure(gan, 0, 4)
    state, rng = gan.state_dict(), stream(0, "probe", "augment", 4, 0)
    x = last.real[0].float() / 127.5 - 1
    gan.parts[-1].before_pass("d-real", rng)
    assert b["D_real"]["value"] == pytest.approx(gan.D(x, last.real[1]).double().mean().item(), rel=1e-6)
    assert math.isfinite(a["D_real"]["value"]) and state["parts"][-1]["p"] > 0


# --- in a run, a plan, a record, a claim ----------------------------------------------------------------------------


def test_a_run_with_probes_is_the_run_without_and_ends_alike_when_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    r, p = recipe(batch_d=50, batch_g=50), probing(100, every_steps=4)
    bare = run(r, protocol(metrics=("V_g",)), 0, DATA, tmp_path / "bare")
    whole = run(r, p, 0, DATA, tmp_path / "whole")
    assert (
        whole["samples"] == bare["samples"]
        and [e["step"] for e in whole["history"]] == [0, 4, 8, 12, 16]
        and set(whole["final"]) == {"step", "epoch", *PROBES}
    )
    monkeypatch.setattr(room, "CHECK_STEPS", 1)
    assert run(r, p, 0, DATA, tmp_path / "cut", tick=lambda done, todo: done == 6) is None
    again = run(r, p, 0, DATA, tmp_path / "cut")
    assert (again["history"], again["final"]) == (whole["history"], whole["final"])
    after = run(r, p, 0, DATA, tmp_path / "bare")  # a kept checkpoint of another protocol is probed at its end
    assert after["final"] == whole["final"]


@pytest.mark.parametrize(
    ("changes", "images", "why"),
    [
        ({}, 1000, "the run trains on 200"),
        ({}, 40, "less than one"),
        ({"images": None}, 3000, "shapes test has 2,048"),
        ({"dataset": "mnist"}, None, "probe_images"),
        ({"classes": 10}, 100, None),
    ],
)
def test_what_blocks_probes(changes: dict, images: int | None, why: str | None) -> None:
    r, p = recipe(**changes), probing(images)
    found = what_blocks(r, p)
    assert found is None if why is None else why in found
    if images in (1000, 40):
        with pytest.raises(GanbenchError, match="cannot be probed"):
            Probes(r, p, DATA)


def test_the_held_out_images_are_part_of_the_key_and_nothing_else_is_renamed() -> None:
    r = recipe()
    assert real_key(r, protocol()) is None and real_key(r, probing(64)) not in (None, real_key(r, probing(128)))
    assert "probe_images" not in protocol().to_json()
    for profile in ("reduced", "ci"):  # which set probe_images for all tables
        for cell in load(Path("suites/chain.yaml"), profile).cells:
            probed = cell.table in ("analysis", "batch-norm", "fake-test", "lemmas")
            assert (cell.protocol.probe_images is not None) == probed, cell.id


def test_the_slides_claims_are_decided_by_our_runs_alone() -> None:
    """Made-up full-size records of three seeds: CHAIN's gaps smaller, then one of them larger."""
    suite = load(Path("suites/chain.yaml"))
    cells = [c for c in suite.cells if c.table == "analysis"]
    base = {
        "D_real": 1.0,
        "D_fake": -1.0,
        "D_test": 0.5,
        "gap_real_fake": 2.0,
        "gap_real_test": 0.5,
        "d_weight_grad": 3.0,
        "feature_grad": 4.0,
        "cosine": 0.5,
        "effective_rank": 5.0,
    }
    chain = {
        **base,
        "gap_real_fake": 1.0,
        "gap_real_test": 0.2,
        "d_weight_grad": 1.0,
        "feature_grad": 1.0,
        "cosine": 0.8,
        "effective_rank": 9.0,
    }

    def verdicts(of_chain: dict[str, float]) -> dict[str, tuple[str, str]]:
        records = []
        for run_ in make_plan(cells, range(3), {}).runs:
            numbers = of_chain if run_.cells[0].method == "BigGAN+CHAIN" else base
            final = {
                "step": run_.total_steps,
                "epoch": 1,
                "tFID": {"value": 20.0},
                **{k: {"value": v * (1 + 0.01 * run_.seed)} for k, v in numbers.items()},
            }
            result = dict(
                status="finished",
                steps=run_.total_steps,
                total_steps=run_.total_steps,
                epochs=1.0,
                final=final,
                history=[final],
                samples="",
                train_s=1.0,
                eval_s=1.0,
                segments=[],
                libraries={},
                floor=None,
                imported=False,
                trouble="",
                **run_.data(),
            )
            record = make_record(run_, result)
            assert impossible(record) is None
            records.append(parse(json.dumps(record.to_json()).encode(), Path("x.json")))
        joined = join(suite, records)
        assert all(
            e.published is None and e.verdict.name == "" for j in joined["chain/analysis"] for e in j.entries.values()
        ), "no verdict on a number that nobody published"
        return {j.claim.id: (j.published.name, j.achieved.name) for j in judged_claims(suite, joined)}

    mine = ("reduces-discrepancies", "reduces-latent-gradients", "centering-raises-gradient")
    found = verdicts(chain)
    assert [found[c] for c in mine] == [("not judged", "holds")] * 3
    assert verdicts({**chain, "gap_real_test": 0.9})[mine[0]] == ("not judged", "fails")
    assert verdicts({**chain, "feature_grad": 4.0})[mine[1]] == ("not judged", "inconclusive")


def test_impossible_probes_are_refused() -> None:
    from benchmark.records.bounds import impossible_in

    assert all(
        impossible_in(probe, [{"value": 0.7}, {"value": wrong}], 1)
        for probe, wrong in (("cosine", 1.2), ("effective_rank", 0.5), ("gap_real_fake", -0.1), ("gap_fake_test", -0.1))
    )
    assert (
        impossible_in("D_real", [{"value": -3.0, "std": 1.0}], 1) is None
        and impossible_in("cosine", [{"value": 1.0, "real_1": 1.0}], 1) is None
    )
