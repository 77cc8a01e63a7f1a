"""Names that plug-ins from outside cannot have, since ganbench's own have them."""

from __future__ import annotations

from collections.abc import Collection

from benchmark.catalogue import plugins
from benchmark.data.cards import cards
from benchmark.errors import GanbenchError
from benchmark.outside.code import Code
from benchmark.suite.fields import CHOICES
from benchmark.weights.known import known


def taken(room: str) -> Collection[str]:
    """In one of the rooms."""
    if room == "datasets":
        return cards()
    return CHOICES["features"] if room == "extractors" else plugins(room)


def refuse_taken(code: Code) -> None:
    """Raises GanbenchError where a dataset or extractor from outside is called as one of ours, or takes weights that
    nobody knows.
    """
    if code.room in ("datasets", "extractors") and code.name in taken(code.room):
        raise GanbenchError(
            f"{code.where}: {code.room[:-1]} {code.name!r} is one of ganbench's own: rename the file", 2
        )
    found = plugins(code.room).get(code.qualified)
    if found and isinstance(name := found.states.get("WEIGHTS"), str):
        try:
            known(name)
        except GanbenchError as error:
            raise GanbenchError(f"{code.where}: WEIGHTS: {error}", 2) from None
