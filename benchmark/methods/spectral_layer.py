"""A layer whose weight is divided by its largest singular value, σ.

σ is estimated by one power iteration a forward pass in training mode, none in eval mode; u and v carry no gradient,
σ = uᵀWv does. Convolutions use W reshaped to (out, in·k·k), as the paper and its code do; transposed ones, whose
weights are (in, out, k, k), with the outputs first. Equal to ``torch.nn.utils.spectral_norm`` (a test holds them side
by side).

For a linear layer on fewer rows than inputs the quotient is taken on the output, (xWᵀ)/σ + b, which is the same number
without writing W/σ to memory: a fifth of an MLP's training step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPS = 1e-12

Layer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding


def normalise(module: Layer) -> None:
    """Make a layer one whose weight is normalised, in place; u and v are drawn from the global stream."""
    rows = _rows(module.weight, isinstance(module, nn.ConvTranspose2d))
    module.register_buffer("u", F.normalize(torch.randn(rows.shape[0]), dim=0, eps=EPS))
    module.register_buffer("v", F.normalize(torch.randn(rows.shape[1]), dim=0, eps=EPS))
    module.__class__ = KINDS[type(module)]


def _rows(weight: Tensor, transposed: bool) -> Tensor:
    """The weight as a matrix, (out, …)."""
    return (weight.transpose(0, 1) if transposed else weight).flatten(1)


def _sigma(module: Layer) -> Tensor:
    """σ of the module's weight, () with gradient to it; one power iteration in training mode. In the weight's own
    precision, under autocast too.
    """
    if not module.weight.is_meta and torch.is_autocast_enabled(module.weight.device.type):
        with torch.autocast(module.weight.device.type, enabled=False):
            return _sigma(module)
    rows, lies, stored = _matrix(module.weight, isinstance(module, nn.ConvTranspose2d))
    # Set directly: Module.__setattr__ costs as much as the iteration in a narrow network.
    buffers = cast("dict[str, Tensor]", module._buffers)
    if module.training:
        with torch.no_grad():  # new tensors, not in place: an earlier pass of this step still needs its own
            v = _unit(torch.mv(rows.t(), buffers["u"]))
            buffers["u"] = _unit(torch.mv(rows, v))
            buffers["v"] = stored(v)
    else:
        v = lies(buffers["v"])
    return torch.dot(buffers["u"], torch.mv(rows, v))


Reorder = Callable[[Tensor], Tensor]


def _matrix(weight: Tensor, transposed: bool) -> tuple[Tensor, Reorder, Reorder]:
    """A weight as (out, …), without a copy unless it is transposed, columns in the order in which they lie in memory;
    what brings v into this order, and what back into that of its checkpoints, (in, k, k).
    """
    if transposed or weight.is_contiguous() or not weight.is_contiguous(memory_format=torch.channels_last):
        return _rows(weight, transposed), _same, _same
    _, n, h, w = weight.shape
    return (
        weight.permute(0, 2, 3, 1).flatten(1),
        lambda v: v.view(n, h, w).permute(1, 2, 0).flatten(),
        lambda v: v.view(h, w, n).permute(2, 0, 1).flatten(),
    )


def _same(v: Tensor) -> Tensor:
    return v


def _unit(x: Tensor) -> Tensor:
    """What ``F.normalize`` gives, with less around it."""
    return x / torch.linalg.vector_norm(x, keepdim=True).clamp_min_(EPS)


@torch.no_grad()
def power_iteration(player: nn.Module) -> None:
    """One iteration in every normalised layer: for weights, such as an average's, that its vectors were not found
    for.
    """
    for module in player.modules():
        if isinstance(module, (_SpectralLinear, _SpectralConv2d, _SpectralConvTranspose2d)):
            was = module.training
            module.training = True
            _sigma(module)
            module.training = was


class _SpectralLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        """(…, in) to (…, out); the cheaper of xWᵀ/σ and x(W/σ)ᵀ."""
        sigma = _sigma(self)
        if x[..., 0].numel() < self.in_features:
            return (
                F.linear(x, self.weight) / sigma + self.bias
                if self.bias is not None
                else F.linear(x, self.weight) / sigma
            )
        return F.linear(x, self.weight / sigma, self.bias)


class _SpectralConv2d(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H', W') with W/σ."""
        return self._conv_forward(x, self.weight / _sigma(self), self.bias)


class _SpectralConvTranspose2d(nn.ConvTranspose2d):
    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(B, in, H, W) to (B, out, H', W') with W/σ."""
        if output_size is not None:
            raise TypeError("a normalised layer takes no output_size")
        around = cast("tuple[int, ...]", self.padding)
        more = self.output_padding, self.groups, self.dilation
        return F.conv_transpose2d(x, self.weight / _sigma(self), self.bias, self.stride, around, *more)


class _SpectralEmbedding(nn.Embedding):
    def forward(self, labels: Tensor) -> Tensor:
        """(B,) classes to rows of W/σ, (B, dimension)."""
        return super().forward(labels) / _sigma(self)


KINDS: dict[type[nn.Module], Any] = {
    nn.Linear: _SpectralLinear,
    nn.Conv2d: _SpectralConv2d,
    nn.ConvTranspose2d: _SpectralConvTranspose2d,
    nn.Embedding: _SpectralEmbedding,
}
"""Layers that can be normalised."""
