"""A claim by our numbers: Welch's t over seeds, corrected by Holm over all comparisons of the claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from benchmark.collate.judging.alike import protocol_of, unlike_numbers
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.findings import ClaimVerdict, Finding, method, short, verdict_of, where
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.missing import left_out
from benchmark.collate.statistics.comparisons import Answer, Pair, compare
from benchmark.collate.statistics.interval import Estimate
from benchmark.collate.statistics.looks import LEVEL
from benchmark.errors import sure
from benchmark.recipe import Protocol
from benchmark.suite.claim import LIMITS, Check, Claim, Number, Rank


def by_ours(claim: Claim, cells: list[Joined], entries: dict[Number, Entry]) -> ClaimVerdict:
    """The verdict by our runs; ``not judged`` where they cannot be compared, and why."""
    if broken := [j.cell.id for j in cells if j.failures]:
        return ClaimVerdict("not judged", f"runs of {', '.join(broken)} failed: what is left may be a selection")
    if absent := [j.cell.id for j in cells if not j.records]:
        return ClaimVerdict(
            "not judged",
            f"no record of {', '.join(absent[:3])}" + (f" and {len(absent) - 3} more" if len(absent) > 3 else ""),
        )
    if disputed := [j.cell.id for j in cells if any(e.verdict.name == "contested" for e in j.entries.values())]:
        return ClaimVerdict(
            "not judged", f"runs of {', '.join(disputed)} have two results that differ, or contradict themselves"
        )
    if dead := [j.cell.id for j in cells if j.dead]:
        return ClaimVerdict("not judged", f"runs of {', '.join(dead)} did not train")
    if any(isinstance(leaf, Check) and leaf.test == "not-converged" and leaf.limit is None for leaf in claim.leaves()):
        return ClaimVerdict("not judged", "the paper does not say what it calls not converged")
    if lost := [j.cell.id for j in cells if any(e.diverged for e in j.entries.values())]:
        return ClaimVerdict("not judged", f"seeds of {', '.join(lost)} diverged: what survives is a selection")
    if any(e.achieved is None for e in entries.values()):
        short = dict.fromkeys(
            f"{where(n)}: {method(n)} has no {n.name}: {e.verdict.why}"
            for n, e in entries.items()
            if n.of and e.verdict.why
        )
        return ClaimVerdict("not judged", "; ".join(short) or "a cell lacks the metric")
    times = {
        n: f
        for leaf in claim.leaves()
        if isinstance(leaf, Check) and leaf.b
        for n, f in zip((leaf.a, leaf.b), leaf.times)
    }
    said = "; ".join(
        f"{n.name} {where(n)}: {method(n)} {sure(e.achieved).mean * float(times.get(n, 1)):.4g}"
        for n, e in entries.items()
    )
    if worse := [f"{j.cell.id} is {sure(j.tier).name}" for j in cells if not sure(j.tier).judged]:
        return ClaimVerdict("not judged", f"{', '.join(worse)}: no verdict from such runs ({said})")
    if gaps := [f"{j.cell.id}: {j.missing or left_out(j.gap)}" for j in cells if j.gap is not None]:
        return ClaimVerdict("not judged", f"{'; '.join(gaps)} ({said})")
    if unfinished := [f"{j.cell.id}: {j.short}" for j in cells if j.short]:
        return ClaimVerdict("inconclusive", f"{'; '.join(unfinished)} ({said})")
    numbers = {n: sure(e.achieved) for n, e in entries.items()}
    if few := min((e.n for e in numbers.values() if e.half is None), default=0):
        return ClaimVerdict("inconclusive", f"{'one seed' if few == 1 else f'{few} seeds'} ({said})")
    pairs, answers = comparisons(claim, numbers, {j.cell.id: protocol_of(j.cell) for j in cells})
    compared = sum(not answer.unlike for answer in answers.values())
    if not compared:
        return ClaimVerdict(
            "not judged",
            f"its numbers are measured otherwise than each other ({next(iter(answers.values())).unlike}): no "
            f"comparison of methods ({said})",
        )

    def decide(leaf: Check | Rank) -> Finding:
        found = [answers[pair] for pair in pairs[leaf]]
        return _achieved_rank(leaf, numbers, found) if isinstance(leaf, Rank) else _achieved(leaf, numbers, found)

    verdict = verdict_of(
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
    apart = {pair: Answer(0, 1.0, why) for pair in every if (why := unlike_numbers(pair.a, pair.b, protocols))}
    return pairs, compare((pair for pair in every if pair not in apart), numbers) | apart


def _check_pairs(check: Check, numbers: dict[Number, Estimate]) -> list[Pair]:
    """What is compared: a with b as the margin moves it, for ``close`` with both of its ends; or with a limit."""
    if check.limit is not None:
        return [Pair(check.a, check.a, limit=check.limit)]
    fa, fb = map(float, check.times)
    margin = float(check.margin if numbers[sure(check.b)].mean * fb >= 0 else -check.margin)
    if check.test == "close":
        return [
            Pair(check.a, sure(check.b), fa, fb * (1 - margin)),
            Pair(check.a, sure(check.b), fa, fb * (1 + margin)),
        ]
    higher = check.test == "better" and check.a.direction == "higher"
    return [Pair(check.a, sure(check.b), fa, fb * (1 + margin if higher else 1 - margin))]


def _rank_pairs(rank: Rank) -> list[Pair]:
    return [Pair(rank.a, rival) for rival in rank.rivals]


def _achieved(check: Check, numbers: dict[Number, Estimate], answers: list[Answer]) -> Finding:
    if check.limit is not None:
        worse = -answers[0].sign if check.a.direction == "lower" else answers[0].sign
        side = {"at-most": answers[0].sign, "at-least": -answers[0].sign}.get(check.test, worse)
        digits = 7 if check.test in LIMITS else 4
        ours = f"{check.a.name} {where(check.a)}: {method(check.a)} {numbers[check.a].mean:.{digits}g}"
        return Finding(side, f"{ours}, limit {check.limit:.{digits + 2}g} (p {answers[0].p:.2g})")
    a, b = numbers[check.a], numbers[sure(check.b)]
    fa, fb = map(float, check.times)
    said = f"not compared: {answers[0].unlike}" if answers[0].unlike else f"p {max(answer.p for answer in answers):.2g}"
    text = (
        f"{check.a.name} {where(check.a)}: {short(check.a, check.a)} {fa * a.mean:.4g}, "
        f"{short(sure(check.b), check.a)} {fb * b.mean:.4g} ({said})"
    )
    signs = [answer.sign for answer in answers]
    if check.test == "close":
        return Finding(1 if signs == [-1, 1] else -1 if signs[0] == signs[1] != 0 else 0, text)
    return Finding(-signs[0] if check.test == "better" and check.a.direction == "higher" else signs[0], text)


def _achieved_rank(rank: Rank, numbers: dict[Number, Estimate], answers: list[Answer]) -> Finding:
    sign = 1 if rank.a.direction == "lower" else -1
    against = [sign * answer.sign for answer in answers]
    text = (
        f"{rank.a.metric} {where(rank.a)}: {method(rank.a)} {numbers[rank.a].mean:.4g} is better than "
        f"{against.count(1)}, worse than {against.count(-1)} of {len(against)}"
    )
    if apart := [f"{method(rival)} ({answer.unlike})" for rival, answer in zip(rank.rivals, answers) if answer.unlike]:
        text += f"; not compared with {', '.join(apart)}"
    return Finding(
        -1 if against.count(-1) >= rank.top else 1 if against.count(1) > len(against) - rank.top else 0, text
    )
