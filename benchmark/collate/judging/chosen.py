"""A suite's results with some of its cells: what ``--only`` leaves of them."""

from __future__ import annotations

from benchmark.collate.judging.join import Joined
from benchmark.suite.filter import Filter
from benchmark.suite.model import Suite
from benchmark.suite.narrow import with_cells

Loaded = tuple[Suite, dict[str, list[Joined]]]
"""A suite with its results, as ``load_joined`` gives it."""


def chosen(loaded: Loaded, only: Filter | None) -> Loaded:
    """The cells that are chosen as they are shown (a filter on ``profile`` is on that of the results), and the claims
    that compare one of them.
    """
    if only is None:
        return loaded
    suite, joined = loaded
    left = {key: [j for j in rows if only(j.cell)] for key, rows in joined.items()}
    narrow = with_cells(suite, only, {j.cell.id for rows in left.values() for j in rows})
    return narrow, {table.key: left[table.key] for table in narrow.tables}
