"""What a record says that cannot all be so, although each number by itself can: nothing is judged by such a record.

A final result is one of the measurements of its history, number by number, as ``train/`` writes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from benchmark.errors import few
from benchmark.records.record import Record

FASTEST = 1e6
"""Steps a second that no program makes: a loop in Python that does nothing at all makes some ten millions."""

HIGHER = ("IS", "precision", "recall")
CLOSE = 1e-9


def contradiction(record: Record) -> str:
    """In what the record contradicts itself; "" if in nothing. Its types have been checked, and its bounds."""
    return "; ".join(few(_found(record), longest=300))


def _found(r: Record) -> Iterator[str]:
    if r.steps > FASTEST * max(r.train_s, 0.0) and r.steps > 1000:
        yield f"{r.steps:,} steps in {r.train_s:g} s"
    whole = [(entry.get("step"), *sorted(entry)) for entry in r.history]  # one that lacks a metric is completed later
    if len(set(whole)) < len(whole):
        yield "its history has two measurements of one step"
    if r.final is None:
        return
    step = r.final.get("step")
    same = [entry for entry in r.history if entry.get("step") == step and entry.keys() >= r.final.keys()]
    for name, ours, theirs in ((m, v, entry[m]) for entry in same for m, v in r.final.items() if m in entry):
        if isinstance(ours, dict) and not _equal(ours.get("value"), theirs.get("value")):
            yield f"{name} is {_said(ours)}, and {_said(theirs)} in its history at the same step"
    if r.protocol.checkpoint == "best":
        yield from _best(r, any(entry.get("step") == step for entry in r.history))


def _best(r: Record, there: bool) -> Iterator[str]:
    if not there:
        yield "its best is of a step that is not in its history"
    by = r.protocol.best_by or ""
    best = _value((r.final or {}).get(by))
    others = [v for entry in r.history if entry.get("step") and (v := _value(entry.get(by))) is not None]
    if best is None or not others:
        return
    top = max(others) if by in HIGHER else min(others)
    if not _equal(top, best) and (top > best) == (by in HIGHER):
        yield f"its best {by} is {best:.6g}, and {top:.6g} is in its history"


def _value(measured: Any) -> float | None:
    return measured.get("value") if isinstance(measured, dict) else None


def _equal(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=CLOSE, abs_tol=1e-12))


def _said(measured: Any) -> str:
    value = _value(measured)
    return "nothing" if value is None else f"{value:.6g}"
