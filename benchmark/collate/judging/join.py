"""Joining what was published with what the records hold: one ``Entry`` a cell and metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.collate.judging.assumed import as_assumed
from benchmark.collate.judging.caveats import caveats
from benchmark.collate.judging.entry import BESIDE, Entry, beside, floor_of, stated_runs
from benchmark.collate.judging.failed import NONE, Failures, failed_runs, why_failed
from benchmark.collate.judging.index import Index, first_gap, indexed, records_of
from benchmark.collate.judging.limit import beside_a_dash
from benchmark.collate.judging.missing import fallen, lacking, measured_before, untrained
from benchmark.collate.judging.noise_within import evaluation_error, own_spread
from benchmark.collate.judging.tier import Tier, tier_of
from benchmark.collate.judging.unfinished import left_of, unfinished, without_flattery
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.looks import before, looked
from benchmark.errors import sure
from benchmark.plan.blocks import hindrance
from benchmark.plan.missing import Missing
from benchmark.records.contested import contested
from benchmark.records.failures import Failure
from benchmark.records.record import Record
from benchmark.suite.apart import CI
from benchmark.suite.load import load
from benchmark.suite.model import Cell, Suite, Table

if TYPE_CHECKING:
    from benchmark.collate.judging.outside import Outside


@dataclass(frozen=True)
class Joined:
    """One cell with its records, and an entry for each metric of its table, then for what its records measure
    besides.
    """

    cell: Cell
    records: tuple[Record, ...]  # by seed
    tier: Tier | None  # the worst of its records
    entries: dict[str, Entry]
    caveats: tuple[str, ...] = ()  # what rests on somebody's word (``caveats.py``)
    gap: int | None = None  # the first seed that is missing although a later one is there
    short: str = ""  # which of its planned seeds have no record
    dead: str = ""  # which of its runs did not train
    failures: tuple[Failure, ...] = ()  # runs that failed and have no record, by seed
    missing: str = ""  # which seeds were measured otherwise before, and not as now
    source: str = ""  # of a result from outside what it is, and by whom
    lacks: tuple[Missing, ...] = ()  # data and weights that are missing here, where it has no record
    outside: tuple[Outside, ...] = ()  # results from outside, which nothing above knows of (``outside.py``)


def join(
    suite: Suite, records: Sequence[Record] | Index, profiles: Sequence[Suite] = (), failures: Failures = NONE
) -> dict[str, list[Joined]]:
    """Table key -> its cells in order.

    Args:
        records: all that there are.
        profiles: the same suite under other profiles, dearest first: where the suite's own profile has
            no record of a cell, the first of these that has one is shown, at its own tier; where none has, the first
            of which a run failed.
    """
    index = indexed(records)
    others = [{c.id: c for c in other.cells} for other in profiles]
    joined: dict[str, list[Joined]] = {}
    for table in suite.tables:
        for cell in table.cells:
            candidates = [cell, *(other[cell.id] for other in others if cell.id in other)]
            shown, found = next(((c, r) for c in candidates if (r := records_of(c, index))), (None, ()))
            shown = shown or next((c for c in candidates if failed_runs(c, (), failures)), cell)
            joined.setdefault(table.key, []).append(
                _join_cell(shown, found, table, failed_runs(shown, found, failures), index)
            )
    return joined


def load_joined(
    path: str | Path, records: Sequence[Record], profile: str | None = None, failures: Failures = NONE
) -> tuple[Suite, dict[str, list[Joined]]]:
    """A suite with its results: under one profile, or (None) under the dearest but ``ci`` that has records, cell by
    cell.
    """
    return join_loaded(load(path, profile), records, fixed=profile is not None, failures=failures)


def join_loaded(
    suite: Suite, records: Sequence[Record] | Index, fixed: bool = False, failures: Failures = NONE
) -> tuple[Suite, dict[str, list[Joined]]]:
    """As ``load_joined``, for a suite that is loaded; ``fixed``: under no other profile than its own."""
    index = indexed(records)
    enough = (
        fixed or suite.profile != "full" or not (index or failures) or all(records_of(c, index) for c in suite.cells)
    )
    return suite, join(
        suite, index, [] if enough else [load(suite.path, p) for p in suite.profiles if p not in ("full", CI)], failures
    )


def _join_cell(
    cell: Cell, records: tuple[Record, ...], table: Table, failures: tuple[Failure, ...], index: Index
) -> Joined:
    order = ("exact", "compatible", "proxy", "incomparable")
    alike = {
        (r.recipe.canonical, r.protocol, r.status, r.steps, r.total_steps, r.epochs): r for r in records
    }  # one tier for many seeds
    tiers = sorted((tier_of(cell, r) for r in alike.values()), key=lambda t: order.index(t.name))
    barred = None if records else hindrance(cell.recipe, cell.protocol)
    looks = before(records)
    gap, doubts, disputed = first_gap(records), caveats(records), contested(records)
    short = unfinished(records, measured_before(cell, records, index)) if gap is None and left_of(records) else ""
    dead = "" if cell.untrained else untrained(records, table.alive)
    doubts = (*filter(None, (disputed, dead)), *doubts)
    missing = measured_before(cell, records, index) if gap is not None or not records else ""
    absent = (
        f"{barred.word}: {'; '.join(filter(None, (barred.why, missing)))}"
        if barred
        else f"not measured: {missing}"
        if missing
        else "not run"
    )
    entries = {}
    for metric, direction in table.metrics.items():
        measured = [(r, m) for r in records if r.final and (m := r.final.get(metric)) and m.get("value") is not None]
        errors = [e for r, m in measured if (e := evaluation_error(r, metric, m)) is not None]
        whole = all(
            metric in r.final for r in records if r.final
        )  # a seed that leaves the metric out would leave a selection
        sound = bool(measured) and whole and not disputed
        achieved = estimate([m["value"] for _, m in measured], errors, looked(records)) if sound else None
        diverged = sum(
            r.status == "diverged" or (metric in (r.final or {}) and sure(r.final)[metric].get("value") is None)
            for r in records
        )
        published = cell.published.get(metric)
        lack = lacking(records, metric)
        tolerance = table.tolerance.get(metric)
        verdict = judge(
            published,
            achieved,
            diverged,
            tiers,
            direction,
            tolerance,
            lack or absent,
            stated_runs(cell),
            gap,
            why_failed(cell, records, failures),
            missing,
            disputed,
            dead,
            metric not in table.unranked,
            fallen(measured, metric, direction, tolerance.absolute if tolerance else 0.0),
            looks,
        )
        verdict = beside_a_dash(verdict, published, achieved, tiers, table, metric, gap, looks, dead)
        verdict = without_flattery(verdict, short, dash=published is None or published.value is None)
        verdict = as_assumed(verdict, cell, metric)
        if doubts and achieved:
            verdict = Verdict(verdict.name, f"{verdict.why}; to be believed: {'; '.join(doubts)}")
        entries[metric] = Entry(
            cell,
            metric,
            direction,
            published,
            achieved,
            own_spread(published, records, metric),
            verdict,
            diverged,
            floor_of(records, metric),
        )
    if records:
        entries |= {
            m: beside(cell, m, records) for m in cell.protocol.metrics if m in BESIDE and m not in table.metrics
        }
    tier = tiers[-1] if tiers else None
    return Joined(
        cell,
        records,
        tier,
        entries,
        doubts,
        gap,
        short,
        dead,
        failures,
        missing,
        lacks=barred.missing if barred else (),
    )
