"""Values of recipes and protocols in words, and field by field: never as a program writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.outside.code import plain_name

ABSENT = "–"
"""What stands for a mechanism that is not there."""


def said(value: Any) -> str:
    """``mlp (width 1, bn_eps 0.8)`` for a named plug-in, ``–`` for an absent mechanism."""
    if value is None:
        return ABSENT
    if _named(value):
        return str(value[0]) + (f" ({said(value[1])})" if value[1] else "")
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {said(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(said, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def flat(fields: Mapping[str, Any]) -> dict[str, str]:
    """Every value by its path, in words: ``network.name``, ``network.width``, ``parts.gran`` and ``parts.gran.tau``, as
    ``suite/kinds.py`` calls them.
    """
    found: dict[str, str] = {}
    for field, value in fields.items():
        if field == "parts" and isinstance(value, list | tuple) and all(map(_named, value)):
            for name, arguments in value:
                part = f"parts.{plain_name(name)}"
                found[part] = "yes"
                for key, v in arguments.items():
                    path = f"{part}.{key}"
                    found[path] = f"{found[path]} and {said(v)}" if path in found else said(v)
        elif _named(value):
            found[f"{field}.name"] = str(value[0])
            found |= {f"{field}.{key}": said(v) for key, v in value[1].items()}
        elif value is not None:
            found[field] = said(value)
    return found


def apart(field: str, theirs: Any, ours: Any) -> str:
    """``64 -> 32``, ``width 1 -> 0.125`` of a network, ``gran.tau 1.2 -> 1`` of parts: what differs, and no more."""
    a, b = (flat({field: v}) for v in (theirs, ours))
    name = f"{field}.name"
    if (name in a) != (name in b) or a.get(name) != b.get(name) or not (a.keys() | b.keys()) - {field}:
        return f"{said(theirs)} -> {said(ours)}"
    return ", ".join(
        f"{path.removeprefix(f'{field}.')} {a.get(path, ABSENT)} -> {b.get(path, ABSENT)}"
        for path in dict.fromkeys([*a, *b])
        if a.get(path) != b.get(path)
    )


def _named(value: Any) -> bool:
    """Whether it is a file of ``networks/`` or ``methods/`` by name, with its arguments."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], Mapping)
    )
