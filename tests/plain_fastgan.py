"""FastGAN's, FastGANDBig's and FreGAN's players from their state dicts, with loops and F only, in the sources' order:
what the tests hold the networks against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.networks import fastgan, fregan

State = dict[str, Tensor]
SIZES = (64, 128, 256, 512, 1024)
KINDS = ("bn", "big", "fregan")


def pair(kind: str, size: int, width: float = 1 / 64, z_dim: int = 5, **arguments: Any) -> tuple[Any, Any]:
    torch.manual_seed(0)
    if kind == "fregan":
        return fregan.build((3, size, size), z_dim, None, width=width, **arguments)
    return fastgan.build((3, size, size), z_dim, None, d=kind, width=width)


def count(*networks: nn.Module) -> int:
    return sum(p.numel() for network in networks for p in network.parameters())


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(seed: int) -> Any:
    """What a pass with ``stream(seed)`` draws, map after map."""
    rng = stream(int(torch.randint(2**62, (), generator=stream(seed))))
    return lambda x: torch.randn(len(x), 1, *x.shape[2:], generator=rng, dtype=x.dtype)


def spread(player: nn.Module, seed: int = 0) -> State:
    """The player's weights, drawn so that every term counts (noise weights and BatchNorm shifts too); float64."""
    torch.manual_seed(seed)
    player.double()
    with torch.no_grad():
        for p in player.parameters():
            p.copy_(torch.randn_like(p) * (2 / p[0].numel()) ** 0.5 if p.dim() > 1 else 1 + 0.3 * torch.randn_like(p))
    return {name: value.clone() for name, value in player.state_dict().items()}


def conv(s: State, name: str, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return F.conv2d(x, s[name + ".weight"], s.get(name + ".bias"), stride, padding)


def norm(s: State, name: str, x: Tensor) -> Tensor:
    mean = x.mean((0, 2, 3), keepdim=True)
    x = (x - mean) / ((x - mean).square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return x * s[name + ".weight"][:, None, None] + s[name + ".bias"][:, None, None]


def leak(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def pool(x: Tensor) -> Tensor:
    return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4


def double(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def glu(x: Tensor) -> Tensor:
    half = x.shape[1] // 2
    return x[:, :half] / (1 + (-x[:, half:]).exp())


def gate(s: State, name: str, small: Tensor, large: Tensor) -> Tensor:
    side = small.shape[2] // 4
    cells = small.reshape(*small.shape[:2], 4, side, 4, side).mean((3, 5))
    h = torch.einsum("bihw,oihw->bo", cells, s[name + ".conv1.weight"])
    h = (h / (1 + (-h).exp())) @ s[name + ".conv2.weight"][:, :, 0, 0].T
    return large / (1 + (-h).exp())[:, :, None, None]


def up(s: State, name: str, x: Tensor) -> Tensor:
    return glu(norm(s, name + ".norm", conv(s, name + ".conv", double(x), padding=1)))


def noisy_up(s: State, name: str, x: Tensor, draw: Callable[[Tensor], Tensor]) -> Tensor:
    x = double(x)
    for n in "12":
        x = conv(s, f"{name}.conv{n}", x, padding=1)
        x = glu(norm(s, f"{name}.norm{n}", x + s[f"{name}.noise{n}.weight"] * draw(x)))
    return x


def generator(s: State, z: Tensor, size: int, draw: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """The large image and the small one, before any tanh; with FreGAN's skips where the state has them. ``draw`` gives
    the next noise map.
    """
    h = torch.einsum("bz,zohw->bohw", z, s["start.weight"])
    h = glu(norm(s, "start_norm", h))
    maps, jump = {4: h}, 0 * h[:, :1, :1, :1]
    side = 4
    while side < size:
        side *= 2
        h = noisy_up(s, f"stages.{side}", h, draw) if side in (8, 32, 128, 512) else up(s, f"stages.{side}", h)
        if side in (64, 128, 256, 512):
            h = gate(s, f"gates.{side}", maps[side // 16], h)
        maps[side] = h
        h = h + jump
        jump = 0 * h[:, :1, :1, :1]
        if f"jumps.{side}.conv.weight" in s:
            jump = up(s, f"jumps.{side}", from_bands(bands_of(maps[side], s.get(f"transforms.{side}.filters"))))
    return conv(s, "to_image", h, padding=1), conv(s, "to_small", maps[min(128, size // 2)])


SUM, DIFFERENCE = (torch.tensor([sign, 1.0]).double() / 2**0.5 for sign in (1.0, -1.0))
FILTERS = {
    "LL": torch.outer(SUM, SUM),
    "LH": torch.outer(SUM, DIFFERENCE),
    "HL": torch.outer(DIFFERENCE, SUM),
    "HH": torch.outer(DIFFERENCE, DIFFERENCE),
}


def from_bands(bands: State) -> Tensor:
    """The sum of the bands' transposed depthwise convolutions, one filter a channel."""
    c = bands["LL"].shape[1]
    parts = [F.conv_transpose2d(bands[name], w.expand(c, 1, 2, 2), stride=2, groups=c) for name, w in FILTERS.items()]
    return torch.stack(parts).sum(0)


def bands_of(x: Tensor, filters: Tensor | None = None) -> State:
    """Band -> (B, 2C, H/2, W/2): depthwise convolutions, with Haar's filters, two equal ones a channel, if not with
    those given, (8C, 1, 2, 2), band by band.
    """
    c = x.shape[1]
    given = [w.expand(2 * c, 1, 2, 2) for w in FILTERS.values()] if filters is None else filters.chunk(4)
    return {name: F.conv2d(x, w, stride=2, groups=c) for name, w in zip(FILTERS, given)}


def mean_down(s: State, name: str, x: Tensor) -> Tensor:
    h = leak(norm(s, name + ".down.1", conv(s, name + ".down.0", x, 2, 1)))
    h = leak(norm(s, name + ".norm", conv(s, name + ".conv", h, padding=1)))
    return (h + leak(norm(s, name + ".direct_norm", conv(s, name + ".direct", pool(x))))) / 2


def two_images(s: State, big: Tensor, small: Tensor, high: bool = False) -> Tensor:
    """FastGAN's D at 256 pixels, (B, 50) logits; with ``high`` FreGAN's, (B, 125)."""

    def rest(h: Tensor, first: int) -> Tensor:
        for n in range(first, 5):
            h = mean_down(s, f"downs.{n}", h)
        h = leak(norm(s, "hidden_norm", conv(s, "hidden", h)))
        return conv(s, "places", h).flatten(1)

    maps = [leak(conv(s, "stem.0", big, padding=1))]  # 256 pixels, then half at each block
    for n in range(5):
        h = mean_down(s, f"downs.{n}", maps[-1])
        maps.append(h if n < 2 else gate(s, f"gates.{256 >> (n + 1)}", maps[n - 2], h))
    h = leak(conv(s, "small.0", small, 2, 1))
    for n in (2, 3, 4):
        h = leak(norm(s, f"small.{n}.1", conv(s, f"small.{n}.0", h, 2, 1)))
    logits = [rest(maps[5], 5), conv(s, "small_places", h).flatten(1)]
    for n in (2, 3, 4) if high else ():
        bands = bands_of(maps[n], s.get(f"transforms.{256 >> n}.filters"))
        logits.append(rest(bands["LH"] + bands["HL"] + bands["HH"], n + 1))
    return torch.cat(logits, 1)


def sum_down(s: State, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """The block's output, and its input as the in-place activation leaves it."""
    x = x.clone()
    main = F.leaky_relu_(x, 0.2)
    main = conv(s, name + ".conv2", leak(conv(s, name + ".conv1", main, padding=1)), padding=1)
    if name == "last":
        return main + x, x
    return pool(main) + pool(conv(s, name + ".skip", x)), x


def residual(s: State, image: Tensor) -> tuple[Tensor, list[Tensor]]:
    """FastGANDBig's D at 1024 pixels: (B,) logits, and the maps of the blocks as decoders would find them."""
    h, _ = sum_down(s, "stem_block", conv(s, "stem", image, 2, 1))
    maps = []
    for n in range(5):
        out, activated = sum_down(s, f"blocks.{n}", h)
        maps.append(activated)
        h = out if n < 2 else gate(s, f"gates.{256 >> (n + 1)}", maps[n - 2], out)
    out, activated = sum_down(s, "last", h)
    maps.append(activated)
    return (out.sum((2, 3)) @ s["linear.weight"].T + s["linear.bias"])[:, 0], maps[1:]
