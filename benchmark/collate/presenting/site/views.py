"""What the start page, the page of claims and the page of a cell are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site import facts
from benchmark.collate.presenting.site.ahead import ahead
from benchmark.collate.presenting.site.claim_chart import chart, left_out
from benchmark.collate.presenting.site.curves import curves
from benchmark.collate.presenting.site.folder import Folder
from benchmark.collate.presenting.site.forest import forest
from benchmark.collate.presenting.site.headline import headline
from benchmark.collate.presenting.site.matrix import matrix
from benchmark.collate.presenting.site.pictures import Pictures, strip
from benchmark.collate.presenting.site.plot import Plot
from benchmark.collate.presenting.site.reasons import reasons
from benchmark.collate.presenting.site.summary import Report, Summary
from benchmark.suite.claim import Number
from benchmark.suite.model import Table

FEW = 40
"""Judged numbers, at most, that the start page draws; the papers' pages have them table by table."""
SHOWN = 25
"""Numbers of one verdict that the start page lists; the page of all cells has the rest."""


def of_overview(rows: Sequence[tuple[Report, Summary]], total: Summary, results: str, out: Folder) -> dict[str, Any]:
    """The start page.

    Args:
        results: the folder with the records, as commands are to name it.
        out: samples are written to it.
    """
    reports = [r for r, _ in rows]
    return {
        "headline": headline(total),
        "strip": strip(reports, out),
        "maps": [(r, s, matrix(r)) for r, s in rows],
        "ahead": ahead(reports, results),
        "forest": _forest(reports),
        "shown": SHOWN,
    }


def of_claims(reports: Sequence[Report], markup: Callable[[str], str]) -> dict[str, Any]:
    """The page of all claims; ``markup`` marks text as ours, to be written as it is."""
    charts = {(r.suite.name, c.claim.id): _chart(c, r.entries_of(c.claim)) for r in reports for c in r.claims}
    noise = dict.fromkeys(line for r in reports for c in r.claims for line in c.published.noise)
    return {"charts": {key: (markup(drawn), more) for key, (drawn, more) in charts.items()}, "noise": list(noise)}


def of_cell(table: Table, j: Joined, pictures: Pictures, results: str) -> dict[str, Any]:
    """The page of one cell of ``table``."""
    call, folded = reasons(j)
    fields = facts.fields(j)
    return {
        "table": table.id,
        "j": j,
        "pictures": pictures.of(j),
        "plots": curves(j),
        "call": call,
        "folded": folded,
        "bands": forest(j.cell.id, [(table, [j])]),
        "outside_grids": {o.source: pictures.given(o) for o in j.outside},
        "outside_reasons": {o.source: [r for some in reasons(o) for r in some] for o in j.outside},
        "differing": facts.differing(j),
        "fields": fields,
        "kinds": {f.name: f.kind for f in fields},
        "provenance": facts.provenance,
        "command": facts.command(j, results),
    }


def _chart(c: JudgedClaim, entries: Mapping[Number, Entry]) -> tuple[str, str]:
    """Its markup, and which comparisons it leaves out; "" where the selection leaves out a number."""
    if len(entries) != len(c.claim.numbers()):
        return "", ""
    rest = left_out(c, entries)
    against = sum(r.against for r in rest)
    return chart(c, entries), f"{len(rest)} more, {against or 'none'} of them against" if rest else ""


def _forest(reports: Sequence[Report]) -> Plot | None:
    """All judged numbers in one figure, as long as they are few."""
    cells = [j for r in reports for j in r.cells if j.tier and j.tier.judged]
    few = sum(len(j.entries) for j in cells) <= FEW
    return forest("all", [(t, r.joined[t.key]) for r in reports for t in r.suite.tables]) if few else None
