"""The noise within one run: of one measurement, and what the paper's own ± is over."""

from __future__ import annotations

import math
from typing import Any

from benchmark.errors import sure
from benchmark.metrics.names import NEEDS
from benchmark.records.record import Record
from benchmark.suite.model import Published


def evaluation_error(record: Record, metric: str, measured: dict[str, Any]) -> float | None:
    """Standard error of one measurement of one run, where it is a mean over independent noises or splits.

    None for FID, which is no mean, for KID, whose subsets share images, and for probes, whose images every seed shares.
    """
    std, parts = measured.get("std"), record.protocol.is_splits if metric == "IS" else record.protocol.generated
    return std / math.sqrt(parts) if std is not None and parts and (metric == "IS" or metric in NEEDS) else None


def own_spread(published: Published | None, records: tuple[Record, ...], metric: str) -> float | None:
    """Our counterpart of the paper's ± over noises or splits: the mean of each run's own."""
    if published is None or published.std is None:
        return None
    same = [r for r in records if r.final and r.protocol.std_of == published.std_of]
    stds = [std for r in same if (std := sure(r.final).get(metric, {}).get("std")) is not None]
    return sum(stds) / len(stds) if stds else None
