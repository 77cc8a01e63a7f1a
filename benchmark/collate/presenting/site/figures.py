"""What the site's figures have in common: which numbers may stand on one axis, and what things are called."""

from __future__ import annotations

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.errors import sure
from benchmark.metrics.extractors import proxy


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
