"""BigGAN (Brock et al. 2019) at 32, 64 and 128 pixels, class-conditional, as BigGAN-PyTorch's ``BigGAN.py`` builds it.

GN-GAN's ``models/biggan.py`` is the same network at 32 pixels: its counts agree, and its block order too. What differs
between the sources is an argument. Spectral norm is the part ``spectral-norm``, never built in here.

With ``ch`` 64 and 10 classes at 32 pixels: G 4,304,387, D 4,207,361 parameters. At 128 pixels with ``ch`` 96, 1,000
classes and all of BigGAN's ideas: G 70,433,988, D 87,982,370 (the counts that compare_gan's tests state).
"""

from __future__ import annotations

import itertools
from typing import Literal

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.networks.biggan_blocks import Attention, DownBlock, UpBlock

VERSION = 1
WIDTHS_G = {
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
}  # at 4x4, and after each block, in units of ch
WIDTHS_D = {32: (4, 4, 4, 4), 64: (1, 2, 4, 8, 16), 128: (1, 2, 4, 8, 16, 16)}  # after each block
HALVINGS = {32: 2, 64: 4, 128: 5}  # D's first blocks halve the image, the others keep it


def build(
    image_shape: tuple[int, int, int],
    z_dim: int,
    classes: int | None,
    *,
    width: float,
    ch: int,
    head: Literal["projection", "omni"],
    attention: int,
    shared_dim: int,
    z_chunks: int,
    init: Literal["N02", "xavier", "orthogonal"],
) -> tuple[nn.Module, nn.Module]:
    """G and D for square images of 32, 64 or 128 pixels.

    Args:
        ch: the unit of all channel counts, in both players; 64 gives the 256 channels of the CIFAR networks.
        head: D's output: "projection" (B,), or "omni" (B, classes + 2): the classes, "real", "fake" (Omni-GAN-PyTorch).
        attention: resolution in pixels after whose blocks both players attend to all places; 0: nowhere.
        shared_dim: 0: every conditional BatchNorm has an embedding of its own; else one embedding of so many numbers,
            from which each takes its gain and bias linearly.
        z_chunks: 1: z enters below only; number of G's blocks + 1: z is cut, and each block's BatchNorm gets a piece.
        init: of convolutions, linear layers and embeddings. "N02" is N(0, 0.02²). Biases keep PyTorch's own
            initialisation, as in BigGAN-PyTorch, but are 0 with "xavier" (uniform), as in GN-GAN's code.

    Raises:
        GanbenchError: no classes, another resolution, or arguments that do not fit together.
    """
    size = image_shape[1]
    if classes is None:
        raise GanbenchError("biggan is class-conditional: give the recipe 'classes'", 2)
    if size not in WIDTHS_G or image_shape[2] != size:
        raise GanbenchError(f"biggan makes images of 32x32, 64x64 or 128x128 pixels, not {size}x{image_shape[2]}", 2)
    blocks = len(WIDTHS_G[size]) - 1
    if z_chunks not in (1, blocks + 1) or z_dim % z_chunks:
        raise GanbenchError(
            f"biggan at {size} pixels cuts z into {blocks + 1} equal chunks or 1: z_chunks is {z_chunks}, "
            f"z_dim {z_dim}",
            2,
        )
    if z_chunks > 1 and not shared_dim:
        raise GanbenchError("biggan: chunks of z join the shared embedding: z_chunks over 1 needs shared_dim", 2)
    both = sorted(set.intersection(*map(set, block_sizes(size))))
    if attention and attention not in both:
        raise GanbenchError(
            f"biggan at {size} pixels: attention is a resolution of both players, {both}, or 0, not {attention}", 2
        )
    G = Generator(image_shape, z_dim, classes, ch * width, attention, shared_dim, z_chunks)
    D = Discriminator(image_shape, classes, ch * width, attention, head)
    for player in (G, D):
        initialise(player, init)
    return G, D


def block_sizes(size: int) -> tuple[list[int], list[int]]:
    """Side in pixels of the maps after each of G's and each of D's blocks, for images of ``size`` pixels."""
    up = [8 << n for n in range(len(WIDTHS_G[size]) - 1)]
    return up, [size >> min(n + 1, HALVINGS[size]) for n in range(len(WIDTHS_D[size]))]


class Generator(nn.Module):
    """(B, z_dim) noise and (B,) classes to (B, C, H, W) images in [-1, 1]."""

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        z_dim: int,
        classes: int,
        unit: float,
        attention: int,
        shared_dim: int,
        z_chunks: int,
    ) -> None:
        super().__init__()
        widths = [max(1, round(n * unit)) for n in WIDTHS_G[image_shape[1]]]
        self.chunk = z_dim // z_chunks
        self.shared = nn.Embedding(classes, shared_dim) if shared_dim else None
        self.linear = nn.Linear(self.chunk, widths[0] * 16)
        condition = shared_dim + (self.chunk if z_chunks > 1 else 0)
        self.blocks = nn.ModuleList(UpBlock(i, o, classes, condition) for i, o in itertools.pairwise(widths))
        sizes = block_sizes(image_shape[1])[0]
        self.attention = nn.ModuleDict(
            {str(n): Attention(widths[n + 1]) for n, side in enumerate(sizes) if side == attention}
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_image = nn.Conv2d(widths[-1], image_shape[0], 3, padding=1)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """z is cut into equal chunks, one for the first layer and one a block, where it is hierarchical."""
        below, *chunks = z.split(self.chunk, 1)
        condition = labels if self.shared is None else self.shared(labels)
        h = self.linear(below).unflatten(1, (-1, 4, 4))
        for n, block in enumerate(self.blocks):
            h = block(h, torch.cat([condition, chunks[n]], 1) if chunks else condition)
            if str(n) in self.attention:
                h = self.attention[str(n)](h)
        return self.to_image(self.norm(h).relu()).tanh()


class Discriminator(nn.Module):
    """(B, C, H, W) images and (B,) classes to logits: (B,) by projection, (B, classes + 2) from an omni head.

    ``piecewise_linear`` is False on an instance with attention.
    """

    piecewise_linear: bool = True

    def __init__(self, image_shape: tuple[int, int, int], classes: int, unit: float, attention: int, head: str) -> None:
        super().__init__()
        channels, size, _ = image_shape
        widths = [channels, *(max(1, round(n * unit)) for n in WIDTHS_D[size])]
        self.blocks = nn.ModuleList(
            DownBlock(i, o, n < HALVINGS[size], n == 0) for n, (i, o) in enumerate(itertools.pairwise(widths))
        )
        sizes = block_sizes(size)[1]
        self.attention = nn.ModuleDict(
            {str(n): Attention(widths[n + 1]) for n, side in enumerate(sizes) if side == attention}
        )
        self.piecewise_linear = attention == 0
        self.linear = nn.Linear(widths[-1], 1 if head == "projection" else classes + 2)
        self.embedding = nn.Embedding(classes, widths[-1]) if head == "projection" else None

    def forward(self, x: Tensor, labels: Tensor | None, taps: list[Tensor] | None = None) -> Tensor:
        """``taps`` gets the output of each block, after its attention; an omni head looks at no classes."""
        for n, block in enumerate(self.blocks):
            x = block(x)
            if str(n) in self.attention:
                x = self.attention[str(n)](x)
            if taps is not None:
                taps.append(x)
        h = x.relu().sum((2, 3))
        if self.embedding is None:
            return self.linear(h)
        return self.linear(h).squeeze(1) + (self.embedding(labels) * h).sum(1)


def initialise(player: nn.Module, init: str) -> None:
    """Weights of convolutions, linear layers and embeddings, in the order of the modules; see ``build``."""
    for module in player.modules():
        if not isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
            continue
        if init == "N02":
            nn.init.normal_(module.weight, 0, 0.02)
        elif init == "orthogonal":
            nn.init.orthogonal_(module.weight)
        else:
            nn.init.xavier_uniform_(module.weight)
            if isinstance(bias := getattr(module, "bias", None), Tensor):
                nn.init.zeros_(bias)
