"""``--only``: ``table=2 & dataset=cifar10 & method~GraN | …``, over the coordinates of a cell.

``=`` and ``!=`` compare (numbers as numbers), ``~`` and ``!~`` look for a part, ignoring case;
``<``, ``<=``, ``>``, ``>=`` compare numbers. ``&`` binds tighter than ``|``; parentheses group.
A value may be quoted; it must be if it holds ``&``, ``|``, ``(`` or ``)``. Within quotes, two of them stand for one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from benchmark.errors import GanbenchError, closest, nearest
from benchmark.suite.model import Cell, Place

COORDINATES = ("table", "method", "backbone", "dataset", "data_percent", "resolution")
"""Which together tell a paper's cells apart."""

FIELDS = ("paper", "table", "group", "method", "backbone", "dataset", "data_percent", "resolution", "profile")
TEST = re.compile(
    r"\s*(?P<field>[\w-]+)\s*(?P<op>!=|!~|<=|>=|=|~|<|>)\s*"
    r"(?:'(?P<single>(?:[^']|'')*)'|\"(?P<double>(?:[^\"]|\"\")*)\"|(?P<bare>[^&|()]*))\s*"
)
FORGOTTEN = re.compile(rf"\s({'|'.join(FIELDS)})\s*[=~<>!]")
ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MOST_PARENTHESES = 50
LONGEST = 2_000


@dataclass(frozen=True)
class Row:
    """Where a printed number stands that is of no cell ("Real data")."""

    paper: str
    table: str
    method: str
    dataset: str
    data_percent: float
    resolution: int
    profile: str
    group: str = ""
    backbone: str = ""


Test = Callable[[Cell | Place | Row], bool]


class Filter:
    """A parsed expression; call it with a cell. Raises GanbenchError (exit 2) on bad syntax or an unknown field."""

    def __init__(self, text: str, fields: tuple[str, ...] = FIELDS) -> None:
        self.text, self._at, self._fields = text, 0, fields
        self._wanted: list[tuple[str, str, Test]] = []  # the words that a field is to be, or to hold
        if text.count("(") > MOST_PARENTHESES:
            self._fail(f"more than {MOST_PARENTHESES} parentheses")
        if len(text) > LONGEST:
            self._fail(f"longer than {LONGEST:,} characters")
        self._test = self._any()
        if self._at < len(text):
            self._fail("expected '&', '|' or the end (a value with parentheses must be quoted)")

    def __call__(self, cell: Cell | Place | Row) -> bool:
        """Whether the cell is chosen."""
        return self._test(cell)

    def astray(self, cells: Iterable[Cell]) -> str:
        """``: no method 'bsae', the nearest is 'base'`` for each word that is that of no cell, and near to one's."""
        cells = list(cells)
        said = [
            f"no {field} {wanted!r}, the nearest is {near!r}"
            for field, wanted, test in self._wanted
            if not any(map(test, cells)) and (near := closest(wanted, {str(getattr(c, field)) for c in cells}))
        ]
        return f": {'; '.join(said)}" if said else ""

    def _any(self) -> Test:
        tests = [self._all()]
        while self._take("|"):
            tests.append(self._all())
        return lambda cell: any(test(cell) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._take("&"):
            tests.append(self._one())
        return lambda cell: all(test(cell) for test in tests)

    def _one(self) -> Test:
        if self._take("("):
            inner = self._any()
            if not self._take(")"):
                self._fail("expected ')'")
            return inner
        match = TEST.match(self.text, self._at)
        if not match:
            self._fail("expected FIELD=VALUE")
        if match["field"] not in self._fields:
            self._fail(f"unknown field {match['field']!r}{nearest(match['field'], self._fields)}")
        self._at = match.end()
        value = _value(match)
        if match["bare"] is not None and (not value or FORGOTTEN.search(value)):
            self._fail("a value is missing" if not value else f"expected '&' or '|' within {value!r} (or quote it)")
        return self._compare(match["field"], match["op"], value)

    def _compare(self, field: str, op: str, wanted: str) -> Test:
        number = _number(wanted)
        if op in ORDER:
            if number is None:
                self._fail(f"{op} needs a number, found {wanted!r}")
            bound = number
            return lambda cell: (has := _number(str(getattr(cell, field)))) is not None and ORDER[op](has, bound)

        def equal(cell: Cell | Place | Row) -> bool:
            """As text, or both as numbers: 10 is 10.0."""
            has = str(getattr(cell, field))
            return has == wanted or (number is not None and _number(has) == number)

        def part(cell: Cell | Place | Row) -> bool:
            """Whether the text holds it, in upper or lower case."""
            return wanted.lower() in str(getattr(cell, field)).lower()

        test = part if "~" in op else equal
        if op in ("=", "~") and number is None:
            self._wanted.append((field, wanted, test))
        return (lambda cell: not test(cell)) if op.startswith("!") else test

    def _take(self, symbol: str) -> bool:
        while self._at < len(self.text) and self.text[self._at].isspace():
            self._at += 1
        if self.text.startswith(symbol, self._at):
            self._at += 1
            return True
        return False

    def _fail(self, message: str) -> NoReturn:
        text = self.text if len(self.text) <= LONGEST else f"{self.text[:80]}…"
        raise GanbenchError(f"--only {text!r}, column {self._at + 1}: {message}", 2)


def selects(cell: Cell, fields: tuple[str, ...] = ("paper", *COORDINATES)) -> str:
    """The expression that leaves this cell and no other."""
    tests = {name: _text(getattr(cell, name)) for name in fields}
    return " & ".join(f"{name}={_quoted(value)}" for name, value in tests.items() if value)


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w.^@%+†‡-]+", value):
        return value
    return f'"{value}"' if '"' not in value else "'" + value.replace("'", "''") + "'"


def _text(value: object) -> str:
    """As short as a number can be written without becoming another."""
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _value(match: re.Match[str]) -> str:
    for kind, quote in (("single", "'"), ("double", '"')):
        if match[kind] is not None:
            return match[kind].replace(2 * quote, quote)
    return match["bare"].strip()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
