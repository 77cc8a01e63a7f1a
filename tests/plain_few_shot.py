"""A plain loop of FastGAN, FreGAN and FastGAN-D_big: what one would write for these networks alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate, l1_loss, relu

from benchmark.methods.diffaugment import DiffAugment
from benchmark.methods.hf_alignment import Alignment
from benchmark.methods.reconstruction import Reconstruction
from benchmark.train.gan import Gan


def step_of(gan: Gan, images: Tensor) -> Callable[[], None]:
    """A step on ``images`` (N, 3, H, W) bytes, with the networks, augmentation and distance of ``gan``."""
    r, G, D = gan.recipe, gan.G, gan.D
    given = dict(r.parts)
    augmentation = next(p for p in gan.parts if isinstance(p, DiffAugment))
    part = next(p for p in gan.parts if isinstance(p, Reconstruction))
    align = next((p for p in gan.parts if isinstance(p, Alignment)), None)
    chain = [p for p, (name, _) in zip(gan.parts, r.parts) if name == "chain"]
    rng, margins = torch.Generator().manual_seed(0), r.loss[1]
    trained = [*D.parameters(), *part.decoders.parameters()]
    opt_g, opt_d = (
        torch.optim.Adam(p, lr, (r.beta1, r.beta2), fused=True)
        for p, lr in ((G.parameters(), r.lr_g), (trained, r.lr_d))
    )
    kept = [p.detach().clone() for p in G.parameters()]

    def see(x: Tensor | tuple[Tensor, ...], view: str, taps: list[Tensor] | None = None) -> Tensor:
        for p in chain:
            p.before_pass(view, rng)
        logits = D(x, None, taps)
        for p in chain:
            p.after_pass()
        return logits

    def augment(made: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        if isinstance(made, Tensor):
            return augmentation.augment(made, False, rng)
        return tuple(augmentation.augment(x, False, rng) for x in made)

    def margin(logits: Tensor) -> Tensor:
        jitter = margins["margin_jitter"]
        return margins["margin"] + (jitter * torch.rand(logits.shape, generator=rng) if jitter else 0.0)

    def step() -> None:
        x = images[torch.randint(0, len(images), (r.batch_d,))]
        x = torch.where((torch.rand(r.batch_d) < 0.5)[:, None, None, None], x.flip(3), x).float().div_(127.5).sub_(1)
        z = torch.randn(r.batch_d, r.z_dim)
        with torch.set_grad_enabled(align is None):
            fakes = augment(G(z, None, rng))
        x = augmentation.augment(x, True, rng)
        opt_d.zero_grad()
        taps: list[Tensor] = []
        real = see(x, "d-real", taps)
        shown = fakes.detach() if isinstance(fakes, Tensor) else tuple(f.detach() for f in fakes)
        fake = see(shown, "d-fake")
        loss = relu(margin(real) - real).mean() + relu(margin(fake) + fake).mean()
        for name, decoder in part.decoders.items():
            maps, target = taps[D.decodable[name][0]], x
            if name == "quadrant":
                down, right = divmod(int(torch.randint(4, (), generator=rng)), 2)
                maps, target = (
                    t.unflatten(3, (2, -1)).select(3, right).unflatten(2, (2, -1)).select(2, down)
                    for t in (maps, target)
                )
            image = decoder(maps)
            loss = (
                loss
                + given["reconstruction"]["weight"] * part.distance(image, interpolate(target, image.shape[2:])).sum()
            )
        for p in chain:
            squares, p.shared.squares = p.shared.squares, []
            loss = loss + p._strength() * torch.stack(squares).sum() if squares else loss
        loss.backward()
        opt_d.step()
        for p in trained:
            p.requires_grad_(False)
        opt_g.zero_grad()
        made: list[Tensor] = []
        if align is not None:
            fakes = augment(G(z, None, rng, made))
        loss = -see(fakes, "g-fake").mean()
        if align is not None:
            loss = loss + sum(l1_loss(a, taps[at].detach()) for a, at in zip(made, D.aligned))
        loss.backward()
        opt_g.step()
        for p in trained:
            p.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(kept, list(G.parameters()), 1 - r.ema)

    return step
