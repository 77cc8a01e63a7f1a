"""``ganbench report``: the tables as Markdown, LaTeX and CSV, and one page that opens from disk."""

from __future__ import annotations

import base64
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import benchmark
from benchmark.collate.claims import ClaimVerdict, JudgedClaim, judge_claim
from benchmark.collate.curves import curves
from benchmark.collate.join import Joined
from benchmark.collate.table import View, latex, markdown, plain_markdown, to_csv, view
from benchmark.errors import GanbenchError
from benchmark.records import Record
from benchmark.suite.model import Suite

SHOWN = 6


def write_report(suite: Suite, joined: dict[str, list[Joined]], results: str, out: Path) -> list[Path]:
    """Write ``<suite>.md``, ``.tex``, ``.csv`` and ``.html`` to ``out``; returns their paths.

    Raises:
        GanbenchError: the folder cannot be written.
    """
    views = {t.key: view(t, joined[t.key]) for t in suite.tables}
    claims = judged_claims(suite, joined)
    pieces = {
        "md": f"# {suite.title}\n\n" + "".join(f"- {plain_markdown(remark)}\n" for remark in suite.remarks) + "\n" * bool(suite.remarks) + "\n".join(markdown(v) for v in views.values()) + _claims_markdown(claims),
        "tex": "\n".join(latex(v) for v in views.values()),
        "csv": _joined_csv(list(views.values())),
        "html": _page(suite, joined, views, claims, results),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        paths = []
        for kind, text in pieces.items():
            path = out / f"{suite.name}.{kind}"
            path.write_text(text, encoding="utf-8")
            paths.append(path)
    except OSError as error:
        raise GanbenchError(f"cannot write to {out}: {error.strerror}") from None
    return paths


def judged_claims(suite: Suite, joined: dict[str, list[Joined]]) -> list[JudgedClaim]:
    """Every claim of the suite whose table is in the selection, judged."""
    every = [j for rows in joined.values() for j in rows]
    there = {j.cell.id for j in every}
    return [judge_claim(c, every) for c in suite.claims if any(n.cell in there for n in c.numbers())]


def _joined_csv(views: Sequence[View]) -> str:
    texts = [to_csv(v) for v in views]
    return texts[0] + "".join(text.split("\n", 1)[1] for text in texts[1:])


def _claims_markdown(claims: Sequence[JudgedClaim]) -> str:
    if not claims:
        return ""
    lines = [
        f"- **{c.claim.id}** ({plain_markdown(c.claim.where)}): “{plain_markdown(c.claim.quote)}”\n"
        + (f"  - note: {plain_markdown(c.claim.note)}\n" if c.claim.note else "")
        + f"  - by the published numbers: **{c.published.name}** — {_decided(c.published)}\n"
        f"  - by ours: **{c.achieved.name}** — {_decided(c.achieved)}"
        for c in claims
    ]
    return "\n## Claims\n\n" + "\n".join(lines) + "\n"


def _decided(v: ClaimVerdict) -> str:
    """Why, and then each comparison against, or (if nothing is against) the first few for."""
    lines = [f"against: {text}" for text in v.contradicts] or list(v.supports[:SHOWN])
    more = f"; and {len(v.supports) - SHOWN} more" if not v.contradicts and len(v.supports) > SHOWN else ""
    return v.why + ("; " if lines else "") + "; ".join(lines) + more


def _page(suite: Suite, joined: dict[str, list[Joined]], views: dict[str, View], claims: Sequence[JudgedClaim], results: str) -> str:
    """The HTML page. Jinja escapes every name and number; the only markup it trusts is none of the records'."""
    import jinja2

    environment = jinja2.Environment(loader=jinja2.PackageLoader("benchmark.collate", "."), autoescape=True, undefined=jinja2.StrictUndefined)
    figures = {t.key: _data_uri(svg) for t in suite.tables if (svg := curves(t, joined[t.key]))}
    counts = Counter(e.verdict.name for rows in joined.values() for j in rows for e in j.entries.values() if e.verdict.name)
    hours = sum({r.run: r.train_s + r.eval_s for rows in joined.values() for j in rows for r in j.records}.values()) / 3600
    return environment.get_template("page.html.j2").render(
        suite=suite,
        views=views,
        figures=figures,
        joined=joined,
        claims=claims,
        counts=counts.most_common(),
        hours=hours,
        version=benchmark.__version__,
        command=lambda j: _command(j, results),
        provenance=_provenance,
        decided=_decided,
    )


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _command(j: Joined, results: str) -> str:
    seeds = max((r.seed for r in j.records), default=0) + 1
    quote = "'" if '"' in j.cell.method else '"'
    only = f"table={j.cell.table} & method={quote}{j.cell.method}{quote} & dataset={j.cell.dataset} & data_percent={j.cell.data_percent:g}"
    only += f" & resolution={j.cell.resolution}" if j.cell.sized else ""
    only += f" & backbone={j.cell.backbone}" if j.cell.backbone else ""
    words = ["ganbench", "run", j.cell.paper, "--profile", j.cell.profile, "--seeds", str(seeds), "--only", only, "--results", results]
    return shlex.join(words)


def _provenance(record: Record) -> list[str]:
    lines = [f"{record.recipe.dataset} {record.recipe.split}: content {record.content[:12]}, subset {record.subset[:12]}"]
    for s in record.provenance.get("segments", []):
        lines.append(f"steps {s.get('from_step')}–{s.get('to_step')}: ganbench {s.get('ganbench')} at {str(s.get('commit'))[:12]}, torch {s.get('torch')}, {s.get('threads')} thread(s), {s.get('device')}")
    return lines
