"""``ganbench report``: the tables as Markdown, LaTeX and CSV, and the site that opens from disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.collate.judging.chosen import Loaded, chosen
from benchmark.collate.judging.claims import JudgedClaim, judge_claim
from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.claim_lines import claims_markdown
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.render import assumed_markdown, fields_csv, markdown, plain_markdown, to_csv
from benchmark.collate.presenting.site.folder import Folder
from benchmark.collate.presenting.site.pages import write_site
from benchmark.collate.presenting.site.summary import Report
from benchmark.collate.presenting.table import View, view
from benchmark.errors import GanbenchError
from benchmark.files import why
from benchmark.records.merge import Conflict
from benchmark.records.record import Record
from benchmark.suite.filter import Filter
from benchmark.suite.model import Suite
from benchmark.suite.namesakes import clash


def write_reports(
    loaded: Sequence[Loaded],
    results: str,
    out: str | Path,
    problems: Sequence[str] = (),
    conflicts: Sequence[Conflict] = (),
    png: bool = False,
    say: Callable[[str], None] = lambda text: None,
    only: Filter | None = None,
    records: Sequence[Record] = (),
) -> list[Path]:
    """Write ``<suite>.md``, ``.tex``, ``.csv`` and ``.fields.csv`` of every suite and one site of all to ``out``;
    returns their paths, the start page first, then suite by suite, each paper's page last. What an earlier report
    alone wrote there goes.

    Args:
        results: the folder with the records, as commands are to name it.
        problems: records that were passed over, and why.
        conflicts: runs of which labs have different numbers (``benchmark.records.merge.conflicts``).
        png: also write every figure as PNG.
        say: told how many files of an earlier report are gone.
        only: the cells to show; a claim that compares one of them is judged by all of its own.
        records: all that there are, to show how samples came about where runs were stopped on their way.

    Raises:
        GanbenchError: it leaves none; two suites bear one name, or one that of another page; or the folder cannot be
            written.
    """
    if said := clash(suite for suite, _ in loaded):
        raise GanbenchError(said, 2)
    reports = [made for one in loaded if (made := _report(*selected(one, only))).suite.tables]
    if only is not None and not reports:
        raise GanbenchError("there is no such cell to report", 2)
    try:
        with Folder(Path(out)) as folder:
            start, *pages = write_site(reports, results, folder, problems, conflicts, png, records)
            texts = [_write_texts(report, folder) for report in reports]
    except OSError as error:
        raise GanbenchError(f"cannot write to {out}: {why(error)}") from None
    if folder.gone:
        say(f"{folder.gone} file(s) of an earlier report removed from {out}")
    return [start, *(path for of_one, page in zip(texts, pages) for path in (*of_one, page))]


def selected(loaded: Loaded, only: Filter | None) -> tuple[Suite, dict[str, list[Joined]], list[JudgedClaim]]:
    """The suite and its results as ``chosen`` has them, and its claims: each is judged by all of its cells."""
    suite, joined = chosen(loaded, only)
    return suite, joined, judged_claims(replace(loaded[0], claims=suite.claims), loaded[1])


def _report(suite: Suite, joined: dict[str, list[Joined]], claims: list[JudgedClaim]) -> Report:
    return Report(suite, joined, views_of(suite, joined), claims)


def write_report(suite: Suite, joined: dict[str, list[Joined]], results: str, out: str | Path) -> list[Path]:
    """One suite's texts and page, with a site of it alone; raises as ``write_reports``."""
    return write_reports([(suite, joined)], results, out)[1:]


def views_of(suite: Suite, joined: dict[str, list[Joined]]) -> dict[str, View]:
    """The suite's tables by key; two of one number carry their papers' names."""
    of_number = Counter(t.id for t in suite.tables)
    return {t.key: view(t, joined[t.key], t.paper if of_number[t.id] > 1 else "") for t in suite.tables}


def judged_claims(suite: Suite, joined: dict[str, list[Joined]]) -> list[JudgedClaim]:
    """Every claim of the suite whose table is in the selection, judged."""
    every = [j for rows in joined.values() for j in rows]
    there = {j.cell.id for j in every}
    return [judge_claim(c, every) for c in suite.claims if any(n.cell in there for n in c.numbers())]


def _write_texts(report: Report, out: Folder) -> list[Path]:
    suite, views = report.suite, list(report.views.values())
    remarks = "".join(f"- {plain_markdown(remark)}\n" for remark in suite.remarks)
    pieces = {
        "md": f"# {plain_markdown(suite.title)}\n\n{remarks}"
        + "\n" * bool(remarks)
        + "\n".join(map(markdown, views))
        + assumed_markdown(views)
        + claims_markdown(report.claims),
        "tex": "\n".join(map(latex, views)),
        "csv": _joined_csv(views),
        "fields.csv": fields_csv(views),
    }
    return [out.write(f"{suite.name}.{kind}", text) for kind, text in pieces.items()]


def _joined_csv(views: Sequence[View]) -> str:
    texts = [to_csv(v) for v in views]
    return texts[0] + "".join(text.split("\n", 1)[1] for text in texts[1:])
