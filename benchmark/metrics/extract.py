"""Features of a set of images, extracted once for all metrics."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.metrics.extractors import Extractor
from benchmark.metrics.frechet import Moments, MomentSum
from benchmark.metrics.images import Source, prepare

BATCH = 64  # images at a time through the extractor
BLOCK = 1024  # features at a time into the moments: their D x D sums would crowd the network out of the cache


@dataclass(frozen=True)
class Extracted:
    """What is known of a set of images: the moments of their features, and the features where a metric needs each one."""

    moments: Moments
    features: Tensor | None  # (n, D) float32
    logits: Tensor | None  # (n, classes) float32

    @property
    def n(self) -> int:
        return self.moments.n


def extract(source: Source, extractor: Extractor, quantise: str | None, count: int | None = None, keep: bool = True) -> Extracted:
    """Pass the first ``count`` images (None: all) of a source through an extractor.

    Args:
        keep: keep features and logits; without them memory does not grow with the number of images.

    Raises:
        GanbenchError: the source has fewer images than ``count``, or a feature is not finite.
    """
    sums, held, features, logits = MomentSum(), [], [], []
    device = next(extractor.module.parameters()).device
    with torch.no_grad():  # not inference_mode: a source may run a G whose buffers train on
        for batch in _batches(prepare(source, quantise, count), count):
            f, p = (t.float().cpu() for t in extractor.module(batch.to(device)))
            held.append(f)
            if len(held) * BATCH >= BLOCK:
                sums.add(torch.cat(held).numpy())
                held = []
            if keep:
                features.append(f)
                logits.append(p)
    if held:
        sums.add(torch.cat(held).numpy())
    if count is not None and sums.n < count:
        raise GanbenchError(f"{sums.n:,} images, but the protocol asks for {count:,}")
    return Extracted(sums.moments(), torch.cat(features) if keep else None, torch.cat(logits) if keep else None)


def _batches(source: Source, count: int | None):  # noqa: ANN202 (an iterator of tensors)
    """Batches of ``BATCH``, whatever sizes the source gives, and not one image too many."""
    left, held = count, []
    for batch in source():
        while len(batch):
            take = batch[: BATCH - sum(map(len, held))]
            held.append(take)
            batch = batch[len(take) :]
            if sum(map(len, held)) == BATCH:
                whole = torch.cat(held)[:left]
                held = []
                if len(whole):
                    yield whole
                left = None if left is None else left - len(whole)
                if left == 0:
                    return
    if held and (rest := torch.cat(held)[:left]).numel():
        yield rest
