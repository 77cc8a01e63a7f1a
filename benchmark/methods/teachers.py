"""Networks trained elsewhere that D learns from; for parts, which declare their ``WEIGHTS``.

    clip-vit-b32         CLIP's ViT-B/32 (Radford et al. 2021): its image features (B, 512), and those of the prompts
    efficientnet-lite0   a proxy for where CLIP's weights are not here: EfficientNet-Lite0's last map, its mean over
                         pixels, (B, 1280). It reads no text: the 1,000 rows of its classifier stand for the prompts'
                         features. No paper's numbers are made with it

Features are not normalised. A teacher is frozen, and no gradient passes through it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods.clip import Images, Texts, tokens, tower
from benchmark.weights.read import state

CLIP_SIZE = 224
CLIP_WIDTH = 512
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's training images in [0, 1], a colour."""


class Teacher(nn.Module):
    """Images (B, C, H, W) in [-1, 1] to features (B, width), and features of texts (K, width)."""

    texts: Tensor

    def __init__(self, network: nn.Module, texts: Tensor, size: int, resize: str, own: Normal | None) -> None:
        super().__init__()
        kind = torch.get_default_dtype()  # D's; the weights are float32, or float16
        self.network, self.size, self.resize, self.own = network.to(kind), size, resize, own
        self.register_buffer("texts", texts.to(kind))

    @property
    def width(self) -> int:
        """Of the features."""
        return self.texts.shape[1]

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Without gradient; a grey image counts as three equal colours."""
        images = images.expand(-1, 3, -1, -1)
        if self.resize == "nearest":
            images = F.interpolate(images, self.size)
        else:
            images = F.interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)
        return self.network(images if self.own is None else self.own(images))


class Normal(nn.Module):
    """(x − mean) / std of images in [-1, 1], a colour: what the network was trained on."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to the same."""
        return (images - self.mean) / self.std


def clip(prompts: list[str], resize: str, normalise: bool) -> Teacher:
    """CLIP's ViT-B/32; ``normalise``: by the colours of its training images.

    It is made without a random number; under ``torch.device("meta")``, for counting, also without its weights.

    Raises:
        GanbenchError: its weights or the package that reads texts are not here, or the file is another.
    """
    own = Normal(tuple(2 * m - 1 for m in MEAN), tuple(2 * s for s in STD)) if normalise else None
    wanted = torch.get_default_device().type
    with torch.device("meta"):
        images, reader = Images(), Texts()
    if wanted == "meta":
        return Teacher(images, torch.empty(len(prompts), CLIP_WIDTH), CLIP_SIZE, resize, own)
    given = state("clip-vit-b32")
    images.load_state_dict(tower(given, "visual."), assign=True)
    reader.load_state_dict(tower(given, ""), assign=True)
    with torch.no_grad():
        texts = reader.eval()(tokens(prompts))
    return Teacher(images.eval(), texts, CLIP_SIZE, resize, own)


def proxy(size: int, resize: str, normalise: bool) -> Teacher:
    """EfficientNet-Lite0 at ``size`` pixels; made as ``clip`` is. ``normalise``: to (byte − 127) / 128.

    Raises:
        GanbenchError: its weights are not here, or the file is another.
    """
    own = Normal((-1 / 255,) * 3, (256 / 255,) * 3) if normalise else None
    wanted = torch.get_default_device().type
    with torch.device("meta"):
        network = Lite0()
    texts = torch.empty(1000, 1280)
    if wanted != "meta":
        given = state("efficientnet-lite0")
        texts = given.pop("_fc.weight").clone()
        network.load_state_dict({f"inner.{name}": t for name, t in given.items() if name != "_fc.bias"}, assign=True)
    return Teacher(network.eval(), texts, size, resize, own)


class Lite0(nn.Module):
    """EfficientNet-Lite0 without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self.inner: Any = EfficientNet.from_name("efficientnet-lite0")
        self.inner._fc = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 1280)."""
        return self.inner.extract_features(images).mean((2, 3))


def teacher(name: str, prompts: list[str], size: int, resize: str, normalise: bool) -> Teacher:
    """One of the above.

    Raises:
        GanbenchError: as ``clip`` and ``proxy``; or CLIP is asked for another size than its own.
    """
    if name == "efficientnet-lite0":
        return proxy(size, resize, normalise)
    if size != CLIP_SIZE:
        raise GanbenchError(f"the teacher {name} reads images of {CLIP_SIZE} pixels, not of {size}", 2)
    return clip(prompts, resize, normalise)
