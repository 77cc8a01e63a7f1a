"""The forms of a claim that compare quantities of runs in the place of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.errors import nearest
from benchmark.suite.claim import Number
from benchmark.suite.margins import margin
from benchmark.suite.nodes import Node
from benchmark.suite.of_a_run import AWAY, BY_IMAGE, OF_A_PAIR, WORDS
from benchmark.suite.words import AT_LEAST

Pairs = Sequence[tuple[Number, Number]]


def of_runs(pairs: Pairs, given: Mapping[str, Node], metrics: Sequence[str]) -> Pairs:
    """The same pairs by the quantity that ``of:`` names; as they are without it. Seconds are of no metric: each pair
    stands once, with the first.
    """
    if "of" not in given:
        return pairs
    of = given["of"].one_of([of for of in WORDS if of != AWAY], "quantity of a run")
    for key in ("against", *(("metrics",) if of == "seconds" else ())):
        if key in given:
            given[key].fail(f"'of: {of}' goes without {key!r}")
    _by_image(of, given, metrics)
    cells = dict.fromkeys((a.cell, b.cell, metrics[0] if of == "seconds" else a.metric) for a, b in pairs)
    return [
        (Number(a, metric, "lower", of, b * (of in OF_A_PAIR)), Number(b, metric, "lower", of, a * (of in OF_A_PAIR)))
        for a, b, metric in cells
    ]


def of_one_run(given: Mapping[str, Node], metrics: Sequence[str]) -> tuple[str, float]:
    """The quantity that ``of:`` names, "" without it, and the value that distances are ``from:``; fails at a quantity
    that another cell decides, too, and where one of the two keys lacks the other.
    """
    of = given["of"].one_of([of for of in WORDS if of not in OF_A_PAIR], "quantity of one run") if "of" in given else ""
    if (of == AWAY) != ("from" in given):
        given["from" if "from" in given else "of"].fail(f"'of: {AWAY}' and 'from: VALUE' go together")
    _by_image(of, given, metrics)
    return of, float(given["from"].number()) if "from" in given else 0.0


def _by_image(of: str, given: Mapping[str, Node], metrics: Sequence[str]) -> None:
    """Fails at a metric that is not measured image by image, where the quantity is of images."""
    known = BY_IMAGE.get(of, metrics)
    if others := [m for m in metrics if m not in known]:
        given["metrics" if "metrics" in given else "of"].fail(
            f"'of: {of}' is of what is measured image by image, {others[0]} has none{nearest(others[0], known)}"
        )


def rise_of_runs(by: Node) -> float:
    """The share of ``diverges: …, by: …``; fails unless it is above 0."""
    if (share := margin(by, AT_LEAST)) <= 0:
        by.fail(f"expected more than 0%, found {by.text()}")
    return float(share)
