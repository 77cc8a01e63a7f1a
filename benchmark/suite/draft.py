"""A recipe or protocol on its way from a suite: what is given so far, where each value comes from, what columns
change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmark.suite.filter import Filter
from benchmark.suite.kinds import QUOTED, REST, Said, settled
from benchmark.suite.model import Place
from benchmark.suite.nodes import Node

COORDINATES = ("dataset", "data_percent", "resolution")
SOURCELESS = (*COORDINATES, "channels", "images", "metrics", "std_of")
"""Fields that need no source: the table's coordinates, and what only describes the printed number."""


@dataclass
class Draft:
    """A recipe or protocol on its way: fields given so far, and where each comes from."""

    fields: dict[str, Any] = field(default_factory=dict)
    stated: dict[str, str] = field(default_factory=dict)  # field -> where the paper states it
    notes: dict[str, str] = field(default_factory=dict)  # field -> why it has its value where the paper does not say
    on: tuple[tuple[Filter, Draft], ...] | None = None  # further fields in some columns; None: the base's
    said: dict[str, Said] = field(default_factory=dict)  # path of a value -> its kind, as it is given here
    kinds: dict[str, str] = field(default_factory=dict)  # path of a value -> its kind, once this is over a base

    def over(self, base: Draft) -> Draft:
        """This draft on top of ``base``. A field that is set anew loses the base's source: a source belongs to its
        value.
        """
        fields, replaced = dict(base.fields), set(self.fields)
        for key, value in self.fields.items():
            if key in ("epochs", "steps"):
                replaced |= {"epochs", "steps"}
                fields.pop("steps" if key == "epochs" else "epochs", None)
            fields[key] = value(fields.get(key)) if callable(value) else value
        forgotten = REST in self.notes
        stated = {
            k: v for k, v in base.stated.items() if not (forgotten or k in replaced or k in self.notes)
        } | self.stated
        notes = {
            k: v for k, v in base.spelled_notes().items() if not (forgotten or k in replaced or k in self.stated)
        } | self.notes
        anew = {*self.fields, *self.notes} - {*SOURCELESS}
        kinds = base.kinds
        if anew or self.said or self.stated:
            sourced = {k: v for k, v in fields.items() if k not in SOURCELESS}
            kinds = settled(sourced, self.said, self.stated, anew, (base.fields, base.kinds))
        return Draft(fields, stated, notes, base.on if self.on is None else self.on, kinds=kinds)

    def spelled_notes(self) -> dict[str, str]:
        """The notes, with what ``rest`` says written out for every field that nothing else gives a source for."""
        notes = {k: v for k, v in self.notes.items() if k != REST}
        if REST in self.notes:
            notes |= {k: self.notes[REST] for k in self.fields if k not in {*SOURCELESS, *notes, *self.stated}}
        return notes

    def quoted(self, name: str, asked: Node) -> Draft:
        """As a base in another suite, which names it at ``asked``: what that suite's paper states is not what this
        one's does.
        """
        notes = {k: f"as {name}, whose paper states it: {where}" for k, where in self.stated.items()}
        notes |= {k: f"as {name}: {why}" for k, why in self.spelled_notes().items()}
        on = None if self.on is None else tuple((test, more.quoted(name, asked)) for test, more in self.on)
        said = {field: Said(QUOTED["stated"], asked) for field in self.stated}
        said |= {path: Said(QUOTED.get(s.kind, s.kind), asked) for path, s in self.said.items()}
        kinds = {path: QUOTED.get(kind, kind) for path, kind in self.kinds.items()}
        return Draft(self.fields, {}, notes, on, said, kinds)

    def at(self, place: Place, base: Draft | None = None) -> Draft:
        """The draft on top of ``base``, as it is in one column of a table: what is on for that column comes last."""
        draft = self.over(base) if base else self
        for test, more in self.on or ():
            if test(place):
                draft = more.over(draft)
        return draft


def changed(base: Draft, changes: Iterable[Draft], place: Place) -> Draft:
    """``base`` with one change after the other on top of it, each as it is in this column."""
    for change in changes:
        base = change.at(place, base)
    return base
