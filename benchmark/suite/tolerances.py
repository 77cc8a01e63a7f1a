"""``tolerance:`` and ``alive:`` of a suite: what is the same number, and what a run that trained reaches."""

from __future__ import annotations

from benchmark.suite.model import METRICS, Alive, Tolerance
from benchmark.suite.nodes import Node

NARROWEST = 1e-6
TOLERANCE_NEEDED, ALIVE_KEYS = ("relative", "source"), ("least", "source")
TOLERANCE_KEYS = (*TOLERANCE_NEEDED, "absolute", "absolute_source")


def read_alive(node: Node) -> dict[str, Alive]:
    """By metric."""
    found = {}
    for metric, value in node.mapping(METRICS).items():
        given = value.mapping(ALIVE_KEYS, ALIVE_KEYS)
        found[metric] = Alive(given["least"].number(), given["source"].text())
    return found


def read_tolerance(node: Node) -> dict[str, Tolerance]:
    """By metric."""
    found = {}
    for metric, value in node.mapping(METRICS).items():
        given = value.mapping(TOLERANCE_KEYS, TOLERANCE_NEEDED)
        if (relative := given["relative"].number()) <= 0:
            given["relative"].fail(f"a tolerance must be positive, found {relative:g}")
        if relative < NARROWEST:
            given["relative"].fail(f"a tolerance is at least {NARROWEST:g}, found {relative:g}: no run could meet it")
        if relative >= 1:
            percent = f"{relative:g} is {100 * relative:g} %; 5 % is 0.05"
            given["relative"].fail(f"a tolerance is a share of the published number, less than all of it: {percent}")
        absolute = given["absolute"].number() if "absolute" in given else 0.0
        if "absolute" in given and absolute <= 0:
            given["absolute"].fail(f"a tolerance must be positive, found {absolute:g}")
        if ("absolute" in given) != ("absolute_source" in given):
            value.fail("an absolute tolerance has its own source: absolute and absolute_source go together")
        why = given["absolute_source"].text() if "absolute" in given else ""
        found[metric] = Tolerance(relative, given["source"].text(), absolute, why)
    return found
