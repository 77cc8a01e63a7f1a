"""A claim of a paper: what is compared, and how many of the comparisons have to hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from benchmark.suite.of_a_run import WORDS

LIMITS = ("at-most", "at-least")
"""The tests of one number against a limit, on which side it has to lie."""


@dataclass(frozen=True)
class Number:
    """One metric of one cell, as a claim refers to it; or a quantity of its runs (``of_a_run.py``)."""

    cell: str  # the cell's id
    metric: str
    direction: str  # "lower" or "higher" is better
    of: str = ""  # the quantity of its runs; "" for the metric itself
    beside: str = ""  # the cell that it is compared with, where that decides the quantity
    centre: float = 0.0  # the value that distances are from

    @property
    def name(self) -> str:
        """The metric, or what of its course."""
        return WORDS[self.of].format(self.metric, self.centre) if self.of else self.metric


@dataclass(frozen=True)
class Check:
    """One comparison: ``test`` of ``a`` against ``b``.

    ``better``: a is better than b; with a ``margin`` (a share of b) by at least that much, with a
    negative one at most that much worse. ``less``: a is the smaller after ``times``, whichever is
    better. ``close``: a differs from b by at most ``margin``. ``not-converged``: a did not converge
    (there is no b): it is not better than ``limit``, where the paper says what it means by that. With a ``rise`` as
    a: its runs end worse than they were by that share. ``at-most``, ``at-least``: a lies on that side of ``limit``.
    """

    test: str
    a: Number
    b: Number | None = None
    margin: Fraction = Fraction(0)
    times: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))
    limit: float | None = None


@dataclass(frozen=True)
class Rank:
    """``a`` is within the ``top`` of itself and its rivals: fewer than ``top`` of them are better. Ties count for a."""

    a: Number
    rivals: tuple[Number, ...]
    top: int


@dataclass(frozen=True)
class AtLeast:
    """Holds if enough of its rules do: ``all``, ``most`` (more than half), ``any``, or a share of them."""

    quantity: str | Fraction
    rules: tuple[Check | Rank | AtLeast, ...]

    def needed(self, of: int) -> int:
        """How many of ``of`` rules that can be decided must hold."""
        words = {"all": of, "any": min(1, of), "most": of // 2 + 1}
        return words[self.quantity] if isinstance(self.quantity, str) else math.ceil(self.quantity * of)


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, with the comparison over cells that it amounts to."""

    paper: str
    id: str
    quote: str
    where: str
    holds: AtLeast  # see ``suites/README.md`` for the language that it is written in
    note: str = ""  # how an unclear sentence is read, or what it contradicts

    def leaves(self) -> tuple[Check | Rank, ...]:
        """Every comparison and ranking that it rests on."""
        return tuple(_leaves(self.holds))

    def numbers(self) -> tuple[Number, ...]:
        """Every number that it rests on, once."""
        found = [
            n
            for leaf in self.leaves()
            for n in ((leaf.a, *leaf.rivals) if isinstance(leaf, Rank) else (leaf.a, leaf.b))
            if n
        ]
        return tuple(dict.fromkeys(found))


def _leaves(rule: Check | Rank | AtLeast) -> Iterator[Check | Rank]:
    if isinstance(rule, AtLeast):
        for part in rule.rules:
            yield from _leaves(part)
    else:
        yield rule
