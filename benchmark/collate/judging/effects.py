"""What is known of how much a differing field moves a published kind of number: shown beside the difference.

These are sizes from public threads and papers, on other models than the one at hand. They explain a difference;
they correct no number and excuse no tier.
"""

from __future__ import annotations

from typing import NamedTuple


class Effect(NamedTuple):
    """The effect of a difference in ``field`` of a recipe or protocol."""

    field: str
    size: str
    source: str


EFFECTS = (
    Effect(
        "real_split", "FID 14.2 against the training split, 21.7 against validation, for one SNGAN", "sngan.pytorch#5"
    ),
    Effect("real", "10,000 against 50,000 images: about +2 FID on CIFAR-10", "from memory; 10,000 on both sides"),
    Effect(
        "generated",
        "5,000 instead of 50,000 images: +5 to +7 FID, by a bias that depends on the model, so that rankings can turn",
        "QAGANS#1, conditional-flow-matching#111",
    ),
    Effect("resize", "FID 4.30 with box, 5.30 with Lanczos, when FFHQ is made", "stylegan2-ada-pytorch#283"),
    Effect("crop", "no size is known; the filter alone moved FFHQ from FID 4.30 to 5.30", "stylegan2-ada-pytorch#283"),
    Effect(
        "quantise", "rounding or flooring to 8 bits: about 0.1 FID", "DiffAugment's and FastGAN's evaluators, compared"
    ),
    Effect(
        "features",
        "torchvision's Inception gives an IS 5 to 10 % lower than TensorFlow's; other networks are on another scale",
        "BigGAN-PyTorch",
    ),
    Effect(
        "is_generated",
        "IS rises with the images a split: no size is known for Inception",
        "threads of several repositories, without a size",
    ),
    Effect(
        "is_splits",
        "the estimate falls with fewer images a split; 10 splits are usual, none happens",
        "threads of several repositories, without a size",
    ),
    Effect(
        "bn_mode", "one BigGAN checkpoint gives FID 18.8, 20.9 or 41.8 by BatchNorm's mode and EMA", "BigGAN-PyTorch#23"
    ),
    Effect(
        "weights", "one BigGAN checkpoint gives FID 18.8, 20.9 or 41.8 by BatchNorm's mode and EMA", "BigGAN-PyTorch#23"
    ),
    Effect(
        "ema", "one BigGAN checkpoint gives FID 18.8, 20.9 or 41.8 by BatchNorm's mode and EMA", "BigGAN-PyTorch#23"
    ),
    Effect("hflip", "FID 62 with flips in the baseline, 100 without, on little data", "data-efficient-gans#70"),
    Effect(
        "checkpoint",
        "the best by FID is never worse than the last; papers also print the least of three runs",
        "edm#16",
    ),
    Effect(
        "precision",
        "maintainers speak of 3 % to over 100 % between runs with mixed precision",
        "threads of a GAN library",
    ),
    Effect(
        "dataset",
        "JPEG references against samples without loss are another reference: no size is known",
        "pitfalls of FID that clean-fid lists",
    ),
    Effect(
        "sample_batch",
        "no size is known; in train mode BatchNorm couples the images of a batch",
        "BigGAN-PyTorch#23 for the mode itself",
    ),
)
BY_FIELD = {effect.field: effect for effect in EFFECTS}
