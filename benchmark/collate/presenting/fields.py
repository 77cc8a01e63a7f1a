"""What differs from a paper and what is assumed of it, for one table: fields by methods, each value with its kind.

A field stands here where a run that is shown differs from the paper in it, or where the paper does not state it. Its
value is the paper's, as the suite has it, and beside it that of the runs where it is another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.tier import Difference
from benchmark.collate.judging.values import ABSENT, flat
from benchmark.suite.model import Cell

TIER, RUNS = "tier", "runs"
"""Rows that are no field: how comparable the runs are, and what else tells them from the paper's."""


@dataclass(frozen=True)
class Value:
    """The paper's value, that of the runs shown where it is another, and on whose word the paper's stands."""

    paper: str
    ours: str = ""
    kind: str = ""


@dataclass(frozen=True)
class FieldRow:
    """One field: a value for each method, None where it has none there."""

    name: str  # "batch_d", "gran.tau"
    places: tuple[str, ...]  # the columns of the table that it speaks of; none: of all
    values: tuple[Value | None, ...]
    methods: tuple[str, ...]
    whys: tuple[tuple[str, ...], ...]  # for each method where the paper's value comes from, and what is known of it

    @property
    def why(self) -> str:
        """All that the methods have of this, once; what not all share with the methods that do."""
        return _reasons({m: why for m, value, why in zip(self.methods, self.values, self.whys) if value})

    @property
    def differs(self) -> bool:
        """Whether a run has another value than the paper."""
        return any(v and v.ours for v in self.values)


@dataclass(frozen=True)
class Line:
    """The same for one value: which methods have it."""

    field: str
    place: str
    methods: str
    value: Value
    why: str


@dataclass(frozen=True)
class Fields:
    """All of a table: what differs first, then what is only assumed."""

    methods: tuple[str, ...]
    rows: tuple[FieldRow, ...]

    def lines(self) -> Iterator[Line]:
        """Each value once, with the methods that have it."""
        for row in self.rows:
            by_value: dict[Value, list[str]] = {}
            for method, value in zip(self.methods, row.values):
                if value:
                    by_value.setdefault(value, []).append(method)
            for value, methods in by_value.items():
                named = "all" if len(methods) == len(self.methods) else ", ".join(methods)
                yield Line(row.name, ", ".join(row.places), named, value, row.why)


Spot = tuple[str, str]
"""A method and a column of the table, by their labels."""


@dataclass(frozen=True)
class Found:
    """A value of one cell, and why it has it."""

    value: Value
    why: tuple[str, ...] = ()


def fields_of(cells: Sequence[tuple[Spot, Joined]]) -> Fields:
    """The fields of a table's own cells, each with the labels of its row and its column."""
    methods = tuple(dict.fromkeys(method for (method, _), _ in cells))
    places = tuple(dict.fromkeys(place for (_, place), _ in cells))
    found: dict[str, dict[Spot, Found]] = {}
    for spot, j in cells:
        for path, one in _of_cell(j):
            found.setdefault(path, {})[spot] = one
    for of_path in found.values():
        _as_where_it_ran(of_path, {spot for spot, j in cells if not j.records})
    rows = [row for path, of_path in found.items() for row in _rows(path, of_path, methods, places)]
    rows.sort(key=lambda row: (row.name not in (TIER, RUNS), not row.differs, row.why))
    return Fields(methods, tuple(rows))


def _as_where_it_ran(found: dict[Spot, Found], silent: set[Spot]) -> None:
    """A cell without runs says nothing of them: it may stand with those of its method that have the same value of the
    paper.
    """
    for spot in silent & found.keys():
        value = found[spot].value
        others = {f.value for at, f in found.items() if at[0] == spot[0] and at not in silent}
        alike = [v for v in others if (v.paper, v.kind) == (value.paper, value.kind)]
        if len(others) == len(alike) == 1:
            found[spot] = replace(found[spot], value=alike[0])


def _rows(path: str, found: dict[Spot, Found], methods: Sequence[str], places: Sequence[str]) -> Iterator[FieldRow]:
    """One row, or one for each set of columns in which the methods have other values."""
    alike: dict[tuple[Value | None, ...], list[str]] = {}
    for place in places:
        values = tuple(f.value if (f := found.get((m, place))) else None for m in methods)
        if any(values):
            alike.setdefault(values, []).append(place)
    for values, where in alike.items():
        of_row: dict[str, dict[str, None]] = {}
        for (method, place), f in found.items():
            if place in where:
                of_row.setdefault(method, {}).update(dict.fromkeys(f.why))
        whys = tuple(tuple(of_row.get(m, ())) for m in methods)
        yield FieldRow(_shown(path), () if len(where) == len(places) else tuple(where), values, tuple(methods), whys)


def _reasons(of_row: Mapping[str, Iterable[str]]) -> str:
    """Why the methods of one row have their values; a reason that not all share with the methods that do."""
    by_text: dict[str, list[str]] = {}
    for method, why in of_row.items():
        for text in why:
            by_text.setdefault(text, []).append(method)
    said = []
    for text, of in by_text.items():
        others = [m for m in of_row if m not in of]
        named = f"all but {', '.join(others)}" if len(others) < len(of) else ", ".join(of)
        said.append(f"{named}: {text}" if others else text)
    return "; ".join(said)


def _shown(path: str) -> str:
    return path.removeprefix("parts.").removesuffix(".name")


def _of_cell(j: Joined) -> Iterator[tuple[str, Found]]:
    """Path and what is found of it."""
    differing = {d.field: d for d in j.tier.fields} if j.tier else {}
    if j.tier:
        yield TIER, Found(Value("", j.tier.name))
        if besides := j.tier.differences[: len(j.tier.differences) - len(j.tier.fields)]:
            yield RUNS, Found(Value("", "; ".join(besides)))
    theirs = j.cell.full_recipe.to_json() | j.cell.full_protocol.to_json()
    target = not j.cell.published or any(p.origin == "own" for p in j.cell.published.values())
    for field in dict.fromkeys([*differing, *(j.cell.notes if target else ())]):
        d = differing.get(field)
        paper = flat({field: _there(d.paper) if d else theirs.get(field)})
        ours = flat({field: _there(d.ours)}) if d else paper
        for path in _paths(j.cell, field, paper, ours):
            same = paper.get(path) == ours.get(path)
            value = Value(paper.get(path, ABSENT), "" if same else ours.get(path, ABSENT), j.cell.kinds.get(path, ""))
            yield path, Found(value, tuple(_why(j.cell, field, None if same else d)))


def _there(value: Any) -> Any:
    return None if value == "none" else value


def _paths(cell: Cell, field: str, paper: Mapping[str, str], ours: Mapping[str, str]) -> list[str]:
    """The values of a field that differ, and all of one with a note; of one that is absent, the field itself."""
    differing = [p for p in dict.fromkeys([*paper, *ours]) if paper.get(p) != ours.get(p)]
    noted = (list(paper) or [field]) if field in cell.notes else []
    return list(dict.fromkeys([*differing, *noted]))


def _why(cell: Cell, field: str, d: Difference | None) -> list[str]:
    said = [f"the paper: {cell.stated[field]}"] if d and field in cell.stated else []
    said += [cell.notes[field]] if field in cell.notes else []
    if d and d.harmless:
        said.append(f"changes no number: {d.harmless}")
    elif d and d.effect:
        said.append(f"known: {d.effect.size} ({d.effect.source})")
    return said
