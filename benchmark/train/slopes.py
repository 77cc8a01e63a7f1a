"""How steep D is at images (GraN-GAN, section 7, Figures 3 and 4; h is what D answers, normalised or not).

    grad_real, grad_fake               ‖∇ₓh(x)‖₂
    difference_real, difference_fake   Δ = |h(x + δn) − h(x)| / δ, with n = ∇h(x)/‖∇h(x)‖, for each δ of ``DELTAS``

Each is one number an image: the mean over the images, and their box (least, quartiles, largest); a difference's over
all δ, and the box of each. The text does not give Figure 4's δ: a hundredth of a pixel's range to a third of the
length of an image of CIFAR-10, whose pixels run from −1 to 1. Where D couples the images of a batch, ∇ₓh is that of the
batch's sum, and all of them move at once. Where the gradient is 0, it has no direction and Δ is 0.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmark.methods.part import one_logit
from benchmark.train.gan import Gan
from benchmark.train.twin import Shown, judge

DELTAS = (0.01, 0.1, 1.0, 10.0)
SIDES = ("real", "fake")


def slopes(twin: Callable[[], Gan], real: Shown, fake: Shown) -> dict[str, Tensor]:
    """``grad_…`` (B,) and ``difference_…`` (B, len(DELTAS)) of each side of a batch.

    Args:
        twin: gives the pair, the same each time.
    """
    images, said, grads = gradients(twin(), real, fake)
    norms = [g.flatten(1).norm(dim=1) for g in grads]
    ways = [g / n.clamp_min(torch.finfo(n.dtype).tiny).view(-1, 1, 1, 1) for g, n in zip(grads, norms)]
    differences: list[list[Tensor]] = [[], []]
    with torch.no_grad():
        for delta in DELTAS:
            there = [x.detach() + delta * way for x, way in zip(images, ways)]
            moved = _said(twin(), (there[0], real[1]), (there[1], fake[1]))
            for of_side, before, after in zip(differences, said, moved):
                of_side.append((after - before.detach()).abs() / delta)
    return {f"grad_{side}": n.detach() for side, n in zip(SIDES, norms)} | {
        f"difference_{side}": torch.stack(of_side, 1) for side, of_side in zip(SIDES, differences)
    }


def gradients(twin: Gan, real: Shown, fake: Shown) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The images of each side, h on them (B,), and ∇ₓh of that."""
    images = [side[0].detach().clone().requires_grad_() for side in (real, fake)]
    said = _said(twin, (images[0], real[1]), (images[1], fake[1]))
    return images, said, [torch.autograd.grad(h.sum(), x, retain_graph=True)[0] for h, x in zip(said, images)]


def _said(twin: Gan, real: Shown, fake: Shown) -> list[Tensor]:
    """h on each side, (B,)."""
    return [one_logit(twin.loss.verdict(side), "a slope of D") for side in judge(twin, real, fake)[:2]]


def boxes(found: list[dict[str, Tensor]]) -> dict[str, dict[str, float]]:
    """Every quantity of ``slopes`` over all batches."""
    joined = {name: torch.cat([batch[name] for batch in found]).double() for name in found[0]}
    return {
        name: box(values)
        if values.dim() == 1
        else {"value": values.mean().item()}
        | {f"{key}_at_{delta:g}": v for i, delta in enumerate(DELTAS) for key, v in box(values[:, i]).items()}
        for name, values in joined.items()
    }


def box(values: Tensor) -> dict[str, float]:
    """Mean, standard deviation (n − 1), and what a box plot draws of (N,) values."""
    least, low, median, high, most = torch.quantile(
        values, torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=values.dtype, device=values.device)
    ).tolist()
    spread = values.std().item() if len(values) > 1 else 0.0
    mean = values.mean().item()
    return {"value": mean, "std": spread, "least": least, "q25": low, "median": median, "q75": high, "most": most}
