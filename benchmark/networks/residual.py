"""Residual generators and discriminators of the SN-GAN family: SN-GAN's (Miyato et al. 2018, Tables 4 and 5), and what
WGAN-GP, Mimicry and GN-GAN change in them. The networks that are built from these state their channels and initial
weights.

Two things are computed otherwise than they are written in the sources, with the same result: a
shortcut's 1x1 convolution comes before the upsampling and after the average pooling (it acts on
channels, they on positions, and both preserve constants), at a quarter of the work; and only those
ReLUs work in place whose input nobody else reads, so that blocks never change their input, which is
also a feature map that methods look at.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BN_EPS = 1e-5  # PyTorch's


class ConditionalBatchNorm(nn.Module):
    """BatchNorm with a scale (initially 1) and a shift (initially 0) a class; ``classes`` of them."""

    def __init__(self, channels: int, classes: int, eps: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=eps, affine=False)
        self.scale, self.shift = nn.Embedding(classes, channels), nn.Embedding(classes, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """(B, C, H, W) and (B,) classes to (B, C, H, W)."""
        return torch.addcmul(self.shift(labels)[:, :, None, None], self.norm(x), self.scale(labels)[:, :, None, None])


class UpBlock(nn.Module):
    """(B, i, H, W) to (B, o, 2H, 2W): norm, ReLU, upsample, conv3, norm, ReLU, conv3; beside it upsample, conv1."""

    def __init__(self, fan_in: int, fan_out: int, upsample: str, classes: int | None, bn_eps: float) -> None:
        super().__init__()
        self.upsample, self.conditional = upsample, classes is not None
        self.norm1, self.norm2 = _norm(fan_in, classes, bn_eps), _norm(fan_out, classes, bn_eps)
        self.conv1, self.conv2 = nn.Conv2d(fan_in, fan_out, 3, padding=1), nn.Conv2d(fan_out, fan_out, 3, padding=1)
        self.shortcut = nn.Conv2d(fan_in, fan_out, 1)

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """``labels``: (B,) classes where the norms are conditional, else not looked at."""
        condition = (labels,) if self.conditional else ()
        h = self.conv1(self._up(F.relu(self.norm1(x, *condition), inplace=True)))
        h = self.conv2(F.relu(self.norm2(h, *condition), inplace=True))
        return h + self._up(self.shortcut(x))

    def _up(self, x: Tensor) -> Tensor:
        return F.interpolate(
            x, scale_factor=2, mode=self.upsample, align_corners=None if self.upsample == "nearest" else False
        )


class DownBlock(nn.Module):
    """(B, i, H, W) to (B, o, H, W), or half the sides: ReLU, conv3, ReLU, conv3, average pool; beside it conv1, average
    pool.

    Args:
        hidden: channels between the two convolutions.
        down: halve the sides. Without it and with i = o the shortcut is the identity.
        first: the block that sees images has no ReLU before its first convolution.
        activated: the shortcut gets ReLU(x) instead of x, as in Mimicry, whose first ReLU works in place.
    """

    def __init__(self, fan_in: int, hidden: int, fan_out: int, *, down: bool, first: bool, activated: bool) -> None:
        super().__init__()
        self.down, self.first, self.activated = down, first, activated
        self.conv1, self.conv2 = nn.Conv2d(fan_in, hidden, 3, padding=1), nn.Conv2d(hidden, fan_out, 3, padding=1)
        self.shortcut = nn.Conv2d(fan_in, fan_out, 1) if down or fan_in != fan_out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """x (B, i, H, W) is left as it is."""
        h = x if self.first else F.relu(x)
        skip = h if self.activated else x
        h = self.conv2(F.relu(self.conv1(h), inplace=True))
        if self.down:
            h, skip = F.avg_pool2d(h, 2), F.avg_pool2d(skip, 2)
        return h + self.shortcut(skip)


class Generator(nn.Module):
    """(B, z_dim) noise, and (B,) classes of a conditional pair, to (B, C, H, W) images in [-1, 1].

    Linear to ``bottom`` x ``bottom``, one UpBlock from each of ``channels`` to the next, BatchNorm
    (never conditional), ReLU, conv3, tanh.
    """

    def __init__(
        self,
        image_channels: int,
        z_dim: int,
        bottom: int,
        channels: Sequence[int],
        *,
        upsample: str = "nearest",
        classes: int | None = None,
        bn_eps: float = BN_EPS,
    ) -> None:
        super().__init__()
        self.bottom_shape = (channels[0], bottom, bottom)
        self.linear = nn.Linear(z_dim, channels[0] * bottom * bottom)
        self.blocks = nn.ModuleList(UpBlock(i, o, upsample, classes, bn_eps) for i, o in itertools.pairwise(channels))
        self.norm = nn.BatchNorm2d(channels[-1], eps=bn_eps)
        self.output = nn.Conv2d(channels[-1], image_channels, 3, padding=1)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """(B, z_dim) to (B, C, H, W); ``labels`` reach the blocks' norms."""
        h = self.linear(z).unflatten(1, self.bottom_shape)
        for block in self.blocks:
            h = block(h, labels)
        return torch.tanh(self.output(F.relu(self.norm(h), inplace=True)))


class Discriminator(nn.Module):
    """(B, C, H, W) images, and (B,) classes of a conditional pair, to (B,) logits.

    One DownBlock for each of ``channels``, of which the first ``halvings`` halve the sides; ReLU,
    global sum or mean, linear; a conditional pair adds the projection ⟨embedding(y), h⟩ (Miyato and
    Koyama 2018). ``taps`` gets each block's output. ReLU, pooling and, for fixed classes, the
    projection are piecewise linear in the image.

    Args:
        wide: the blocks after the first have as many hidden channels as outputs, not as inputs.
    """

    piecewise_linear = True

    def __init__(
        self,
        image_channels: int,
        channels: Sequence[int],
        halvings: int,
        *,
        pool: str,
        wide: bool,
        activated: bool = False,
        head_bias: bool = True,
        classes: int | None = None,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.blocks = nn.ModuleList()
        for i, (fan_in, fan_out) in enumerate(zip([image_channels, *channels], channels)):
            hidden = fan_out if wide or i == 0 else fan_in
            self.blocks.append(DownBlock(fan_in, hidden, fan_out, down=i < halvings, first=i == 0, activated=activated))
        self.head = nn.Linear(channels[-1], 1, bias=head_bias)
        self.projection = None if classes is None else nn.Embedding(classes, channels[-1])

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) to (B,); ``labels`` choose the projection's rows."""
        for block in self.blocks:
            x = block(x)
            if taps is not None:
                taps.append(x)
        h = F.relu(x)
        h = h.sum((2, 3)) if self.pool == "sum" else h.mean((2, 3))
        logits = self.head(h).squeeze(1)
        return logits if self.projection is None else logits + (self.projection(labels) * h).sum(1)


def glorot(player: nn.Module, *, zero_biases: bool, left: tuple[str, ...] = ()) -> None:
    """Glorot-uniform weights, with gain √2 in the blocks' 3x3 convolutions and 1 elsewhere; biases to 0, or left as
    PyTorch draws them.

    Args:
        left: ends of layers' names whose weights, too, stay as PyTorch draws them.
    """
    for name, module in player.named_modules():
        if left and name.endswith(left):
            continue
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight, gain=2**0.5 if name.endswith(("conv1", "conv2")) else 1.0)
            if zero_biases and module.bias is not None:
                nn.init.zeros_(module.bias)
        elif name == "projection":
            nn.init.xavier_uniform_(module.weight)


def _norm(channels: int, classes: int | None, eps: float) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=eps) if classes is None else ConditionalBatchNorm(channels, classes, eps)
