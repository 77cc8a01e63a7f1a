"""Two cells side by side: ``diff``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence

from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site.facts import Field, fields
from benchmark.commands.cell import the_cell
from benchmark.commands.columns import GAP, beside, width, wrapped
from benchmark.commands.lines import count, print_plain
from benchmark.suite.model import Cell

LABEL = 18  # columns of a field's name
NONE, UNLIKE = "–", "≠ "


def diff(a: Namespace) -> int:
    """Recipes, protocols, kinds and sources of two cells."""
    pair = [the_cell(name, a.profile)[1] for name in a.cells]
    for line in _Sides(pair, width()).lines(everything=a.all):
        print_plain(line)
    return 0


class _Sides:
    """Two cells, in columns."""

    def __init__(self, pair: Sequence[Cell], room: int) -> None:
        self._pair, self._room = pair, room
        self._fields = [{field.name: field for field in fields(Joined(cell, (), None, {}))} for cell in pair]
        self._sources: dict[str, int] = {}

    def lines(self, everything: bool) -> Iterator[str]:
        """What differs in value or kind, or all; and the sources of what is shown."""
        cells = self._pair
        yield from self._row("", [cell.id for cell in cells])
        yield from self._row("profile", [cell.profile for cell in cells])
        for metric in dict.fromkeys(metric for cell in cells for metric in cell.published):
            texts = [cell.published[metric].text if metric in cell.published else NONE for cell in cells]
            yield from self._row(metric, texts)
        yield from self._part("recipe", [cell.recipe.to_json() for cell in cells], everything)
        yield from self._part("protocol", [cell.protocol.to_json() for cell in cells], everything)
        if self._sources:
            yield "\nwhere the values come from"
        for source, place in self._sources.items():
            yield from wrapped(f"{GAP}[{place}] {source}", self._room)

    def _part(self, title: str, given: Sequence[dict[str, object]], everything: bool) -> Iterator[str]:
        yield f"\n{title}"
        names = dict.fromkeys(name for one in given for name in one)
        shown = [name for name in names if everything or self._differs(name)]
        for name in shown:
            both = [one.get(name) for one in self._fields]
            values = [field.ours if field else NONE for field in both]
            yield from self._row(name, values, UNLIKE if values[0] != values[1] else GAP)
            grounds = [self._ground(field, cell) for field, cell in zip(both, self._pair)]
            if any(grounds):
                yield from self._row("", grounds)
        if alike := len(names) - len(shown):
            yield f"{GAP}{count(alike, 'field')} alike, and of one kind (--all shows them)"

    def _differs(self, name: str) -> bool:
        a, b = ((field.ours, _kind(field)) if (field := one.get(name)) else None for one in self._fields)
        return a != b

    def _ground(self, field: Field | None, cell: Cell) -> str:
        """Kind and source of a value; of one that a profile has changed, the profile."""
        if field is None:
            return ""
        if field.differs:
            return f"({cell.profile})"
        number = self._sources.setdefault(field.source, len(self._sources) + 1) if field.source else None
        said = ", ".join(filter(None, (field.kind, f"[{number}]" if number else "")))
        return f"({said})" if said else ""

    def _row(self, label: str, sides: Sequence[str], mark: str = GAP) -> list[str]:
        each = (self._room - LABEL - 3 * len(GAP)) // 2
        first, *more = beside([label, *sides], [LABEL, each, each]) or [""]
        return [f"{mark}{first}", *(f"{GAP}{line}" for line in more)]


def _kind(field: Field) -> str:
    return "" if field.differs else field.kind
