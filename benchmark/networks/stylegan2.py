"""StyleGAN2 (Karras et al. 2020): G with skips to the image, residual D.

As stylegan2-ada-pytorch's ``training/networks.py`` and DiffAugment's TensorFlow ``networks_stylegan2.py`` build it; the
two agree but for ``mix_per``. Not done: float16 blocks and clamped activations (``conv_clamp``) of the former's mixed
precision, w's running mean and truncation, labels. All resampling is PyTorch's own convolutions, so that everything
can be differentiated twice.

At 256 pixels with ``channel_base`` 16384, 8 mapping layers and 512 numbers in z: G 24,767,458, D 24,001,089 parameters;
with ``channel_base`` 32768: G 30,034,338, D 28,864,129.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

from benchmark.errors import GanbenchError
from benchmark.networks.sizes import at_resolution, scaled, unconditional
from benchmark.networks.stylegan2_discriminator import Discriminator
from benchmark.networks.stylegan2_generator import Generator
from benchmark.networks.stylegan2_layers import initialise

VERSION = 1
BATCH_NORM = False
SIDES = {size: tuple(4 << n for n in range(size.bit_length() - 2)) for size in (32, 64, 128, 256, 512, 1024)}


def build(
    image_shape: tuple[int, int, int],
    z_dim: int,
    classes: int | None,
    *,
    width: float,
    channel_base: int,
    mapping_layers: int,
    style_mixing: float,
    mbstd_group: int,
    channel_max: int = 512,
    mix_per: Literal["image", "batch"] = "image",
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W). w has as many numbers as z.

    Args:
        width: scales all channels of maps; the papers are 1.0.
        channel_base, channel_max: maps of side s have ``channel_base`` / s channels, and ``channel_max`` at most.
            (The TensorFlow code's ``fmap_base`` is half of ``channel_base``.)
        mapping_layers: 0: w is z, normalised.
        style_mixing: probability that an image's later layers are styled by another noise, while training; 0: never.
        mbstd_group: D's minibatch-stddev is over so many images.
        mix_per: whether styles are mixed from the same layer on in the whole batch (stylegan2-ada-pytorch) or each
            image draws for itself (DiffAugment's TensorFlow code).

    Raises:
        GanbenchError: classes, another resolution than a power of two from 32 to 1024, or an argument out of range.
    """
    unconditional("stylegan2", classes)
    sides = at_resolution("stylegan2", SIDES, image_shape)
    _check("width", width, 0 < width < math.inf, "a number above 0; 1.0 is the paper's network")
    _check("mapping_layers", mapping_layers, mapping_layers >= 0, "0 or more")
    _check("style_mixing", style_mixing, 0 <= style_mixing <= 1, "a probability, from 0 to 1")
    counts = {"channel_base": channel_base, "channel_max": channel_max, "mbstd_group": mbstd_group}
    for name, count in counts.items():
        _check(name, count, count >= 1, "1 or more")
    widths = {side: scaled(min(channel_base // side, channel_max), width) for side in sides}
    G = Generator(image_shape[0], z_dim, widths, mapping_layers, style_mixing, mix_per)
    D = Discriminator(image_shape[0], widths, mbstd_group)
    for player in (G, D):
        initialise(player)
    return G, D


def _check(name: str, value: float, fits: bool, wanted: str) -> None:
    if not fits:
        raise GanbenchError(f"stylegan2: {name} is {value}: give {wanted}", 2)
