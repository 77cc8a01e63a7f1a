"""The Haar transform of maps, 2x2 places at a time: orthonormal, so that energy stays and the inverse is the transpose.

The letters say what is done along height, then along width: L the sum, H the second less the first, each over √2.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def haar(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(B, C, H, W), sides even, to the bands LL, LH, HL and HH, each (B, C, H/2, W/2)."""
    a, b, c, d = x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]
    return (a + b + c + d) / 2, (b + d - a - c) / 2, (c + d - a - b) / 2, (a + d - b - c) / 2


def high(x: Tensor) -> Tensor:
    """LH + HL + HH, (B, C, H/2, W/2). With d the last of four places that is ½(3d − a − b − c) = 2d − LL."""
    return 2 * (x[..., 1::2, 1::2] - F.avg_pool2d(x, 2))


def twice(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, 2C, H, W): each channel two times in a row, as FreGAN's transforms give them."""
    return x.repeat_interleave(2, 1)
