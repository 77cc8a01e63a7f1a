"""The forms of a claim: which numbers are compared, and how."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from benchmark.errors import GanbenchError, nearest
from benchmark.suite.claim import Check, Number, Rank
from benchmark.suite.claim_keys import COMMON, EXTRA, NEEDED
from benchmark.suite.filter import Filter
from benchmark.suite.margins import margin
from benchmark.suite.model import Cell, Table
from benchmark.suite.nodes import Node
from benchmark.suite.run_forms import of_one_run, of_runs, rise_of_runs
from benchmark.suite.words import AT_MOST, MARGINS


def _each(node: Node) -> list[Node]:
    return node.items() if node.is_list() else [node]


@dataclass
class FormReader:
    """Reads one comparison over one table."""

    node: Node
    form: str
    tables: dict[str, Table]

    def __post_init__(self) -> None:
        self.given = self.node.mapping(
            {self.form, *COMMON, *EXTRA.get(self.form, ())}, ("table", *NEEDED.get(self.form, ()))
        )
        self.table = self.tables[self.given["table"].one_of(self.tables, "table")]
        self.methods = list(dict.fromkeys(c.method for c in self.table.cells))
        metrics = self.given["metrics"].items() if "metrics" in self.given else []
        self.metrics = [m.one_of(self.table.metrics, f"metric of table {self.table.id}") for m in metrics] or [
            *self.table.metrics
        ]
        self.cells = self._chosen("cells")
        against = self.given.get("against")
        self.other = self.tables[against.one_of(self.tables, "table")] if against else None

    def better(self) -> list[Check]:
        """``better: {A: B}`` or ``{A: [B, C]}``: A is better than each, wherever both stand; ``by: 5%``: by at least
        that much, ``by: -5%``: at most that much worse; or a word of ``words.py``. With ``against: T`` B is
        of that table, in any column; with ``of: Q`` by a quantity of their runs (``of_a_run.py``).
        """
        share = margin(self.given["by"], MARGINS) if "by" in self.given else Fraction(0)
        return [Check("better", a, b, share) for a, b in of_runs(self._pairs(), self.given, self.metrics)]

    def close(self) -> list[Check]:
        """``close: {A: B}, within: 5%``, or a word of ``words.py``."""
        if not 0 <= (share := margin(within := self.given["within"], AT_MOST)) < 1:
            within.fail(f"expected at least 0% and less than 100%, found {within.text()}")
        return [Check("close", a, b, share) for a, b in self._pairs()]

    def best(self) -> list[Rank]:
        """``best: [A, …]``: each is within the ``top`` (1) of the cells ``among`` which it stands, column by column."""
        top = self.given["top"].integer() if "top" in self.given else 1
        if top < 1:
            self.given["top"].fail(f"expected at least 1, found {top}")
        among = self._chosen("among") if "among" in self.given else list(self.table.cells)
        known = {c.id for c in among}
        rules = []
        for cell in self._cells_of(self.given["best"]):
            rivals = [c for c in among if c.place == cell.place and c.id != cell.id]
            if cell.id not in known or len(rivals) < top:
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
            times[method] = Fraction(str(factor.number()))
        return [
            Check("less", *pair, times=(times.get(a, Fraction(1)), times.get(b, Fraction(1))))
            for a, b in pairwise(order)
            for m in self.metrics
            for pair in self._together(a, b, m, self.given["ascending"])
        ]

    def monotone(self) -> list[Check]:
        """``monotone: [A]``: A gets better as data_percent grows, or set by set ``along: [hardest, …, easiest]``."""
        order = (
            [
                n.one_of({c.dataset for c in self.cells}, f"dataset of table {self.table.id}")
                for n in self.given["along"].items()
            ]
            if "along" in self.given
            else []
        )
        series: dict[tuple[object, ...], list[Cell]] = {}
        for cell in self._cells_of(self.given["monotone"]):
            fixed = cell.data_percent if order else cell.dataset
            series.setdefault((cell.method, cell.backbone, cell.resolution, fixed), []).append(cell)
        rules: list[Check] = []
        for cells in series.values():
            cells = (
                [c for name in order for c in cells if c.dataset == name]
                if order
                else sorted(cells, key=lambda c: c.data_percent)
            )
            if len(cells) < 2:
                self.given["monotone"].fail(
                    f"{cells[0].id if cells else 'a method'} stands alone: nothing to be better or worse than"
                )
            rules += [
                Check("better", self._number(b, m), self._number(a, m))
                for m in self.metrics
                for a, b in pairwise(cells)
            ]
        return rules

    def not_converged(self) -> list[Check]:
        """``not-converged: [A]``, by the metrics for which the table has the paper's limit, if it has any."""
        limits = self.table.converged
        return [
            Check("not-converged", self._number(c, m), limit=limits.get(m))
            for c in self._cells_of(self.given["not-converged"])
            for m in self.metrics
            if (m in limits if limits else m in c.published)
        ]

    def diverges(self) -> list[Check]:
        """``diverges: [A], by: 50%``, or a word of ``words.py``: at least so much worse at its end than before it."""
        share = rise_of_runs(self.given["by"])
        ids = [c.id for c in self._cells_of(self.given["diverges"])]
        return [Check("not-converged", Number(i, m, "lower", "rise"), limit=share) for i in ids for m in self.metrics]

    def at_most(self) -> list[Check]:
        """``at-most: {A: 1}``: A's number is no larger, with ``at-least`` no smaller; with ``of: Q`` a quantity of its
        runs (``of_a_run.py``).
        """
        (of, centre), given = of_one_run(self.given, self.metrics), self.given[self.form]
        return [
            Check(
                self.form,
                Number(c.id, m, "lower" if of else self.table.metrics[m], of, "", centre),
                limit=float(limit.number()),
            )
            for method, limit in given.mapping().items()
            for c in self._cells_with(self._method(method, given), given)
            for m in self.metrics
        ]

    at_least = at_most

    def _cells_of(self, node: Node) -> list[Cell]:
        """The chosen cells of the named methods; each method must have one."""
        return [c for method in dict.fromkeys(self._methods(node)) for c in self._cells_with(method, node)]

    def _cells_with(self, method: str, node: Node) -> list[Cell]:
        found = [c for c in self.cells if c.method == method]
        return found or node.fail(f"{method} has no cell in this selection")

    def _method(self, name: str, node: Node) -> str:
        if name not in self.methods:
            node.fail(f"unknown method of table {self.table.id} {name!r}{nearest(name, self.methods)}")
        return name

    def _pairs(self) -> list[tuple[Number, Number]]:
        found = []
        for name, others in self.given[self.form].mapping().items():
            self._method(name, self.given[self.form])
            if self.other:
                found += [
                    (self._number(a, m), self._number(b, m)) for a, b, m in self._across(name, others, self.other)
                ]
                continue
            for other in self._methods(others):
                if other == name:
                    others.fail(f"{name} is compared with itself")
                found += [pair for m in self.metrics for pair in self._together(name, other, m, others)]
        return found

    def _across(self, name: str, others: Node, table: Table) -> list[tuple[Cell, Cell, str]]:
        """The chosen cells of a method, others of another table in any column, and metrics; fails if there are none."""
        known = {c.method for c in table.cells}
        asked = [n.one_of(known, f"method of table {table.id}") for n in _each(others)]
        mine = [c for c in self.cells if c.method == name]
        both = [(a, b) for b in table.cells if b.method in asked for a in mine if a.backbone == b.backbone]
        found = [(a, b, m) for m in self.metrics if m in table.metrics for a, b in both]
        return found or others.fail(f"{name} and table {table.id} have no backbone and metric in common")

    def _together(self, a: str, b: str, metric: str, node: Node) -> list[tuple[Number, Number]]:
        """The two methods' numbers in every column and backbone that has both; fails if none has."""
        lower = {(c.place, c.backbone): c for c in self.table.cells if c.method == b}
        both = [(c, lower[c.place, c.backbone]) for c in self.cells if c.method == a and (c.place, c.backbone) in lower]
        if not both:
            node.fail(f"{a} and {b} stand in no column together")
        return [(self._number(x, metric), self._number(y, metric)) for x, y in both]

    def _number(self, cell: Cell, metric: str) -> Number:
        return Number(cell.id, metric, self.table.metrics[metric])

    def _methods(self, node: Node) -> list[str]:
        return [n.one_of(self.methods, f"method of table {self.table.id}") for n in _each(node)]

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
