"""Verdicts that fell at an earlier look, and stand: no seed that agrees undoes one.

A test that was decided stays decided, as in group-sequential designs: seeds that come later may contradict it, and are
no second chance to fail it. So the seeds are gone through in order of their numbers, each number of them judged by
the interval that it has (``looks.before``). What falls stands while each later seed agrees: by itself it lies where
the verdict says that the mean does, inside the band, or beyond it on the same side. Where one does not, the verdict
still stands if all seeds up to it give it when they are judged as one plan; else it is undone, until the interval of
all looks gives one again.

At the edge of the band half of the later seeds do not agree, so that this costs nothing: what stands is less often
false than what a first plan's own look gives (``results/verdicts/blind.md``). Which verdict stands depends on nothing
but the seeds' numbers, their results and their plans: not on the order in which they were made, read or merged. What
bars a verdict (a gap, a lost or contested seed, a tie, a collapse) bars one that stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmark.collate.statistics.interval import Estimate, estimate
from benchmark.collate.statistics.looks import Look


class Earlier(NamedTuple):
    """A verdict, "" if none stands, and the seeds that it fell with."""

    name: str = ""
    by: Estimate | None = None


class Rule(NamedTuple):
    """What a verdict is by."""

    decided: Callable[[Estimate], str]  # of a mean with its interval; "" if it is open
    place: Callable[[float], str]  # the verdict that one number would have, were it our true mean


def standing(rule: Rule, achieved: Estimate, looks: Sequence[Look]) -> Earlier:
    """What fell at one of ``looks``, at fewer seeds than all, and still stands with all of them."""
    found, so_far = Earlier(), 0
    for n, looked in (*looks, Look(achieved.n, achieved.looked)):
        first = _first(achieved, n, looked)
        if name := rule.decided(first):
            found = Earlier(name, first)
        elif found.name and not _agree(rule, achieved, so_far, n, found.name):
            found = Earlier()
        so_far = n
    return found


def among(looks: Sequence[Look], there: Sequence[int]) -> tuple[Look, ...]:
    """The same looks at some of the seeds: those whose places are ``there``."""
    fewer: dict[int, bool] = {}
    for n, looked in looks:
        fewer.setdefault(sum(place < n for place in there), looked)
    return tuple(Look(n, looked) for n, looked in fewer.items() if 1 < n < len(there))


def _agree(rule: Rule, achieved: Estimate, before: int, n: int, name: str) -> bool:
    """Whether seeds that came after the first ``before``, up to the first ``n``, leave a verdict as it is."""
    later = achieved.values[before:n]
    return all(rule.place(v) == name for v in later) or rule.decided(_first(achieved, n, False)) == name


def _first(achieved: Estimate, n: int, looked: bool) -> Estimate:
    """The first ``n`` seeds."""
    return replace(estimate(achieved.values[:n], looked=looked), evaluation=achieved.evaluation)
