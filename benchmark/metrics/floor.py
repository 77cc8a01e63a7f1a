"""The real-against-real floor: what as many other real images would get in the generated ones' place.

A proxy extractor's numbers are on a scale of their own, and depend on how many images there are:
they say something only beside this.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.canonical import content_hash
from benchmark.data.absent import missing
from benchmark.data.cards import card
from benchmark.files import read_regular
from benchmark.metrics import store
from benchmark.metrics.extract import Extracted
from benchmark.metrics.extractors import Extractor, proxy
from benchmark.metrics.measure import kept_of_generated, measure
from benchmark.metrics.names import IMAGE
from benchmark.metrics.real import DISJOINT, RealSet, compared_with, real_set
from benchmark.metrics.reference import features
from benchmark.pulse import doing
from benchmark.recipe import Protocol, Recipe

VERSION = 2
MEASURED = ("is_splits", "kid_subsets", "kid_subset_size", "generated")


def real_floor(
    recipe: Recipe,
    protocol: Protocol,
    extractor: Extractor,
    real: Extracted,
    validation: Extracted | None,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, Any] | None:
    """The protocol's image metrics of real images that are none of those compared with; None for an extractor that is
    no proxy.

    Returns:
        ``drawn`` (which images, or why none), ``images`` and ``against`` (how many on each side), and
        ``metrics``: name -> {"value", "std"}, empty where no images were drawn; without an IS over another number than
        ``generated``.

    Raises:
        GanbenchError: the images cannot be read, or the cache cannot be written.
        Interrupted: it was to stop before another process was done.
    """
    if not proxy(protocol.extractor):
        return None
    if protocol.is_generated:
        protocol = dataclasses.replace(protocol, metrics=tuple(m for m in protocol.metrics if m != "IS"))
    others, drawn = draw(recipe, protocol)
    found = {"drawn": drawn, "images": protocol.generated if others else 0, "against": real.n, "metrics": {}}
    if others is None:
        return found
    metrics = sorted(m for m in protocol.metrics if m in IMAGE)
    sets = [s.identity(extractor.name, extractor.sha256) for s in (others, *compared_with(recipe, protocol))]
    identity = {"version": VERSION, "metrics": metrics, **{f: getattr(protocol, f) for f in MEASURED}, "sets": sets}
    path = store.folder() / f"{content_hash(identity)}.floor.json"
    with store.alone(path, f"the floor of {others}", stopping), doing(f"floor of {others}"):
        if (kept := _load(path, metrics)) is None:
            other = features(others, extractor, kept_of_generated(protocol), stopping, own=True)
            kept = measure(protocol, other, real, validation)
            if not (
                real.imported or (validation and validation.imported)
            ):  # the record says so of them, a kept floor could not
                _save(path, identity, kept)
    return {**found, "metrics": kept}


def draw(recipe: Recipe, protocol: Protocol) -> tuple[RealSet | None, str]:
    """As many real images as are generated, none of them among those compared with; which, or why there are none."""
    n, (real, *validation) = protocol.generated, compared_with(recipe, protocol)
    there = card(real.dataset).split(real.split)["count"]
    held = {v.split for v in validation}
    if real.size + n <= there and real.split not in held:
        return real_set(recipe, real.split, n, after=real.size), f"{n:,} other images of {real.dataset} {real.split}"
    other = DISJOINT.get(real.split)
    if other not in card(real.dataset).splits or other in held or card(real.dataset).split(other)["count"] < n:
        return (
            None,
            f"none: {real.dataset} has no {n:,} images beside the {real.size:,} of "
            f"{real.split}{' and those of vFID' if held else ''} that are compared with",
        )
    if why := missing(real.dataset, other):
        return None, f"none: {why}"
    return real_set(recipe, other, n), f"{n:,} images of {real.dataset} {other}"


def _load(path: Path, metrics: list[str]) -> dict[str, dict[str, float]] | None:
    """The kept numbers; None if there are none, or the file is not what was written, or lies under another's name."""
    try:
        kept = json.loads(read_regular(path))
        named = path.name == f"{content_hash(kept['identity'])}.floor.json"
        whole = (
            kept["digest"] == content_hash([kept["identity"], kept["metrics"]]) and sorted(kept["metrics"]) == metrics
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return kept["metrics"] if named and whole else None


def _save(path: Path, identity: dict[str, Any], found: dict[str, dict[str, float]]) -> None:
    kept = {"identity": identity, "metrics": found, "digest": content_hash([identity, found])}
    store.put(path, "the floor", lambda stream: stream.write(json.dumps(kept).encode()))
