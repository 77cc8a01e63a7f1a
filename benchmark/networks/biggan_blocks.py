"""What BigGAN's G and D are built of; AutoGAN and E²GAN use some of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConditionalBatchNorm(nn.Module):
    """BatchNorm whose gain is 1 + gain(condition) and whose shift is shift(condition), both per sample and channel."""

    def __init__(self, channels: int, classes: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain: nn.Module
        self.shift: nn.Module
        if condition:  # (B, condition): the shared embedding and perhaps a chunk of z
            self.gain, self.shift = (nn.Linear(condition, channels, bias=False) for _ in range(2))
        else:  # (B,): labels
            self.gain, self.shift = (nn.Embedding(classes, channels) for _ in range(2))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x (B, C, H, W); ``condition``: (B,) classes, or (B, k) where they are embedded already."""
        return torch.addcmul(
            self.shift(condition)[..., None, None], self.norm(x), 1 + self.gain(condition)[..., None, None]
        )


class UpBlock(nn.Module):
    """(B, fan_in, H, W) to (B, fan_out, 2H, 2W): cBN, ReLU, nearest 2x, conv, cBN, ReLU, conv, plus a 1x1 skip."""

    def __init__(self, fan_in: int, fan_out: int, classes: int, condition: int) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm(fan_in, classes, condition)
        self.conv1 = nn.Conv2d(fan_in, fan_out, 3, padding=1)
        self.norm2 = ConditionalBatchNorm(fan_out, classes, condition)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 3, padding=1)
        self.skip = nn.Conv2d(fan_in, fan_out, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """``condition`` as its two norms take it."""
        h = self.conv1(_double(self.norm1(x, condition).relu()))
        h = self.conv2(self.norm2(h, condition).relu())
        return h + _double(self.skip(x))  # the sources double first: the same numbers for four times the work


class DownBlock(nn.Module):
    """(B, fan_in, H, W) to (B, fan_out, H, W), or half the size: ReLU, conv, ReLU, conv, mean pool, plus the skip.

    The first block of D (``first``) has no ReLU before it, and pools before its 1x1 skip instead of after. Without a
    change of size or channels the skip is the identity (``skip`` None). ``conv1``, ``conv2`` and ``skip`` are modules
    whose
    outputs are not yet pooled (but for a first block's skip): where CHAIN acts. autogan and e2gan use this block too.
    """

    def __init__(self, fan_in: int, fan_out: int, halve: bool, first: bool = False) -> None:
        super().__init__()
        self.halve, self.first = halve, first
        self.conv1 = nn.Conv2d(fan_in, fan_out, 3, padding=1)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 3, padding=1)
        self.skip = nn.Conv2d(fan_in, fan_out, 1) if halve or fan_in != fan_out else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, fan_in, H, W) to (B, fan_out, H', W'), H' half of H where it halves."""
        h = self.conv2(self.conv1(x if self.first else x.relu()).relu())
        if self.first and self.halve:
            x = F.avg_pool2d(x, 2)
        if self.skip is not None:
            x = self.skip(x)
        if not self.halve:
            return h + x
        return F.avg_pool2d(h, 2) + (x if self.first else F.avg_pool2d(x, 2))


class Attention(nn.Module):
    """SA-GAN's non-local block, (B, C, H, W) to the same: every place asks all 2x2 places. Its gain begins at 0: the
    identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.query, self.key = (nn.Conv2d(channels, narrow, 1, bias=False) for _ in range(2))
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same; H and W even."""
        query = self.query(x).flatten(2)  # (B, C/8, HW)
        key, value = (F.max_pool2d(conv(x), 2).flatten(2) for conv in (self.key, self.value))  # (B, C/8 and C/2, HW/4)
        weights = (query.mT @ key).softmax(2)  # (B, HW, HW/4)
        found = (weights @ value.mT).mT  # (B, C/2, HW): this way round the large matrix is never copied
        return x + self.gain * self.out(found.unflatten(2, x.shape[2:]))


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2)
