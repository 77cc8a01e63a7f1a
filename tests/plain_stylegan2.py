"""A plain loop of StyleGAN2 with R1 in every D step, with or without DiffAugment and CHAIN: what one would write for
these alone.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from benchmark.methods.diffaugment import DiffAugment
from benchmark.train.gan import Gan


def step_of(gan: Gan, images: Tensor) -> Callable[[], None]:
    """A step on ``images`` (N, 3, H, W) bytes, with the networks, augmentation and CHAIN's layers of ``gan``."""
    r, G, D = gan.recipe, gan.G, gan.D
    gamma = dict(r.parts)["r1"]["gamma"]
    augmentation = next((p for p in gan.parts if isinstance(p, DiffAugment)), None)
    chain = [p for p, (name, _) in zip(gan.parts, r.parts) if name == "chain"]
    rng = torch.Generator().manual_seed(0)
    opt_g, opt_d = (
        torch.optim.Adam(p.parameters(), lr, (r.beta1, r.beta2), fused=True) for p, lr in ((G, r.lr_g), (D, r.lr_d))
    )
    kept = [p.detach().clone() for p in G.parameters()]

    def see(x: Tensor, view: str) -> Tensor:
        for p in chain:
            p.before_pass(view, rng)
        logits = D(x if augmentation is None else augmentation.augment(x, view == "d-real", rng), None)
        for p in chain:
            p.after_pass()
        return logits

    def step() -> None:
        D.requires_grad_(False)
        opt_g.zero_grad()
        softplus(-see(G(torch.randn(r.batch_g, r.z_dim), None, rng), "g-fake")).mean().backward()
        opt_g.step()
        D.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(kept, list(G.parameters()), 1 - r.ema)
            fakes = G(torch.randn(r.batch_d, r.z_dim), None, rng)
        x = images[torch.randint(0, len(images), (r.batch_d,))]
        x = torch.where((torch.rand(r.batch_d) < 0.5)[:, None, None, None], x.flip(3), x).float().div_(127.5).sub_(1)
        x.requires_grad_()
        opt_d.zero_grad()
        real, fake = see(x, "d-real"), see(fakes, "d-fake")
        (g,) = torch.autograd.grad(real.sum(), x, create_graph=True)
        loss = softplus(-real).mean() + softplus(fake).mean() + gamma / 2 * g.square().flatten(1).sum(1).mean()
        for p in chain:
            squares, p.shared.squares = p.shared.squares, []
            loss = loss + p._strength() * torch.stack(squares).sum() if squares else loss
        loss.backward()
        opt_d.step()

    return step
