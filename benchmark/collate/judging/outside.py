"""Results from outside beside a cell's own: images that other code made, numbers that somebody else measured.

Their training is what somebody declares, so that no tier of ours fits: at best they are ``declared``, where the
protocol agrees with the paper's field by field, and nothing speaks against the images. Then the numbers are compared
as those of runs of ours that somebody looked at, since nobody can say how many were left out, and the words say whose
word it is: ``agrees as declared``. They are never averaged with ours, decide no claim and no ranking, and count
nowhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.collate.judging.assumed import as_assumed
from benchmark.collate.judging.entry import Entry, stated_runs
from benchmark.collate.judging.index import first_gap
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.tier import HARMLESS, LOOKS, OTHER_SCALE, Tier
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.statistics.interval import estimate
from benchmark.errors import GanbenchError, few
from benchmark.metrics.extractors import proxy
from benchmark.metrics.names import BETTER
from benchmark.metrics.real import real_key
from benchmark.plan.keys import MEASURE_VERSION
from benchmark.recipe import Protocol
from benchmark.records.external import External, data_of
from benchmark.records.external_bounds import DATA, PROTOCOL_FIELDS
from benchmark.suite.model import Cell, Suite, Table

WORDS = {
    "reproduced": "agrees as declared",
    "better": "better as declared",
    **dict.fromkeys(("not reproduced", "not reached as assumed", "differs"), "differs as declared"),
    "reproduced where it trains": "inconclusive",  # which runs were left out before these, nobody can say
}
"""A verdict on a run of ours -> what may be said of a result from outside; the others stay as they are."""

NOT_MEASURING = ("metrics", "seeds", "std_of", "probe_images", "jac_G_every_epochs")
OF_METRIC = {
    **dict.fromkeys(("is_splits", "is_generated"), ("IS",)),
    **dict.fromkeys(("kid_subsets", "kid_subset_size"), ("KIDx1000",)),
    **dict.fromkeys(("real", "real_split"), ("FID", "tFID", "KIDx1000", "precision", "recall")),
}
"""Field of a protocol -> the metrics that it has a say in, where it is not all."""


@dataclass(frozen=True)
class Outside(Joined):
    """One cell with a result from outside; ``records``, those of our runs, is empty."""

    given: tuple[External, ...] = ()  # by seed

    @property
    def remarks(self) -> list[str]:
        """What could not be looked at, of all of them."""
        return _by_seed(self.given, lambda record: record.remarks)


def with_outside(
    suite: Suite, joined: Mapping[str, Sequence[Joined]], found: Sequence[External]
) -> dict[str, list[Joined]]:
    """The cells of ``suite``, each with what ``found`` has of it."""
    of: dict[str, list[External]] = {}
    for record in found:
        of.setdefault(record.cell, []).append(record)
    return {
        table.key: [replace(j, outside=_all_of(j.cell, table, of.get(j.cell.id, ()))) for j in joined[table.key]]
        for table in suite.tables
    }


def _all_of(cell: Cell, table: Table, records: Sequence[External]) -> tuple[Outside, ...]:
    """One for each group, no two of one name."""
    found: dict[str, Outside] = {}
    for group in _groups(records):
        name = group[0].source
        number = next(n for n in itertools.count(1) if (f"{name} ({n})" if n > 1 else name) not in found)
        source = f"{name} ({number})" if number > 1 else name
        found[source] = replace(_outside(cell, table, group), source=source)
    return tuple(found.values())


def _groups(records: Sequence[External]) -> list[list[External]]:
    """What one author declares alike of several trainings, by seed."""
    groups: dict[str, list[External]] = {}
    for r in sorted(records, key=lambda r: (r.kind, r.seed, r.key)):
        alike = (r.kind, r.trained_by, r.measured_by, r.data, r.protocol, r.prepared, r.measure_version, r.real)
        groups.setdefault(repr((*alike, r.key if r.kind == "reported" else "")), []).append(r)
    return list(groups.values())


def _outside(cell: Cell, table: Table, group: list[External]) -> Outside:
    tier, doubts = tier_of_outside(cell, group), _doubts(group)
    shown = replace(cell, profile=group[0].profile)
    directions = {m: table.metrics.get(m, BETTER.get(m, "higher")) for m in group[0].numbers}
    dead = "" if cell.untrained else _untrained(table, group)
    entries = {m: _entry(shown, table, m, direction, group, tier, dead) for m, direction in directions.items()}
    return Outside(shown, (), tier, entries, doubts, given=tuple(group))


def tier_of_outside(cell: Cell, group: Sequence[External]) -> Tier:
    """``declared``, or ``proxy`` or ``incomparable`` with all that differs from the paper, or that nobody states."""
    first = group[0]
    theirs = data_of(cell.full_recipe)
    apart = [name for name in DATA if theirs.get(name) != first.data.get(name)]
    lines = [f"{name}: {theirs.get(name, 'none')} -> {first.data.get(name, 'none')}" for name in apart]
    lines += _protocol(cell, first)
    lines += [] if apart or first.kind == "reported" else _measured_otherwise(cell, first)
    lines += [f"images were {what}: {how}" for what, how in first.prepared.items()]
    lines += _by_seed(group, lambda record: record.findings)
    lines += [] if first.trained_by or first.kind == "reported" else ["nobody declares how it was trained"]
    features = first.protocol.get("features")
    if features and proxy(features):
        lines.insert(0, f"{features} is a proxy: its numbers are on another scale than any published ones")
    return Tier("incomparable" if set(apart) & set(OTHER_SCALE) else "proxy" if lines else "declared", tuple(lines))


def _measured_otherwise(cell: Cell, record: External) -> list[str]:
    """That it was measured against other real images than those of the cell, where these are known, or by another
    version of the measuring code.
    """
    found = []
    if record.measure_version != MEASURE_VERSION:
        found.append(f"measured by version {record.measure_version} of the measuring code: {MEASURE_VERSION} is this")
    try:
        real = real_key(cell.full_recipe, Protocol.from_json(record.protocol))
    except (GanbenchError, KeyError, TypeError, ValueError):  # not here; or from anyone
        return found
    return [*found, "measured against other real images"] if real != record.real else found


def _by_seed(group: Sequence[External], said: Callable[[External], Iterable[str]]) -> list[str]:
    """What is said of each, once; with the seeds of which it is said where those are not all."""
    seeds: dict[str, dict[int, None]] = {}
    for record in group:
        for line in said(record):
            seeds.setdefault(line, {})[record.seed] = None
    every = {record.seed for record in group}
    return [
        line if of.keys() == every else f"{'seed' if len(of) == 1 else 'seeds'} {', '.join(map(str, of))}: {line}"
        for line, of in seeds.items()
    ]


def _protocol(cell: Cell, record: External) -> list[str]:
    """Field by field, as far as it has a say in the metrics that there are."""
    theirs, ours = cell.full_protocol.to_json(), record.protocol
    skipped = {f for f in HARMLESS if f not in LOOKS or theirs.get("checkpoint") == "last"}
    silent, found = [], []
    for name in sorted((theirs.keys() | ours.keys()) - skipped - set(NOT_MEASURING)):
        if name in OF_METRIC and not set(OF_METRIC[name]) & record.numbers.keys():
            continue
        if name in theirs and ours.get(name) is None:
            silent.append(name)
        elif theirs.get(name) != ours.get(name):
            found.append(f"{name}: {theirs.get(name, 'none')} -> {ours.get(name, 'none')}")
    return found + ([f"nobody states {', '.join(silent)}"] if silent else [])


def _doubts(group: Sequence[External]) -> tuple[str, ...]:
    first = group[0]
    trained = f"trained by {first.trained_by}" if first.trained_by else "nobody says who trained it"
    measured = f"; measured by {first.measured_by}" if first.kind == "reported" else ""
    return (f"{trained}{measured}: declared, not checked",)


def _untrained(table: Table, group: Sequence[External]) -> str:
    """Which of its numbers are of pairs that did not train, by what the suite says of those that do; "" if none is."""
    lines = []
    for metric, known in table.alive.items():
        if low := [n["value"] for r in group for n in r.numbers.get(metric, ()) if n["value"] < known.least]:
            lines.append(f"not trained: {metric} {', '.join(few(f'{v:.3g}' for v in low))}, below {known.least:g}")
    return "; ".join(lines)


def _entry(
    cell: Cell, table: Table, metric: str, direction: str, group: Sequence[External], tier: Tier, dead: str
) -> Entry:
    numbers = [number["value"] for record in group for number in record.numbers.get(metric, ())]
    achieved = estimate(numbers, looked=True)  # nobody can say how many were made, and which of them left out
    published = cell.published.get(metric)
    judged = tier if tier.name != "declared" else Tier("compatible", ())
    verdict = judge(
        published, achieved, 0, [judged], direction, table.tolerance.get(metric), "", stated_runs(cell),
        first_gap(group) if group[0].kind == "external" else None, untrained=dead,
        ranked=metric not in table.unranked,
    )  # fmt: skip
    verdict = as_assumed(verdict, replace(cell, kinds=_measuring(cell)), metric)
    if (why := _twice(group)) and verdict.name in WORDS:
        verdict = Verdict("inconclusive", why)
    floors = [r.floor["metrics"][metric]["value"] for r in group if r.floor and metric in r.floor["metrics"]]
    floor = sum(floors) / len(floors) if len(floors) == len(group) else None
    said = Verdict(WORDS.get(verdict.name, verdict.name), f"{verdict.why}; {_doubts(group)[0]}")
    return Entry(cell, metric, direction, published, achieved, None, said, floor=floor)


def _measuring(cell: Cell) -> dict[str, str]:
    """The kinds of what it is measured by: training is what its author declares, and none of our guesses."""
    return {path: kind for path, kind in cell.kinds.items() if path in PROTOCOL_FIELDS or path in DATA}


def _twice(group: Sequence[External]) -> str:
    """Why its numbers are not one of each training; "" if they are."""
    if group[0].kind == "reported":
        return ""
    if len({r.seed for r in group}) < len(group):
        return "one seed has several results: which of them counts, nobody can say"
    return "the same images stand for several seeds" if len({r.images for r in group}) < len(group) else ""
