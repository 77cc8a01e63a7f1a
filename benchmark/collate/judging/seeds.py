"""How many seeds a cell has or was planned to have."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.statistics.looks import looked as looked_at
from benchmark.records.failures import Failure
from benchmark.records.record import Record


def seeds_of(records: Sequence[Record], failures: Sequence[Failure]) -> tuple[int, bool]:
    """How many seeds make a cell's runs again, and whether that number was chosen by a look.

    Where some failed or have no record, all that were planned: a smaller plan for some of them would say that somebody
    had looked, and hide what the others may have shown.
    """
    seeds = max((*(r.seed for r in records), *(f.seed for f in failures)), default=0) + 1
    seeds = max((seeds, *(r.asked for r in records)))
    return seeds, seeds > 1 and bool(records) and looked_at(records, seeds)
