"""Why the numbers of a cell have their verdicts: each reason once, and nothing that stands elsewhere on its page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined

CALL = ("failed", "contested", "untrained", "diverged", "not measured", "blocked", "missing here")
"""Verdicts whose reasons are not folded away: somebody has to do something."""


@dataclass(frozen=True)
class Reason:
    """A reason, in a few words and whole, and the metrics that it is of."""

    short: str
    whole: str
    metrics: tuple[str, ...]


def reasons(j: Joined) -> tuple[list[Reason], list[Reason]]:
    """Reasons that call for something; and those of the other numbers."""
    found: dict[tuple[bool, str], list[str]] = {}
    for e in j.entries.values():
        if text := said(j, e):
            found.setdefault((e.verdict.name in CALL, text), []).append(e.metric)
    both = [(call, Reason(short(text), text, tuple(of))) for (call, text), of in found.items()]
    return [r for call, r in both if call], [r for call, r in both if not call]


def said(j: Joined, e: Entry) -> str:
    """A number's reason without what the page's other parts say: caveats, and the differences that make its tier."""
    why = e.verdict.why.removesuffix(f"; to be believed: {'; '.join(j.caveats)}") if j.caveats else e.verdict.why
    if j.tier and why == f"tier {j.tier.name}: {'; '.join(j.tier.differences)}":
        why = f"tier {j.tier.name}: see what differs"
    if e.spread is not None and e.published:
        why += f"; ± over {e.published.std_of}: {e.published.std} published, {e.spread:.3g} achieved"
    return why


def short(text: str) -> str:
    """A reason's first words, to its first semicolon or bracket."""
    return re.split(r"; | \(", text, maxsplit=1)[0]
