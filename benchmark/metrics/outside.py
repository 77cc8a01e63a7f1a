"""Measuring images that other code made, as a cell's own protocol says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.data.audit import Audit, audit, first
from benchmark.data.given import Given
from benchmark.errors import GanbenchError
from benchmark.metrics.fewest import too_few
from benchmark.metrics.names import IMAGE
from benchmark.metrics.real import compared_with, validation_split
from benchmark.recipe import Protocol, Recipe

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Measured:
    """What was found of some images."""

    protocol: Protocol  # under which
    numbers: dict[str, dict[str, float]]
    floor: dict[str, Any] | None
    seen: Audit
    remarks: list[str]


def measure_given(images: Given, recipe: Recipe, protocol: Protocol, fewer: bool, device: str) -> Measured:
    """The protocol's image metrics of these images. What is missing on this machine is said before they are decoded.

    Args:
        fewer: measure fewer images than the protocol asks for, too.

    Raises:
        GanbenchError: the protocol measures no images; these cannot be read, are too few or not of the recipe's size;
            or weights or real images are not here.
    """
    import torch

    from benchmark.metrics.extractors import load
    from benchmark.metrics.floor import real_floor
    from benchmark.metrics.measure import extract_generated, measure
    from benchmark.metrics.reference import reference

    protocol = _for_images(images, recipe, protocol, fewer)
    extractor = load(protocol.extractor, device=device)
    count = _needed(protocol)
    sets = compared_with(recipe, protocol)
    seen = audit(images, count, recipe, [recipe.split, *(real.split for real in sets)])
    seen.in_order = _parts(images, count, protocol) if _class_by_class(images.labels) else ""
    remarks = _remarks(images, seen, recipe)
    real = reference(recipe, protocol, extractor)
    held_out = "vFID" in protocol.metrics
    validation = reference(recipe, protocol, extractor, split=validation_split(recipe.dataset)) if held_out else None

    def batches() -> Iterator[Tensor]:
        """8-bit already: no quantisation of ours is left to do."""
        return (torch.from_numpy(np.array(batch)) for batch in first(images, count))

    made = extract_generated(batches, extractor, dataclasses.replace(protocol, quantise="round"))
    floor = real_floor(recipe, protocol, extractor, real, validation)
    return Measured(protocol, measure(protocol, made, real, validation), floor, seen, remarks)


def _for_images(images: Given, recipe: Recipe, p: Protocol, fewer: bool) -> Protocol:
    """The protocol for images alone, and for as many as there are where there may be fewer."""
    metrics = tuple(m for m in p.metrics if m in IMAGE)
    if not metrics:
        raise GanbenchError(f"its protocol measures {', '.join(p.metrics)}: of networks, and images do not tell", 2)
    p, there = dataclasses.replace(p, metrics=metrics, probe_images=None), images.count
    if there < (needed := _needed(p)) and not fewer:
        raise GanbenchError(
            f"{images.where} holds {there:,} images, and the protocol asks for {needed:,}: give as many, or measure "
            "these all the same with --fewer"
        )
    of_is = None if p.is_generated is None else min(p.is_generated, there)
    p = dataclasses.replace(p, generated=min(p.generated, there), is_generated=of_is)
    if problem := too_few(p, *(real.size for real in compared_with(recipe, p))):
        raise GanbenchError(f"{images.where} holds {there:,} images: {problem}")
    return p


def _class_by_class(labels: np.ndarray | None) -> bool:
    return labels is not None and bool((steps := np.diff(labels.astype(np.int64))).any() and (steps >= 0).all())


def _parts(images: Given, count: int, p: Protocol) -> str:
    """Which part of the images something is measured of, by their order; "" if all is of all."""
    if count < images.count:
        return f"the first {count:,} of {images.count:,} were taken"
    if p.is_generated not in (None, p.generated):
        return f"the first {min(p.generated, p.is_generated or 0):,} make one number, and all {count:,} another"
    return f"IS is the mean over {p.is_splits} parts of them" if "IS" in p.metrics and (p.is_splits or 1) > 1 else ""


def _needed(p: Protocol) -> int:
    """As ``measure.images_needed``, which brings torch along."""
    return max(p.generated, p.is_generated or 0 if "IS" in p.metrics else 0)


def _remarks(images: Given, seen: Audit, recipe: Recipe) -> list[str]:
    found = [f"the first {seen.count:,} of {images.count:,} images"] if images.count > seen.count else []
    found += ["images of several folders, in an order that mixes them"] if images.mixed else []
    found += [f"not held against the images of {split}, which are not here" for split in seen.unread]
    if recipe.classes is None:
        return found
    if images.labels is None:
        return [*found, f"no classes came with the images: whether each of {recipe.classes} has its share is not known"]
    kinds, sizes = np.unique(images.labels[: seen.count], return_counts=True)
    if kinds.min() < 0 or kinds.max() >= recipe.classes:
        raise GanbenchError(
            f"{images.where}: classes from {kinds.min()} to {kinds.max()}, and the cell's are 0 to {recipe.classes - 1}"
        )
    return [*found, f"{len(kinds)} of {recipe.classes} classes, of {sizes.min():,} to {sizes.max():,} images each"]
