"""Claims, each judged twice: by the paper's own published numbers, and by ours.

A claim is a tree of rules "at least n of these hold" over comparisons of two numbers. A comparison
is decided for (+1), against (−1) or not (0); a rule then holds if enough of its parts do, fails if
too many have failed for that, and is open otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from benchmark.collate.interval import LEVEL, Estimate
from benchmark.collate.join import Entry, Joined
from benchmark.suite.model import AtLeast, Check, Claim, Number, Published, Rank


@dataclass(frozen=True)
class Finding:
    """One comparison: ``outcome`` +1, −1 or 0, and the numbers."""

    outcome: int
    text: str


@dataclass(frozen=True)
class ClaimVerdict:
    """``holds``, ``fails``, ``inconclusive`` or ``not judged``, why, and the comparisons that decide."""

    name: str
    why: str
    supports: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with its two verdicts."""

    claim: Claim
    published: ClaimVerdict
    achieved: ClaimVerdict


def judge_claim(claim: Claim, joined: Sequence[Joined]) -> JudgedClaim:
    """Both verdicts of one claim.

    Args:
        joined: the cells that there are, of any table; a claim over others is not judged.
    """
    cells = {j.cell.id: j for j in joined}
    numbers = claim.numbers()
    if missing := sorted({n.cell for n in numbers} - cells.keys()):
        nothing = ClaimVerdict("not judged", f"this selection leaves out {', '.join(missing)}")
        return JudgedClaim(claim, nothing, nothing)
    entries = {n: cells[n.cell].entries[n.metric] for n in numbers}
    return JudgedClaim(claim, _by_published(claim, entries), _by_ours(claim, [cells[c] for c in dict.fromkeys(n.cell for n in numbers)], entries))


Entries = dict[Number, Entry]


def _by_published(claim: Claim, entries: Entries) -> ClaimVerdict:
    if all(e.published is None for e in entries.values()):
        return ClaimVerdict("not judged", "the paper prints no numbers for it")
    numbers = {n: e.published for n, e in entries.items()}

    def decide(leaf: Check | Rank) -> Finding:
        return _published_rank(leaf, numbers) if isinstance(leaf, Rank) else _published(leaf, numbers)

    return _verdict(claim, decide, {1: "holds", 0: "not judged", -1: "fails"}, "not printed")


def _published(check: Check, numbers: dict[Number, Published | None]) -> Finding:
    """A comparison of published numbers: decided as printed, without regard to noise."""
    a = numbers[check.a]
    if check.test == "not-converged":
        outcome = 0 if a is None or a.text == "not-reported" else 1 if a.value is None else -1
        return Finding(outcome, f"{check.a.metric} {_where(check.a)}: {_method(check.a)} {_printed(a)}")
    b = numbers[check.b]
    said = ", ".join(f"{_short(n, check.a)} {_printed(p)}" + (f" × {float(factor):g}" if factor != 1 else "") for n, p, factor in zip((check.a, check.b), (a, b), check.times))
    text = f"{check.a.metric} {_where(check.a)}: {said}"
    if not a or not b or "not-reported" in (a.text, b.text):
        return Finding(0, text)
    low, high = (f * _value(p, check.a.direction) for f, p in zip(check.times, (a, b)))
    if check.test == "close":
        absent = [a.value, b.value].count(None)
        return Finding(0 if absent == 2 else 1 if not absent and abs(low - high) <= check.margin * abs(high) else -1, text)
    if check.test == "better" and check.a.direction == "higher":
        low, high = -low, -high
    bound = high - check.margin * abs(high) if b.value is not None else high
    return Finding(1 if low < bound or (low == bound and check.margin) else -1, text)


def _value(p: Published, direction: str) -> Fraction | float:
    """The number exactly as printed; a model that did not converge is worse than any number."""
    if p.value is None:
        return math.inf if direction == "lower" else -math.inf
    return Fraction(str(p.value))


def _published_rank(rank: Rank, numbers: dict[Number, Published | None]) -> Finding:
    """A rank among published numbers; rivals without one are left out, those that did not converge come last."""
    a = numbers[rank.a]
    text = f"{rank.a.metric} {_where(rank.a)}: {_method(rank.a)} {_printed(a)}"
    rivals = {n: p for n in rank.rivals if (p := numbers[n]) and p.text != "not-reported"}
    if a is None or a.text == "not-reported" or len(rivals) < rank.top:
        return Finding(0, f"{text}, with {len(rivals)} rival(s) printed")
    if a.value is None:
        return Finding(-1, text)
    ahead = [n for n, p in rivals.items() if p.value is not None and (p.value < a.value if rank.a.direction == "lower" else p.value > a.value)]
    left_out = f"; {len(rank.rivals) - len(rivals)} not printed" if len(rivals) < len(rank.rivals) else ""
    behind = "; behind " + ", ".join(f"{_method(n)} {_printed(rivals[n])}" for n in ahead) if ahead else ""
    return Finding(1 if len(ahead) < rank.top else -1, f"{text} is number {len(ahead) + 1} of {len(rivals) + 1}{behind}{left_out}")


def _printed(p: Published | None) -> str:
    return "nothing published" if p is None else p.text + (" (quoted)" if p.origin == "quoted" else "")


def _by_ours(claim: Claim, cells: list[Joined], entries: Entries) -> ClaimVerdict:
    if absent := [j.cell.id for j in cells if not j.records]:
        return ClaimVerdict("not judged", f"no record of {', '.join(absent[:3])}" + (f" and {len(absent) - 3} more" if len(absent) > 3 else ""))
    if any(isinstance(leaf, Check) and leaf.test == "not-converged" for leaf in claim.leaves()):
        return ClaimVerdict("not judged", "what the paper calls not converged depends on its FID limit: not judged by our runs yet")
    if lost := [j.cell.id for j in cells if any(e.verdict.name == "diverged" for e in j.entries.values())]:
        return ClaimVerdict("not judged", f"seeds of {', '.join(lost)} diverged: what survives is a selection")
    if any(e.achieved is None for e in entries.values()):
        return ClaimVerdict("not judged", "a cell lacks the metric")
    times = {n: f for leaf in claim.leaves() if isinstance(leaf, Check) and leaf.b for n, f in zip((leaf.a, leaf.b), leaf.times)}
    said = "; ".join(f"{n.metric} {_where(n)}: {_method(n)} {e.achieved.mean * float(times.get(n, 1)):.4g}" for n, e in entries.items())
    if worse := [f"{j.cell.id} is {j.tier.name}" for j in cells if not j.tier.judged]:
        return ClaimVerdict("not judged", f"{', '.join(worse)}: no verdict from such runs ({said})")
    if min(e.achieved.n for e in entries.values()) < 2:
        return ClaimVerdict("inconclusive", f"one seed ({said})")
    numbers = {n: e.achieved for n, e in entries.items()}
    comparisons = sum(len(leaf.rivals) if isinstance(leaf, Rank) else 1 for leaf in claim.leaves())

    def decide(leaf: Check | Rank) -> Finding:
        return _achieved_rank(leaf, numbers, comparisons) if isinstance(leaf, Rank) else _achieved(leaf, numbers, comparisons)

    verdict = _verdict(claim, decide, {1: "holds", 0: "inconclusive", -1: "fails"}, "undecided")
    return replace(verdict, why=f"Welch's t at {100 * LEVEL:g} %, corrected for {comparisons} comparison(s): {verdict.why}")


def _achieved(check: Check, numbers: dict[Number, Estimate], comparisons: int) -> Finding:
    a, b = numbers[check.a], numbers[check.b]
    fa, fb = map(float, check.times)
    margin = float(check.margin if b.mean * fb >= 0 else -check.margin)
    text = f"{check.a.metric} {_where(check.a)}: {_short(check.a, check.a)} {fa * a.mean:.4g}, {_short(check.b, check.a)} {fb * b.mean:.4g}"
    if check.test == "close":
        low = _separated(a, b, fa, fb * (1 - margin), comparisons)
        high = _separated(a, b, fa, fb * (1 + margin), comparisons)
        return Finding(1 if (low, high) == (-1, 1) else -1 if low == high != 0 else 0, text)
    if check.test == "better" and check.a.direction == "higher":
        return Finding(-_separated(a, b, fa, fb * (1 + margin), comparisons), text)
    return Finding(_separated(a, b, fa, fb * (1 - margin), comparisons), text)


def _achieved_rank(rank: Rank, numbers: dict[Number, Estimate], comparisons: int) -> Finding:
    sign = 1 if rank.a.direction == "lower" else -1
    against = [sign * _separated(numbers[rank.a], numbers[r], 1.0, 1.0, comparisons) for r in rank.rivals]
    text = f"{rank.a.metric} {_where(rank.a)}: {_method(rank.a)} {numbers[rank.a].mean:.4g} is better than {against.count(1)}, worse than {against.count(-1)} of {len(against)}"
    return Finding(-1 if against.count(-1) >= rank.top else 1 if against.count(1) > len(against) - rank.top else 0, text)


def _separated(a: Estimate, b: Estimate, fa: float, fb: float, comparisons: int) -> int:
    """+1 if a < b significantly (Welch, two-sided, Bonferroni), −1 if a > b, 0 if neither."""
    from scipy.stats import ttest_ind

    left, right = [fa * v for v in a.values], [fb * v for v in b.values]
    if len(set(left)) == 1 and len(set(right)) == 1:
        return 0  # no spread to test against
    p = ttest_ind(left, right, equal_var=False).pvalue
    if not p < (1 - LEVEL) / comparisons:
        return 0
    return 1 if sum(left) / len(left) < sum(right) / len(right) else -1


def _verdict(claim: Claim, decide: Callable[[Check | Rank], Finding], names: dict[int, str], open_word: str) -> ClaimVerdict:
    """The rule over its comparisons; what a paper does not print is left out, what our runs leave undecided is not."""
    found = {leaf: decide(leaf) for leaf in claim.leaves()}
    leave_out = open_word == "not printed"
    outcome = _outcome(claim.holds, found, leave_out)
    by = {o: tuple(dict.fromkeys(f.text for f in found.values() if f.outcome == o)) for o in (1, -1, 0)}
    why = ", ".join(f"{len(texts)} {word}" for texts, word in ((by[1], "for"), (by[-1], "against"), (by[0], open_word)) if texts)
    if claim.holds.quantity != "all":
        parts = [o for part in claim.holds.rules if (o := _outcome(part, found, leave_out)) or not leave_out]
        why = f"{parts.count(1)} of {len(parts)} hold, {claim.holds.needed(len(parts))} needed; {why}"
    return ClaimVerdict(names[outcome], why, by[1], by[-1], by[0])


def _outcome(rule: Check | Rank | AtLeast, found: dict[Check | Rank, Finding], leave_out: bool) -> int:
    """Holds (1), fails (−1) or is open (0). ``leave_out``: what is open does not count, unless all is."""
    if not isinstance(rule, AtLeast):
        return found[rule].outcome
    outcomes = [_outcome(part, found, leave_out) for part in rule.rules]
    if leave_out:
        outcomes = [o for o in outcomes if o]
    if not outcomes:
        return 0
    needed = rule.needed(len(outcomes))
    if outcomes.count(1) >= needed:
        return 1
    return -1 if len(outcomes) - outcomes.count(-1) < needed else 0


def _method(n: Number) -> str:
    return n.cell.split("/")[2]


def _where(n: Number) -> str:
    return n.cell.rsplit("/", 1)[1]


def _short(n: Number, beside: Number) -> str:
    """The method, and the column where it is another than that of the number beside it."""
    return _method(n) if _where(n) == _where(beside) else f"{_method(n)} at {_where(n)}"
