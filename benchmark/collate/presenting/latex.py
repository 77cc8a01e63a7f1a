"""A table's LaTeX. Every name comes from data: none of them can become a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.collate.presenting.notes import Footnote
from benchmark.collate.presenting.render import EMPTY, FIELD_HEADS, FIELDS, FLOOR
from benchmark.collate.presenting.square import Square
from benchmark.collate.presenting.table import View
from benchmark.collate.presenting.tex import tex


def latex(v: View) -> str:
    r"""A booktabs table that compiles alone, its notes within it; then what is measured besides, and what differs and
    is assumed, as tables of their own. Needs ``\usepackage{booktabs}``; with ``xcolor`` verdicts are coloured, with
    ``graphicx`` wide tables are fitted to the line.
    """
    caption = f"{v.name}. {v.caption}" if v.of else v.caption
    body = tex(EMPTY) if v.empty else _tabular(v)
    found = [_table(caption, body, v.footnotes)]
    if v.beside:
        found.append(_table(f"Measured besides what {v.name} prints", _tabular(v.beside), ()))
    return "".join([*found, *_fields(v)])


def _table(caption: str, body: str, notes: Sequence[Footnote]) -> str:
    said = "".join(f"\\par {_raised((n.mark,) if n.mark else ())} {tex(n.text)}\n" for n in notes)
    below = f"{{\\raggedright\\scriptsize\\setlength{{\\parindent}}{{0pt}}\n{said}\\par}}\n" if said else ""
    return (
        f"\\begin{{table}}\n{_FALLBACKS}\\centering\\footnotesize\\setlength{{\\tabcolsep}}{{3pt}}\n"
        f"\\caption{{{tex(caption)}}}\n{body}\n{below}\\end{{table}}\n"
    )


_FALLBACKS = "\\providecommand{\\textcolor}[3][]{#3}\\providecommand{\\resizebox}[3]{#3}\n"
"""Where xcolor and graphicx are not loaded, what they would do is left out."""


def _tabular(v: View) -> str:
    """Two columns where the paper prints anything, else one."""
    spans = [2 if printed else 1 for printed in v.printed]
    starts = [2 + sum(spans[:i]) for i in range(len(spans))]
    heads = " & ".join(f"\\multicolumn{{{n}}}{{c}}{{{tex(c)}}}" for c, n in zip(v.columns, spans))
    rules = "".join(f"\\cmidrule(lr){{{at}-{at + n - 1}}}" for at, n in zip(starts, spans))
    under = " & ".join("published & achieved" if n == 2 else "achieved" for n in spans)
    lines = [
        " & ".join([tex(label), *(text for s, n in zip(squares, spans) for text in _tex_square(s)[2 - n :])])
        for label, squares in v.rows
    ]
    if v.floors:
        floors = [text for f, n in zip(v.floors, spans) for text in ("", tex(f))[2 - n :]]
        lines.append(" & ".join([f"\\midrule\n{tex(FLOOR)}", *floors]))
    rows = "".join(f"{line} \\\\\n" for line in lines)
    return (
        f"\\resizebox{{{_fitted(v)}}}{{!}}{{%\n\\begin{{tabular}}{{l{'r' * sum(spans)}}}\n\\toprule\n"
        f"{tex(v.corner)} & {heads} \\\\\n{rules}\n & {under} \\\\\n\\midrule\n{rows}\\bottomrule\n\\end{{tabular}}}}"
    )


def _fitted(v: View) -> str:
    return r"\linewidth" if len(v.columns) > 3 else "!"


def _fields(v: View) -> Iterator[str]:
    """What differs and what is assumed, each value once, in tables of at most a page; none floats, since LaTeX keeps
    only so many.
    """
    pages: list[list[str]] = []
    left = 0
    for x in v.fields.lines():
        texts = [x.field, x.place, x.methods, x.value.paper, x.value.ours, x.value.kind]
        high = max(-(-len(text) // (room - 4)) for text, room in zip(texts, _ROOM))
        if not pages or high > left:
            pages.append([])
            left = _LINES
        left -= high
        pages[-1].append(" & ".join(map(tex, texts)) + " \\\\\n")
    columns = "".join(f"p{{{room / 100:g}\\linewidth}}" for room in _ROOM)
    heads = " & ".join(FIELD_HEADS[: len(_ROOM)])
    for i, rows in enumerate(pages):
        more = " (continued)" if i else "; where each value comes from is in the report's fields.csv"
        yield (
            "\\par\\medskip\\noindent\\begin{minipage}{\\linewidth}\n\\centering\\setlength{\\tabcolsep}{3pt}\n"
            f"{{\\footnotesize\\textbf{{{tex(f'{FIELDS} in {v.name}{more}')}}}}}\\par\\smallskip\n"
            f"{{\\scriptsize\\begin{{tabular}}{{{columns}}}\n\\toprule\n{heads} \\\\\n\\midrule\n{''.join(rows)}"
            "\\bottomrule\n\\end{tabular}}\n\\end{minipage}\\par\n"
        )


_ROOM = (16, 12, 22, 16, 16, 8)
"""Hundredths of a line for each column; about four letters fewer find room there."""
_LINES = 48


def _tex_square(s: Square) -> tuple[str, str]:
    published = f"\\textbf{{{tex(s.published)}}}" if s.best else tex(s.published)
    achieved = tex(f"{s.achieved} {s.symbol}".strip())
    if s.verdict in _TEX_COLOURS:
        achieved = f"\\textcolor[rgb]{{{_TEX_COLOURS[s.verdict]}}}{{{achieved}}}"
    return published + _raised(s.published_marks), achieved + _raised(s.achieved_marks)


def _raised(marks: tuple[str, ...]) -> str:
    return f"\\textsuperscript{{{','.join(marks)}}}" if marks else ""


_TEX_COLOURS = {
    "reproduced": "0,0.40,0.33",
    "reproduced where it trains": "0,0.40,0.33",
    "better": "0.10,0.32,0.70",
    "not reproduced": "0.70,0.15,0.12",
    "not reached as assumed": "0.64,0.29,0",
    "converged": "0.10,0.32,0.70",
    "inconclusive": "0.48,0.34,0",
    "incomparable": "0.38,0.38,0.42",
    "diverged": "0.55,0.10,0.50",
    "differs": "0.10,0.32,0.70",
    "untrained": "0.55,0.10,0.50",
    "failed": "0.70,0.15,0.12",
    "contested": "0.70,0.15,0.12",
}
