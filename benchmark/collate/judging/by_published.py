"""A claim by the paper's own numbers: decided exactly as printed, and whether seed noise could undo it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.findings import ClaimVerdict, Finding, method, outcome_of, short, verdict_of, where
from benchmark.collate.judging.fragile import unsettled
from benchmark.errors import sure
from benchmark.suite.claim import Check, Claim, Number, Rank
from benchmark.suite.model import Published


def by_published(claim: Claim, entries: dict[Number, Entry]) -> ClaimVerdict:
    """The verdict by what is printed; ``fragile`` says where plausible seed noise could undo it."""
    if all(e.published is None for e in entries.values()):
        return ClaimVerdict("not judged", "the paper prints no numbers for it")
    numbers = {n: e.published for n, e in entries.items()}

    def decide(leaf: Check | Rank) -> Finding:
        return _published_rank(leaf, numbers) if isinstance(leaf, Rank) else _published(leaf, numbers)

    found = {leaf: decide(leaf) for leaf in claim.leaves()}
    verdict = verdict_of(claim, found, {1: "holds", 0: "not judged", -1: "fails"}, "not printed")
    shaky = {leaf: sources for leaf, f in found.items() if f.outcome and (sources := unsettled(leaf, entries))}
    outcomes = {leaf: 0 if leaf in shaky else f.outcome or None for leaf, f in found.items()}
    if verdict.name == "not judged" or outcome_of(claim.holds, outcomes):
        return verdict
    noise = dict.fromkeys(source for of_leaf in shaky.values() for source in of_leaf)
    fragile = (
        f"fragile: {len(shaky)} comparison(s) lie within plausible seed noise, and without them it would be open "
        f"(noise: {'; '.join(noise)})"
    )
    return replace(verdict, fragile=fragile, why=f"{verdict.why}; {fragile}", shaky=len(shaky), noise=tuple(noise))


def _published(check: Check, numbers: dict[Number, Published | None]) -> Finding:
    """A comparison of published numbers: decided as printed, without regard to noise; open where neither model
    converged.
    """
    a = numbers[check.a]
    if check.test == "not-converged":
        outcome = 0 if a is None or a.text == "not-reported" else 1 if a.value is None else -1
        return Finding(outcome, f"{check.a.name} {where(check.a)}: {method(check.a)} {_printed(a)}")
    if check.limit is not None:
        return _beside_limit(check, a)
    other = sure(check.b)
    b = numbers[other]
    said = ", ".join(
        f"{short(n, check.a)} {_printed(p)}" + (f" × {float(factor):g}" if factor != 1 else "")
        for n, p, factor in zip((check.a, other), (a, b), check.times)
    )
    text = f"{check.a.name} {where(check.a)}: {said}"
    if not a or not b or "not-reported" in (a.text, b.text) or a.value is b.value is None:
        return Finding(0, text)  # of two that did not converge, none is better by anything
    values: list[Fraction | float] = [f * _value(p, check.a.direction) for f, p in zip(check.times, (a, b))]
    low, high = values
    if check.test == "close":
        far: Any = abs(low - high)  # mypy joins abs(Fraction | float) to object
        near = None not in (a.value, b.value) and far <= _share(check.margin, high)
        return Finding(1 if near else -1, text)
    if check.test == "better" and check.a.direction == "higher":
        low, high = -low, -high
    bound = high - _share(check.margin, high) if b.value is not None else high
    return Finding(1 if low < bound or (low == bound and check.margin) else -1, text)


def _beside_limit(check: Check, a: Published | None) -> Finding:
    """Whether a printed number lies on its side of a limit; a model that did not converge has none."""
    value = None if a is None or a.value is None else Fraction(str(a.value))
    limit = Fraction(str(sure(check.limit)))
    right = value is not None and (value <= limit if check.test == "at-most" else value >= limit)
    text = f"{check.a.name} {where(check.a)}: {method(check.a)} {_printed(a)}, limit {check.limit:.9g}"
    return Finding(0 if value is None else 1 if right else -1, text)


def _share(margin: Fraction, of: Fraction | float) -> Fraction | float:
    return margin * abs(of) if isinstance(of, Fraction) else float(margin) * abs(of)


def _value(p: Published, direction: str) -> Fraction | float:
    """The number exactly as printed; a model that did not converge is worse than any number."""
    if p.value is None:
        return math.inf if direction == "lower" else -math.inf
    return Fraction(str(p.value))


def _published_rank(rank: Rank, numbers: dict[Number, Published | None]) -> Finding:
    """A rank among published numbers; rivals without one are left out, those that did not converge come last."""
    a = numbers[rank.a]
    text = f"{rank.a.metric} {where(rank.a)}: {method(rank.a)} {_printed(a)}"
    rivals = {n: p for n in rank.rivals if (p := numbers[n]) and p.text != "not-reported"}
    if a is None or a.text == "not-reported" or len(rivals) < rank.top:
        return Finding(0, f"{text}, with {len(rivals)} rival(s) printed")
    if a.value is None:
        return Finding(-1 if any(p.value is not None for p in rivals.values()) else 0, text)
    ahead = [
        n
        for n, p in rivals.items()
        if p.value is not None and (p.value < a.value if rank.a.direction == "lower" else p.value > a.value)
    ]
    left_out = f"; {len(rank.rivals) - len(rivals)} not printed" if len(rivals) < len(rank.rivals) else ""
    behind = "; behind " + ", ".join(f"{method(n)} {_printed(rivals[n])}" for n in ahead) if ahead else ""
    return Finding(
        1 if len(ahead) < rank.top else -1, f"{text} is number {len(ahead) + 1} of {len(rivals) + 1}{behind}{left_out}"
    )


def _printed(p: Published | None) -> str:
    return "nothing published" if p is None else p.text + (" (quoted)" if p.origin == "quoted" else "")
