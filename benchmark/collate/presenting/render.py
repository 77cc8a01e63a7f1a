"""A table's Markdown and CSV. Every name comes from data: none of them can become markup or a formula."""

from __future__ import annotations

import csv
import io

from benchmark.collate.presenting.table import View
from benchmark.spreadsheet import cell


def markdown(v: View) -> str:
    """GitHub Markdown: each column as published and achieved, the verdict's symbol with the achieved number."""
    from tabulate import tabulate

    heads = [v.corner, *(h for c in v.columns for h in (f"{c} published", "achieved"))]
    rows = [
        [
            label,
            *(
                text
                for s in squares
                for text in (
                    _marked(f"**{s.published}**" if s.best else s.published, s.published_marks),
                    _marked(f"{s.achieved} {s.symbol}", s.achieved_marks),
                )
            ),
        ]
        for label, squares in v.rows
    ]
    clean = [[plain_markdown(text).replace("|", "\\|") for text in row] for row in [heads, *rows]]
    notes = "".join(f"\n- {f'[{n.mark}] ' if n.mark else ''}{plain_markdown(n.text)}" for n in v.footnotes)
    table = tabulate(clean[1:], clean[0], tablefmt="github", disable_numparse=True)
    return f"**Table {plain_markdown(v.id)}.** {plain_markdown(v.caption)}\n\n{table}\n{notes}\n"


def plain_markdown(text: str) -> str:
    """Text that no renderer takes for HTML, a link, an image, or what a mark in brackets leads to."""
    text = " ".join(text.split()).replace("<", "&lt;")
    return text.replace("](", "]\\(").replace("][", "]\\[").replace("]:", "]\\:")


def _marked(text: str, marks: tuple[str, ...]) -> str:
    return f"{text.strip()} [{','.join(marks)}]" if marks and text.strip() else text.strip()


def to_csv(v: View) -> str:
    """One line a square: table, row, column, published, achieved, verdict, why, cell, tier, notes."""
    texts = {n.mark: n.text for n in v.footnotes if n.mark}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "row", "column", "published", "achieved", "verdict", "why", "cell", "tier", "notes"])
    for label, squares in v.rows:
        for column, s in zip(v.columns, squares):
            notes = " | ".join(texts[mark] for mark in (*s.published_marks, *s.achieved_marks))
            writer.writerow(
                map(cell, (v.id, label, column, s.published, s.achieved, s.verdict, s.why, s.cell, s.tier, notes))
            )
    return out.getvalue()
