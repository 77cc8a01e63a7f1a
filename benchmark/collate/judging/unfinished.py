"""A plan of which the last seeds have no record: they are to come, or were taken out.

Intervals of all looks hold whenever one stops, also if it was chosen afterwards where (``statistics/looks.py``). They
know nothing of a run that collapsed, which one seed left out would hide: so what there is does not flatter.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.verdict import Verdict
from benchmark.records.record import Record

FLATTERING = ("reproduced", "better", "differs", "converged")


def left_of(records: Sequence[Record]) -> int:
    """How many seeds of the largest plan have no record.

    Args:
        records: a cell's, out of ``furthest.by_evaluation``, by seed without a gap.
    """
    return max(0, max((r.asked for r in records), default=0) - len(records))


def unfinished(records: Sequence[Record], before: str = "") -> str:
    """How many seeds of the largest plan are there, "" if all are.

    Args:
        before: which others were measured otherwise before, as ``missing.measured_before`` says it.
    """
    if not (left := left_of(records)):
        return ""
    first, planned = len(records), len(records) + left
    which = f"seed {first} has" if left == 1 else f"seeds {first} to {planned - 1:,} have"
    return f"{first} of {planned:,} planned seeds are there; {before or f'{which} no record, and may have collapsed'}"


def without_flattery(verdict: Verdict, short: str, dash: bool) -> Verdict:
    """What may be said all the same: a number is at most ``reproduced where it trains``.

    Args:
        verdict: by the seeds that are there.
        short: as ``unfinished`` says it.
        dash: whether the paper prints no number: neither side can then be said.
    """
    if not short or verdict.name not in (*FLATTERING, "reproduced where it trains", "not reproduced", "inconclusive"):
        return verdict
    name = verdict.name
    if name in FLATTERING:
        name = "reproduced where it trains" if name == "reproduced" and not dash else "inconclusive"
    return Verdict(name, f"{short}: {verdict.why}")
