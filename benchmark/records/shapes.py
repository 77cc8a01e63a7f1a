"""The types of all that a record nests: its recipe and protocol, field by field, the versions, the stretches, and what
its measurements hold. Whoever reads a record relies on them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from benchmark.ranges import TYPES, beyond, sane
from benchmark.recipe import Protocol, Recipe
from benchmark.records.record import Record

LONGEST_NAME = 1_000
LONGEST_TEXT = 100_000
LONGEST_SHOWN = 60


def check_made(made: Recipe | Protocol) -> None:
    """Raises ValueError unless every field of a recipe or protocol is of its type, and every number within range."""
    for field in dataclasses.fields(made):
        check_field(field.name, getattr(made, field.name))


def check_field(name: str, value: Any) -> None:
    """Raises ValueError unless a value can be that of the field ``name`` of a recipe or protocol."""
    kind = TYPES[name]
    if value is None and kind.endswith("| None"):
        return
    if not KINDS[kind.removesuffix(" | None")](value):
        raise ValueError(f"{name} is {_shown(value)}")
    if why := beyond(name, value):
        raise ValueError(why)


def check_nested(record: Record) -> None:
    """Raises ValueError unless what it nests has the shape that the rest of the code relies on."""
    names = (record.run, record.evaluation, record.profile, record.cell, record.content, record.subset, record.real)
    if not all(name is None or is_name(name) for name in names):
        raise ValueError("a key or name that is empty, too long, or not printable")
    if not isinstance(record.versions, dict) or not is_plain(record.versions):
        raise ValueError(f"versions are {_shown(record.versions)}")
    stretches = record.provenance.get("segments", [])
    if not is_plain(record.provenance) or not all(isinstance(stretch, dict) for stretch in stretches):
        raise ValueError("a stretch of its provenance")
    if not all(are_sources(stretch.get("sources", {})) for stretch in stretches):
        raise ValueError("the sources of a stretch of its provenance: files, each with its hash")
    if record.floor is not None and not is_plain(record.floor):
        raise ValueError("its floor")
    measured = [m for entry in (*record.history, record.final or {}) for m in (entry, *entry.values())]
    if not all(map(is_name, {key for m in measured if isinstance(m, dict) for key in m})):
        raise ValueError("a measurement's name that is empty, too long, or not printable")


def is_name(value: Any) -> bool:
    """Text that can be a name in a path and on a line."""
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST_NAME


def is_plain(value: Any) -> bool:
    """JSON in which every number is of a size with which one can compute, and no text is endless."""
    if isinstance(value, dict):
        return all(len(key) <= LONGEST_NAME and is_plain(part) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    return value is None or isinstance(value, bool) or sane(value)


def are_sources(value: Any) -> bool:
    """Files, each with its hash."""
    return isinstance(value, dict) and all(is_name(file) and is_name(text) for file, text in value.items())


def _is_named(value: Any) -> bool:
    name, arguments = value
    return is_name(name) and is_plain(arguments)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


KINDS: dict[str, Callable[[Any], bool]] = {
    "str": is_name,
    "int": lambda value: type(value) is int,
    "float": _is_number,
    "bool": lambda value: type(value) is bool,
    "NamedArgs": _is_named,
    "tuple[NamedArgs, ...]": lambda value: all(map(_is_named, value)),
    "tuple[str, ...]": lambda value: all(map(is_name, value)),
}
"""By the annotation of a field of ``Recipe`` or ``Protocol``."""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
