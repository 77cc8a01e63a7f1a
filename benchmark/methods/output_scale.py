"""D's output times a constant K: with spectral norm on D, the tuned Lipschitz constant of GraN's SN† rows."""

from __future__ import annotations

from torch import Tensor, nn

from benchmark.methods.part import Part

VERSION = 1


def build(*, k: float) -> Part:
    """``k``: K."""
    return OutputScale(k)


class OutputScale(Part):
    """D answers K·f."""

    def __init__(self, k: float) -> None:
        self.k = k

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """G as it is; D within what multiplies its logits."""
        return G, Scaled(D, self.k)


class Scaled(nn.Module):
    """``net`` with its logits times ``k``; its feature maps as they are."""

    def __init__(self, net: nn.Module, k: float) -> None:
        super().__init__()
        self.net, self.k = net, k
        self.piecewise_linear = getattr(net, "piecewise_linear", False)

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        """``net``'s logits, (B,) or (B, K), times ``k``; ``taps`` gets its feature maps."""
        return self.k * self.net(x, labels, taps)
