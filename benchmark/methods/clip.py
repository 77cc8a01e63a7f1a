"""The two towers of CLIP's ViT-B/32 (Radford et al. 2021), for features of images and of texts, and nothing else.

The layers are torch's own: pre-norm Transformer layers whose activation is x · σ(1.702 x). Tensors have OpenAI's names
in ``tower``'s argument and torch's in what it returns. Equal to the package ``open_clip`` (a test holds them side by
side), which is only needed to part texts into tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.torchvision import beside_torchvision

NAMES = {
    "resblocks": "layers",
    "attn": "self_attn",
    "ln_1": "norm1",
    "ln_2": "norm2",
    "c_fc": "linear1",
    "c_proj": "linear2",
}


class Images(nn.Module):
    """Images (B, 3, 32g, 32g), g = ``grid``, to (B, outputs)."""

    def __init__(self, width: int = 768, layers: int = 12, grid: int = 7, outputs: int = 512) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 32, 32, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(grid**2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = transformer(width, layers)
        self.proj = nn.Parameter(torch.zeros(width, outputs))

    def forward(self, images: Tensor) -> Tensor:
        """The class token's features, projected."""
        patches = self.conv1(images).flatten(2).mT
        first = self.class_embedding.expand(len(images), 1, -1).to(patches)
        h = self.ln_pre(torch.cat([first, patches], 1) + self.positional_embedding)
        return self.ln_post(self.transformer(h)[:, 0]) @ self.proj


class Texts(nn.Module):
    """Tokens (K, length), 0 after the last, which is the largest, to (K, outputs)."""

    def __init__(
        self, width: int = 512, layers: int = 12, length: int = 77, known: int = 49408, outputs: int = 512
    ) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(known, width)
        self.positional_embedding = nn.Parameter(torch.zeros(length, width))
        self.transformer = transformer(width, layers)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, outputs))

    def forward(self, tokens: Tensor) -> Tensor:
        """The last token's features, projected; a token sees those before it."""
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1], device=tokens.device)
        h = self.transformer(self.token_embedding(tokens) + self.positional_embedding, mask=mask)
        return self.ln_final(h[torch.arange(len(tokens)), tokens.argmax(1)]) @ self.text_projection


def transformer(width: int, layers: int) -> nn.TransformerEncoder:
    """Heads of 64 channels."""
    layer = nn.TransformerEncoderLayer(
        width, width // 64, 4 * width, dropout=0.0, activation=quick_gelu, batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def quick_gelu(x: Tensor) -> Tensor:
    """x · σ(1.702 x)."""
    return x * torch.sigmoid(1.702 * x)


def tower(given: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors of one tower, in float32, by torch's names.

    Args:
        given: all of CLIP's, by OpenAI's names.
        prefix: "visual." for images, none for texts.
    """
    others = {"logit_scale", "input_resolution", "context_length", "vocab_size"}  # which no feature depends on
    found = {}
    for name, tensor in given.items():
        if name in others or name.startswith("visual.") != bool(prefix):
            continue
        parts = [NAMES.get(part, part) for part in name.removeprefix(prefix).split(".") if part != "mlp"]
        found[".".join(parts)] = tensor.float()
    return found


def tokens(prompts: list[str]) -> Tensor:
    """(K, 77) integers; raises GanbenchError without the package ``open-clip-torch``."""
    return beside_torchvision("open_clip", "open-clip-torch").tokenize(prompts)
