"""Claims as a suite writes them: a quoted sentence and the comparison over cells that it amounts to.

The forms are described in ``suites/README.md``. Each is read into one kind of rule: at least n of these
comparisons hold. Rows that a table does not have, and selections without a cell, are errors here.
"""

from __future__ import annotations

import re
from fractions import Fraction

from benchmark.suite.claim import AtLeast, Check, Claim, Rank
from benchmark.suite.claim_forms import FormReader
from benchmark.suite.claim_keys import COMMON, EXTRA, FORMS
from benchmark.suite.margins import percent
from benchmark.suite.model import Table
from benchmark.suite.nodes import Node

CLAIM_KEYS = ("id", "quote", "where", "holds", "note")
WORDS = ("any", "most")  # how many of a list must hold
MOST_CLAIMS = 500
MOST_COMPARED = 20_000  # numbers, in all comparisons of a suite; a paper has a few thousand


def read_claims(node: Node, paper: str, tables: tuple[Table, ...]) -> tuple[Claim, ...]:
    """The ``claims:`` list; fails on an unknown table, method or metric."""
    claims: dict[str, Claim] = {}
    known, compared = {t.id: t for t in tables}, 0
    for item in node.at_most(MOST_CLAIMS).items():
        given = item.mapping(CLAIM_KEYS, CLAIM_KEYS[:-1])
        name = given["id"].text()
        if name in claims:
            given["id"].fail(f"two claims have the id {name!r}")
        rule = _rule(given["holds"], known)
        compared += _compared(rule)
        if compared > MOST_COMPARED:
            given["holds"].fail(f"with this claim, the suite compares more than {MOST_COMPARED:,} numbers")
        note = given["note"].text() if "note" in given else ""
        claims[name] = Claim(paper, name, given["quote"].text(), given["where"].text(), rule, note)
    return tuple(claims.values())


def _compared(rule: AtLeast | Check | Rank) -> int:
    """How many numbers it looks at, counted as often as it does."""
    if isinstance(rule, AtLeast):
        return sum(map(_compared, rule.rules))
    return 1 + len(rule.rivals) if isinstance(rule, Rank) else 2


def _rule(node: Node, tables: dict[str, Table]) -> AtLeast:
    """One form, a list of which all must hold, or ``{any: […]}`` or ``{most: […]}``."""
    if node.is_list():
        return AtLeast("all", _rules(node, tables))
    given = node.mapping()
    for word in WORDS:
        if word in given:
            return AtLeast(word, _rules(node.mapping({word})[word], tables))
    forms = [f for f in FORMS if f in given]
    if not forms:  # a word that is misspelt is named
        node.mapping({*FORMS, *COMMON, *(key for keys in EXTRA.values() for key in keys), *WORDS})
    if len(forms) != 1:
        node.fail(f"a comparison has exactly one of {', '.join(FORMS)}; found {', '.join(forms) or 'none'}")
    reader = FormReader(node, forms[0], tables)
    if len(reader.cells) * len(reader.methods) * len(reader.metrics) > 10 * MOST_COMPARED:  # before they are made
        node.fail("this selection compares too many cells with too many others")
    rules = getattr(reader, forms[0].replace("-", "_"))()
    if not rules:
        node.fail("this selection compares nothing")
    return AtLeast(_quantity(given["in"]) if "in" in given else "all", tuple(rules))


def _rules(node: Node, tables: dict[str, Table]) -> tuple[AtLeast, ...]:
    if not (rules := tuple(_rule(n, tables) for n in node.at_most(MOST_CLAIMS).items())):
        node.fail("an empty list of comparisons says nothing")
    return rules


def _quantity(node: Node) -> str | Fraction:
    """``all`` (default), ``most``, ``any``, or a percentage."""
    if node.text() in (words := ("all", *WORDS)):
        return node.text()
    if re.fullmatch(r"[A-Za-z-]+", node.text()):
        node.fail(f"expected a percentage ('5%') or {', '.join(words)}; found {node.text()[:40]!r}")
    share = percent(node)
    if not 0 < share <= 1:
        node.fail(f"expected more than 0% and at most 100%, found {node.text()}")
    return share
