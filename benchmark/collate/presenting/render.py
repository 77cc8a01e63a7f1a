"""A table's Markdown and CSV. Every name comes from data: none of them can become markup or a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from benchmark.collate.presenting.assumed import assumed
from benchmark.collate.presenting.square import Square
from benchmark.collate.presenting.table import View
from benchmark.spreadsheet import cell


def markdown(v: View) -> str:
    """GitHub Markdown: the table with the notes that its letters mean, then, folded, what is measured besides."""
    head = f"**{plain_markdown(v.name)}.** {plain_markdown(v.caption)}"
    notes = [f"- {f'[{n.mark}] ' if n.mark else ''}{plain_markdown(n.text)}" for n in v.footnotes]
    table = EMPTY if v.empty else _grid(v)
    more = f"\n\n{_fold('Measured besides', _grid(v.beside))}" if v.beside else ""
    return "\n\n".join(filter(None, (head, table, "\n".join(notes)))) + f"{more}\n"


FIELDS = "What differs and what is assumed"
EMPTY = "Nothing is printed here, and nothing has been run."


def _grid(v: View) -> str:
    """Each column as published, where the paper prints anything in it, and achieved, with the verdict's symbol."""
    heads = [v.corner]
    for c, printed in zip(v.columns, v.printed):
        heads += [f"{c} published", "achieved"] if printed else [c]
    rows = [
        [label, *(t for s, printed in zip(squares, v.printed) for t in _texts(s, printed))] for label, squares in v.rows
    ]
    if v.floors:
        floors = [("", f) if printed else (f,) for f, printed in zip(v.floors, v.printed)]
        rows.append([FLOOR, *(text for pair in floors for text in pair)])
    return pipes([heads, *rows])


FLOOR = "real images (floor)"
"""The row of what real images get."""


def _texts(s: Square, printed: bool) -> tuple[str, ...]:
    achieved = _marked(f"{s.achieved} {s.symbol}", s.achieved_marks)
    published = _marked(f"**{s.published}**" if s.best else s.published, s.published_marks)
    return (published, achieved) if printed else (achieved,)


def assumed_markdown(views: Sequence[View]) -> str:
    """What differs and what is assumed in all tables of a suite, each value and each reason once, folded."""
    values, reasons = assumed(views)
    if not values:
        return ""
    lines = [[x.field, x.where, x.value.paper, x.value.ours, x.value.kind, ", ".join(map(str, x.why))] for x in values]
    grid = pipes([["field", "tables", "paper", "ours", "kind", "why"], *lines])
    why = "\n".join(f"{i}. {plain_markdown(text)}" for i, text in enumerate(reasons, 1))
    return f"\n## {FIELDS}\n\n" + _fold("Field by field, and where the values come from", f"{grid}\n\n{why}") + "\n"


def _fold(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


FIELD_HEADS = ("field", "columns", "methods", "paper", "ours", "kind", "why")


def pipes(rows: Sequence[Sequence[str]]) -> str:
    """A table of GitHub Markdown; the first row is its head."""
    from tabulate import tabulate

    clean = [[plain_markdown(text).replace("|", "\\|") for text in row] for row in rows]
    padded = str(tabulate(clean[1:], clean[0], tablefmt="github", disable_numparse=True))
    return "\n".join(
        re.sub(r" {2,}", " ", re.sub(r"-{4,}(?=\|)", "---", line)) if len(line) > LONG else line
        for line in padded.split("\n")
    )


LONG = 400
"""A longer line is not padded: nobody reads it as it stands."""


def plain_markdown(text: str) -> str:
    """Text that no renderer takes for HTML, a link, an image, or what a mark in brackets leads to."""
    text = " ".join(text.split()).replace("<", "&lt;")
    return text.replace("](", "]\\(").replace("][", "]\\[").replace("]:", "]\\:")


def _marked(text: str, marks: tuple[str, ...]) -> str:
    return f"{text.strip()} [{','.join(marks)}]" if marks and text.strip() else text.strip()


def to_csv(v: View) -> str:
    """One line a square: table, row, column, published, achieved, verdict, why, cell, tier, notes. What differs and
    what is assumed has lines of its own (``fields_csv``).
    """
    texts = {n.mark: n.text for n in v.footnotes if n.mark and n.about != "tier"}
    lines = [["table", "row", "column", "published", "achieved", "verdict", "why", "cell", "tier", "notes"]]
    for part in filter(None, (v, v.beside)):
        for label, squares in part.rows:
            for column, s in zip(part.columns, squares):
                marks = (mark for mark in (*s.published_marks, *s.achieved_marks) if mark in texts)
                notes = " | ".join(texts[mark] for mark in marks)
                lines.append(
                    [_number(v), label, column, s.published, s.achieved, s.verdict, s.short_why, s.cell, s.tier, notes]
                )
        lines += [[_number(v), FLOOR, c, "", f, "", "", "", "", ""] for c, f in zip(part.columns, part.floors)]
    return _csv(lines)


def fields_csv(views: Iterable[View]) -> str:
    """One line a field and value of what differs and what is assumed, table by table."""
    lines = [["table", *FIELD_HEADS]]
    for v in views:
        lines += [
            [_number(v), x.field, x.place, x.methods, x.value.paper, x.value.ours, x.value.kind, x.why]
            for x in v.fields.lines()
        ]
    return _csv(lines)


def _number(v: View) -> str:
    return f"{v.of}/{v.id}" if v.of else v.id


def _csv(lines: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([cell(text) for text in line] for line in lines)
    return out.getvalue()
