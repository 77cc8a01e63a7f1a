"""What GN, PGN and GraN share: a D whose output is a function h(f, g) of its logit f and of g = ∂f/∂x, sample by
sample.

In the D step g is part of the graph, so that D's parameters learn through it by double
backpropagation. In the G step they are frozen, and where D is piecewise linear in x, g does not
change in the neighbourhood of x: f is there f(x₀) + ⟨g, x − x₀⟩ with a constant g, and h of it has
the exact derivatives at the price of one backward pass through D (Faster-GNGAN's observation for
GN, ∇f̂ = n/(n+|f|)²·g, for any h). Every other D goes the long way in both steps.

No plug-in itself: a change of what it computes raises the VERSION of all three.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from benchmark.methods.part import one_logit

Formula = Callable[[Tensor, Tensor], Tensor]
"""Logits f (B,) and their flattened gradients g (B, C·H·W) to normalised logits (B,)."""

CURVED = (
    _NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.LocalResponseNorm,
)  # whatever D says of itself, it is not linear with one of these


class InputGradientNormalised(nn.Module):
    """A discriminator that answers h(f, ∂f/∂x) for ``net``'s logit f; parameters, buffers and feature maps are
    ``net``'s.

    ∂f/∂x is that of the sum of the batch's logits, which is each sample's own as long as ``net`` couples none.
    """

    piecewise_linear = False  # h is not, even where f is

    def __init__(self, net: nn.Module, formula: Formula, name: str) -> None:
        super().__init__()
        self.net, self.formula, self.name = net, formula, name

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) images to (B,) normalised logits; raises GanbenchError where ``net`` has several logits."""
        graph = torch.is_grad_enabled()
        if graph and not (taps is None and self._linear_in_x_alone()):
            return self.formula(*self._with_graph(x if x.requires_grad else x.detach().requires_grad_(), labels, taps))
        return self._on_the_piece(x, labels, taps, graph)

    def _linear_in_x_alone(self) -> bool:
        """Whether the images are all that a gradient can reach, and ``net`` is piecewise linear in them."""
        if not getattr(self.net, "piecewise_linear", False) or any(p.requires_grad for p in self.net.parameters()):
            return False
        return not any(isinstance(m, CURVED) for m in self.net.modules())

    def _with_graph(self, x: Tensor, labels: Tensor | None, taps: list[Tensor] | None) -> tuple[Tensor, Tensor]:
        f = one_logit(self.net(x, labels, taps), self.name).to(x.dtype)
        (g,) = torch.autograd.grad(f.sum(), x, create_graph=True)
        return f, g.flatten(1)

    def _on_the_piece(self, x: Tensor, labels: Tensor | None, taps: list[Tensor] | None, graph: bool) -> Tensor:
        features: list[Tensor] | None = None if taps is None else []
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            f = one_logit(self.net(leaf, labels, features), self.name).to(x.dtype)
            (g,) = torch.autograd.grad(f.sum(), leaf)
        if taps is not None and features is not None:
            taps += [feature.detach() for feature in features]
        f, g = f.detach(), g.flatten(1)
        if graph:  # adds zero, and the gradient
            f = f + ((x - x.detach()).flatten(1) * g).sum(1)
        return self.formula(f, g)
