"""What StyleGAN2's players are built of: equalised learning rates, one low-pass filter, modulated convolutions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GAIN = math.sqrt(2)


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU, times √2 to keep the second moment."""
    return F.leaky_relu(x, 0.2) * GAIN


class EqualLinear(nn.Linear):
    """(B, i) to (B, o) with an equalised learning rate: what is learnt is N(0, 1) where it begins, and scaled in use.

    Args:
        rate: multiplies the learning rate: weight and bias learn so much more slowly.
        begin: what the bias begins at.
    """

    def __init__(self, fan_in: int, fan_out: int, rate: float = 1, begin: float = 0) -> None:
        super().__init__(fan_in, fan_out)
        self.rate, self.begin = rate, begin

    def forward(self, x: Tensor) -> Tensor:
        """x (B, i)."""
        bias = self.bias if self.rate == 1 else self.bias * self.rate
        return F.linear(x, self.weight * (self.rate / math.sqrt(self.in_features)), bias)


class EqualConv2d(nn.Conv2d):
    """A convolution with an equalised learning rate."""

    def forward(self, x: Tensor) -> Tensor:
        """x (B, i, H, W)."""
        fan_in = self.weight[0].numel()
        return self._conv_forward(x, self.weight / math.sqrt(fan_in), self.bias)


class Filter(nn.Module):
    """The low-pass filter [1, 3, 3, 1] along both sides, of sum 1, on each channel; zeros lie outside the map.

    Attributes:
        kernel: (1, 1, 4, 4).
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", torch.outer(taps, taps)[None, None], persistent=False)

    def forward(self, x: Tensor, padding: int, stride: int = 1, gain: float = 1) -> Tensor:
        """(B, C, H, W) to (B, C, (H + 2·padding − 3) / stride, …), times ``gain``."""
        c = x.shape[1]
        return F.conv2d(x, (self.kernel * gain).expand(c, 1, 4, 4), padding=padding, stride=stride, groups=c)

    def halved(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H/2, W/2): filtered, then every second pixel."""
        return self(x, padding=1, stride=2)

    def doubled(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 2H, 2W): a zero after every pixel, then filtered, times 4."""
        c = x.shape[1]
        return F.conv_transpose2d(x, (self.kernel * 4).expand(c, 1, 4, 4), padding=1, stride=2, groups=c)


class Modulated(nn.Module):
    """A convolution whose input channels are scaled, for each image, by styles: linear in w, begun at 1.

    Args:
        double: map (B, i, H, W) to (B, o, 2H, 2W), by a transposed convolution and the filter.
        demodulate: divide each output channel by the norm of its scaled weights; without it they are divided by the
            root of their number.
    """

    def __init__(
        self, fan_in: int, fan_out: int, w_dim: int, kernel: int, *, double: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fan_out, fan_in, kernel, kernel))
        self.style = EqualLinear(w_dim, fan_in, begin=1)
        self.filter = Filter() if double else None
        self.demodulate = demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x (B, i, H, W), w (B, w_dim). Scaling maps instead of weights needs one convolution for all images."""
        styles = self.style(w)
        if not self.demodulate:
            styles = styles / math.sqrt(self.weight[0].numel())
        x = x * styles[:, :, None, None]
        if self.filter is None:
            y = F.conv2d(x, self.weight, padding=self.weight.shape[2] // 2)
        else:
            y = self.filter(F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2), padding=1, gain=4)
        if not self.demodulate:
            return y
        norms = styles.square() @ self.weight.square().sum((2, 3)).t()
        return y * (norms + 1e-8).rsqrt()[:, :, None, None]


class Styled(nn.Module):
    """Modulated conv3, noise times a learnt number that begins at 0, bias, leaky ReLU."""

    def __init__(self, fan_in: int, fan_out: int, w_dim: int, *, double: bool = False) -> None:
        super().__init__()
        self.conv = Modulated(fan_in, fan_out, w_dim, 3, double=double)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(fan_out))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """``noise``: one map an image, (B, 1, h, h) of the output's side; None: none."""
        h = self.conv(x, w)
        if noise is not None:
            h = torch.addcmul(h, self.strength, noise)
        return leaky(h + self.bias[:, None, None])


class ToImage(nn.Module):
    """Modulated conv1 without demodulation, and bias."""

    def __init__(self, fan_in: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.conv = Modulated(fan_in, channels, w_dim, 1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(B, i, H, W) to (B, C, H, W)."""
        return self.conv(x, w) + self.bias[:, None, None]


def unit_moment(x: Tensor) -> Tensor:
    """(B, n), each row divided by the root of its mean square."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def minibatch_stddev(x: Tensor, group: int) -> Tensor:
    """(B, C, H, W) to (B, C + 1, H, W): the last channel is the standard deviation over a group of images, its mean
    over channels and pixels.

    Groups have ``group`` images at most, and there are as few as can be, n: image i is in group i mod n. The codes
    do the same, and refuse a B over ``group`` that is no multiple of it.
    """
    n, exact = math.ceil(len(x) / group), x.to(torch.promote_types(x.dtype, torch.float32))
    stds = [(exact[first::n].var(0, correction=0) + 1e-8).sqrt().mean() for first in range(n)]
    of_images = torch.stack(stds).repeat(math.ceil(len(x) / n))[: len(x)]
    return torch.cat([x, of_images.to(x.dtype)[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)


def initialise(network: nn.Module) -> None:
    """Weights N(0, 1), over ``rate`` where there is one; biases 0, or what they begin at."""
    for module in network.modules():
        if isinstance(module, EqualLinear):
            nn.init.normal_(module.weight, 0, 1 / module.rate)
            nn.init.constant_(module.bias, module.begin)
        elif isinstance(module, EqualConv2d):
            nn.init.normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, Modulated):
            nn.init.normal_(module.weight)
