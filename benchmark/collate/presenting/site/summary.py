"""What is known of all suites of a report together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.of_runs import entry_of
from benchmark.collate.judging.verdict import VERDICTS
from benchmark.collate.presenting.site.facts import TIERS
from benchmark.collate.presenting.table import UNTRIED, View
from benchmark.errors import few
from benchmark.records.provenance import named, segments
from benchmark.records.record import Record
from benchmark.suite.claim import Claim, Number
from benchmark.suite.model import Suite

AMISS = ("failed", "diverged", "untrained", "contested")
"""Verdicts on a number that was run for, and that came to nothing."""


@dataclass(frozen=True)
class Report:
    """One suite with its results, its tables as printed, and its claims judged."""

    suite: Suite
    joined: dict[str, list[Joined]]
    views: dict[str, View]
    claims: Sequence[JudgedClaim]

    @property
    def cells(self) -> list[Joined]:
        """All cells, table by table."""
        return [j for rows in self.joined.values() for j in rows]

    @property
    def entries(self) -> list[Entry]:
        """Every number of every cell."""
        return [e for j in self.cells for e in j.entries.values()]

    def entries_of(self, claim: Claim) -> dict[Number, Entry]:
        """The numbers of a claim; those of cells that the selection leaves out are not among them."""
        cells = {j.cell.id: j for j in self.cells}
        return {n: entry_of(n, cells) for n in claim.numbers() if n.cell in cells and (n.beside or n.cell) in cells}


@dataclass(frozen=True)
class Summary:
    """Counts of one report, or of all of them."""

    cells: int
    printed: int  # cells that the papers print a number of, or the reason why there is none
    measured: int  # cells with records
    printed_measured: int  # of those that the papers print
    numbers: int  # published results that runs can be held against
    unconverged: int  # of those, how many are no number: the paper's model did not converge
    verdicts: dict[str, int]  # each of VERDICTS
    amiss: dict[str, int]  # of published results, each of AMISS
    apart: int  # published results that ours cannot be compared with
    unrun: int  # published results that nothing has been run for
    tiers: dict[str, int]  # cells with records by tier
    hours: float
    devices: dict[str, float]  # hours by device
    runs: int
    records: int

    @property
    def counted(self) -> str:
        """``11 of 58 printed cells measured, and 12 of 79 beyond the paper's tables``: each count beside its own."""
        said = f"{self.printed_measured} of {self.printed} printed cells measured"
        beyond = self.cells - self.printed
        return said + (f", and {self.measured - self.printed_measured} of {beyond} beyond those" if beyond else "")

    @property
    def published(self) -> str:
        """``444 published results: 429 numbers, and 15 times that a model did not converge``: what is counted."""
        said = f"{self.numbers:,} published result{'' if self.numbers == 1 else 's'}"
        numbers, others = self.numbers - self.unconverged, self.unconverged
        if not others:
            return f"{said}, each a number"
        times = f"{others:,} time{'' if others == 1 else 's'}"
        return f"{said}: {numbers:,} number{'' if numbers == 1 else 's'}, and {times} that a model did not converge"


def summary(reports: Iterable[Report]) -> Summary:
    """What there is in all of ``reports``; a run that several cells share is counted once."""
    reports = list(reports)
    cells = [j for r in reports for j in r.cells]
    entries = [e for r in reports for e in r.entries]
    verdicts = Counter(e.verdict.name for e in entries)
    targets = [e for e in entries if e.published and (e.published.value is not None or _dash(e))]
    of_targets = Counter(e.verdict.name for e in targets)
    tiers = Counter(j.tier.name for j in cells if j.tier)
    records = {(r.evaluation, r.steps): r for j in cells for r in j.records}.values()
    devices = _hours(records)
    return Summary(
        cells=len(cells),
        printed=sum(bool(j.cell.published) for j in cells),
        measured=sum(bool(j.records) for j in cells),
        printed_measured=sum(bool(j.records and j.cell.published) for j in cells),
        numbers=len(targets),
        unconverged=sum(map(_dash, targets)),
        verdicts={name: verdicts[name] for name in VERDICTS},
        amiss={name: of_targets[name] for name in AMISS},
        apart=of_targets["incomparable"] + of_targets[""],
        unrun=sum(of_targets[name] for name in UNTRIED if name),
        tiers={name: tiers[name] for name in TIERS},
        hours=sum(devices.values()),
        devices=devices,
        runs=len({r.run for r in records}),
        records=len(records),
    )


def _dash(e: Entry) -> bool:
    """Whether the paper prints that its model did not converge, which runs can decide as they can a number."""
    return e.published is not None and (e.published.text, e.published.origin) == ("not-converged", "own")


def _hours(records: Iterable[Record]) -> dict[str, float]:
    """Device -> hours: each run's training once, each measurement once."""
    training: dict[str, Record] = {}
    found: defaultdict[str, float] = defaultdict(float)
    for r in records:
        found[_device(r)] += r.eval_s / 3600
        if r.run not in training or r.train_s > training[r.run].train_s:
            training[r.run] = r
    for r in training.values():
        found[_device(r)] += r.train_s / 3600
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _device(record: Record) -> str:
    return " then ".join(few(dict.fromkeys(named(s, "device") for s in segments(record)))) or "unknown device"


def judged(entries: Iterable[Entry], verdict: str) -> list[Entry]:
    """The entries with one verdict."""
    return [e for e in entries if e.verdict.name == verdict]
