"""Parts that do not go together, and arguments that no part can train with, are refused before anything trains."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.plan.built import refusals
from benchmark.recipe import Recipe
from tests.conftest import recipe
from tests.small_stylegan2 import TRAINED

CHAIN = dict(version="batch", norm="arms", weight=20.0, p0=0.0, tau=0.5, delta_p=0.001, start=5000, decay=0.9, eps=1e-5)
HEAD = dict(fake=1.0, fake_on_g=0.1, temperature=0.2, momentum=0.999, queue=10, projection=16, noise=0.1)
PARTS: dict[str, dict[str, Any]] = {
    "chain": CHAIN | dict(blocks="all"),
    "r1": dict(gamma=1.0, every=1),
    "insgen": HEAD | dict(real=1.0, lr_real=1e-3, lr_fake=1e-3, beta2_real=0.99, beta2_fake=0.99),
    "fakeclr": HEAD | dict(forgetting="released", lr=1e-3, beta2=0.99),
    "augself": dict(predicts="color,cutout", d_weight=1.0, g_weight=1.0, heads="equalised"),
    "diffaugment": dict(policy="color,translation,cutout", random_order=False),
    "adv-aug": dict(gamma=0.01, steps=1, sign="released", d_features="trunk", g_features="stem"),
    "consistency": dict(weight=1.0, flip=0.5, shift=0.1, fill=0.0),
    "gradient-penalty": dict(weight=1.0, target=1.0, sides="two"),
    "gn": {},
    "gran": dict(tau=1.0, eps=0.1),
    "sdp": dict(weight=1.0, start=10**6, k=1, k_every=100, norm="unit"),
    "kd-dlgan": dict(agkd=1.0, cgkd=1.0, teacher="efficientnet-lite0", prompts="a,b", size=64, resize="bilinear")
    | dict(normalise=False, hidden=16, heads="equalised"),
}
ALONE = "in the training step's own passes through D alone"
TWICE = "differentiates D twice"
RUNNING = ("chain", dict(version="running"))


def of(*named: str | tuple[str, dict[str, Any]]) -> Recipe:
    """A small StyleGAN2 with parts, each as above but for what is given."""
    parts = [(part, {}) if isinstance(part, str) else part for part in named]
    return recipe(**TRAINED, d_pass="separate", parts=tuple((name, PARTS[name] | more) for name, more in parts))


BAD = {
    "lazy R1 and CHAIN": (of(("r1", dict(every=16)), "chain"), ALONE),
    "InsGen before CHAIN": (of("insgen", "chain"), ALONE),
    "FakeCLR before CHAIN": (of("fakeclr", "chain"), ALONE),
    "AugSelf and CHAIN": (of("diffaugment", "augself", "chain"), ALONE),
    "AdvAug of G and CHAIN": (of("adv-aug", "chain"), ALONE),
    "consistency and CHAIN": (of("chain", "consistency"), ALONE),
    "a gradient penalty and CHAIN": (of("chain", "gradient-penalty"), ALONE),
    "SDP, which begins late, and CHAIN": (of("chain", "sdp"), ALONE),
    "R1 and running CHAIN, whose p is 0 at first": (of("r1", RUNNING), TWICE),
    "GN and running CHAIN": (of(RUNNING, "gn"), TWICE),
    "GraN and running CHAIN": (of(RUNNING, "gran"), TWICE),
    "AugSelf and no augmentation": (of("augself"), "predicts color, which no part drew"),
    "AugSelf and another one": (
        of(("diffaugment", dict(policy="color")), "augself"),
        "predicts cutout, which no part drew",
    ),
    "a negative weight of AugSelf's": (of("diffaugment", ("augself", dict(g_weight=-1.0))), "at least 0"),
    "a negative weight of KD-DLGAN's": (of(("kd-dlgan", dict(agkd=-1.0))), "agkd and cgkd >= 0"),
    "a layer of no width": (of(("kd-dlgan", dict(hidden=0))), "hidden >= 1"),
    "a teacher that sees no pixel": (of(("kd-dlgan", dict(size=0))), "size and hidden >= 1"),
    "a rate that Adam refuses": (of(("insgen", dict(lr_real=-1.0))), "and its parts cannot be built: Invalid learning"),
}
GOOD = {
    "R1 and CHAIN": of("r1", "chain"),
    "AdvAug of D alone, and CHAIN": of(("adv-aug", dict(g_features="none")), "chain"),
    "running CHAIN alone": of(RUNNING),
    "AugSelf after what it predicts": of("diffaugment", "augself"),
    "AugSelf before it": of("augself", "diffaugment"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_go_together_is_refused(case: str) -> None:
    bad, words = BAD[case]
    (said,) = refusals({"a": bad})
    assert words in said and "\n" not in said


def test_what_goes_together_is_not() -> None:
    assert not refusals(GOOD)
