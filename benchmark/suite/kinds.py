"""The kind of every value of a recipe or protocol: on whose word it stands.

A value is named by its field (``lr_g``), or within ``network``, ``loss`` and ``parts`` by its path: ``network.name``,
``loss.margin``, ``parts.gran`` (that the part is there), ``parts.gran.tau``. ``kinds: {chosen: [parts.gran]}`` speaks
of all that a path stands above; the longest path that fits counts. ``stated:`` gives its fields the kind ``stated``.

A kind belongs to its value, as a source does: a field that is set anew, or given another note, says its kind anew;
so does each argument of a network, loss or part whose value changes. ``rest`` is every value without a kind of its own
here, inherited ones too; where the notes have ``rest``, no kind is inherited.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.errors import nearest
from benchmark.outside.code import plain_name
from benchmark.suite.nodes import Node

KINDS = ("stated", "code", "lineage", "inferred", "chosen")
"""From the strongest to the weakest: the paper says so; its authors' released code; the public code that it, or the
row, builds on; inferred from what is known; chosen, because nothing says."""
REST = "rest"
"""``notes: {rest: …}``: the source of every field that the recipe gives no other source for, inherited ones too."""
NESTED = ("network", "loss", "parts")
QUOTED = {"stated": "inferred", "code": "lineage"}
"""What the word of another paper, or of its authors' code, is for a recipe that takes values from theirs."""


@dataclass(frozen=True)
class Said:
    """A kind as a suite gives it, and where."""

    kind: str
    at: Node


def leaves(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Every value by its path; an argument's value goes with the name of what it is an argument of."""
    found: dict[str, Any] = {}
    for field, value in fields.items():
        if field not in NESTED or value is None:
            found[field] = value
        elif field == "parts":
            for name, arguments in value:
                part = f"parts.{plain_name(name)}"
                for path, v in ((part, True), *((f"{part}.{k}", v) for k, v in arguments.items())):
                    found[path] = (*found.get(path, ()), v)  # spectral-norm of D and of G
        else:
            name, arguments = value
            found[f"{field}.name"] = name
            found |= {f"{field}.{k}": (name, v) for k, v in arguments.items()}
    return found


def read_kinds(
    node: Node, fields: Collection[str], stated: Collection[str], sourceless: Collection[str] = ()
) -> dict[str, Said]:
    """``kinds: {chosen: [steps, parts.gran.tau], …}``, by path; ``sourceless``: the fields that have none.

    Raises:
        SuiteError: an unknown kind or field, one that has none, or a value of two kinds.
    """
    found: dict[str, Said] = {}
    for kind, names in node.mapping().items():
        if kind not in KINDS:
            names.fail(f"unknown kind {kind!r}{nearest(kind, KINDS)}")
        for at in names.items():
            path = at.text()
            field = path.partition(".")[0]
            if path in sourceless:
                at.fail(f"{path} needs no kind: leave it out here")
            if (path != REST and field not in fields) or path != field not in NESTED:
                at.fail(f"no value is called {path!r}{nearest(path, [*fields, REST])}")
            if path in found or path in stated:
                at.fail(f"{path!r} is {found[path].kind if path in found else 'stated'} already: one kind a value")
            found[path] = Said(kind, at)
    return found


def settled(
    fields: Mapping[str, Any],
    said: Mapping[str, Said],
    stated: Collection[str],
    anew: Collection[str],
    inherited: tuple[Mapping[str, Any], Mapping[str, str]],
) -> dict[str, str]:
    """The kinds of all values by path; what has none is left out.

    Args:
        said: what is said here.
        stated: the fields that the paper states, by what is said here.
        anew: the fields that are given a value or a note here; with ``rest`` all are.
        inherited: fields and kinds of what this is laid over.

    Raises:
        SuiteError: a kind of a value that is not there.
    """
    values, (there, kinds) = leaves(fields), inherited
    for path, s in said.items():
        if path not in (REST, *fields) and not any(_under(p, path) for p in values):
            s.at.fail(f"no value is called {path!r} here{nearest(path, values)}")
    before = leaves(there)
    found: dict[str, str | None] = {}
    for path, value in values.items():
        field = path.partition(".")[0]
        above = next((p for p in _upward(path) if p in said), None)
        if above is not None:
            found[path] = said[above].kind
        elif field in stated:
            found[path] = "stated"
        elif REST in said:
            found[path] = said[REST].kind
        elif REST not in anew and (field not in anew or field in NESTED) and before.get(path, ...) == value:
            found[path] = kinds.get(path)
    return {path: kind for path, kind in found.items() if kind is not None}


def of_field(kinds: Mapping[str, str], field: str) -> dict[str, str]:
    """The kinds of one field's values, by path."""
    return {path: kind for path, kind in kinds.items() if _under(path, field)}


def of_kind(kinds: Mapping[str, str], kind: str) -> tuple[str, ...]:
    """The values of one kind, by path; an argument of what is of that kind itself goes without saying."""
    found = [path for path, k in kinds.items() if k == kind]
    return tuple(p for p in found if not any(_under(p, above) and p != above for above in found))


def in_words(kinds: Mapping[str, str], field: str) -> str:
    """``chosen``; of a field whose values are of several kinds ``stated: gran; chosen: gran.eps``; "" without one."""
    found = of_field(kinds, field)
    if len(set(found.values())) < 2:
        return next(iter(found.values()), "")
    by_kind = {k: [path.partition(".")[2] for path, kind in found.items() if kind == k] for k in KINDS}
    return "; ".join(f"{kind}: {', '.join(paths)}" for kind, paths in by_kind.items() if paths)


def _upward(path: str) -> Iterator[str]:
    """A path, and all that it stands under: the longest first."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _under(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}.")
