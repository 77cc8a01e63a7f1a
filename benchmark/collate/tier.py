"""How comparable a result is with a published number, field by field.

``exact``: the paper's recipe and protocol, to the last step. ``compatible``: they differ only in
fields that are known not to change the number. ``proxy``: the same data, but another recipe,
fewer steps or another measurement. ``incomparable``: other data, so that the numbers are on
another scale. Only the first two can be judged against a published number.

What the paper does not state is not a difference, but it is an assumption: the recipe's notes are
shown with every verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.metrics.extractors import proxy
from benchmark.records import Record
from benchmark.suite.model import Cell

OTHER_SCALE = ("dataset", "split", "resolution", "channels")
HARMLESS = {
    "every_epochs": "when it is measured, not what",
    "every_steps": "when it is measured, not what",
    "jac_G_every_epochs": "when it is measured, not what",
    "seeds": "describes the paper's number, not the measurement",
    "std_of": "describes the paper's number, not the measurement",
}
LOOKS = ("every_epochs", "every_steps")
"""How often one looks: not harmless where the best of all looks is the result."""
JUDGED = ("exact", "compatible")


@dataclass(frozen=True)
class Tier:
    """A tier and why: ``differences`` are lines ``field: the paper's -> ours``."""

    name: str
    differences: tuple[str, ...]

    @property
    def judged(self) -> bool:
        """Whether a verdict about a published number may rest on it."""
        return self.name in JUDGED


def tier_of(cell: Cell, record: Record) -> Tier:
    """The tier of one record for one cell."""
    theirs = cell.full_recipe.to_json() | cell.full_protocol.to_json()
    ours = record.recipe.to_json() | record.protocol.to_json()
    for side in (theirs, ours):
        side["metrics"] = sorted(side["metrics"])  # their order measures nothing
    fields = [k for k in theirs.keys() | ours.keys() if theirs.get(k) != ours.get(k)]
    harmless = {k: why for k, why in HARMLESS.items() if k not in LOOKS or theirs["checkpoint"] == ours["checkpoint"] == "last"}
    lines = [f"{k}: {theirs.get(k, 'none')} -> {ours.get(k, 'none')}" + (f" ({harmless[k]})" if k in harmless else "") for k in sorted(fields)]
    short = record.status == "partial"
    if short:
        lines.insert(0, f"training: {record.total_steps:,} steps -> stopped at {record.steps:,} (epoch {record.epochs:g})")
    stands_in = record.protocol.features is not None and proxy(record.protocol.features)
    if stands_in:
        lines.insert(0, f"{record.protocol.features} is a proxy: its numbers are on another scale than any published ones")
    if any(k in OTHER_SCALE for k in fields):
        name = "incomparable"
    elif short or stands_in or any(k not in harmless for k in fields):
        name = "proxy"
    else:
        name = "compatible" if fields else "exact"
    return Tier(name, tuple(lines))
