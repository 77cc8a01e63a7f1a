"""The claims of a suite as Markdown: a table of verdicts; then, folded, comparisons, a line where ours have none."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.findings import ClaimVerdict
from benchmark.collate.presenting.render import pipes, plain_markdown

DISTANCES = 6
"""Comparisons for a claim, at most, that are named; those against it are all named."""


def claims_markdown(claims: Sequence[JudgedClaim]) -> str:
    """All claims; what plausible seed noise is taken to be stands once, below them."""
    if not claims:
        return ""
    marks = [[c.claim.id, c.published.name, c.achieved.name] for c in claims]
    table = pipes([["claim", "by the published numbers", "by ours"], *marks])
    noise = dict.fromkeys(line for c in claims for line in c.published.noise)
    below = (
        f"\n\nFragile: within plausible seed noise, which is {plain_markdown('; '.join(noise))}\n" if noise else "\n"
    )
    lines = "\n".join(map(_lines, claims))
    return (
        f"\n## Claims\n\n{table}\n\n<details><summary>Quotes and comparisons</summary>\n\n{lines}{below}\n</details>\n"
    )


def _lines(c: JudgedClaim) -> str:
    """One line, or, where ours are judged, one for each thing that there is to say."""
    quote = f"- **{plain_markdown(c.claim.id)}** ({plain_markdown(c.claim.where)}): “{plain_markdown(c.claim.quote)}”"
    if not c.achieved.judged:
        note = f" [{plain_markdown(c.claim.note)}]" if c.claim.note else ""
        return f"{quote}{note} — **{c.published.name}**: {plain_markdown(_why(c.published))}"
    notes = [f"note: {c.claim.note}"] if c.claim.note else []
    notes += [f"recipes: {line}" for line in c.recipes]
    verdicts = (("by the published numbers", c.published), ("by ours", c.achieved))
    said = [f"{whose}: **{v.name}** — {plain_markdown(decided(v))}" for whose, v in verdicts]
    return "\n".join([quote, *(f"  - {text}" for text in (*map(plain_markdown, notes), *said))])


def decided(v: ClaimVerdict) -> str:
    """Why, and then each comparison against, or (if nothing is against) the first few for."""
    lines = [f"against: {text}" for text in v.contradicts] or list(v.supports[:DISTANCES])
    more = f"; and {len(v.supports) - DISTANCES} more" if not v.contradicts and len(v.supports) > DISTANCES else ""
    return _why(v) + ("; " if lines else "") + "; ".join(lines) + more


def _why(v: ClaimVerdict) -> str:
    return v.why.removesuffix(v.fragile) + f"fragile by {v.shaky}" if v.fragile else v.why
