"""FastGAN's G, which FreGAN adds skips to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.networks.fastgan_blocks import Gate, NoisyUp, Up, channels
from benchmark.networks.noise import generator
from benchmark.networks.wavelets import Transform

SHARES = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 1 / 2, 512: 1 / 4, 1024: 1 / 8}  # of the unit, by side of map
NOISY = (8, 32, 128, 512)
GATED = (64, 128, 256, 512)  # each by the map of a sixteenth of its side
JUMPS = (8, 16, 32)  # FreGAN's skips begin here


class Generator(nn.Module):
    """(B, z_dim) noise to (B, C, H, W) images, and with ``small`` also to images of half the side, at most 128 pixels.

    Transposed conv4 to 4x4, BatchNorm and gated linear unit; one block for each doubling; conv3 to the image, conv1 to
    the small one. Images end in tanh at 1024 pixels only, as in the code.

    Args:
        small: give two images.
        wavelets: makes FreGAN's transform for so many channels; None is FastGAN. Each of the maps of 8, 16 and 32
            pixels, around its transform and through a block of its own, is added to the next map, as the following
            stage (or the image's convolution) sees it. Gates see it without.
    """

    draws_noise = True

    def __init__(
        self,
        image_channels: int,
        z_dim: int,
        size: int,
        unit: int,
        *,
        small: bool,
        wavelets: Callable[[int], nn.Module] | None,
    ) -> None:
        super().__init__()
        widths = {side: channels(share, unit) for side, share in SHARES.items() if side <= size}
        self.start = nn.ConvTranspose2d(z_dim, 2 * widths[4], 4, bias=False)
        self.start_norm = nn.BatchNorm2d(2 * widths[4])
        self.stages, self.gates, self.jumps, self.transforms = (nn.ModuleDict() for _ in range(4))
        for before, side in pairwise(widths):
            self.stages[str(side)] = (NoisyUp if side in NOISY else Up)(widths[before], widths[side])
            if side in GATED:
                self.gates[str(side)] = Gate(widths[side // 16], widths[side])
            if wavelets and side in JUMPS:
                self.transforms[str(side)] = wavelets(widths[side])
                self.jumps[str(side)] = Up(2 * widths[side], widths[2 * side])
        self.size, self.small_side = size, min(128, size // 2)
        self.to_image = nn.Conv2d(widths[size], image_channels, 3, padding=1, bias=False)
        self.to_small = nn.Conv2d(widths[self.small_side], image_channels, 1, bias=False) if small else None

    def forward(
        self, z: Tensor, labels: Tensor | None, rng: torch.Generator, taps: list[Tensor] | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """One number of ``rng`` seeds all noise maps. ``taps`` gets, of FreGAN's, the high frequencies of the
        maps of 8, 16 and 32 pixels: (B, 2C, 4, 4), (B, 2C, 8, 8), (B, 2C, 16, 16).
        """
        noise = generator(rng, z.device)
        h = F.glu(self.start_norm(self.start(z[..., None, None])), 1)
        maps, jump = {4: h}, None
        for name, stage in self.stages.items():
            side = int(name)
            h = stage(h, noise)
            if name in self.gates:
                h = self.gates[name](maps[side // 16], h)
            maps[side] = h
            if jump is not None:
                h, jump = h + jump, None
            if name in self.jumps:
                transform = cast("Transform", self.transforms[name])
                jump = self.jumps[name](transform.around(maps[side]))
                if taps is not None:
                    taps.append(transform.high(maps[side]))
        if self.to_small is None:
            return self._ended(self.to_image(h))
        return self._ended(self.to_image(h)), self._ended(self.to_small(maps[self.small_side]))

    def _ended(self, image: Tensor) -> Tensor:
        return image.tanh() if self.size == 1024 else image
