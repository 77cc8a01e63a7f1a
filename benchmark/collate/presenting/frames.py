"""For notebooks: what was published, what was achieved, and what may be said of it, as pandas frames."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.collate.judging.index import by_series
from benchmark.collate.judging.join import Joined, join_loaded
from benchmark.collate.judging.outside import with_outside
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.presenting.frame_rows import (
    ACHIEVED_COLUMNS,
    CLAIM_COLUMNS,
    EXTERNAL_COLUMNS,
    HISTORY_COLUMNS,
    IMPROVEMENT_COLUMNS,
    JOINED_COLUMNS,
    RANKING_COLUMNS,
    VERDICT_COLUMNS,
    achieved_rows,
    claim_rows,
    external_rows,
    history_rows,
    joined_row,
)
from benchmark.records import external, failures, shelf
from benchmark.records.culprits import without_culprits
from benchmark.records.external import External
from benchmark.records.record import Record, RecordError
from benchmark.suite.apart import results_of
from benchmark.suite.load import load_all
from benchmark.suite.model import Suite
from benchmark.suite.tidy import PUBLISHED_COLUMNS, published_rows


@dataclass(frozen=True)
class Collated:
    """One row each, in the order of the suites and their tables. Intervals are at 95 %, over seeds.

    Attributes:
        published: a printed number; the columns of ``ganbench published``.
        achieved: a metric of one run (cell × seed): ``value``, and ``within``, the ± within the run (over noises,
            splits
            or subsets: no seed noise). Runs that two cells share stand once for each.
        joined: a metric of a cell: printed number, mean, std and interval (``low``, ``high``) over seeds, tier with
            its differences, verdict and its reason. NaN where there is nothing.
        verdicts: of ``joined``, the metrics that a verdict was given on.
        claims: a claim with its two verdicts; ``fragile`` says why plausible seed noise could undo the published one.
        rankings: Kendall's τ of a column's order as published against ours.
        improvements: P(one run of ``better`` beats one of ``worse``), for each pair in the published order.
        external: a metric of a result from outside (``ganbench measure``, ``ganbench enter``): who declares what, and
            what may be said of it. None of the other frames holds any.
        problems: a record that could not be used, and why.
        history: a metric of a run at one of its measurements, for curves. It is made when it is first asked for, since
            every record is read in full for it.
    """

    published: pd.DataFrame
    achieved: pd.DataFrame
    joined: pd.DataFrame
    verdicts: pd.DataFrame
    claims: pd.DataFrame
    rankings: pd.DataFrame
    improvements: pd.DataFrame
    external: pd.DataFrame
    problems: pd.DataFrame
    cells: Sequence[Joined]  # what the frames are made of

    @functools.cached_property
    def history(self) -> pd.DataFrame:
        """Curves; raises RecordError where a record was changed meanwhile."""
        return _frame((row for j in self.cells for row in history_rows(j)), HISTORY_COLUMNS)

    def __repr__(self) -> str:
        frames = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "cells"}
        sizes = ", ".join(f"{name} {len(frame):,}" for name, frame in frames.items())
        return f"Collated(rows: {sizes}; and history)"


def collate(
    suites: str | Sequence[str] = (), results: str | Path | None = None, profile: str | None = None
) -> Collated:
    """Judge what is in ``results`` against what the papers print.

    Args:
        suites: a name or file, or several; none: all that there are.
        results: a results folder; one without records is judged as "not run". None: as on the command line,
            ``results``, or ``results/ci`` where all is of that profile.
        profile: show only records of this profile; None: of the dearest but ``ci`` that a cell has records of.

    Raises:
        GanbenchError: a suite does not exist or is wrong, or the results cannot be read.
    """
    given = [suites] if isinstance(suites, str) else suites
    folder = results_of(given, profile) if results is None else Path(results)
    records, problems = shelf.read_all(folder)
    others, unread = external.read_all(folder)
    chosen, failed = load_all(suites, profile), failures.read_all(folder)
    made, _, _ = without_culprits(
        lambda left, out: _frames(chosen, left, others, profile is not None, failed, [*problems, *unread, *out]),
        records,
    )
    return made


def _frames(
    suites: Sequence[Suite],
    records: Sequence[Record],
    others: Sequence[External],
    fixed: bool,
    failed: dict[str, failures.Failure],
    problems: Sequence[RecordError],
) -> Collated:
    index = by_series(records)
    loaded = [join_loaded(suite, index, fixed, failed) for suite in suites]
    loaded = [(suite, with_outside(suite, joined, others)) for suite, joined in loaded]
    cells = [j for _, joined in loaded for rows in joined.values() for j in rows]
    entries = [(j, e) for j in cells for e in j.entries.values()]
    joined = _frame((joined_row(j, e) for j, e in entries), JOINED_COLUMNS)
    ranked = [r for suite, joined in loaded for table in suite.tables for r in rankings(table, joined[table.key])]
    return Collated(
        published=_frame(published_rows(suite for suite, _ in loaded), PUBLISHED_COLUMNS),
        achieved=_frame((row for j in cells for row in achieved_rows(j)), ACHIEVED_COLUMNS),
        joined=joined,
        verdicts=joined.loc[joined["verdict"] != "", list(VERDICT_COLUMNS)].reset_index(drop=True),
        claims=_frame((row for suite, joined in loaded for row in claim_rows(suite, joined)), CLAIM_COLUMNS),
        rankings=_frame(
            ((r.table, r.column, r.metric, r.methods, r.tau, r.low, r.high, r.why) for r in ranked), RANKING_COLUMNS
        ),
        improvements=_frame(
            (
                (r.table, r.column, r.metric, i.better, i.worse, i.probability, i.low, i.high)
                for r in ranked
                for i in r.improvements
            ),
            IMPROVEMENT_COLUMNS,
        ),
        external=_frame((row for j in cells for row in external_rows(j)), EXTERNAL_COLUMNS),
        problems=_frame(((str(p.path), str(p)) for p in problems), ("file", "problem")),
        cells=cells,
    )


def _frame(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame.from_records([tuple(row) for row in rows], columns=list(columns))
