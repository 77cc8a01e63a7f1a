"""What differs from a paper and what is assumed of it, for all of its tables: each value and each reason once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmark.collate.presenting.fields import RUNS, TIER, FieldRow, Value
from benchmark.collate.presenting.table import View


@dataclass(frozen=True)
class Assumed:
    """A value of a field, where it stands, and the numbers of its reasons."""

    field: str
    where: str  # "all", or "2, 3 (stl10: GraNC-GAN)"
    value: Value
    why: tuple[int, ...]


Key = tuple[str, Value, tuple[str, ...]]
"""Field, value, and reasons."""
Spots = list[tuple[tuple[str, ...], str]]
"""Places of a table, and methods."""


def assumed(views: Sequence[View]) -> tuple[tuple[Assumed, ...], tuple[str, ...]]:
    """The values, those that differ first, and the reasons, which they name by their places from 1 on."""
    found: dict[Key, dict[str, Spots]] = {}
    for v in views:
        for row in v.fields.rows:
            for key, methods in _by_key(row):
                found.setdefault(key, {}).setdefault(v.name, []).append((row.places, methods))
    ordered = sorted(found, key=lambda key: (key[0] not in (TIER, RUNS), not key[1].ours))
    reasons = {text: i for i, text in enumerate(dict.fromkeys(text for key in ordered for text in key[2]), 1)}
    every = {v.name for v in views if v.fields.rows}
    return tuple(
        Assumed(key[0], _where(found[key], every), key[1], tuple(reasons[text] for text in key[2])) for key in ordered
    ), tuple(reasons)


def _by_key(row: FieldRow) -> Iterator[tuple[Key, str]]:
    """Methods that have a value for the same reasons: "" for all of the table."""
    of: dict[Key, list[str]] = {}
    for method, value, why in zip(row.methods, row.values, row.whys):
        if value:
            of.setdefault((row.name, value, why), []).append(method)
    for key, methods in of.items():
        others = [m for m in row.methods if m not in methods]
        yield key, "" if not others else _shorter(", ".join(methods), f"all but {', '.join(others)}")


def _shorter(a: str, b: str) -> str:
    return a if len(a) <= len(b) else b


def _where(tables: dict[str, Spots], every: set[str]) -> str:
    if tables.keys() == every and all(spots == [((), "")] for spots in tables.values()):
        return "all"
    told: dict[str, list[str]] = {}
    for name, spots in tables.items():
        within = "; ".join(": ".join(filter(None, (", ".join(places), methods))) for places, methods in spots)
        told.setdefault(within, []).append(name.removeprefix("Table "))
    return "; ".join(", ".join(names) + (f" ({within})" if within else "") for within, names in told.items())
