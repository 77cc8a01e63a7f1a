"""What the pages say, worked out from suites and records: counts, hours, fields that differ, provenance, commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmark.canonical import content_hash
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.seeds import seeds_of
from benchmark.collate.judging.values import said
from benchmark.errors import few
from benchmark.records.provenance import named, segments, which_code
from benchmark.records.record import Record
from benchmark.suite.kinds import in_words
from benchmark.suite.model import Suite
from benchmark.suite.rerun import rerun

TIERS = ("exact", "compatible", "proxy", "incomparable")
STRETCHES = 1_000  # of a run, that its page shows


def provenance(record: Record) -> list[str]:
    """Data, code and machine of each stretch."""
    lines = [
        f"{record.recipe.dataset} {record.recipe.split}: content {record.content[:12]}, subset {record.subset[:12]}"
    ]
    stretches = []
    for s in segments(record):
        modes = f"{named(s, 'threads')} thread(s)"
        if isinstance(last := s.get("channels_last"), bool):  # older records lack it
            modes += ", channels last" if last else ", contiguous"
        stretches.append(
            f"steps {named(s, 'from_step')}–{named(s, 'to_step')}: ganbench {named(s, 'ganbench')} at "
            f"{which_code(s)}, torch {named(s, 'torch')}, {modes}, {named(s, 'device')}"
        )
    lines += few(stretches, STRETCHES, 1_000)
    if real := record.provenance.get("real"):
        lines.append(f"real images: {str(real)[:200]}, not computed on this machine")
    if isinstance(libraries := record.provenance.get("libraries"), dict) and libraries:
        lines.append(", ".join(few(f"{name} {version}" for name, version in libraries.items())))
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
    kind: str  # of the paper's value: "stated", "chosen", …


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
            found.append(Field(name, said(a), said(b), a != b, source, in_words(j.cell.kinds, name)))
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
                said(None if d.paper == "none" else d.paper),
                said(None if d.ours == "none" else d.ours),
                *known,
            )
        )
    return found


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
