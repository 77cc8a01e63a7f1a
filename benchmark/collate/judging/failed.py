"""The runs of a cell that failed and have no record."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark import keys as ground
from benchmark.collate.judging.seeds import seeds_of
from benchmark.errors import GanbenchError
from benchmark.plan.keys import evaluation_key, run_key
from benchmark.records.failures import Failure
from benchmark.records.record import Record
from benchmark.suite.model import Cell
from benchmark.suite.rerun import rerun

Failures = Mapping[str, Failure]
"""By evaluation key, as ``failures.read_all`` gives them."""

NONE: Failures = {}


def failed_runs(cell: Cell, records: tuple[Record, ...], failures: Failures) -> tuple[Failure, ...]:
    """The cell's runs that failed; a record of the same run, not a partial one, is a later success."""
    found = []
    for seed in sorted({f.seed for f in failures.values()} - {r.seed for r in records if r.status != "partial"}):
        try:
            failure = failures.get(_evaluation(cell, seed, records))
        except GanbenchError:
            return ()  # a part that is not there any more: the entry says so as "blocked"
        found += [failure] if failure else []
    return tuple(found)


def _evaluation(cell: Cell, seed: int, records: tuple[Record, ...]) -> str:
    """The evaluation key; of data that are not here, by what the cell's records say of them.

    Raises:
        GanbenchError: it has no key here.
    """
    try:
        return evaluation_key(run_key(cell.recipe, seed), cell.protocol, cell.recipe)
    except GanbenchError:
        if not records:
            raise
    r = records[0]
    run = ground.run_key(cell.recipe, r.content, r.subset, seed, r.versions)
    return ground.evaluation_key(run, cell.protocol, r.measure_version, r.real)


def why_failed(cell: Cell, records: tuple[Record, ...], failures: tuple[Failure, ...]) -> str:
    """What failed, and how to run it again; "" if nothing did."""
    if not failures:
        return ""
    said = "; ".join(f"seed {f.seed} failed{f' on {f.when}' * bool(f.when)}: {f.reason}" for f in failures)
    seeds, chosen = seeds_of(records, failures)
    return f"{said}; to run it again: {rerun(cell, seeds, failures[0].results, looked=chosen)}"
