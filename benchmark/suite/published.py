"""Published numbers, kept as printed."""

from __future__ import annotations

import re

from benchmark.ranges import LARGEST, SMALLEST, sane
from benchmark.suite.model import REASONS, Published
from benchmark.suite.nodes import Node

NUMBER = re.compile(
    r"(?P<value>[-−]?(\d+(\.\d*)?|\.\d+))\s*"
    r"(?:±\s*(?P<pm>\d+(\.\d+)?|\.\d+)|\((?P<bracket>\d+(\.\d+)?|\.\d+)\))?(?P<best>\*?)$"
)
LONGEST = 60


def read_row(node: Node, columns: int, std_of: str, origins: list[str]) -> list[Published]:
    """One metric of a row: a value, or a list with one value a column."""
    values = node.items() if node.is_list() else [node]
    if len(values) != columns:
        node.fail(f"{len(values)} value(s) for {columns} column(s); an empty cell says why ({', '.join(REASONS)})")
    return [read_one(item, std_of, origin) for item, origin in zip(values, origins)]


def read_one(node: Node, std_of: str, origin: str) -> Published:
    """``15.813``, ``-0.657 ± 0.065``, ``8.12(0.062)``, each with ``*`` if printed as a best value; or a reason for an
    empty cell.
    """
    text = node.text()
    if text in REASONS:
        return Published(text, None, None, None, origin)
    if len(text) <= LONGEST and (match := NUMBER.match(text)):
        std = next((float(s) for s in (match["pm"], match["bracket"]) if s), None)
        value = float(match["value"].replace("−", "-"))
        if not sane(value) or not sane(std or 0):
            node.fail(f"expected 0 or a number between {SMALLEST:g} and {LARGEST:g} in size, found {text!r}")
        return Published(text.rstrip("*"), value, std, std_of if std is not None else None, origin, bool(match["best"]))
    node.fail(
        "expected a number as printed ('15.8', '-0.657 ± 0.065', '8.12(0.062)', '15.8*' if in bold) or a "
        f"reason ({', '.join(REASONS)}), found {text[:80]!r}"
    )
    return None
