"""Published beside achieved as flat rows: the contract of ``compare``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.square import achieved_text
from benchmark.errors import sure

OURS = "ours"
"""The source of a result of our own runs."""


def compared_rows(joined: dict[str, list[Joined]]) -> Iterator[dict[str, Any]]:
    """One row a cell and metric: the numbers, our counterpart of the published ±, seeds, profile, tier, verdict and
    why; ``source`` is "ours", or what a result from outside is and by whom.
    """
    for j in (j for table in joined.values() for own in table for j in (own, *own.outside)):
        for e in j.entries.values():
            yield {
                "cell": j.cell.id,
                "metric": e.metric,
                "source": j.source or OURS,
                "published": e.published.text if e.published else "",
                "achieved": achieved_text(e),
                "floor": f"{e.floor:.5g}" if e.floor is not None else "",
                "spread": f"{e.spread:.3g} over {sure(e.published).std_of}" if e.spread is not None else "",
                "seeds": e.achieved.n if e.achieved else 0,
                "profile": j.cell.profile,
                "tier": j.tier.name if j.tier else "",
                "verdict": e.verdict.name,
                "why": e.verdict.why,
            }


def believed(joined: dict[str, list[Joined]]) -> Iterator[str]:
    """A line for each thing that the numbers ask to be believed, with the cells that it is about."""
    cells: dict[str, dict[str, None]] = {}
    for j in (j for table in joined.values() for own in table for j in (own, *own.outside)):
        for line in j.caveats:
            cells.setdefault(line, {})[j.cell.id] = None
    for line, ids in cells.items():
        yield f"to be believed: {line}: {', '.join(ids)}"
