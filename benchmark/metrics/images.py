"""Images on their way to a feature extractor: (N, C, H, W) in [-1, 1] to (N, 3, H, W) in [0, 255]."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.pulse import beat

Source = Callable[[], Iterator[Tensor]]
"""Batches of images, the same each time it is called: uint8 as they are, or floats in [-1, 1] to be quantised."""


MIMICRY = "min-max-mimicry"
"""Mimicry's own: FID and KID from images scaled by the range of all, IS from images scaled by the range of their
batch.
"""
MIMICRY_EPS = 1e-5  # in the denominator of its scaling
MIMICRY_BATCH = 50  # images, for IS


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
        """Batch by batch, each as (N, 3, H, W)."""
        for batch in source():
            yield _colour(batch if batch.dtype == torch.uint8 else _bytes(batch, quantise, low, high))

    return prepared


def scaled_by_batch(source: Source, count: int) -> Source:
    """The first ``count`` images as 8 bits, each ``MIMICRY_BATCH`` scaled by their own smallest and largest value.

    Source: Mimicry's ``metrics/compute_is.py``. It drops an incomplete last batch; here that is scaled by itself.
    """

    def scaled() -> Iterator[Tensor]:
        """Batches of ``MIMICRY_BATCH``, the last of them smaller where ``count`` is no multiple."""
        for batch in batches(source, count, MIMICRY_BATCH):
            yield _bytes(batch, "min-max", batch.min().item(), batch.max().item())

    return scaled


def batches(source: Source, count: int | None, size: int) -> Iterator[Tensor]:
    """Batches of ``size``, whatever sizes the source gives, and not one image too many."""
    left = count
    held: list[Tensor] = []
    for batch in source():
        beat()
        while len(batch):
            take = batch[: size - sum(len(part) for part in held)]
            held.append(take)
            batch = batch[len(take) :]
            if sum(len(part) for part in held) == size:
                whole = torch.cat(held)[:left]
                held = []
                if len(whole):
                    yield whole
                left = None if left is None else left - len(whole)
                if left == 0:
                    return
    if held and (rest := torch.cat(held)[:left]).numel():
        yield rest


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
        beat()
        counted = batch if count is None else batch[: max(0, count - seen)]
        if len(counted):
            low, high = min(low, counted.min().item()), max(high, counted.max().item())
        seen += len(batch)
        if count is not None and seen >= count:
            break
    return low, high


def _colour(images: Tensor) -> Tensor:
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise GanbenchError(f"images have the shape {tuple(images.shape)}; expected (N, 1 or 3, H, W)")
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
