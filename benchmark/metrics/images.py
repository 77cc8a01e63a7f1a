"""Images on their way to a feature extractor: (N, C, H, W) in [-1, 1] to (N, 3, H, W) in [0, 255]."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from benchmark.errors import GanbenchError

Source = Callable[[], Iterator[Tensor]]
"""Batches of images, the same each time it is called: uint8 as they are, or floats in [-1, 1] to be quantised."""


MIMICRY_EPS = 1e-5  # in the denominator of its scaling


class NotFinite(GanbenchError):
    """Generated images, or features of them, hold values that are not finite: the pair has diverged."""


def prepare(source: Source, quantise: str | None, count: int | None = None) -> Source:
    """The source's images as an extractor takes them.

    Args:
        quantise: floats to 8 bits: ``round`` to the nearest, ``floor`` (a plain cast), ``min-max`` (Mimicry,
            for FID and KID: scaled by the smallest and largest value of all images, then rounded), or ``none``.
        count: how many images count; the surplus of a last batch has no part in the range.

    Raises:
        GanbenchError: a value is not finite, or the images have neither 1 nor 3 channels.
    """
    low, high = _range(source, count) if quantise == "min-max" else (-1.0, 1.0)

    def prepared() -> Iterator[Tensor]:
        for batch in source():
            yield _colour(batch if batch.dtype == torch.uint8 else _bytes(batch, quantise, low, high))

    return prepared


def _bytes(images: Tensor, quantise: str | None, low: float, high: float) -> Tensor:
    if not torch.isfinite(images).all():
        raise NotFinite("generated images hold values that are not finite")
    scaled = (images.float() - low) * (255.0 / (high - low + (MIMICRY_EPS if quantise == "min-max" else 0.0)))
    if quantise == "none":
        return scaled.clamp(0, 255)
    if quantise in ("round", "min-max"):
        scaled = scaled.round()
    return scaled.clamp(0, 255).byte()


def _range(source: Source, count: int | None) -> tuple[float, float]:
    low, high, seen = float("inf"), float("-inf"), 0
    for batch in source():
        counted = batch if count is None else batch[: count - seen]
        if len(counted):
            low, high = min(low, counted.min().item()), max(high, counted.max().item())
        seen += len(batch)
    return low, high


def _colour(images: Tensor) -> Tensor:
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise GanbenchError(f"images have the shape {tuple(images.shape)}; expected (N, 1 or 3, H, W)")
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
