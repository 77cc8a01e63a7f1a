"""How comparable a result is with a published number, field by field.

``exact``: the paper's recipe and protocol, to the last step. ``compatible``: they differ only in
fields that are known not to change the number. ``proxy``: the same data, but another recipe,
fewer steps or another measurement. ``incomparable``: other data, so that the numbers are on
another scale. Only the first two can be judged against a published number.

A difference is shown with the size of its effect, where one of that very change is on record (``effects.py``). Which
profile or flag made a record plays no part: its own recipe and protocol are held against the paper's.

What the paper does not state is not a difference, but it is an assumption: the recipe's notes are
shown with every verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmark.collate.judging.effects import Effect, known
from benchmark.collate.judging.values import apart
from benchmark.data.cards import card
from benchmark.data.subsets import subset_size, too_many
from benchmark.metrics.extractors import proxy
from benchmark.records.record import Record
from benchmark.suite.model import Cell
from benchmark.weights.needed import proxies

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
class Difference:
    """One field in which a record differs from what the paper did."""

    field: str
    paper: Any
    ours: Any
    harmless: str  # why it changes no number, or ""
    effect: Effect | None  # what is known of its size

    def __str__(self) -> str:
        size = f" [known: {self.effect.size}; {self.effect.source}]" if self.effect and not self.harmless else ""
        return f"{self.field}: {apart(self.field, self.paper, self.ours)}" + (
            f" ({self.harmless})" if self.harmless else size
        )


@dataclass(frozen=True)
class Tier:
    """A tier and why: ``differences`` are lines ``field: the paper's -> ours``, with the known effect; ``fields`` the
    same as data.
    """

    name: str
    differences: tuple[str, ...]
    fields: tuple[Difference, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether a verdict about a published number may rest on it."""
        return self.name in JUDGED


def tier_of(cell: Cell, record: Record) -> Tier:
    """The tier of one record for one cell."""
    fields = differences(cell, record)
    lines = [str(d) for d in fields]
    if short := _short(record) or _fewer(record):
        lines.insert(0, short)
    trained_by = proxies(record.recipe)
    if trained_by:
        lines.insert(0, f"{', '.join(trained_by)} is a proxy: its maps are not those that the paper trains by")
    stands_in = record.protocol.features is not None and proxy(record.protocol.features)
    if stands_in:
        lines.insert(
            0, f"{record.protocol.features} is a proxy: its numbers are on another scale than any published ones"
        )
    if any(d.field in OTHER_SCALE for d in fields):
        name = "incomparable"
    elif short or stands_in or trained_by or any(not d.harmless for d in fields):
        name = "proxy"
    else:
        name = "compatible" if fields else "exact"
    return Tier(name, tuple(lines), fields)


def differences(cell: Cell, record: Record) -> tuple[Difference, ...]:
    """Field by field, the paper's recipe and protocol against the record's; the fields in alphabetical order."""
    theirs = cell.full_recipe.to_json() | cell.full_protocol.to_json()
    ours = record.recipe.to_json() | record.protocol.to_json()
    for side in (theirs, ours):
        side["metrics"] = sorted(side["metrics"])  # their order measures nothing
    last = theirs.get("checkpoint") == ours.get("checkpoint") == "last"
    harmless = {k: why for k, why in HARMLESS.items() if k not in LOOKS or last}
    fields = sorted(k for k in theirs.keys() | ours.keys() if theirs.get(k) != ours.get(k))
    return tuple(
        Difference(k, theirs.get(k, "none"), ours.get(k, "none"), harmless.get(k, ""), known(k, theirs, ours))
        for k in fields
    )


def _fewer(record: Record) -> str:
    """That there are fewer images than its recipe asks for, as a run of older code may have it; else ''."""
    r = record.recipe
    return too_many(r.dataset, r.split, card(r.dataset).split(r.split)["count"], r.images) or ""


def _short(record: Record) -> str:
    """That training ended before the recipe's last step, whatever the record calls itself; else ''."""
    r = record.recipe
    images = subset_size(card(r.dataset).split(r.split)["count"], r.data_percent, r.images)
    total = max(record.total_steps, r.total_steps(images))
    if record.status != "partial" and (record.steps >= total or record.status == "diverged"):
        return ""
    return f"training: {total:,} steps -> stopped at {record.steps:,} (epoch {record.epochs:g})"
