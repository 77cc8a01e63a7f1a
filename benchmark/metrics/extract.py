"""Features of a set of images, extracted once for all metrics."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.metrics.extractors import Extractor
from benchmark.metrics.frechet import Moments, MomentSum
from benchmark.metrics.images import Source, batches, prepare

EVERY = ("features", "logits")
BLOCK = 1024  # features at a time into the moments: their D x D sums would crowd the network out of the cache


@dataclass(frozen=True)
class Extracted:
    """What is known of a set of images: the moments of their features, and the features where a metric needs each
    one.
    """

    moments: Moments
    features: Tensor | None  # (n, D) float32
    logits: Tensor | None  # (n, classes) float32
    imported: bool = False  # from another machine's file: nothing here has seen the images

    @property
    def n(self) -> int:
        """How many images."""
        return self.moments.n


def extract(
    source: Source, extractor: Extractor, quantise: str | None, count: int | None = None, keep: Collection[str] = EVERY
) -> Extracted:
    """Pass the first ``count`` images (None: all) of a source through an extractor.

    Args:
        keep: which of ``features`` and ``logits`` to keep for every image; with neither, memory does not grow with
            their number.

    Raises:
        GanbenchError: the source has fewer images than ``count``, or a feature is not finite.
    """
    sums, held, features, logits = MomentSum(), [], [], []
    module = extractor.module
    device = next(itertools.chain(module.parameters(), module.buffers()), torch.empty(0)).device
    with torch.no_grad():  # not inference_mode: a source may run a G whose buffers train on
        for batch in batches(prepare(source, quantise, count), count, extractor.batch):
            with _whole_float32():
                f, p = (t.float().cpu() for t in extractor.module(batch.to(device)))
            held.append(f)
            if len(held) * extractor.batch >= BLOCK:
                sums.add(torch.cat(held).numpy())
                held = []
            if "features" in keep:
                features.append(f)
            if "logits" in keep:
                logits.append(p)
    if held:
        sums.add(torch.cat(held).numpy())
    if count is not None and sums.n < count:
        raise GanbenchError(f"{sums.n:,} images, but the protocol asks for {count:,}")
    return Extracted(sums.moments(), torch.cat(features) if features else None, torch.cat(logits) if logits else None)


@contextlib.contextmanager
def _whole_float32() -> Iterator[None]:
    """Convolutions on a GPU keep all 23 bits, not TF32's 10 (torch's default): features of real images are shared with
    machines that know no TF32.
    """
    was = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = was
