"""Published numbers, kept as printed."""

from __future__ import annotations

import re

from benchmark.suite.model import REASONS, Published
from benchmark.suite.nodes import Node

NUMBER = re.compile(r"(?P<value>[-−]?\d+(\.\d+)?)(?:\s*±\s*(?P<std>\d+(\.\d+)?))?$")


def read_row(node: Node, columns: int, std_of: str, origin: str) -> list[Published]:
    """One metric of a row: a value, or a list with one value a column."""
    values = [read_one(item, std_of, origin) for item in node.items()] if node.is_list() else [read_one(node, std_of, origin)]
    if len(values) != columns:
        node.fail(f"{len(values)} value(s) for {columns} column(s); an empty cell says why ({', '.join(REASONS)})")
    return values


def read_one(node: Node, std_of: str, origin: str) -> Published:
    """``15.813``, ``-0.657 ± 0.065``, or a reason for an empty cell."""
    text = node.text()
    if text in REASONS:
        return Published(text, None, None, None, origin)
    if match := NUMBER.match(text):
        std = float(match["std"]) if match["std"] else None
        return Published(text, float(match["value"].replace("−", "-")), std, std_of if std is not None else None, origin)
    node.fail(f"expected a number as printed ('15.8', '-0.657 ± 0.065') or a reason ({', '.join(REASONS)}), found {text!r}")
