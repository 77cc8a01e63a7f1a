"""StyleGAN2's G: a mapping of z to w, and a synthesis with skips to the image, styled by a w a layer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmark.networks.noise import generator
from benchmark.networks.stylegan2_layers import EqualLinear, Filter, Styled, ToImage, leaky, unit_moment

MAPPING_RATE = 0.01  # of the mapping's learning rate


class UpBlock(nn.Module):
    """(B, i, H, W) to (B, o, 2H, 2W), and the image so far, (B, C, H, W), doubled plus this block's share."""

    def __init__(self, fan_in: int, fan_out: int, image_channels: int, w_dim: int) -> None:
        super().__init__()
        self.conv1 = Styled(fan_in, fan_out, w_dim, double=True)
        self.conv2 = Styled(fan_out, fan_out, w_dim)
        self.to_image = ToImage(fan_out, image_channels, w_dim)
        self.filter = Filter()

    def forward(
        self, x: Tensor, image: Tensor, ws: tuple[Tensor, ...], noises: Iterator[Tensor | None]
    ) -> tuple[Tensor, Tensor]:
        """``ws``: three, one a convolution."""
        x = self.conv1(x, ws[0], next(noises))
        x = self.conv2(x, ws[1], next(noises))
        return x, self.filter.doubled(image) + self.to_image(x, ws[2])


class Generator(nn.Module):
    """(B, z_dim) noise to (B, C, H, W) images, which nothing bounds.

    Where a method takes ``rng``, that is a CPU stream, and one number of it is taken a call; None stands for no noise
    maps and no mixing. ``forward`` is ``synthesis(styles(z))`` with one number for both.

    Args:
        widths: channels by side of map, from 4 to the image's.
        style_mixing: probability that an image's later layers are styled by another noise, while training.
        mix_per: draw that, and where it begins, for each "image" or for the "batch".

    Attributes:
        num_ws: styles an image; the first styles ``stem``, and each block's last is its successor's first.
        w_dim: numbers of a style: as many as z has.
    """

    draws_noise = True

    def __init__(
        self,
        image_channels: int,
        z_dim: int,
        widths: dict[int, int],
        mapping_layers: int,
        style_mixing: float,
        mix_per: str,
    ) -> None:
        super().__init__()
        self.style_mixing, self.mix_per = style_mixing, mix_per
        self.w_dim, self.num_ws, self.sides = z_dim, 2 * len(widths), list(widths)
        self.layers = nn.ModuleList(EqualLinear(z_dim, z_dim, MAPPING_RATE) for _ in range(mapping_layers))
        self.start = nn.Parameter(torch.randn(1, widths[4], 4, 4))
        self.first = Styled(widths[4], widths[4], z_dim)
        self.first_image = ToImage(widths[4], image_channels, z_dim)
        self.blocks = nn.ModuleList(UpBlock(i, o, image_channels, z_dim) for i, o in pairwise(widths.values()))

    def forward(
        self, z: Tensor, labels: None = None, rng: torch.Generator | None = None, taps: list[Tensor] | None = None
    ) -> Tensor:
        """(B, z_dim) to (B, C, H, W); unconditional. ``taps`` gets ws (B, num_ws, w_dim), then the stem's map
        (B, C, 4, 4).
        """
        draws = self._draws(rng)
        ws = self._styles(z, draws)
        noises = self._noises(ws, draws)
        h = self._stem(ws, noises)
        if taps is not None:
            taps += [ws, h]
        return self._rest(h, ws, noises)

    def mapping(self, z: Tensor) -> Tensor:
        """(B, z_dim) to w (B, w_dim)."""
        w = unit_moment(z)
        for layer in self.layers:
            w = leaky(layer(w))
        return w

    def styles(self, z: Tensor, rng: torch.Generator | None) -> Tensor:
        """(B, z_dim) to ws (B, num_ws, w_dim): w for every layer, or, mixed, another noise's from some layer on."""
        return self._styles(z, self._draws(rng))

    def synthesis(self, ws: Tensor, rng: torch.Generator | None) -> Tensor:
        """(B, num_ws, w_dim) to (B, C, H, W)."""
        noises = self._noises(ws, self._draws(rng))
        return self._rest(self._stem(ws, noises), ws, noises)

    def stem(self, ws: Tensor, rng: torch.Generator | None) -> Tensor:
        """(B, num_ws, w_dim) to the map (B, C, 4, 4) after the constant's convolution, noise and activation."""
        return self._stem(ws, self._noises(ws, self._draws(rng)))

    def rest(self, h: Tensor, ws: Tensor, rng: torch.Generator | None) -> Tensor:
        """The stem's map, and all of ws, to (B, C, H, W). Streams in equal states make ``rest(stem(ws, rng), ws, rng)``
        ``synthesis(ws, rng)``: this one's noise maps are those after the stem's.
        """
        noises = self._noises(ws, self._draws(rng))
        next(noises)
        return self._rest(h, ws, noises)

    def _draws(self, rng: torch.Generator | None) -> torch.Generator | None:
        return None if rng is None else generator(rng, self.start.device)

    def _styles(self, z: Tensor, draws: torch.Generator | None) -> Tensor:
        ws = self.mapping(z)[:, None].expand(-1, self.num_ws, -1)
        if draws is None or not self.training or self.style_mixing == 0:
            return ws
        other = torch.randn(z.shape, generator=draws, dtype=z.dtype, device=z.device)
        count = len(z) if self.mix_per == "image" else 1
        mixed = torch.rand(count, generator=draws, device=z.device) < self.style_mixing
        begin = torch.randint(1, self.num_ws, (count,), generator=draws, device=z.device)
        own = torch.arange(self.num_ws, device=z.device) < begin.where(mixed, self.num_ws)[:, None]
        return ws.where(own[..., None], self.mapping(other)[:, None])

    def _noises(self, ws: Tensor, draws: torch.Generator | None) -> Iterator[Tensor | None]:
        """A map for each convolution, in order: (B, 1, 4, 4), then two of each side."""
        for side in self.sides[:1] + [side for side in self.sides[1:] for _ in range(2)]:
            shape, like = (len(ws), 1, side, side), self.start
            yield None if draws is None else torch.randn(shape, generator=draws, dtype=like.dtype, device=like.device)

    def _stem(self, ws: Tensor, noises: Iterator[Tensor | None]) -> Tensor:
        return self.first(self.start.expand(len(ws), -1, -1, -1), ws[:, 0], next(noises))

    def _rest(self, h: Tensor, ws: Tensor, noises: Iterator[Tensor | None]) -> Tensor:
        each = ws.unbind(1)
        image = self.first_image(h, each[1])
        for n, block in enumerate(self.blocks):
            h, image = block(h, image, each[2 * n + 1 : 2 * n + 4], noises)
        return image
