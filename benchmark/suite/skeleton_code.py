"""What ``ganbench new`` writes of code: a method, network, extractor or dataset that does something, to be replaced."""

from __future__ import annotations

METHOD = '''\
"""What the method does: its formula, and the paper and equation, or the released code, that it is from."""

from __future__ import annotations

from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods.part import DMoment, Part

VERSION = 1  # raised when what is computed changes: runs are made anew then


def build(*, weight: float) -> Part:
    """``weight``: of the penalty. Keyword arguments are what a suite may give; none has a hidden default."""
    if weight < 0:
        raise GanbenchError(f"{name}: weight must not be negative, found {{weight:g}}", 2)
    return Method(weight)


class Method(Part):
    """To be replaced: the mean of D's squared logits on real images, added to D's loss."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """A scalar added to D's loss. Part's docstring lists all moments of a training step."""
        return self.weight * moment.real.logits.square().mean()
'''

NETWORK = '''\
"""The architecture, and the paper or released code that it is from."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

VERSION = 1  # raised when what is computed changes: runs are made anew then


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: int
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W). ``width``: keyword arguments are what a suite may give."""
    return Generator(image_shape, z_dim, width), Discriminator(image_shape, width)


class Generator(nn.Module):
    """Noises (B, z_dim) to images (B, C, H, W) in [-1, 1]."""

    def __init__(self, shape: tuple[int, int, int], z_dim: int, width: int) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential(nn.Linear(z_dim, width), nn.ReLU(), nn.Linear(width, prod(shape)))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """``labels``: (B,) classes, where the recipe is conditional."""
        return torch.tanh(self.layers(z)).view(-1, *self.shape)


class Discriminator(nn.Module):
    """Images to logits (B,)."""

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(prod(shape), width), nn.Linear(width, 1)

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        """``taps``, where it is given, gets the maps of D's blocks, in order."""
        h = torch.relu(self.first(x.flatten(1)))
        if taps is not None:
            taps.append(h)
        return self.last(h).squeeze(1)
'''

EXTRACTOR = '''\
"""What sees the images, and where it is from."""

from __future__ import annotations

from typing import Any

VERSION = 1  # raised when what is computed changes
DIMENSION = 64  # of the features
RESIZE = "bilinear"  # of images to its input, as a protocol's input_resize has it; None: another
PROXY = True  # False where published numbers are on its scale
FLOPS = 2.0e4  # of one image, a multiplication and an addition as two: what plans reckon with
CPU_BATCH = 64  # images at a time
PACKAGES = ()  # names of those whose versions have a say in the features, beyond torch
WEIGHTS = None  # or {"file": "its-name.pth", "sha256": "…", "source": "where to get it"}, given with --weights
SIZE = 8


def build(state: dict[str, Any]) -> Any:
    """A module from (N, 3, H, W) floats in [0, 255] to features (N, DIMENSION) and logits (N, classes).

    ``state``: the tensors of WEIGHTS by name, read and checked; empty where there are none.
    """
    import torch  # here, and not above: planning reads this file, and needs no torch
    from torch import Tensor, nn
    from torch.nn.functional import interpolate

    class Features(nn.Module):
        """To be replaced: a fixed random projection of small images."""

        def __init__(self) -> None:
            super().__init__()
            drawn = torch.randn(DIMENSION, 3 * SIZE * SIZE, generator=torch.Generator().manual_seed(0))
            self.weight = nn.Parameter(drawn / drawn.shape[1] ** 0.5)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            small = interpolate(x.float(), size=(SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True)
            features = torch.relu((small / 127.5 - 1).flatten(1) @ self.weight.T)
            return features, features[:, :10]

    return Features()
'''

DATASET = '''\
"""What the images are, and where they are from. A folder of images needs no code:
ganbench data add NAME FOLDER --new
"""

from __future__ import annotations

import numpy as np

VERSION = 1  # raised when other images come out
CARD = {{
    "title": "To be filled in",
    "resolutions": [8, 64],  # pixels a side, from and to
    "channels": [1, 3],
    "classes": 4,
    # A split may have files, which lie in the folder {name} of the data folder, and of which build gets the bytes once
    # they are checked:  "images": {{"file": "its-name.bin", "bytes": 1000, "sha256": "…"}}
    "splits": {{"train": {{"count": 4096}}, "test": {{"count": 1024}}}},
    "licence": "to be filled in",
    "home": "where a person gets its files",
}}


def build(split: str, resolution: int, channels: int, files: dict[str, bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, channels, resolution, resolution) of 8 bits, and the class of each, from 0; always the same ones."""
    count = CARD["splits"][split]["count"]
    rng = np.random.default_rng([VERSION, split == "test"])
    classes = rng.integers(0, CARD["classes"], count)
    at = np.linspace(0, 2 * np.pi, resolution, endpoint=False)
    waves = np.sin((1 + classes)[:, None] * at + rng.uniform(0, 2 * np.pi, (count, 1)))  # to be replaced
    images = 127.5 * (1 + waves[:, None, None, :] * rng.uniform(0.5, 1, (count, channels, 1, 1)))
    return np.repeat(images, resolution, axis=2).astype(np.uint8), classes
'''
