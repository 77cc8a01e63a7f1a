"""What the site's figures have in common: which numbers may stand on one axis, and what things are called."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.errors import sure
from benchmark.metrics.extractors import proxy
from benchmark.suite.model import Cell


def slug(verdict: str) -> str:
    """A verdict as a class: ``not-reproduced``."""
    return verdict.replace(" ", "-")


def same_scale(j: Joined) -> bool:
    """Whether a cell's numbers may stand on one axis with published ones: the same data, and no extractor that stands
    in for another.
    """
    features = {r.protocol.features for r in j.records if r.protocol.features is not None}
    return j.tier is not None and j.tier.name != "incomparable" and not any(map(proxy, features))


def both(e: Entry) -> tuple[float, float]:
    """Published and achieved."""
    return sure(sure(e.published).value), sure(e.achieved).mean


def who(e: Entry) -> str:
    """A method with its backbone, in a few letters."""
    text = f"{e.cell.method} [{e.cell.backbone}]" if e.cell.backbone else e.cell.method
    return text if len(text) <= 30 else text[:29] + "…"


def named(cells: Sequence[Cell]) -> dict[str, str]:
    """A cell's id -> its method, with the backbone where there are several."""
    several = len({c.backbone for c in cells}) > 1
    return {c.id: f"{c.method} [{c.backbone}]" if several and c.backbone else c.method for c in cells}


def data_of(j: Joined) -> str:
    """What a cell's runs were trained on: ``cifar10-jpeg``, ``cifar10 10%``, ``emoji-faces, 100 images``."""
    recipe = j.records[0].recipe
    percent = f" {recipe.data_percent:g}%" if recipe.data_percent != 100 else ""
    return recipe.dataset + percent + (f", {recipe.images:,} images" if recipe.images else "")
