"""Quantities of runs that a claim compares (``suite/of_a_run.py``), as entries like those of results.

No paper prints them: such a comparison is decided by our runs alone. Steps and seconds are of a pair of cells. The
steps' level is the worst of the best values of all runs of both: the best one that is given to all. Seconds are the
training's, of its process where it trained on a CPU, so that what else ran there does not count; only runs on one kind
of device, with as many threads and one version of PyTorch, are compared. A run that does not say all of this is
compared with none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.statistics.course import FEWEST, Course, best, rise, steps_to, unsteadiness
from benchmark.collate.statistics.halfway import of_images
from benchmark.collate.statistics.interval import estimate
from benchmark.records.provenance import named, segments
from benchmark.records.record import Record
from benchmark.suite.claim import Number
from benchmark.suite.of_a_run import HALFWAY

ARCHITECTURE = re.compile(r"\(\w+\)$")
"""What the name of a CPU ends with, and that of a GPU does not (``provenance.processor``)."""
MACHINE = ("device", "threads", "torch")
UNKNOWN = ("None", "unknown", "absent", "")
SHORT = {
    "unsteadiness": f"fewer than {FEWEST} measurements in the second half of a run",
    "rise": "fewer than two measurements of a run, or nothing but 0 before its last",
    "peak": "a run without a measurement, or with one not finite",
    "steps": "a run without a measurement of trained weights",
    "seconds": "trained on different machines, or which is not said, or on a CPU without its process's own seconds",
    **dict.fromkeys(HALFWAY, "a run without such a measurement in the middle of its training, or one not finite"),
}
"""Why a run has no such quantity."""


def entry_of(n: Number, cells: Mapping[str, Joined]) -> Entry:
    """What is known of a number of a claim.

    Args:
        cells: by id, with the number's and the one beside it.
    """
    entry = cells[n.cell].entries[n.metric]
    if not n.of:
        return entry
    values = _values(n, cells, entry.direction == "lower") if entry.achieved else None
    achieved = estimate(values, looked=entry.achieved.looked) if values and entry.achieved else None
    why = "" if achieved or not entry.achieved else SHORT[n.of]
    return replace(
        entry,
        direction=n.direction,
        published=None,
        achieved=achieved,
        spread=None,
        verdict=Verdict("", why),
        floor=None,
    )


def _values(n: Number, cells: Mapping[str, Joined], lower: bool) -> list[float] | None:
    """Of each seed; None if one has none."""
    mine = cells[n.cell].records
    if n.of == "seconds":
        return seconds([*mine, *cells[n.beside].records], len(mine))
    courses = [course_of(r, n.metric) for r in mine]
    if n.of in HALFWAY:
        found = [of_images(r, n.metric, n.of, n.centre) for r in mine]
    elif n.of == "unsteadiness":
        found = [unsteadiness(c) for c in courses]
    elif n.of == "peak":
        found = [max((value for _, value in c), default=None) for c in courses]
    elif n.of == "rise":
        found = [rise(c, lower) for c in courses]
    else:
        bests = [best(c, lower) for c in (*courses, *(course_of(r, n.metric) for r in cells[n.beside].records))]
        if not bests or None in bests:
            return None
        level = (max if lower else min)(b for b in bests if b is not None)
        found = [steps_to(c, level, lower) for c in courses]
    values = [v for v in found if v is not None]
    return values if values and len(values) == len(found) else None


def course_of(record: Record, metric: str) -> Course:
    """The metric's measurements in order, those of the run that have it; none if one is not finite."""
    found = [(entry.get("step"), m.get("value")) for entry in record.history if (m := entry.get(metric)) is not None]
    course = [(step, value) for step, value in found if step is not None and value is not None]
    return sorted(course) if len(course) == len(found) else []


def seconds(records: Sequence[Record], first: int) -> list[float] | None:
    """Seconds a G step of the ``first`` of these records; None unless all of them were trained on one kind of
    machine that is known, and on a CPU say what their processes used.
    """
    stretches = [[tuple(named(s, key) for key in MACHINE) for s in segments(r)] for r in records]
    machines = {machine for of_run in stretches for machine in of_run}
    if len(machines) != 1 or not all(stretches) or not all(r.steps for r in records):
        return None
    machine = machines.pop()
    if any(said in UNKNOWN for said in machine) or machine[0].startswith("unknown "):
        return None
    if not ARCHITECTURE.search(machine[0]):
        return [r.train_s / r.steps for r in records[:first]]
    own = [r.train_cpu_s for r in records]
    return None if None in own else [(s or 0.0) / r.steps for s, r in zip(own, records[:first])]
