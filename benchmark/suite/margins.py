"""Shares as a suite writes them: ``5%``, or a word that ``words.py`` gives a meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from benchmark.suite.nodes import Node

PERCENT = re.compile(r"(-?\d+(?:\.\d+)?)\s*%$")


def percent(node: Node) -> Fraction:
    """A share, from a text such as 5%."""
    if len(node.text()) > 20 or not (match := PERCENT.match(node.text())):
        node.fail(f"expected a percentage ('5%'), found {node.text()[:40]!r}")
    return Fraction(match[1]) / 100


def margin(node: Node, words: Mapping[str, Fraction]) -> Fraction:
    """A share, from 5% or one of the words that ``words.py`` gives a share."""
    if node.text() in words:
        return words[node.text()]
    if not PERCENT.match(node.text()) and re.fullmatch(r"[a-z]+", node.text()):
        node.fail(f"expected a percentage ('5%') or {', '.join(words)}; found {node.text()[:40]!r}")
    return percent(node)
