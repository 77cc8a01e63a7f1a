"""Verdicts and marks in words, for a page's glossary."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.collate.presenting.notes import SYMBOLS

MEANINGS = {
    "reproduced": "the interval over seeds lies within the tolerance band",
    "reproduced where it trains": "some seeds collapsed, or are planned and not there; the others reproduce it",
    "better": "beyond the band, on the good side",
    "differs": "beyond the band, where the paper ranks nothing",
    "not reproduced": "beyond the band, on the bad side",
    "not reached as assumed": "the same, where chosen values could decide it",
    "converged": "ours converged where the paper’s did not",
    "inconclusive": "more seeds are needed",
    "incomparable": "nothing may be concluded about the published number",
    "untrained": "a run has less than what the suite says of one that trained",
    "contested": "two results of one run differ",
    "diverged": "at least one seed diverged",
    "failed": "a run ended with an error",
    "blocked": "it can run nowhere as it stands; its page says why",
    "missing here": "this machine lacks its data or weights; its page says which",
    "not measured": "the run is there, this metric is not",
    "not run": "nothing but time is missing",
    "agrees as declared": "within the band, on somebody’s word",
    "better as declared": "beyond it on the good side, on somebody’s word",
    "differs as declared": "beyond it, on somebody’s word",
}


def reading(verdicts: Iterable[str]) -> list[tuple[str, str]]:
    """Each verdict that there is with its symbol, and what it means; first how a number is to be read."""
    known = [(f"{SYMBOLS[name]} {name}", MEANINGS[name]) for name in dict.fromkeys(verdicts) if name in MEANINGS]
    return [("1.23±0.04", "mean over seeds ± half of its 95 % interval; one seed has none"), *known]
