"""One metric of one cell, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.statistics.interval import Estimate, estimate
from benchmark.collate.statistics.looks import looked
from benchmark.records.record import Record
from benchmark.suite.model import Cell, Published


@dataclass(frozen=True)
class Entry:
    """One metric of one cell: the published number, ours, and the verdict."""

    cell: Cell  # under the profile whose records are shown
    metric: str
    direction: str  # "lower" or "higher" is better
    published: Published | None
    achieved: Estimate | None  # over seeds that did not diverge
    spread: float | None  # our counterpart of the published ± where that is not over seeds: its mean over seeds
    verdict: Verdict
    diverged: int = 0  # seeds that diverged
    floor: float | None = None  # what other real images get in the generated ones' place, where a proxy measured

    @property
    def runs(self) -> int:
        """How many runs the published number is the mean of, as far as the paper itself says; else one."""
        return stated_runs(self.cell)


BESIDE = {"precision": "higher", "recall": "higher"}
"""Metrics that no table need print: measured beside others, shown, and never judged."""


def beside(cell: Cell, metric: str, records: tuple[Record, ...]) -> Entry:
    """The entry of such a metric."""
    values = (
        []
        if any(r.contested or r.contradiction for r in records)
        else [r.final[metric]["value"] for r in records if r.final and r.final.get(metric, {}).get("value") is not None]
    )
    verdict = Verdict("", "the paper prints no such number: measured beside the others")
    return Entry(
        cell,
        metric,
        BESIDE[metric],
        None,
        estimate(values, looked=looked(records)) if values else None,
        None,
        verdict,
        floor=floor_of(records, metric),
    )


def floor_of(records: tuple[Record, ...], metric: str) -> float | None:
    """Mean over records of their floors; None unless every one has it."""
    found = [f["value"] for r in records if r.floor and (f := r.floor["metrics"].get(metric))]
    return sum(found) / len(found) if found and len(found) == len(records) else None


def stated_runs(cell: Cell) -> int:
    """Runs that a published number is the mean of. What the suite only infers is not believed: one run is the
    noisiest.
    """
    return cell.full_protocol.seeds or 1 if "seeds" in cell.stated else 1
