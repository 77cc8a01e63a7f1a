"""Which real images a protocol compares with, and what decides the numbers that they give. Imports no torch: planning
asks too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmark.canonical import content_hash
from benchmark.data.cards import card
from benchmark.data.subsets import SUBSET_SEED, subset_hash
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from benchmark.metrics.names import IMAGE, PROBES
from benchmark.recipe import Protocol, Recipe

VERSION = 2
"""Raised when what is extracted changes; kept features of another version are not found."""
DISJOINT = {"train": "test", "test": "train", "unlabeled": "test"}
"""Splits that share no image."""


@dataclass(frozen=True)
class RealSet:
    """``count`` images (None: all) of a split in the order of one seeded permutation, after the first ``after`` of
    it.
    """

    dataset: str
    split: str
    resolution: int
    channels: int
    crop: str | None
    resize: str | None
    count: int | None
    after: int = 0

    def __str__(self) -> str:
        chosen = "" if self.count is None else f", {self.count:,} {'other ' if self.after else ''}images"
        return f"{self.dataset} {self.split} at {self.resolution} px{chosen}"

    @property
    def size(self) -> int:
        """How many images they are; raises GanbenchError if the split has fewer."""
        there = card(self.dataset).split(self.split)["count"]
        if self.after + (self.count or 0) > there:
            raise GanbenchError(
                f"the protocol compares with {self.count:,} images; {self.dataset} {self.split} has "
                f"{there - self.after:,}"
            )
        return there - self.after if self.count is None else self.count

    def indices(self) -> np.ndarray | None:
        """Sorted indices of the images; None for all."""
        there = card(self.dataset).split(self.split)["count"]
        if self.size == there:
            return None
        return np.sort(np.random.default_rng(SUBSET_SEED).permutation(there)[self.after : self.after + self.size])

    def content(self) -> str:
        """sha256 of the split, from its card."""
        return card(self.dataset).content(self.split, self.resolution, self.channels)

    def subset(self) -> str:
        """sha256 of the indices, as ``data.read`` has it."""
        if self.after and (indices := self.indices()) is not None:
            return content_hash(indices.tolist())
        return subset_hash(card(self.dataset).split(self.split)["count"], 100.0, self.size)

    def identity(self, extractor: str, weights: str) -> dict[str, Any]:
        """What decides the features: bytes, images, transform, weights, and the packages that decode and extract. Never
        a name or a path.
        """
        return {
            "version": VERSION,
            "content": self.content(),
            "subset": self.subset(),
            "transform": [self.crop, self.resize, self.resolution, self.channels],
            "weights": weights,
            "packages": extractors.packages(extractor) | decoder(self.dataset, bool(self.crop or self.resize)),
        }

    def to_json(self) -> dict[str, Any]:
        """The fields as they are."""
        return asdict(self)


def decoder(dataset: str, changed: bool = False) -> dict[str, str]:
    """The packages, by version, that turn the dataset's files into pixels where they have a say in it (JPEG, resizing).

    Args:
        changed: the images are cut or resized; those of an IDX file are else taken as they are.
    """
    reader = card(dataset).reader
    if reader not in ("folders", "images", "stl10", "tar") and not (reader == "idx" and changed):
        return {}
    import PIL
    from PIL import features

    if reader == "tar":
        return {"pillow": PIL.__version__, "webp": str(features.version("webp"))}
    if reader == "idx":
        return {"pillow": PIL.__version__}
    return {"pillow": PIL.__version__, "libjpeg": str(features.version("jpg"))}


def compared_with(recipe: Recipe, protocol: Protocol) -> list[RealSet]:
    """The sets that a protocol's image metrics compare with: its real images, and those of vFID; none without such
    metrics.
    """
    if protocol.features is None or not any(m in IMAGE for m in protocol.metrics):
        return []
    sets = [
        (protocol.real_split or recipe.split, protocol.real),
        *([(validation_split(recipe.dataset), None)] if "vFID" in protocol.metrics else []),
    ]
    return [real_set(recipe, split, count) for split, count in sets]


def validation_split(dataset: str) -> str:
    """The split that vFID compares with: ``val``, or ``test`` where there is none, as CHAIN has it for CIFAR."""
    return "val" if "val" in card(dataset).splits else "test"


def held_out(recipe: Recipe, protocol: Protocol) -> RealSet | None:
    """Images that D is probed with and not trained on, of the split beside the recipe's; None where the protocol has no
    probes.

    Raises:
        GanbenchError: the protocol does not say how many, or the dataset has no such split.
    """
    if not any(m in PROBES for m in protocol.metrics):
        return None
    if protocol.probe_images is None:
        raise GanbenchError("the protocol probes D and does not say with how many images (probe_images)", 2)
    other = DISJOINT.get(recipe.split)
    if other is None or other not in card(recipe.dataset).splits:
        raise GanbenchError(
            f"D is probed with images that it has not seen, and dataset {recipe.dataset} has none beside "
            f"{recipe.split}",
            2,
        )
    return real_set(recipe, other, protocol.probe_images)


def real_set(recipe: Recipe, split: str, count: int | None, after: int = 0) -> RealSet:
    """Images of a split, cut and resized as the recipe's."""
    return RealSet(recipe.dataset, split, recipe.resolution, recipe.channels, recipe.crop, recipe.resize, count, after)


def real_key(recipe: Recipe, protocol: Protocol) -> str | None:
    """sha256 of what is compared with (bytes, choice, the extractor's weights), held-out images of probes included;
    None where there is nothing.

    Raises:
        GanbenchError: the dataset has no such split or reader, or too few images, or the extractor is not known.
    """
    sets, held = compared_with(recipe, protocol), held_out(recipe, protocol)
    weights = [extractors.weights_hash(protocol.extractor)] if sets else []
    chosen = [[s.content(), s.subset()] for s in (*sets, *([held] if held else []))]
    return content_hash([*weights, *chosen]) if chosen else None
