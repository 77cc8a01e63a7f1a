"""IS, FID (tFID, vFID), KID and precision/recall of generated images against real ones, as a protocol says."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.metrics.extract import Extracted, extract
from benchmark.metrics.extractors import Extractor
from benchmark.metrics.frechet import MomentSum, frechet_distance
from benchmark.metrics.images import MIMICRY, Source, scaled_by_batch
from benchmark.metrics.inception_score import inception_score
from benchmark.metrics.kernel_distance import kernel_distance
from benchmark.metrics.precision_recall import precision_recall
from benchmark.recipe import Protocol

SINGLE = ("precision", "recall")
EACH = ("KIDx1000", *SINGLE)
"""Metrics that need the features of every image, real and generated; FID and tFID need their moments alone, vFID the
generated ones' features.
"""


def kept_of_real(protocol: Protocol) -> set[str]:
    """What must be kept of every real image beside the moments of all."""
    return {"features"} if any(m in EACH for m in protocol.metrics) else set()


def kept_of_generated(protocol: Protocol) -> set[str]:
    """What must be kept of every generated image beside the moments of all."""
    return (
        kept_of_real(protocol)
        | ({"features"} if "vFID" in protocol.metrics else set())
        | ({"logits"} if "IS" in protocol.metrics else set())
    )


def extract_generated(source: Source, extractor: Extractor, protocol: Protocol) -> Extracted:
    """The generated images as the protocol has them seen; made and seen once more for an IS of its own scaling or
    number of images.

    Args:
        source: gives ``images_needed``.
    """
    mimicry = protocol.quantise == MIMICRY
    found = extract(
        source, extractor, "min-max" if mimicry else protocol.quantise, protocol.generated, kept_of_generated(protocol)
    )
    if "IS" not in protocol.metrics or not (mimicry or protocol.is_generated):
        return found
    n = protocol.is_generated or protocol.generated
    of_is = (
        extract(scaled_by_batch(source, n), extractor, None, n, ("logits",))
        if mimicry
        else extract(source, extractor, protocol.quantise, n, ("logits",))
    )
    return dataclasses.replace(found, logits=of_is.logits)


def images_needed(protocol: Protocol) -> int:
    """Generated images of a measurement: the first ``generated`` for all but IS, the first ``is_generated`` for IS
    where that is set.
    """
    return max(protocol.generated, protocol.is_generated or 0 if "IS" in protocol.metrics else 0)


def measure(
    protocol: Protocol, generated: Extracted, real: Extracted, validation: Extracted | None = None
) -> dict[str, dict[str, float]]:
    """Each of the protocol's image metrics, ``{"value", "std"}``; std is over IS splits or KID subsets.

    FID and tFID are against ``real``. vFID is CHAIN's: as many generated images as there are in
    ``validation``, the last ones, against those.

    Raises:
        GanbenchError: a metric needs what was not extracted, or settings that the protocol lacks.
    """
    found: dict[str, dict[str, float]] = {}
    for metric in protocol.metrics:
        if metric == "IS":
            found[metric] = _pair(inception_score(_kept(generated.logits), _set(protocol, "is_splits")))
        elif metric in ("FID", "tFID"):
            found[metric] = {"value": frechet_distance(generated.moments, real.moments)}
        elif metric == "vFID":
            if validation is None:
                raise GanbenchError("vFID needs the validation images")
            found[metric] = {"value": frechet_distance(_last(generated, validation.n), validation.moments)}
        elif metric == "KIDx1000":
            mean, std = kernel_distance(
                _kept(generated.features),
                _kept(real.features),
                _set(protocol, "kid_subsets"),
                _set(protocol, "kid_subset_size"),
            )
            found[metric] = {"value": 1000 * mean, "std": 1000 * std}
        elif metric in SINGLE and metric not in found:  # one computation gives both
            both = zip(SINGLE, precision_recall(_kept(generated.features), _kept(real.features)))
            found |= {k: {"value": v} for k, v in both if k in protocol.metrics}
    return found


def _pair(found: tuple[float, float]) -> dict[str, float]:
    return {"value": found[0], "std": found[1]}


def _set(protocol: Protocol, field: str) -> int:
    if (value := getattr(protocol, field)) is None:
        raise GanbenchError(f"the protocol measures what needs {field}, and does not give it")
    return value


def _kept(tensor: Any) -> Any:
    if tensor is None:
        raise GanbenchError("this metric needs the features of every image, and only their moments were kept")
    return tensor


def _last(generated: Extracted, n: int) -> Any:
    features = _kept(generated.features)
    if len(features) < n:
        raise GanbenchError(f"vFID needs {n:,} generated images; there are {len(features):,}")
    sums = MomentSum()
    sums.add(features[len(features) - n :].numpy())
    return sums.moments()
