"""A step on the device beside the same step on the CPU: losses, gradients, running statistics.

Both sides begin with the same weights, noises and images, a few of them, and make one D and one G step with rates of
0: after Adam's first step, weights differ by twice the rate wherever rounding turns the sign of a gradient near zero.
Gradients are one vector a player; its distance is the norm of the difference over the norm. float32 must agree to
``LIMITS``: rounding puts an activation on the other side of a ReLU's kink here and there, which moves a gradient of few
images by thousandths, and in a deep network with batch norm by hundredths. Where a gradient moves by more than it may,
float64 decides, in which hardly any crosses: there both sides must agree to ``EXACT``. What rounds more (bfloat16, and
TF32, which convolutions on a GPU have unless it is forbidden) is held against the CPU's float32, too, and may be
``SPREAD`` times as far from it as the CPU's own bfloat16, and ``SLACK`` more.

With ``--device cpu`` the device's side lies channels last, so that the two sides round differently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmark.plan.work import Count
from benchmark.train.step import train_step
from tests.gpu.machine import release, tf32
from tests.gpu.pair import buffers, distance, gradients, pair, reals, smaller
from tests.gpu.recipes import Entry

LIMITS = {"loss of D": 1e-3, "loss of G": 1e-3, "gradient of D": 1e-2, "gradient of G": 1e-2, "buffers": 1e-3}
GRADIENTS = ("gradient of D", "gradient of G")
EXACT = 1e-8
SPREAD, SLACK = 2.0, 0.05
PRECISIONS = (("float32", "float32", False), ("TF32", "float32", True), ("bfloat16", "bfloat16", True))
"""Name, the recipe's precision, whether convolutions may round to TF32."""
DEAR = 5e10  # FLOPs of a step an image


@dataclass(frozen=True)
class Taken:
    """What one side's step came to."""

    losses: tuple[float, float]  # D's, G's
    vectors: tuple[list[Tensor], ...]  # gradients of D, of G, buffers


def images_of(entry: Entry, counted: Count | None, most: int) -> int:
    """How many images a comparison is of: so many at most, and half of that where a step may be dear."""
    dear = counted is None or counted.step.flops / (entry.recipe.batch_d * entry.recipe.n_dis) > DEAR
    return max(1, most // 2) if dear else most


def compare(entry: Entry, device: str, images: int) -> dict[str, Any]:
    """The distances of each precision from the CPU's float32, and whether they are small enough."""
    exact, rounded = (take(entry, "cpu", images, precision) for precision in ("float32", "bfloat16"))
    own = distances(rounded, exact)
    found: dict[str, Any] = {"images": images, "losses": exact.losses, "bfloat16 on the CPU": own}
    wrong = [] if all(map(math.isfinite, own.values())) else ["not finite on the CPU"]
    for name, precision, fast in PRECISIONS:
        if name == "TF32" and device == "cpu":
            continue
        with tf32(fast):
            found[name] = distances(take(entry, device, images, precision, channels_last=device == "cpu"), exact)
        allowed = limits(None if name == "float32" else own)
        if name == "float32" and any(found[name][k] > allowed[k] for k in GRADIENTS):
            found["float64"] = _in_float64(entry, device, images)
            wrong += [f"float64: {k} {v:.2g} > {EXACT}" for k, v in found["float64"].items() if not v <= EXACT]
            allowed = allowed | dict.fromkeys(GRADIENTS, math.inf)
        wrong += [f"{name}: {k} {v:.2g} > {allowed[k]:.2g}" for k, v in found[name].items() if not v <= allowed[k]]
    release()
    return found | {"state": "failed" if wrong else "ok", "why": "; ".join(wrong)}


def _in_float64(entry: Entry, device: str, images: int) -> dict[str, float]:
    """The device's distances from the CPU, both in float64."""
    torch.set_default_dtype(torch.float64)
    try:
        exact = take(entry, "cpu", images, "float32")  # which is to say: no autocast
        return distances(take(entry, device, images, "float32", channels_last=device == "cpu"), exact)
    finally:
        torch.set_default_dtype(torch.float32)


def take(entry: Entry, device: str, images: int, precision: str, channels_last: bool = False) -> Taken:
    """One step of either player from the common start."""
    recipe = smaller(entry.recipe, images, precision=precision, lr_g=0.0, lr_d=0.0)
    gan = pair(entry, recipe, device, channels_last)
    losses = train_step(gan, reals(gan))
    return Taken(
        (losses[0].item(), losses[1].item()),
        (gradients(gan.judges), gradients(gan.G), [*buffers(gan.G), *buffers(gan.judges)]),
    )


def distances(mine: Taken, other: Taken) -> dict[str, float]:
    """Of losses relative to theirs, or to 1 if that is more; of vectors relative to their norm."""
    losses = (abs(a - b) / max(1.0, abs(b)) for a, b in zip(mine.losses, other.losses))
    vectors = (distance(a, b) for a, b in zip(mine.vectors, other.vectors))
    return dict(zip(LIMITS, (*losses, *vectors)))


def limits(rounded: dict[str, float] | None) -> dict[str, float]:
    """The largest distances allowed: of float32, or of what rounds as ``rounded`` does."""
    if rounded is None:
        return LIMITS
    return {name: max(LIMITS[name], SPREAD * value + SLACK) for name, value in rounded.items()}
