"""Claims as a suite writes them: a quoted sentence and the comparison over cells that it amounts to.

The forms are described in ``suites/README.md``. Each is read into one kind of rule: at least n of these
comparisons hold. Rows that a table does not have, and selections without a cell, are errors here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from benchmark.errors import GanbenchError, nearest
from benchmark.suite.filter import Filter
from benchmark.suite.model import AtLeast, Cell, Check, Claim, Number, Rank, Table
from benchmark.suite.nodes import Node

FORMS = ("better", "best", "ascending", "monotone", "close", "not-converged")
COMMON = ("table", "metrics", "cells", "in")
PERCENT = re.compile(r"(-?\d+(?:\.\d+)?)\s*%$")


def read_claims(node: Node, paper: str, tables: tuple[Table, ...]) -> tuple[Claim, ...]:
    """The ``claims:`` list; fails on an unknown table, method or metric."""
    claims: dict[str, Claim] = {}
    known = {t.id: t for t in tables}
    for item in node.items():
        given = item.mapping({"id", "quote", "where", "holds", "note"}, ("id", "quote", "where", "holds"))
        name = given["id"].text()
        if name in claims:
            given["id"].fail(f"two claims have the id {name!r}")
        note = given["note"].text() if "note" in given else ""
        claims[name] = Claim(paper, name, given["quote"].text(), given["where"].text(), _rule(given["holds"], known), note)
    return tuple(claims.values())


def _rule(node: Node, tables: dict[str, Table]) -> AtLeast:
    """One form, a list of which all must hold, or ``{any: […]}`` or ``{most: […]}``."""
    if node.is_list():
        rules = tuple(_rule(n, tables) for n in node.items())
        return AtLeast(len(rules), rules)
    given = node.mapping()
    for word in ("any", "most"):
        if word in given:
            rules = tuple(_rule(n, tables) for n in node.mapping({word})[word].items())
            return AtLeast(1 if word == "any" else len(rules) // 2 + 1, rules)
    forms = [f for f in FORMS if f in given]
    if len(forms) != 1:
        node.fail(f"a comparison has exactly one of {', '.join(FORMS)}; found {', '.join(forms) or 'none'}")
    reader = _Reader(node, forms[0], tables)
    rules = getattr(reader, forms[0].replace("-", "_"))()
    if not rules:
        node.fail("this selection compares nothing")
    return AtLeast(_quantity(given.get("in"), len(rules)), tuple(rules))


def _quantity(node: Node | None, of: int) -> int:
    """``all`` (default), ``most`` (more than half), ``any``, or a percentage, as a number of comparisons."""
    if node is None or node.text() == "all":
        return of
    if node.text() == "any":
        return 1
    if node.text() == "most":
        return of // 2 + 1
    return math.ceil(_percent(node) * of - 1e-9)


def _percent(node: Node) -> float:
    if not (match := PERCENT.match(node.text())):
        node.fail(f"expected a percentage ('5%'), found {node.text()!r}")
    return float(match[1]) / 100


@dataclass
class _Reader:
    """Reads one comparison over one table."""

    node: Node
    form: str
    tables: dict[str, Table]

    def __post_init__(self) -> None:
        extra = {"better": ("by",), "best": ("top", "among"), "ascending": ("times",), "monotone": ("along",), "close": ("within",)}.get(self.form, ())
        self.given = self.node.mapping({self.form, *COMMON, *extra}, ("table", *(("within",) if self.form == "close" else ())))
        self.table = self.tables[self.given["table"].one_of(self.tables, "table")]
        self.methods = list(dict.fromkeys(c.method for c in self.table.cells))
        metrics = self.given["metrics"].items() if "metrics" in self.given else []
        self.metrics = [m.one_of(self.table.metrics, f"metric of table {self.table.id}") for m in metrics] or list(self.table.metrics)
        self.cells = self._chosen("cells")

    def better(self) -> list[Check]:
        """``better: {A: B}`` or ``{A: [B, C]}``: A is better than each, wherever both stand; ``by: 5%`` asks for more, ``by: -5%`` for less."""
        margin = _percent(self.given["by"]) if "by" in self.given else 0.0
        return [Check("better", a, b, margin) for a, b in self._pairs()]

    def close(self) -> list[Check]:
        """``close: {A: B}, within: 5%``."""
        return [Check("close", a, b, _percent(self.given["within"])) for a, b in self._pairs()]

    def best(self) -> list[Rank]:
        """``best: [A, …]``: each is within the ``top`` (1) of the cells ``among`` which it stands, column by column."""
        top = self.given["top"].integer() if "top" in self.given else 1
        among = self._chosen("among") if "among" in self.given else list(self.table.cells)
        rules = []
        for method in self._methods(self.given["best"]):
            for cell in (c for c in self.cells if c.method == method):
                rivals = [c for c in among if c.place == cell.place and c.id != cell.id]
                if cell not in among or len(rivals) < top:
                    self.node.fail(f"{cell.id} stands among {len(rivals)} rival(s): nothing to be in the top {top} of")
                rules += [Rank(self._number(cell, m), tuple(self._number(r, m) for r in rivals), top) for m in self.metrics]
        return rules

    def ascending(self) -> list[Check]:
        """``ascending: [A, B, C]``: A < B < C in value, after ``times: {A: 0.01}``."""
        order = self._methods(self.given["ascending"])
        if len(set(order)) < 2 or len(set(order)) != len(order):
            self.given["ascending"].fail("needs at least two different methods")
        times = {}
        for method, factor in (self.given["times"].mapping() if "times" in self.given else {}).items():
            if method not in order:
                factor.fail(f"{method!r} is not among the methods compared{nearest(method, order)}")
            times[method] = factor.number()
        steps = [(a, b, (times.get(a, 1.0), times.get(b, 1.0))) for a, b in zip(order, order[1:])]
        return [Check("less", *pair, times=factors) for m in self.metrics for a, b, factors in steps for pair in self._together(a, b, m)]

    def monotone(self) -> list[Check]:
        """``monotone: [A]``: A gets better as data_percent grows, or dataset by dataset ``along: [hardest, …, easiest]``."""
        order = [n.one_of({c.dataset for c in self.cells}, f"dataset of table {self.table.id}") for n in self.given["along"].items()] if "along" in self.given else []
        rules = []
        for method in self._methods(self.given["monotone"]):
            series: dict[str, list[Cell]] = {}
            for cell in (c for c in self.cells if c.method == method):
                key = f"{cell.data_percent}[{cell.backbone}]" if order else f"{cell.dataset}[{cell.backbone}]"
                series.setdefault(key, []).append(cell)
            for cells in series.values():
                cells = [c for name in order for c in cells if c.dataset == name] if order else sorted(cells, key=lambda c: c.data_percent)
                rules += [Check("better", self._number(b, m), self._number(a, m)) for m in self.metrics for a, b in zip(cells, cells[1:])]
        return rules

    def not_converged(self) -> list[Check]:
        """``not-converged: [A]``."""
        methods = self._methods(self.given["not-converged"])
        return [Check("not-converged", self._number(c, m)) for c in self.cells if c.method in methods for m in self.metrics if m in c.published]

    def _pairs(self) -> list[tuple[Number, Number]]:
        found = []
        for name, others in self.given[self.form].mapping().items():
            if name not in self.methods:
                self.given[self.form].fail(f"unknown method of table {self.table.id} {name!r}{nearest(name, self.methods)}")
            for other in self._methods(others):
                pairs = [pair for m in self.metrics for pair in self._together(name, other, m)]
                if not pairs:
                    others.fail(f"{name} and {other} stand in no column together")
                found += pairs
        return found

    def _together(self, a: str, b: str, metric: str) -> list[tuple[Number, Number]]:
        """The two methods' numbers in every column and backbone that has both."""
        lower = {(c.place, c.backbone): c for c in self.table.cells if c.method == b}
        both = [(c, lower[c.place, c.backbone]) for c in self.cells if c.method == a and (c.place, c.backbone) in lower]
        return [(self._number(x, metric), self._number(y, metric)) for x, y in both]

    def _number(self, cell: Cell, metric: str) -> Number:
        return Number(cell.id, metric, self.table.metrics[metric])

    def _methods(self, node: Node) -> list[str]:
        names = node.items() if node.is_list() else [node]
        return [n.one_of(self.methods, f"method of table {self.table.id}") for n in names]

    def _chosen(self, key: str) -> list[Cell]:
        if key not in self.given:
            return list(self.table.cells)
        try:
            test = Filter(self.given[key].text())
        except GanbenchError as error:
            self.given[key].fail(str(error).replace("--only", f"{key}:", 1))
        if not (chosen := [c for c in self.table.cells if test(c)]):
            self.given[key].fail(f"no cell of table {self.table.id} matches {self.given[key].text()!r}")
        return chosen
