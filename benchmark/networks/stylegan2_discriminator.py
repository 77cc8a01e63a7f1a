"""StyleGAN2's D: residual blocks down to 4x4, and a head that sees how much a batch varies."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from benchmark.networks.stylegan2_layers import EqualConv2d, EqualLinear, Filter, leaky, minibatch_stddev


class DownBlock(nn.Module):
    """(B, i, H, W) to (B, o, H/2, W/2): (conv3, leaky ReLU, filter, conv3 with stride 2, leaky ReLU, plus filter,
    halving and conv1 of the input) / √2.

    As everywhere in StyleGAN2, maps are filtered before the convolution that halves them. So whatever follows ``conv2``
    and ``skip`` sees the halved map: their bare output (``conv1`` and ``conv2`` with bias, ``skip`` has none), before
    the activation, the sum and its factor. A layer between convolution and halving would be of another network.
    """

    halve = True

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.conv1 = EqualConv2d(fan_in, fan_in, 3, padding=1)
        self.conv2 = EqualConv2d(fan_in, fan_out, 3, stride=2)
        self.skip = EqualConv2d(fan_in, fan_out, 1, bias=False)
        self.filter = Filter()

    def forward(self, x: Tensor) -> Tensor:
        """x is left as it is."""
        h = self.filter(leaky(self.conv1(x)), padding=2)
        h = leaky(self.conv2(h)) + self.skip(self.filter.halved(x))
        return h * math.sqrt(0.5)


class Discriminator(nn.Module):
    """(B, C, H, W) images to (B,) logits.

    Args:
        widths: channels by side of map, from 4 to the image's.
        group: images whose standard deviation the head sees (``minibatch_stddev``): a logit depends on the others of
            its batch.

    Attributes:
        blocks: from the image down; methods number them from 1.
    """

    def __init__(self, image_channels: int, widths: dict[int, int], group: int) -> None:
        super().__init__()
        self.group = group
        downwards, last = list(widths.values())[::-1], widths[4]
        self.from_image = EqualConv2d(image_channels, downwards[0], 1)
        self.blocks = nn.ModuleList(DownBlock(i, o) for i, o in pairwise(downwards))
        self.conv = EqualConv2d(last + 1, last, 3, padding=1)
        self.hidden = EqualLinear(last * 16, last)
        self.linear = EqualLinear(last, 1)

    def forward(self, x: Tensor, labels: None = None, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) to (B,); unconditional. ``taps`` gets the map after each block, the last (B, C, 4, 4), then
        what the last linear layer sees, (B, C).
        """
        return self.head(self.trunk(x, taps), taps)

    def trunk(self, x: Tensor, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) to the last block's map, (B, C, 4, 4)."""
        h = leaky(self.from_image(x))
        for block in self.blocks:
            h = block(h)
            if taps is not None:
                taps.append(h)
        return h

    def head(self, h: Tensor, taps: list[Tensor] | None = None) -> Tensor:
        """The last block's map to (B,) logits: minibatch-stddev, conv3, two linear layers."""
        h = leaky(self.conv(minibatch_stddev(h, self.group)))
        h = leaky(self.hidden(h.flatten(1)))
        if taps is not None:
            taps.append(h)
        return self.linear(h).squeeze(1)
