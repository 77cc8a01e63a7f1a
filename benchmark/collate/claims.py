"""Claims, each judged twice: by the paper's own published numbers, and by ours.

A claim is a tree of rules "at least n of these hold" over comparisons of two numbers. A comparison
is decided for (+1), against (−1) or not (0); a rule then holds if enough of its parts do, fails if
too many have failed for that, and is open otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from benchmark.collate.alike import unlike
from benchmark.collate.comparisons import Answer, Pair, compare
from benchmark.collate.fragile import unsettled
from benchmark.collate.interval import Estimate
from benchmark.collate.join import Entry, Joined
from benchmark.collate.looks import LEVEL
from benchmark.collate.verdict import left_out
from benchmark.recipe import Protocol
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
    fragile: str = ""  # by the published numbers: why plausible seed noise could undo the verdict


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
    return JudgedClaim(
        claim,
        _by_published(claim, entries),
        _by_ours(claim, [cells[c] for c in dict.fromkeys(n.cell for n in numbers)], entries),
    )


Entries = dict[Number, Entry]


def _by_published(claim: Claim, entries: Entries) -> ClaimVerdict:
    if all(e.published is None for e in entries.values()):
        return ClaimVerdict("not judged", "the paper prints no numbers for it")
    numbers = {n: e.published for n, e in entries.items()}

    def decide(leaf: Check | Rank) -> Finding:
        return _published_rank(leaf, numbers) if isinstance(leaf, Rank) else _published(leaf, numbers)

    found = {leaf: decide(leaf) for leaf in claim.leaves()}
    verdict = _verdict(claim, found, {1: "holds", 0: "not judged", -1: "fails"}, "not printed")
    shaky = {leaf: sources for leaf, f in found.items() if f.outcome and (sources := unsettled(leaf, entries))}
    outcomes = {leaf: 0 if leaf in shaky else f.outcome or None for leaf, f in found.items()}
    if verdict.name == "not judged" or _outcome(claim.holds, outcomes):
        return verdict
    sources = dict.fromkeys(source for of_leaf in shaky.values() for source in of_leaf)
    fragile = f"fragile: {len(shaky)} comparison(s) lie within plausible seed noise, and without them it would be open (noise: {'; '.join(sources)})"
    return replace(verdict, fragile=fragile, why=f"{verdict.why}; {fragile}")


def _published(check: Check, numbers: dict[Number, Published | None]) -> Finding:
    """A comparison of published numbers: decided as printed, without regard to noise."""
    a = numbers[check.a]
    if check.test == "not-converged":
        outcome = 0 if a is None or a.text == "not-reported" else 1 if a.value is None else -1
        return Finding(outcome, f"{check.a.metric} {_where(check.a)}: {_method(check.a)} {_printed(a)}")
    b = numbers[check.b]
    said = ", ".join(
        f"{_short(n, check.a)} {_printed(p)}" + (f" × {float(factor):g}" if factor != 1 else "")
        for n, p, factor in zip((check.a, check.b), (a, b), check.times)
    )
    text = f"{check.a.metric} {_where(check.a)}: {said}"
    if not a or not b or "not-reported" in (a.text, b.text):
        return Finding(0, text)
    low, high = (f * _value(p, check.a.direction) for f, p in zip(check.times, (a, b)))
    if check.test == "close":
        absent = [a.value, b.value].count(None)
        return Finding(
            0 if absent == 2 else 1 if not absent and abs(low - high) <= check.margin * abs(high) else -1, text
        )
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
    ahead = [
        n
        for n, p in rivals.items()
        if p.value is not None and (p.value < a.value if rank.a.direction == "lower" else p.value > a.value)
    ]
    left_out = f"; {len(rank.rivals) - len(rivals)} not printed" if len(rivals) < len(rank.rivals) else ""
    behind = "; behind " + ", ".join(f"{_method(n)} {_printed(rivals[n])}" for n in ahead) if ahead else ""
    return Finding(
        1 if len(ahead) < rank.top else -1, f"{text} is number {len(ahead) + 1} of {len(rivals) + 1}{behind}{left_out}"
    )


def _printed(p: Published | None) -> str:
    return "nothing published" if p is None else p.text + (" (quoted)" if p.origin == "quoted" else "")


def _by_ours(claim: Claim, cells: list[Joined], entries: Entries) -> ClaimVerdict:
    if broken := [j.cell.id for j in cells if j.failures]:
        return ClaimVerdict("not judged", f"runs of {', '.join(broken)} failed: what is left may be a selection")
    if absent := [j.cell.id for j in cells if not j.records]:
        return ClaimVerdict(
            "not judged",
            f"no record of {', '.join(absent[:3])}" + (f" and {len(absent) - 3} more" if len(absent) > 3 else ""),
        )
    if any(isinstance(leaf, Check) and leaf.test == "not-converged" for leaf in claim.leaves()):
        return ClaimVerdict(
            "not judged", "what the paper calls not converged depends on its FID limit: not judged by our runs yet"
        )
    if lost := [j.cell.id for j in cells if any(e.verdict.name == "diverged" for e in j.entries.values())]:
        return ClaimVerdict("not judged", f"seeds of {', '.join(lost)} diverged: what survives is a selection")
    if any(e.achieved is None for e in entries.values()):
        return ClaimVerdict("not judged", "a cell lacks the metric")
    times = {
        n: f
        for leaf in claim.leaves()
        if isinstance(leaf, Check) and leaf.b
        for n, f in zip((leaf.a, leaf.b), leaf.times)
    }
    said = "; ".join(
        f"{n.metric} {_where(n)}: {_method(n)} {e.achieved.mean * float(times.get(n, 1)):.4g}"
        for n, e in entries.items()
    )
    if worse := [f"{j.cell.id} is {j.tier.name}" for j in cells if not j.tier.judged]:
        return ClaimVerdict("not judged", f"{', '.join(worse)}: no verdict from such runs ({said})")
    if gaps := [f"{j.cell.id}: {left_out(j.gap)}" for j in cells if j.gap is not None]:
        return ClaimVerdict("not judged", f"{'; '.join(gaps)} ({said})")
    if few := min((e.achieved.n for e in entries.values() if e.achieved.half is None), default=0):
        return ClaimVerdict("inconclusive", f"{'one seed' if few == 1 else f'{few} seeds'} ({said})")
    numbers = {n: e.achieved for n, e in entries.items()}
    pairs, answers = comparisons(claim, numbers, {j.cell.id: j.cell.full_protocol for j in cells})
    compared = sum(not answer.unlike for answer in answers.values())
    if not compared:
        return ClaimVerdict(
            "not judged",
            f"its numbers are measured otherwise than each other ({next(iter(answers.values())).unlike}): no comparison of methods ({said})",
        )

    def decide(leaf: Check | Rank) -> Finding:
        found = [answers[pair] for pair in pairs[leaf]]
        return _achieved_rank(leaf, numbers, found) if isinstance(leaf, Rank) else _achieved(leaf, numbers, found)

    verdict = _verdict(
        claim, {leaf: decide(leaf) for leaf in pairs}, {1: "holds", 0: "inconclusive", -1: "fails"}, "undecided"
    )
    looks = " corrected for looks between seeds," if any(e.looked for e in numbers.values()) else ""
    otherwise = f", {len(answers) - compared} not compared, since measured otherwise" if compared < len(answers) else ""
    return replace(
        verdict,
        why=f"Welch's t at {100 * LEVEL:g} %,{looks} by Holm over {compared} comparison(s){otherwise}: {verdict.why}",
    )


def comparisons(
    claim: Claim, numbers: dict[Number, Estimate], protocols: Mapping[str, Protocol]
) -> tuple[dict[Check | Rank, list[Pair]], dict[Pair, Answer]]:
    """The pairs of our numbers that each comparison of a claim rests on, and what all of them together, by Holm, say.

    Args:
        protocols: by cell. Numbers that were measured otherwise than each other are not compared (``alike.py``).
    """
    pairs = {
        leaf: _rank_pairs(leaf) if isinstance(leaf, Rank) else _check_pairs(leaf, numbers) for leaf in claim.leaves()
    }
    every = dict.fromkeys(pair for asked in pairs.values() for pair in asked)
    apart = {
        pair: Answer(0, 1.0, why)
        for pair in every
        if (why := unlike(pair.a.metric, protocols[pair.a.cell], protocols[pair.b.cell]))
    }
    return pairs, compare((pair for pair in every if pair not in apart), numbers) | apart


def _check_pairs(check: Check, numbers: dict[Number, Estimate]) -> list[Pair]:
    """What is compared: a with b as the margin moves it; for ``close``, with both ends of the margin."""
    fa, fb = map(float, check.times)
    margin = float(check.margin if numbers[check.b].mean * fb >= 0 else -check.margin)
    if check.test == "close":
        return [Pair(check.a, check.b, fa, fb * (1 - margin)), Pair(check.a, check.b, fa, fb * (1 + margin))]
    higher = check.test == "better" and check.a.direction == "higher"
    return [Pair(check.a, check.b, fa, fb * (1 + margin if higher else 1 - margin))]


def _rank_pairs(rank: Rank) -> list[Pair]:
    return [Pair(rank.a, rival) for rival in rank.rivals]


def _achieved(check: Check, numbers: dict[Number, Estimate], answers: list[Answer]) -> Finding:
    a, b = numbers[check.a], numbers[check.b]
    fa, fb = map(float, check.times)
    said = f"not compared: {answers[0].unlike}" if answers[0].unlike else f"p {max(answer.p for answer in answers):.2g}"
    text = f"{check.a.metric} {_where(check.a)}: {_short(check.a, check.a)} {fa * a.mean:.4g}, {_short(check.b, check.a)} {fb * b.mean:.4g} ({said})"
    signs = [answer.sign for answer in answers]
    if check.test == "close":
        return Finding(1 if signs == [-1, 1] else -1 if signs[0] == signs[1] != 0 else 0, text)
    return Finding(-signs[0] if check.test == "better" and check.a.direction == "higher" else signs[0], text)


def _achieved_rank(rank: Rank, numbers: dict[Number, Estimate], answers: list[Answer]) -> Finding:
    sign = 1 if rank.a.direction == "lower" else -1
    against = [sign * answer.sign for answer in answers]
    text = f"{rank.a.metric} {_where(rank.a)}: {_method(rank.a)} {numbers[rank.a].mean:.4g} is better than {against.count(1)}, worse than {against.count(-1)} of {len(against)}"
    if apart := [f"{_method(rival)} ({answer.unlike})" for rival, answer in zip(rank.rivals, answers) if answer.unlike]:
        text += f"; not compared with {', '.join(apart)}"
    return Finding(
        -1 if against.count(-1) >= rank.top else 1 if against.count(1) > len(against) - rank.top else 0, text
    )


def _verdict(claim: Claim, found: dict[Check | Rank, Finding], names: dict[int, str], open_word: str) -> ClaimVerdict:
    """The rule over its comparisons; what a paper does not print is left out, what our runs leave undecided is not."""
    outcomes = {leaf: f.outcome or (None if open_word == "not printed" else 0) for leaf, f in found.items()}
    by = {o: tuple(dict.fromkeys(f.text for f in found.values() if f.outcome == o)) for o in (1, -1, 0)}
    why = ", ".join(
        f"{len(texts)} {word}" for texts, word in ((by[1], "for"), (by[-1], "against"), (by[0], open_word)) if texts
    )
    if claim.holds.quantity != "all":
        parts = [o for part in claim.holds.rules if (o := _outcome(part, outcomes)) is not None]
        why = f"{parts.count(1)} of {len(parts)} hold, {claim.holds.needed(len(parts))} needed; {why}"
    return ClaimVerdict(names[_outcome(claim.holds, outcomes) or 0], why, by[1], by[-1], by[0])


def _outcome(rule: Check | Rank | AtLeast, outcomes: dict[Check | Rank, int | None]) -> int | None:
    """Holds (1), fails (−1) or is open (0). A comparison that is None is left out; a rule of which nothing is left, too."""
    if not isinstance(rule, AtLeast):
        return outcomes[rule]
    found = [o for part in rule.rules if (o := _outcome(part, outcomes)) is not None]
    if not found:
        return None
    needed = rule.needed(len(found))
    if found.count(1) >= needed:
        return 1
    return -1 if len(found) - found.count(-1) < needed else 0


def _method(n: Number) -> str:
    return n.cell.split("/")[2]


def _where(n: Number) -> str:
    return n.cell.rsplit("/", 1)[1]


def _short(n: Number, beside: Number) -> str:
    """The method, and the column where it is another than that of the number beside it."""
    return _method(n) if _where(n) == _where(beside) else f"{_method(n)} at {_where(n)}"
