"""ganbench: what a GAN paper's tables say, what its recipes give when run, and whether its claims hold.

A notebook does what the command line does, with the functions that the command line calls:

    import benchmark as gb
    suite = gb.load("theory", profile="ci")
    records, problems = gb.read_all("results")
    plan = gb.make_plan(suite.cells, range(3), gb.by_evaluation(records), problems=problems)
    summary = gb.run_plan(plan, "results", gb.Options())
    suite, joined = gb.load_joined(suite.path, gb.read_all("results")[0])
    found = gb.collate(["theory"], results="results")  # pandas frames: published, achieved, joined, verdicts, claims, …

They are imported when they are first asked for, so that ``import benchmark`` and ``ganbench --help``
cost nothing: torch, ray and pandas come with the rooms that use them.
"""

from __future__ import annotations

import importlib
import os

TYPE_CHECKING = (
    False  # as a type checker reads it; the name is not imported: `python -m benchmark` may stand beside a typing.py
)
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.2.0.dev0"

# Torch reads it at its first tensor: the kernel gives tensors of 2 MB and more huge pages. On a CPU that saves time and
# changes no bit (tests/speed/pages.py).
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

_HOMES = {
    "benchmark.suite.load": ("load", "load_all"),
    "benchmark.suite.filter": ("Filter",),
    "benchmark.suite.tidy": ("published_rows",),
    "benchmark.plan.plan": ("make_plan",),
    "benchmark.plan.external": ("Declared", "enter", "measure_images"),
    "benchmark.schedule.launch": ("Options", "run_plan"),
    "benchmark.records.store": ("read_all",),
    "benchmark.records.external": ("External",),
    "benchmark.records.furthest": ("by_evaluation",),
    "benchmark.collate.judging.join": ("load_joined",),
    "benchmark.collate.judging.outside": ("with_outside",),
    "benchmark.collate.presenting.tidy": ("compared_rows",),
    "benchmark.collate.presenting.report": ("judged_claims", "write_report", "write_reports"),
    "benchmark.records.bundle": ("export", "read_bundle"),
}
_API = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted([*_API, "collate"])


def __getattr__(name: str) -> Any:
    if name == "collate":
        return importlib.import_module("benchmark.collate")  # a room that can be called
    if name not in _API:
        raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
    return getattr(importlib.import_module(_API[name]), name)
