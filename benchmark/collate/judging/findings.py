"""Comparisons that were decided, and the rules over them: "at least n of these hold"."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.suite.claim import AtLeast, Check, Claim, Number, Rank


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
    shaky: int = 0  # how many comparisons it is fragile by
    noise: tuple[str, ...] = ()  # the seed noise that is plausible, and who says so

    @property
    def judged(self) -> bool:
        """Whether there is a verdict, be it an open one."""
        return self.name != "not judged"


def verdict_of(claim: Claim, found: dict[Check | Rank, Finding], names: dict[int, str], open_word: str) -> ClaimVerdict:
    """The rule over its comparisons; what a paper does not print is left out, what our runs leave undecided is not."""
    outcomes = {leaf: f.outcome or (None if open_word == "not printed" else 0) for leaf, f in found.items()}
    by = {o: tuple(dict.fromkeys(f.text for f in found.values() if f.outcome == o)) for o in (1, -1, 0)}
    why = ", ".join(
        f"{len(texts)} {word}" for texts, word in ((by[1], "for"), (by[-1], "against"), (by[0], open_word)) if texts
    )
    if claim.holds.quantity != "all":
        parts = [o for part in claim.holds.rules if (o := outcome_of(part, outcomes)) is not None]
        why = f"{parts.count(1)} of {len(parts)} hold, {claim.holds.needed(len(parts))} needed; {why}"
    return ClaimVerdict(names[outcome_of(claim.holds, outcomes) or 0], why, by[1], by[-1], by[0])


def outcome_of(rule: Check | Rank | AtLeast, outcomes: dict[Check | Rank, int | None]) -> int | None:
    """Holds (1), fails (−1) or is open (0). A comparison that is None is left out; a rule of which nothing is left,
    too.
    """
    if not isinstance(rule, AtLeast):
        return outcomes[rule]
    found = [o for part in rule.rules if (o := outcome_of(part, outcomes)) is not None]
    if not found:
        return None
    needed = rule.needed(len(found))
    if found.count(1) >= needed:
        return 1
    return -1 if len(found) - found.count(-1) < needed else 0


def method(n: Number) -> str:
    """The method of a number's cell, as the paper prints it."""
    return n.cell.split("/")[2]


def where(n: Number) -> str:
    """The column of a number's cell: dataset and what tells it from others of the table."""
    return n.cell.rsplit("/", 1)[1]


def short(n: Number, beside: Number) -> str:
    """The method, and the column where it is another than that of the number beside it."""
    return method(n) if where(n) == where(beside) else f"{method(n)} at {where(n)}"
