"""The rows of the frames, and what their columns are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.suite.model import Suite

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


def _place(j: Joined) -> tuple[Any, ...]:
    c = j.cell
    return c.id, c.paper, c.table, c.method, c.backbone, c.dataset, c.data_percent, c.resolution


def achieved_rows(j: Joined) -> Iterator[tuple[Any, ...]]:
    """A row a run and metric of a cell."""
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
                "contested" if r.contested or r.contradiction else r.status,
                r.steps,
                r.total_steps,
                (r.train_s + r.eval_s) / 3600,
                r.run,
                r.evaluation,
                r.name,
            )


def joined_row(j: Joined, e: Entry) -> tuple[Any, ...]:
    """What was published beside what was achieved, and the verdict."""
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


def claim_rows(suite: Suite, joined: dict[str, list[Joined]]) -> Iterator[tuple[Any, ...]]:
    """A row a claim of which a cell is there."""
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
