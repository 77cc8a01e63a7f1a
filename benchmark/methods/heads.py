"""What parts share that read D's penultimate features φ, (B, C), by heads of their own: the input of D's last linear
layer.

They are the last of D's ``taps`` where that is (B, C), as StyleGAN2's; of a last map (B, C, H, W), its ReLU summed over
pixels, which is what BigGAN's and SNGAN's D read.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods.spectral_layer import normalise


def penultimate(features: list[Tensor]) -> Tensor:
    """φ (B, C), of D's taps in a pass."""
    last = features[-1]
    return last if last.dim() == 2 else last.relu().sum((2, 3))


def width(D: nn.Module, method: str) -> int:
    """C; raises GanbenchError for a D that ends in no linear layer, or in one that reads something else than φ."""
    linear = [m for m in D.modules() if isinstance(m, nn.Linear)]
    if not linear:
        raise GanbenchError(f"{method} reads the input of D's last linear layer, and this network's D has none", 2)
    while not hasattr(D, "pool") and isinstance(inner := getattr(D, "net", None), nn.Module):
        D = inner
    if getattr(D, "pool", "sum") != "sum" or hasattr(D, "last"):
        raise GanbenchError(
            f"{method} reads what D's last linear layer does where that is the ReLU of D's last block, summed over "
            "pixels (BigGAN's, SN-GAN's), or a vector that D shows (StyleGAN2's): this network's reads another",
            2,
        )
    return linear[-1].in_features


def head(kind: str, inputs: int, outputs: int) -> nn.Linear:
    """A linear layer, drawn from the global stream: "equalised" as StyleGAN2's, "spectral-norm" as BigGAN's."""
    if kind == "equalised":
        return Equalised(inputs, outputs)
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.02)
    normalise(layer)
    return layer


class Equalised(nn.Linear):
    """Weights of N(0, 1), divided by √inputs where they are used, and a bias that starts at 0: StyleGAN2's."""

    def reset_parameters(self) -> None:
        """Drawn anew."""
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """(…, inputs) to (…, outputs)."""
        return F.linear(input, self.weight / self.in_features**0.5, self.bias)
