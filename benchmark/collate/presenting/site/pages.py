"""Writing the site: a start page, a page a paper, one for claims, one for all cells, and a page a cell.

Jinja escapes every name and number. The only markup that is trusted is our own: the style sheet, the
script and the figures, whose texts are escaped where they are drawn. A Content-Security-Policy in each
page lets nothing run but that one script, by its hash, and nothing be fetched from a network.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import benchmark
from benchmark.canonical import content_hash
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.verdict import VERDICTS
from benchmark.collate.presenting.notes import SYMBOLS
from benchmark.collate.presenting.site import facts
from benchmark.collate.presenting.site.figures import slug
from benchmark.collate.presenting.site.folder import Folder
from benchmark.collate.presenting.site.paper import section, spans
from benchmark.collate.presenting.site.pictures import Pictures
from benchmark.collate.presenting.site.plot import Plot
from benchmark.collate.presenting.site.reading import reading
from benchmark.collate.presenting.site.samples import write_samples
from benchmark.collate.presenting.site.summary import Report, Summary, judged, summary
from benchmark.collate.presenting.site.svg import svg
from benchmark.collate.presenting.site.symbols import glossary, head, label, typeset
from benchmark.collate.presenting.site.views import of_cell, of_claims, of_overview
from benchmark.errors import GanbenchError
from benchmark.records.merge import Conflict, origin
from benchmark.records.record import Record
from benchmark.suite.load import RESERVED
from benchmark.suite.model import Table
from benchmark.suite.slug import on_disk, safe_name


def write_site(
    reports: Sequence[Report],
    results: str,
    out: Folder,
    problems: Sequence[str] = (),
    conflicts: Sequence[Conflict] = (),
    png: bool = False,
    records: Sequence[Record] = (),
) -> list[Path]:
    """Write all pages to ``out``; returns the start page and the papers' pages.

    Args:
        results: the folder with the records, as commands are to name it.
        problems: records that were passed over, and why.
        conflicts: runs of which labs have different numbers.
        png: write every figure to ``out/figures`` too.
        records: all that there are; those of runs that were stopped on their way show how samples came about.

    Raises:
        GanbenchError: a suite has the name of another page.
        OSError: the folder cannot be written.
    """
    for report in reports:
        if report.suite.name in RESERVED:
            raise GanbenchError(f"a suite cannot be called {report.suite.name!r} in a report: a page has that name", 2)
    site = _Site(reports, results, out, conflicts, png, records)
    shared: dict[str, Any] = {"total": summary(reports), "problems": problems, "conflicts": conflicts}
    rows = [(r, summary([r])) for r in reports]
    overview = of_overview(rows, shared["total"], results, out)
    start = site.page("index.html", "overview", "index", rows=rows, **overview, **shared)
    site.page("cells.html", "cells", "cells", **shared)
    site.page("claims.html", "claims", "claims", **of_claims(reports, site.markup), **shared)
    papers = [site.paper(r, s) for r, s in rows]
    for report in reports:
        for table in report.suite.tables:
            for j in report.joined[table.key]:
                site.cell(report, table, j)
    return [start, *papers]


class _Site:
    """What all pages share: templates, style, script, policy, and where things are written."""

    def __init__(
        self,
        reports: Sequence[Report],
        results: str,
        out: Folder,
        conflicts: Sequence[Conflict],
        png: bool,
        records: Sequence[Record] = (),
    ) -> None:
        import jinja2
        from markupsafe import Markup

        self._out, self._results, self._png, self.markup = out, results, png, Markup
        self._pictures = Pictures(records, out)
        loader = jinja2.PackageLoader("benchmark.collate.presenting.site", "templates")
        self._jinja = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        style, script = (
            Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")
            for name in ("site.css", "site.js")
        )
        policy = (
            f"default-src 'none'; img-src 'self' file: data:; style-src '{_hash(style)}'; script-src "
            f"'{_hash(script)}'; base-uri 'none'; form-action 'none'"
        )
        self._conflicts: dict[str, list[Conflict]] = {}
        for conflict in conflicts:
            self._conflicts.setdefault(conflict.ours.evaluation, []).append(conflict)
        pages = {(r.suite.name, j.cell.id): facts.page_of(r.suite, j.cell.id) for r in reports for j in r.cells}
        self._jinja.globals |= {
            "reports": reports,
            "style": Markup(style),
            "script": Markup(script),
            "policy": policy,
            "version": benchmark.__version__,
            "symbols": SYMBOLS,
            "verdicts": VERDICTS,
            "tiers": facts.TIERS,
            "page_of": lambda suite, cell: pages.get((suite.name, cell)),
            "figure": self.figure,
            "slug": slug,
            "typeset": typeset,
            "head": head,
            "label": label,
            "spans": spans,
            "outside": sum(len(j.outside) for r in reports for j in r.cells),
            "judged": judged,
            "origin": origin,
        }

    def page(self, name: str, template: str, here: str, up: str = "", **context: Any) -> Path:
        """One page; ``up`` leads from it to the start page's folder."""
        text = self._jinja.get_template(f"{template}.html.j2").render(here=here, up=up, **context)
        return self._out.write(name, text)

    def figure(self, plot: Plot) -> Any:
        """A plot's markup; its PNG too, if they were asked for."""
        if self._png:
            from benchmark.collate.presenting.site.png import png

            name = on_disk(safe_name(plot.name, 120))
            self._out.write(f"figures/{name}-{content_hash(plot.name)[:8]}.png", png(plot))
        return self.markup(svg(plot))

    def paper(self, report: Report, counted: Summary) -> Path:
        """The page of one paper."""
        suite = report.suite
        sections = [
            section(t, report.views[t.key], report.joined[t.key], lambda text: write_samples(text, self._out))
            for t in suite.tables
        ]
        metrics = [e.metric for j in report.cells for e in j.entries.values()]
        words = [*glossary(metrics), *reading(x for section in sections for x in section.verdicts)]
        return self.page(f"{suite.name}.html", "paper", suite.name, r=report, s=counted, sections=sections, words=words)

    def cell(self, report: Report, table: Table, j: Joined) -> Path:
        """The page of one cell."""
        conflicts = [c for r in j.records for c in self._conflicts.get(r.evaluation, [])]
        context = of_cell(table, j, self._pictures, self._results)
        name = f"cells/{facts.page_of(report.suite, j.cell.id)}"
        return self.page(name, "cell", report.suite.name, "../", r=report, conflicts=conflicts, **context)


@functools.cache
def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
