"""A table as the paper prints it, published beside achieved: one model, four renderings (one file each format)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.collate.join import Entry, Joined
from benchmark.suite.model import Published, Table

ARROWS = {"lower": "↓", "higher": "↑"}
SYMBOLS = {"reproduced": "✓", "better": "▲", "not reproduced": "✗", "inconclusive": "?", "incomparable": "≁", "diverged": "∞", "failed": "!", "blocked": "⊘", "not run": "·", "": ""}  # fmt: skip


@dataclass(frozen=True)
class Square:
    """One square of the printed table."""

    published: str
    achieved: str  # mean ± half the 95 % interval over seeds; the seeds in parentheses
    verdict: str
    symbol: str
    why: str
    cell: str  # id
    best: bool = False  # the paper prints the number as a best value


@dataclass(frozen=True)
class View:
    """A table ready to be rendered: ``rows`` are (label, squares), a square for each of ``columns``."""

    id: str
    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Square, ...]], ...]
    footnotes: tuple[str, ...]


def view(table: Table, joined: Sequence[Joined]) -> View:
    """The table with its rows and columns as printed."""
    spots = list(dict.fromkeys(_spot(j) for j in joined))
    methods = list(dict.fromkeys((j.cell.method, j.cell.backbone) for j in joined))
    by_place = {((j.cell.method, j.cell.backbone), _spot(j)): j for j in joined}
    several = len({backbone for _, backbone in methods}) > 1
    metrics = table.metrics | {e.metric: e.direction for j in joined for e in j.entries.values() if e.metric not in table.metrics}
    places = [(spot, m) for m in metrics for spot in spots] if table.by_metric else [(spot, m) for spot in spots for m in metrics]
    columns = [(" ".join(filter(None, (spot if len(spots) > 1 else "", f"{m} {ARROWS[metrics[m]]}"))), spot, m) for spot, m in places]
    labels = [f"{m} ({b})" if several and b else m for m, b in methods]
    sized = {j.cell.place for j in joined if j.cell.sized}
    references = list(dict.fromkeys(r.method for r in table.references))
    known = {(r.method, _column(r.place.dataset, r.place.data_percent, r.place.resolution, r.place in sized)): r.published for r in table.references}
    grid = [[_square(by_place[method, spot].entries[metric]) if (method, spot) in by_place and metric in by_place[method, spot].entries else _NOTHING for _, spot, metric in columns] for method in methods]
    heads = [head for head, _, _ in columns]
    labels = references + labels
    grid = [[_reference(known.get((name, spot), {}).get(metric)) for _, spot, metric in columns] for name in references] + grid
    if table.transposed:
        labels, heads, grid = heads, labels, [list(row) for row in zip(*grid)]
    rows = tuple((label, tuple(squares)) for label, squares in zip(labels, grid))
    return View(table.id, table.caption, "" if table.transposed else "method", tuple(heads), rows, _footnotes(joined))


def markdown(v: View) -> str:
    """GitHub Markdown: each column as published and achieved, the verdict's symbol with the achieved number."""
    from tabulate import tabulate

    heads = [v.corner, *(h for c in v.columns for h in (f"{c} published", "achieved"))]
    rows = [[label, *(t for s in squares for t in (f"**{s.published}**" if s.best else s.published, f"{s.achieved} {s.symbol}".strip()))] for label, squares in v.rows]
    clean = [[plain_markdown(text).replace("|", "\\|") for text in row] for row in [heads, *rows]]
    notes = "".join(f"\n- {plain_markdown(note)}" for note in v.footnotes)
    table = tabulate(clean[1:], clean[0], tablefmt="github", disable_numparse=True)
    return f"**Table {plain_markdown(v.id)}.** {plain_markdown(v.caption)}\n\n{table}\n{notes}\n"


def plain_markdown(text: str) -> str:
    """Text that no renderer takes for markup of another kind."""
    return " ".join(text.split()).replace("<", "&lt;")


def latex(v: View) -> str:
    """A booktabs table; ``\\usepackage{booktabs}`` is all that it needs."""
    heads = " & ".join(f"\\multicolumn{{2}}{{c}}{{{_tex(c)}}}" for c in v.columns)
    rules = "".join(f"\\cmidrule(lr){{{2 + 2 * i}-{3 + 2 * i}}}" for i in range(len(v.columns)))
    under = " & ".join("published & achieved" for _ in v.columns)
    lines = [" & ".join([_tex(label), *(t for s in squares for t in (f"\\textbf{{{_tex(s.published)}}}" if s.best else _tex(s.published), _tex(f"{s.achieved} {_TEX_SYMBOLS[s.symbol]}".strip())))]) + r" \\" for label, squares in v.rows]
    notes = "".join(f"% {_tex(note)}\n" for note in v.footnotes)
    return (
        f"{notes}\\begin{{table}}\n\\centering\n\\caption{{{_tex(v.caption)}}}\n\\begin{{tabular}}{{l{'rr' * len(v.columns)}}}\n\\toprule\n"
        f"{_tex(v.corner)} & {heads} \\\\\n{rules}\n & {under} \\\\\n\\midrule\n" + "\n".join(lines) + "\n\\bottomrule\n\\end{tabular}\n\\end{table}\n"
    )


def to_csv(v: View) -> str:
    """One line a square: table, row, column, published, achieved, verdict, why, cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "row", "column", "published", "achieved", "verdict", "why", "cell"])
    for label, squares in v.rows:
        for column, s in zip(v.columns, squares):
            writer.writerow([v.id, label, column, s.published, s.achieved, s.verdict, s.why, s.cell])
    return out.getvalue()


def _spot(j: Joined) -> str:
    """Where a cell stands among the table's columns."""
    return _column(j.cell.dataset, j.cell.data_percent, j.cell.resolution, j.cell.sized)


def _column(dataset: str, percent: float, resolution: int, sized: bool) -> str:
    return dataset + (f" {percent:g}%" if percent != 100 else "") + (f" {resolution}px" if sized else "")


def _reference(p: Published | None) -> Square:
    return replace(_NOTHING, published=p.text) if p else _NOTHING


def _square(e: Entry) -> Square:
    published = e.published.text if e.published else "–"
    return Square(published, achieved_text(e), e.verdict.name, SYMBOLS[e.verdict.name], e.verdict.why, e.cell.id, bool(e.published and e.published.best))


_NOTHING = Square("", "", "", "", "", "")


def achieved_text(e: Entry) -> str:
    """``-0.661 ± 0.004 (3)``: as many decimals as published; one seed has no ±. A proxy's number is followed by ``[floor …]``, what real images get."""
    if e.verdict.name == "diverged":
        return e.verdict.why.removesuffix(" seed(s) diverged") + " diverged"
    if e.achieved is None:
        return e.verdict.name if e.verdict.name == "blocked" else "–"
    decimals = len(re.split(r"[±(]", e.published.text)[0].strip().partition(".")[2]) if e.published and e.published.value is not None else 3
    half = f" ± {e.achieved.half:.{decimals}f}" if e.achieved.half is not None else ""
    floor = f" [floor {e.floor:.{decimals}f}]" if e.floor is not None else ""
    return f"{e.achieved.mean:.{decimals}f}{half} ({e.achieved.n}){floor}"


def _footnotes(joined: Sequence[Joined]) -> tuple[str, ...]:
    over = sorted({p.std_of for j in joined for p in j.cell.published.values() if p.std_of})
    notes = ["achieved: mean ± half of the 95 % t interval over seeds (number of seeds)" + (f"; published ± is over {', '.join(over)}" if over else "")]
    if drawn := dict.fromkeys(f"{r.floor['drawn']} against {r.floor['against']:,}" for j in joined for r in j.records if r.floor):
        notes.append(f"floor: what real images get in the generated ones' place ({'; '.join(drawn)}); a proxy's number says something only beside it")
    used = list(dict.fromkeys(e.verdict.name for j in joined for e in j.entries.values() if e.verdict.name))
    notes += [", ".join(f"{SYMBOLS[name]} {name}" for name in used)] if used else []
    by_lines: dict[tuple[str, ...], list[str]] = {}
    for j in joined:
        if j.tier:
            by_lines.setdefault((j.tier.name, *j.tier.differences), []).append(j.cell.method)
    notes += [f"tier {lines[0]}: {', '.join(methods)}" + (f" ({'; '.join(lines[1:])})" if lines[1:] else "") for lines, methods in by_lines.items()]
    if any(p.best for j in joined for p in j.cell.published.values()):
        notes.append("bold: printed so by the paper, as a best value")
    said: dict[str, list[str]] = {}
    for j in joined:
        for remark in j.cell.remarks:
            said.setdefault(remark, []).append(j.cell.id.split("/", 2)[2])
    notes += [f"note on {', '.join(ids) if len(ids) < len(joined) else 'all cells'}: {remark}" for remark, ids in said.items()]
    if quoted := dict.fromkeys(j.cell.method for j in joined for p in j.cell.published.values() if p.origin == "quoted"):
        notes.append(f"quoted by the paper from others, under other protocols, and no target: numbers of {', '.join(quoted)}")
    assumed: dict[str, dict[str, None]] = {}
    targets = [j for j in joined if not j.cell.published or any(p.origin == "own" for p in j.cell.published.values())]
    for field, why in dict.fromkeys(pair for j in targets for pair in j.cell.notes.items()):
        assumed.setdefault(why, {})[field] = None
    return (*notes, *(f"assumed, since the paper does not state it: {', '.join(fields)} ({why})" for why, fields in assumed.items()))


_TEX_SYMBOLS = {"✓": "(reproduced)", "▲": "(better)", "✗": "(not reproduced)", "?": "(inconclusive)", "≁": "(incomparable)", "∞": "", "!": "(failed)", "⊘": "", "·": "", "": ""}  # fmt: skip
_TEX_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": "$<$", ">": "$>$", "↓": r"$\downarrow$", "↑": r"$\uparrow$", "±": r"$\pm$", "σ": r"$\sigma$", "λ": r"$\lambda$", "²": r"$^2$", "×": r"$\times$", "∇": r"$\nabla$", "≤": r"$\le$", "”": "''", "“": "``", "τ": r"$\tau$", "ε": r"$\epsilon$", "∂": r"$\partial$", "‖": r"$\|$", "†": r"\dag{}", "–": "--", "−": "$-$",
}  # fmt: skip


def _tex(text: str) -> str:
    return "".join(_TEX_ESCAPES.get(c, c) for c in " ".join(text.split()))
