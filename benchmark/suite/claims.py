"""Claims as a suite writes them: a quoted sentence and the comparison that it amounts to."""

from __future__ import annotations

from benchmark.errors import nearest
from benchmark.suite.model import Claim, Comparison, Table
from benchmark.suite.nodes import Node


def read_claims(node: Node, paper: str, tables: tuple[Table, ...]) -> tuple[Claim, ...]:
    """The ``claims:`` list; fails on an unknown table, method or metric."""
    claims: dict[str, Claim] = {}
    for item in node.items():
        given = item.mapping({"id", "quote", "where", "holds"}, ("id", "quote", "where", "holds"))
        name = given["id"].text()
        if name in claims:
            given["id"].fail(f"two claims have the id {name!r}")
        claims[name] = Claim(paper, name, given["quote"].text(), given["where"].text(), _comparison(given["holds"], tables))
    return tuple(claims.values())


def _comparison(node: Node, tables: tuple[Table, ...]) -> Comparison:
    given = node.mapping({"table", "ascending", "metrics", "times"}, ("table", "ascending", "metrics"))
    known = {t.id: t for t in tables}
    table = known[given["table"].one_of(known, "table")]
    methods = {c.method for c in table.cells}
    if len(methods) != len(table.cells):
        given["table"].fail(f"table {table.id} has several cells a method; a claim over them needs a table with one column and backbone")
    order = tuple(m.one_of(methods, f"method of table {table.id}") for m in given["ascending"].items())
    if len(set(order)) < 2 or len(set(order)) != len(order):
        given["ascending"].fail("needs at least two different methods")
    metrics = tuple(m.one_of(table.metrics, f"metric of table {table.id}") for m in given["metrics"].items())
    times = {}
    for method, factor in (given["times"].mapping() if "times" in given else {}).items():
        if method not in order:
            factor.fail(f"{method!r} is not among the methods compared{nearest(method, order)}")
        times[method] = factor.number()
    return Comparison(table.id, order, metrics, times)
