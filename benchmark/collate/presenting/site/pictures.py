"""The pictures of a page: samples, real images beside them, and earlier ones of runs that were stopped on their way."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.outside import Outside
from benchmark.collate.presenting.site.facts import TIERS
from benchmark.collate.presenting.site.folder import Folder
from benchmark.collate.presenting.site.real import RealImages
from benchmark.collate.presenting.site.samples import write_samples
from benchmark.collate.presenting.site.summary import Report
from benchmark.records.record import Record

SHOWN = 8
"""Samples on the start page."""

Grid = tuple[str, int, int]
"""File name, width and height, as ``write_samples`` gives them."""


@dataclass(frozen=True)
class Picture:
    """A grid of images and whose it is."""

    record: Record
    grid: Grid


@dataclass(frozen=True)
class OfCell:
    """``samples``: a seed each; ``real``: what the first of them trained on; ``before``: how that seed came about."""

    samples: tuple[Picture, ...]
    real: Grid | None
    before: tuple[Picture, ...]


class Pictures:
    """Writes pictures to a report's folder, each once."""

    def __init__(self, records: Iterable[Record], folder: Folder) -> None:
        """``records``: all that there are."""
        self._folder, self._real = folder, RealImages()
        self._stopped: dict[str, list[Record]] = {}
        for r in sorted((r for r in records if r.status == "partial"), key=lambda r: r.steps):
            self._stopped.setdefault(r.evaluation, []).append(r)

    def of(self, j: Joined) -> OfCell:
        """All of a cell's own runs."""
        samples = self._written(j.records)
        if not samples:
            return OfCell((), None, ())
        first = samples[0].record
        before = self._written(r for r in self._stopped.get(first.evaluation, ()) if r.steps < first.steps)
        return OfCell(samples, write_samples(self._real.grid(first), self._folder), before)

    def given(self, o: Outside) -> list[Grid]:
        """The first images of a result from outside."""
        return [grid for r in o.given if (grid := write_samples(r.samples, self._folder))]

    def _written(self, records: Iterable[Record]) -> tuple[Picture, ...]:
        return tuple(Picture(r, grid) for r in records if (grid := write_samples(r.samples, self._folder)))


@dataclass(frozen=True)
class Sample:
    """One cell's samples, on the start page."""

    report: Report
    joined: Joined
    grid: Grid


def strip(reports: Sequence[Report], folder: Folder) -> list[Sample]:
    """The best samples of each paper in turn: nearest to the paper's own recipe first, then the longest trained."""
    ranked = [sorted((j for j in r.cells if j.records and j.tier), key=_rank)[: 4 * SHOWN] for r in reports]
    turns = itertools.zip_longest(*([(r, j) for j in some] for r, some in zip(reports, ranked)))
    found: list[Sample] = []
    seen = set()
    for report, joined in (pair for turn in turns for pair in turn if pair):
        run = joined.records[0].evaluation
        if len(found) == SHOWN or run in seen:
            continue
        seen.add(run)
        if grid := write_samples(joined.records[0].samples, folder):
            found.append(Sample(report, joined, grid))
    return sorted(found, key=lambda s: _rank(s.joined)[0])


def _rank(j: Joined) -> tuple[int, int]:
    return TIERS.index(j.tier.name if j.tier else TIERS[-1]), -j.records[0].steps
