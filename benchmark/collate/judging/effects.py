"""What is known of how much a difference moves a published kind of number: shown beside the difference.

These are sizes from public threads and papers, on other models than the one at hand. They explain a difference;
they correct no number and excuse no tier. Each is known for one change, and is said of that change alone: FID over
5,000 images instead of 50,000 says nothing of 2,048, nor a box filter of a bilinear one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.metrics.extractors import proxy

Fields = Mapping[str, Any]
"""A recipe and a protocol together, absent mechanisms left out."""

FEW_IMAGES = 10_000
"""Up to so many training images is little data."""


@dataclass(frozen=True)
class Effect:
    """The effect of one change in ``field`` of a recipe or protocol."""

    field: str
    change: str  # which, in words
    size: str
    source: str
    is_it: Callable[[Fields, Fields], bool]  # whether the paper's fields and ours differ by that change


def _between(field: str, one: Any, other: Any) -> Callable[[Fields, Fields], bool]:
    """Whether one side has ``one`` and the other ``other``."""
    pair = (one, other)
    return lambda theirs, ours: (theirs.get(field), ours.get(field)) in (pair, pair[::-1])


def _split(theirs: Fields, ours: Fields) -> bool:
    """Training images against held-out ones."""
    held_out = ("test", "val", "validation")
    a, b = theirs.get("real_split"), ours.get("real_split")
    return (a == "train" and b in held_out) or (b == "train" and a in held_out)


def _stands_in(theirs: Fields, ours: Fields) -> bool:
    """A network that a package brings, in the place of Inception."""
    a, b = theirs.get("features"), ours.get("features")
    return isinstance(a, str) and isinstance(b, str) and proxy(a) != proxy(b)


def _counts(field: str) -> Callable[[Fields, Fields], bool]:
    """Two counts, and not the same."""
    return lambda theirs, ours: isinstance(theirs.get(field), int) and isinstance(ours.get(field), int)


def _of_is(theirs: Fields, ours: Fields) -> bool:
    """Another count of images under IS, be it its own or that of all metrics."""
    a, b = (f.get("is_generated", f.get("generated")) for f in (theirs, ours))
    return isinstance(a, int) and isinstance(b, int) and a != b


def _averaged(theirs: Fields, ours: Fields) -> bool:
    """An average of weights on one side, and none on the other."""
    return ("ema" in theirs) != ("ema" in ours)


def _flipped_little(theirs: Fields, ours: Fields) -> bool:
    """Flips on one side, none on the other, and little data on both."""
    few = all(f.get("data_percent", 100) < 100 or f.get("images", FEW_IMAGES + 1) <= FEW_IMAGES for f in (theirs, ours))
    return few and bool(theirs.get("hflip")) != bool(ours.get("hflip"))


def _best_by_fid(theirs: Fields, ours: Fields) -> bool:
    """The best checkpoint by FID against the last."""
    best = theirs if theirs.get("checkpoint") == "best" else ours
    return _between("checkpoint", "best", "last")(theirs, ours) and best.get("best_by") in ("FID", "tFID")


def _coupled(theirs: Fields, ours: Fields) -> bool:
    """Another batch of samples where BatchNorm looks at it."""
    return "train" in (theirs.get("bn_mode"), ours.get("bn_mode"))


def _jpeg(theirs: Fields, ours: Fields) -> bool:
    """The same images, once without loss and once as JPEG."""
    a, b = str(theirs.get("dataset")), str(ours.get("dataset"))
    return a == f"{b}-jpeg" or b == f"{a}-jpeg"


_BIGGAN = "one BigGAN checkpoint gives FID 18.8, 20.9 or 41.8 by BatchNorm's mode and EMA"

EFFECTS = (
    Effect(
        "real_split",
        "training against held-out images",
        "FID 14.2 against the training split, 21.7 against validation, for one SNGAN",
        "sngan.pytorch#5",
        _split,
    ),
    Effect(
        "real",
        "10,000 against 50,000",
        "10,000 against 50,000 images: about +2 FID on CIFAR-10",
        "from memory; 10,000 on both sides",
        _between("real", 10_000, 50_000),
    ),
    Effect(
        "generated",
        "5,000 against 50,000",
        "5,000 instead of 50,000 images: +5 to +7 FID, by a bias that depends on the model, so that rankings can turn",
        "QAGANS#1, conditional-flow-matching#111",
        _between("generated", 5_000, 50_000),
    ),
    Effect(
        "resize",
        "box against Lanczos",
        "FID 4.30 with box, 5.30 with Lanczos, when FFHQ is made",
        "stylegan2-ada-pytorch#283",
        _between("resize", "box", "lanczos"),
    ),
    Effect(
        "quantise",
        "rounding against flooring",
        "rounding or flooring to 8 bits: about 0.1 FID",
        "DiffAugment's and FastGAN's evaluators, compared",
        _between("quantise", "round", "floor"),
    ),
    Effect(
        "features",
        "a proxy in Inception's place",
        "another network: another scale, which hardly notices missing classes",
        "results/metrics/proxy.md",
        _stands_in,
    ),
    Effect(
        "is_generated",
        "more images against fewer",
        "IS rises with the images a split: no size is known for Inception",
        "threads of several repositories, without a size",
        _of_is,
    ),
    Effect(
        "is_splits",
        "more splits against fewer",
        "the estimate falls with fewer images a split; 10 splits are usual, none happens",
        "threads of several repositories, without a size",
        _counts("is_splits"),
    ),
    Effect("bn_mode", "eval against train", _BIGGAN, "BigGAN-PyTorch#23", _between("bn_mode", "eval", "train")),
    Effect("weights", "raw against averaged", _BIGGAN, "BigGAN-PyTorch#23", _between("weights", "raw", "ema")),
    Effect("ema", "averaged against not", _BIGGAN, "BigGAN-PyTorch#23", _averaged),
    Effect(
        "hflip",
        "flips against none, on little data",
        "FID 62 with flips in the baseline, 100 without, on little data",
        "data-efficient-gans#70",
        _flipped_little,
    ),
    Effect(
        "checkpoint",
        "the best by FID against the last",
        "the best by FID is never worse than the last; papers also print the least of three runs",
        "edm#16",
        _best_by_fid,
    ),
    Effect(
        "precision",
        "mixed against full",
        "maintainers speak of 3 % to over 100 % between runs with mixed precision",
        "threads of a GAN library",
        _between("precision", "float32", "bfloat16"),
    ),
    Effect(
        "dataset",
        "without loss against JPEG",
        "the same images through JPEG are other data, and FID another reference: no size is known",
        "pitfalls of FID that clean-fid lists",
        _jpeg,
    ),
    Effect(
        "dataset",
        "any other",
        "other images: the numbers are about other data, and no size can be given",
        "by definition",
        lambda theirs, ours: not _jpeg(theirs, ours),
    ),
    Effect(
        "sample_batch",
        "another, with BatchNorm in train mode",
        "no size is known; in train mode BatchNorm couples the images of a batch",
        "BigGAN-PyTorch#23 for the mode itself",
        _coupled,
    ),
)


def known(field: str, theirs: Fields, ours: Fields) -> Effect | None:
    """What is known of the change from ``theirs``, the paper's recipe and protocol, to ``ours`` in ``field``.

    None where nothing is known of exactly that change, or nothing has changed.
    """
    if theirs.get(field) == ours.get(field):
        return None
    return next((e for e in EFFECTS if e.field == field and e.is_it(theirs, ours)), None)
