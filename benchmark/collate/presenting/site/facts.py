"""What the pages say, worked out from suites and records: counts, hours, fields that differ, provenance, commands."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.canonical import content_hash
from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.findings import ClaimVerdict
from benchmark.collate.judging.join import Entry, Joined
from benchmark.collate.judging.seeds import seeds_of
from benchmark.collate.judging.verdict import VERDICTS
from benchmark.collate.presenting.table import View
from benchmark.records.provenance import which_code
from benchmark.records.record import Record
from benchmark.suite.model import Suite
from benchmark.suite.rerun import rerun

TIERS = ("exact", "compatible", "proxy", "incomparable")
DISTANCES = 6


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


@dataclass(frozen=True)
class Summary:
    """Counts of one report, or of all of them."""

    cells: int
    printed: int  # cells that the papers print a number of, or the reason why there is none
    measured: int  # cells with records
    numbers: int  # published numbers
    verdicts: dict[str, int]  # each of VERDICTS
    tiers: dict[str, int]  # cells with records by tier
    hours: float
    devices: dict[str, float]  # hours by device
    runs: int
    records: int


def summary(reports: Iterable[Report]) -> Summary:
    """What there is in all of ``reports``; a run that several cells share is counted once."""
    reports = list(reports)
    cells = [j for r in reports for j in r.cells]
    entries = [e for r in reports for e in r.entries]
    verdicts = Counter(e.verdict.name for e in entries)
    tiers = Counter(j.tier.name for j in cells if j.tier)
    records = {(r.evaluation, r.steps): r for j in cells for r in j.records}.values()
    devices = _hours(records)
    return Summary(
        cells=len(cells),
        printed=sum(bool(j.cell.published) for j in cells),
        measured=sum(bool(j.records) for j in cells),
        numbers=sum(e.published is not None and e.published.value is not None for e in entries),
        verdicts={name: verdicts[name] for name in VERDICTS},
        tiers={name: tiers[name] for name in TIERS},
        hours=sum(devices.values()),
        devices=devices,
        runs=len({r.run for r in records}),
        records=len(records),
    )


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
    return " then ".join(dict.fromkeys(str(s.get("device")) for s in segments(record))) or "unknown device"


def segments(record: Record) -> list[dict[str, Any]]:
    """The stretches of a run, as far as they are such."""
    return [s for s in record.provenance.get("segments", []) if isinstance(s, dict)]


def provenance(record: Record) -> list[str]:
    """Data, code and machine of each stretch."""
    lines = [
        f"{record.recipe.dataset} {record.recipe.split}: content {record.content[:12]}, subset {record.subset[:12]}"
    ]
    for s in segments(record):
        modes = f"{s.get('threads')} thread(s){', channels last' * (s.get('channels_last') is True)}"
        lines.append(
            f"steps {s.get('from_step')}–{s.get('to_step')}: ganbench {s.get('ganbench')} at "
            f"{which_code(s)}, torch {s.get('torch')}, {modes}, {s.get('device')}"
        )
    if real := record.provenance.get("real"):
        lines.append(f"real images: {str(real)[:200]}, not computed on this machine")
    if isinstance(libraries := record.provenance.get("libraries"), dict) and libraries:
        lines.append(", ".join(f"{name} {version}" for name, version in libraries.items()))
    lines.append(
        f"training {record.train_s:,.0f} s, measuring {record.eval_s:,.0f} s; run {record.run}, evaluation "
        f"{record.evaluation}"
    )
    return lines


@dataclass(frozen=True)
class Field:
    """One field of recipe or protocol, the paper's and ours."""

    name: str
    paper: str
    ours: str
    differs: bool
    source: str


def fields(j: Joined) -> list[Field]:
    """Recipe and protocol field by field: the paper's beside those of the records (without one, of the cell's
    profile).
    """
    first = j.records[0] if j.records else None
    pairs = (
        (j.cell.full_recipe, first.recipe if first else j.cell.recipe),
        (j.cell.full_protocol, first.protocol if first else j.cell.protocol),
    )
    found = []
    for theirs, ours in ((a.to_json(), b.to_json()) for a, b in pairs):
        for name in dict.fromkeys([*theirs, *ours]):
            a, b = theirs.get(name), ours.get(name)
            source = f"the paper: {j.cell.stated[name]}" if name in j.cell.stated else j.cell.notes.get(name, "")
            found.append(Field(name, _said(a), _said(b), a != b, source))
    return found


@dataclass(frozen=True)
class Differing:
    """A field that differs from the paper, what is known of its effect, and who says so."""

    name: str
    paper: str
    ours: str
    effect: str
    source: str


def differing(j: Joined) -> list[Differing]:
    """The fields of the tier, as data; none without a record."""
    found = []
    for d in j.tier.fields if j.tier else ():
        known = (
            ("changes no number: " + d.harmless, "")
            if d.harmless
            else (d.effect.size, d.effect.source)
            if d.effect
            else ("not known", "")
        )
        found.append(
            Differing(
                d.field,
                _said(None if d.paper == "none" else d.paper),
                _said(None if d.ours == "none" else d.ours),
                *known,
            )
        )
    return found


def _said(value: Any) -> str:
    """``mlp (width 1, bn_eps 0.8)`` for a named plug-in, ``–`` for an absent mechanism."""
    if value is None:
        return "–"
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return value[0] + (" (" + ", ".join(f"{k} {_said(v)}" for k, v in value[1].items()) + ")" if value[1] else "")
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def command(j: Joined, results: str) -> str:
    """What makes this cell's runs again, and no others."""
    seeds, looked = seeds_of(j.records, j.failures)
    ends = {r.epochs for r in j.records if r.status == "partial"}
    whole = len(ends) == 1 and (end := ends.pop()) == int(end) and end > 0
    return rerun(j.cell, seeds, results, int(end) if whole else None, looked)


def page_of(suite: Suite, cell_id: str) -> str:
    """A cell's file name: legible, of plain characters, and different for every cell, also where case does not
    count.
    """
    text = re.sub(r"[^a-z0-9.]+", "-", cell_id.lower()).strip("-.")[:80]
    return f"{text}-{content_hash([suite.name, cell_id])[:8]}.html"


def decided(v: ClaimVerdict) -> str:
    """Why, and then each comparison against, or (if nothing is against) the first few for."""
    lines = [f"against: {text}" for text in v.contradicts] or list(v.supports[:DISTANCES])
    more = f"; and {len(v.supports) - DISTANCES} more" if not v.contradicts and len(v.supports) > DISTANCES else ""
    return v.why + ("; " if lines else "") + "; ".join(lines) + more


def judged(entries: Iterable[Entry], verdict: str) -> list[Entry]:
    """The entries with one verdict."""
    return [e for e in entries if e.verdict.name == verdict]
