"""For notebooks: what was published, what was achieved, and what may be said of it, as pandas frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.index import by_series
from benchmark.collate.judging.join import Entry, Joined, join_loaded
from benchmark.collate.judging.ranking import rankings
from benchmark.records import failures, shelf
from benchmark.suite.load import load_all
from benchmark.suite.model import Suite
from benchmark.suite.tidy import PUBLISHED_COLUMNS, published_rows

CELL = ("cell", "paper", "table", "method", "backbone", "dataset", "data_percent", "resolution")
ACHIEVED_COLUMNS = (
    *CELL,
    "profile",
    "metric",
    "seed",
    "value",
    "within",
    "status",
    "steps",
    "total_steps",
    "hours",
    "run",
    "evaluation",
    "file",
)
JOINED_COLUMNS = (
    *CELL,
    "profile",
    "metric",
    "direction",
    "published",
    "published_text",
    "published_std",
    "std_of",
    "origin",
    "seeds",
    "mean",
    "std",
    "low",
    "high",
    "evaluation_error",
    "tier",
    "differences",
    "verdict",
    "why",
)
VERDICT_COLUMNS = ("cell", "metric", "verdict", "tier", "seeds", "why")
CLAIM_COLUMNS = (
    "paper",
    "claim",
    "quote",
    "where",
    "published",
    "published_why",
    "fragile",
    "achieved",
    "achieved_why",
    "supports",
    "contradicts",
    "undecided",
)
RANKING_COLUMNS = ("table", "column", "metric", "methods", "tau", "low", "high", "why")
IMPROVEMENT_COLUMNS = ("table", "column", "metric", "better", "worse", "probability", "low", "high")


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
        problems: a record that could not be used, and why.
    """

    published: pd.DataFrame
    achieved: pd.DataFrame
    joined: pd.DataFrame
    verdicts: pd.DataFrame
    claims: pd.DataFrame
    rankings: pd.DataFrame
    improvements: pd.DataFrame
    problems: pd.DataFrame


def collate(suites: Sequence[str] = (), results: str | Path = "results", profile: str | None = None) -> Collated:
    """Judge what is in ``results`` against what the papers print.

    Args:
        suites: names or files; none: all that there are.
        results: a results folder; one without records is judged as "not run".
        profile: show only records of this profile; None: of the dearest that a cell has records of.

    Raises:
        GanbenchError: a suite does not exist or is wrong, or the results cannot be read.
    """
    records, problems = shelf.read_all(Path(results))
    index, failed = by_series(records), failures.read_all(Path(results))
    loaded = [join_loaded(suite, index, profile is not None, failed) for suite in load_all(list(suites), profile)]
    cells = [j for _, joined in loaded for rows in joined.values() for j in rows]
    entries = [(j, e) for j in cells for e in j.entries.values()]
    joined = _frame((_joined(j, e) for j, e in entries), JOINED_COLUMNS)
    ranked = [r for suite, joined in loaded for table in suite.tables for r in rankings(table, joined[table.key])]
    return Collated(
        published=_frame(published_rows(suite for suite, _ in loaded), PUBLISHED_COLUMNS),
        achieved=_frame((row for j in cells for row in _achieved(j)), ACHIEVED_COLUMNS),
        joined=joined,
        verdicts=joined.loc[joined["verdict"] != "", list(VERDICT_COLUMNS)].reset_index(drop=True),
        claims=_frame((row for suite, joined in loaded for row in _claims(suite, joined)), CLAIM_COLUMNS),
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
        problems=_frame(((str(p.path), str(p)) for p in problems), ("file", "problem")),
    )


def _frame(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame.from_records([tuple(row) for row in rows], columns=list(columns))


def _place(j: Joined) -> tuple[Any, ...]:
    c = j.cell
    return c.id, c.paper, c.table, c.method, c.backbone, c.dataset, c.data_percent, c.resolution


def _achieved(j: Joined) -> Iterator[tuple[Any, ...]]:
    for r in j.records:
        for metric in j.entries:
            measured = (r.final or {}).get(metric, {})
            yield (
                *_place(j),
                j.cell.profile,
                metric,
                r.seed,
                measured.get("value"),
                measured.get("std"),
                r.status,
                r.steps,
                r.total_steps,
                (r.train_s + r.eval_s) / 3600,
                r.run,
                r.evaluation,
                r.name,
            )


def _joined(j: Joined, e: Entry) -> tuple[Any, ...]:
    p, a = e.published, e.achieved
    published = (p.value, p.text, p.std, p.std_of, p.origin) if p else (None, "", None, None, "")
    low, high = a.bounds if a and a.bounds else (None, None)
    achieved = (a.n, a.mean, a.std, low, high, a.evaluation) if a else (0, None, None, None, None, None)
    tier = (j.tier.name, "; ".join(j.tier.differences)) if j.tier else ("", "")
    return (
        *_place(j),
        j.cell.profile,
        e.metric,
        e.direction,
        *published,
        *achieved,
        *tier,
        e.verdict.name,
        e.verdict.why,
    )


def _claims(suite: Suite, joined: dict[str, list[Joined]]) -> Iterator[tuple[Any, ...]]:
    every = {j.cell.id: j for rows in joined.values() for j in rows}
    for claim in suite.claims:
        if any(n.cell in every for n in claim.numbers()):
            c = judge_claim(claim, list(every.values()))
            yield (
                suite.name,
                claim.id,
                claim.quote,
                claim.where,
                c.published.name,
                c.published.why,
                c.published.fragile,
                c.achieved.name,
                c.achieved.why,
                c.achieved.supports,
                c.achieved.contradicts,
                c.achieved.undecided,
            )
