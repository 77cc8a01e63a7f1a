"""``parts+:`` and ``parts-:`` of a recipe: parts that it has besides those it inherits, and parts that it has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.catalogue import meant
from benchmark.errors import nearest
from benchmark.recipe import NamedArgs
from benchmark.suite.fields import MOST_PARTS, read_part
from benchmark.suite.nodes import Node

ADDED, REMOVED = "parts+", "parts-"
Parts = tuple[NamedArgs, ...]


def parts_changed(given: dict[str, Node], own: Any, kind: str) -> Callable[[Parts | None], Parts]:
    """What a recipe makes of the parts that it inherits: some taken away, arguments changed, others added at the end.

    Args:
        own: what its ``parts:`` says: a change of arguments, or None; a list, which replaces all, does not go with
            these.
        kind: as of ``read_draft``; a profile is a rule for many recipes, whose parts may or may not be there.
    """
    if own is not None and not callable(own):
        given["parts"].fail(
            f"a list of parts replaces those that {ADDED} and {REMOVED} would change: give one or the other"
        )
    added = [(item, read_part(item)) for item in given[ADDED].at_most(MOST_PARTS).items()] if ADDED in given else []
    less = given[REMOVED].at_most(MOST_PARTS).items() if REMOVED in given else []
    removed = {meant("methods", at.text()): at for at in less}
    rule = kind.startswith("profile")

    def change(there: Parts | None) -> Parts:
        """Fails outside of a profile where a part is not there, or is there already (for the same player)."""
        names = [name for name, _ in there or ()]
        for name, at in removed.items():
            if name not in names and not rule:
                at.fail(f"there is no part {name} here to take away{nearest(name, names)}")
        kept = tuple(part for part in there or () if part[0] not in removed)
        kept = own(kept) if own is not None else kept
        for at, (name, arguments) in added:
            if (name, arguments.get("player")) not in ((n, old.get("player")) for n, old in kept):
                kept = (*kept, (name, arguments))
            elif not rule:
                at.fail(f"part {name} is there already: 'parts: {{{name}: {{…}}}}' changes its arguments")
            if len(kept) > MOST_PARTS:
                at.fail(f"with {name}, this recipe has more than {MOST_PARTS} parts")
        return kept

    return change
