"""FastGAN's D on two images, and the residual one of FastGANDBig on one.

Both bring the image to a map of at most 256x256 (the stem) and halve that to 8x8. Three of the halved maps are gated by
one of eight times their side: 32x32 by 256x256, 16x16 by 128x128, 8x8 by 64x64.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.networks.decoders import Decoder
from benchmark.networks.fastgan_blocks import BLOCKS, SLOPE, Gate, MeanDown, SumDown, channels, halving, leaky

SHARES = {8: 8, 16: 4, 32: 2, 64: 1, 128: 1 / 2, 256: 1 / 4, 512: 1 / 8}  # of the unit, by side of map
GATED = (32, 16, 8)
WHOLE, QUADRANT = 8, 16  # side of the maps that decoders read


class Discriminator(nn.Module):
    """What the two have in common: the maps that decoders read, and the decoders for them.

    Attributes:
        decodable: name of a map -> (its position in ``taps``, its channels).
    """

    def __init__(self, image_channels: int, size: int, unit: int) -> None:
        super().__init__()
        self.image_channels, self.size, self.unit = image_channels, size, unit
        self.sides = [8 << n for n in range(BLOCKS[size], -1, -1)]  # of the stem's map, and after each block
        self.widths = {side: channels(share, unit) for side, share in SHARES.items()}
        self.gates = nn.ModuleDict(
            {str(s): Gate(self.widths[8 * s], self.widths[s]) for s in GATED if 8 * s <= self.sides[0]}
        )
        self.decodable = {
            name: (self.sides.index(side) - 1, self.widths[side])
            for name, side in (("whole", WHOLE), ("quadrant", QUADRANT))
        }

    def decoder(self, name: str) -> Decoder:
        """A new decoder for the map of that name of ``decodable``: to 128 pixels a side as in the code, or to the side
        of what it decodes where that is smaller. It draws its weights.
        """
        side = {"whole": self.size, "quadrant": self.size // 2, "small": self.size // 2}[name]
        return Decoder(self.decodable[name][1], self.image_channels, min(128, side), self.unit)


class TwoImages(Discriminator):
    """(big, small) images to (B, 50) logits: 25 places of the large one, then 25 of the small one, whose side is 128
    pixels, or half the large one's where that is less. BatchNorm throughout, no biases.
    """

    def __init__(self, image_channels: int, size: int, unit: int) -> None:
        super().__init__(image_channels, size, unit)
        widths, hidden, self.small_side = self.widths, channels(16, unit), min(128, size // 2)
        self.stem = _stem(image_channels, size, {side: widths[side] for side in (512, 256, 128, 64)}, self.sides[0])
        self.downs = nn.ModuleList(MeanDown(widths[i], widths[o]) for i, o in pairwise(self.sides))
        self.hidden = nn.Conv2d(widths[8], hidden, 1, bias=False)
        self.hidden_norm = nn.BatchNorm2d(hidden)
        self.places = nn.Conv2d(hidden, 1, 4, bias=False)
        sides = [side for side in (64, 32, 16, 8) if side <= self.small_side]
        of_small = {side: widths[2 * side] for side in sides}
        self.small = _stem(image_channels, self.small_side, of_small, sides[0])
        self.small.extend(halving(of_small[i], of_small[o]) for i, o in pairwise(sides))
        self.small_places = nn.Conv2d(of_small[8], 1, 4, bias=False)
        self.decodable["small"] = (len(self.downs), of_small[8])

    def forward(
        self, x: Tensor | tuple[Tensor, Tensor], labels: Tensor | None = None, taps: list[Tensor] | None = None
    ) -> Tensor:
        """Of a lone large image the small one is every n-th pixel. ``taps`` gets the map after each block and its gate,
        and the last of the small image.
        """
        big, small = x if isinstance(x, tuple) else (x, F.interpolate(x, self.small_side))
        h = self.stem(big)
        maps = {self.sides[0]: h}
        further = self.further(self.sides[0], h)
        for side, down in zip(self.sides[1:], self.downs):
            h = down(h)
            if str(side) in self.gates:
                h = self.gates[str(side)](maps[8 * side], h)
            maps[side] = h
            further += self.further(side, h)
        of_small = self.small(small)
        if taps is not None:
            taps += [*(maps[side] for side in self.sides[1:]), of_small]
        return torch.cat([self.judged(h), self.small_places(of_small).flatten(1), *further], 1)

    def judged(self, h: Tensor) -> Tensor:
        """The last map, (B, C, 8, 8), to (B, 25) logits."""
        return self.places(leaky(self.hidden_norm(self.hidden(h)))).flatten(1)

    def further(self, side: int, h: Tensor) -> list[Tensor]:
        """More logits, from the map of ``side`` pixels as soon as it is there; FreGAN has some."""
        return []


class Residual(Discriminator):
    """(B, C, H, W) images to (B,) logits: no BatchNorm, biases. The maps in ``taps`` are activated, as that code's
    in-place activations leave them for gates and decoders.

    Attributes:
        blocks: those that methods number from 1: five from 256 pixels on. The block of the stem at 1024 pixels and
            the one before the sum over places, which does not halve, are not among them.
    """

    def __init__(self, image_channels: int, size: int, unit: int) -> None:
        super().__init__(image_channels, size, unit)
        widths = self.widths
        first = size // 2 if size > self.sides[0] else size
        self.stem = _first(image_channels, widths[first], size > first, bias=True)
        self.stem_block = SumDown(widths[512], widths[256]) if size == 1024 else None
        self.blocks = nn.ModuleList(SumDown(widths[i], widths[o]) for i, o in pairwise(self.sides))
        self.last = SumDown(widths[8], widths[8], halve=False)
        self.linear = nn.Linear(widths[8], 1)

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        """``taps`` gets the map after each of ``blocks``, its gate and the activation."""
        h = leaky(self.stem(x))
        if self.stem_block is not None:
            h = leaky(self.stem_block(h))
        maps = {self.sides[0]: h}
        for side, block in zip(self.sides[1:], self.blocks):
            h = block(h)
            if str(side) in self.gates:
                h = self.gates[str(side)](maps[8 * side], h)
            h = maps[side] = leaky(h)
            if taps is not None:
                taps.append(h)
        return self.linear(self.last(h).sum((2, 3))).squeeze(1)


def _first(image_channels: int, width: int, halve: bool, bias: bool) -> nn.Conv2d:
    """The convolution that sees the image: conv4 with stride 2, or conv3."""
    if halve:
        return nn.Conv2d(image_channels, width, 4, 2, 1, bias=bias)
    return nn.Conv2d(image_channels, width, 3, padding=1, bias=bias)


def _stem(image_channels: int, size: int, widths: dict[int, int], side: int) -> nn.Sequential:
    """From ``size`` pixels to a map of ``side``, the same size or a half or quarter of it; ``widths`` by side of
    map.
    """
    first = size // 2 if size > side else size
    layers = [_first(image_channels, widths[first], size > first, bias=False), nn.LeakyReLU(SLOPE, inplace=True)]
    return nn.Sequential(*layers, *(halving(widths[first], widths[side]) if first > side else ()))
