"""Union of the records of several labs, by content. What disagrees is kept apart and shown, never averaged."""

from __future__ import annotations

import copy
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmark.data.cards import card
from benchmark.data.subsets import subset_size
from benchmark.errors import GanbenchError, few, plain
from benchmark.records import shelf, store
from benchmark.records.anew import replace
from benchmark.records.bundle import each
from benchmark.records.culprits import place_of
from benchmark.records.leftovers import sweep
from benchmark.records.provenance import named, segments, which_code
from benchmark.records.record import Record, RecordError
from benchmark.suite.slug import safe_name

LONGEST = 60


@dataclass(frozen=True)
class Conflict:
    """The same run with different numbers: the one that counts, and the other."""

    ours: Record
    theirs: Record

    def __str__(self) -> str:
        r = self.ours
        return plain(
            f"conflict: {r.cell} seed {r.seed} (run {r.run}): {', '.join(self.differences())}; ours "
            f"{origin(r)}; theirs {origin(self.theirs)}; ours is kept, and neither is judged"
        )

    def differences(self) -> list[str]:
        """``FID 23.1 here, 24.8 there`` for each metric that differs; else what else does."""
        a, b = self.ours, self.theirs
        if a.status != b.status:
            return [f"{a.status} at step {a.steps:,} here, {b.status} at step {b.steps:,} there"]
        numbers = [
            (m, *((r.final or {}).get(m) for r in (a, b))) for m in dict.fromkeys([*(a.final or {}), *(b.final or {})])
        ]
        found = [
            f"{m} {_value(x)} here, {_value(y)} there" for m, x, y in numbers if isinstance(x or y, dict) and x != y
        ]
        return few(found) or ["the final numbers agree, the history or the samples do not"]


def merge(results: Path, others: Iterable[Path], again: bool = False) -> tuple[int, int, list[str]]:
    """Copy every record of ``others`` (results folders, or bundles) that is not in ``results`` yet; of equal ones, a
    copy for each plan.

    Args:
        again: theirs are ours, made anew: they take the place of those that are there (``anew.py``).

    Returns:
        How many were taken over, how many were there already, and the problems: records that are
        refused, each with the reason, and conflicts, where two labs have different numbers for one
        run. Ours stays; theirs is kept in ``results/conflicts/``, and neither is judged (``contested.py``).

    Raises:
        GanbenchError: one of ``others`` is neither, or a bundle that is not as bundles are.
    """
    sweep(results)
    mine, broken = shelf.read_all(results)
    here = _Here(
        results,
        {_place(r): r for r in mine},
        {(_place(r), r.planned or 0) for r in mine},
        {error.path.name: error for error in broken},
        problems=[f"of ours: {error}" for error in broken if error.unread],
    )
    for other in others:
        for record in _read(other):
            if isinstance(record, RecordError):
                here.problems.append(f"refused: {record}")
            else:
                here.tell(record, partial(here.take, record, other, again))
        for apart in _apart(other):
            here.tell(apart, partial(here.hold, apart))
    return here.taken, here.same, [plain(problem) for problem in here.problems]


@dataclass
class _Here:
    """What is here already, and what became of that which came."""

    results: Path
    known: dict[tuple[str, int], Record]
    plans: set[tuple[tuple[str, int], int]]
    unreadable: dict[str, RecordError]
    problems: list[str]
    taken: int = 0
    same: int = 0

    def tell(self, record: Record, act: Callable[[], None]) -> None:
        """Do it; what goes wrong is a problem of this record, which is from anyone."""
        try:
            act()
        except GanbenchError as error:
            self.problems.append(str(error))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self.problems.append(f"refused: {place_of(record)}: cannot be used ({type(error).__name__}: {error})")

    def take(self, record: Record, other: Path, again: bool) -> None:
        """One of theirs: new, equal to ours (then perhaps of another plan), or another result."""
        ours, folder = self.known.get(_place(record)), f"merged/{_folder(record)}"
        if why := _not_whole(record):
            self.problems.append(f"refused: {record.cell} seed {record.seed} (run {record.run}) of {other}: {why}")
        elif ours is None and record.name in self.unreadable:
            self.problems.append(
                f"refused: {record.cell} seed {record.seed} of {other}: ours cannot be read "
                f"({self.unreadable[record.name]}); mend or remove it first"
            )
        elif again and (ours is None or _made_anew(ours, record)):
            replace(self.results, folder, record)
            self._new(record)
        elif ours is None:
            store.write(self.results, folder, record)
            self._new(record)
        elif ours.outcome == record.outcome:
            self.same += 1
            plan = record.planned or 0
            if (_place(record), plan) not in self.plans:  # all copies' count (``furthest.by_evaluation``)
                store.write(self.results, f"{folder}/planned-{plan}", record)
                self.plans.add((_place(record), plan))
        else:
            self.hold(record)

    def hold(self, record: Record) -> None:
        """Keep another result of a run apart; an equal one is nothing."""
        ours = self.known.get(_place(record))
        if ours is not None and ours.outcome != record.outcome:
            self.problems.append(str(Conflict(ours, record)))
            _keep(self.results, record)

    def _new(self, record: Record) -> None:
        self.known[_place(record)] = _light(record)
        self.plans.add((_place(record), record.planned or 0))
        self.taken += 1


def conflicts(results: Path) -> list[Conflict]:
    """What ``merge`` found to disagree, as long as ours is there; raises GanbenchError as ``read_conflicts``."""
    return read_conflicts(results)[0]


def read_conflicts(results: Path) -> tuple[list[Conflict], list[RecordError]]:
    """What ``merge`` found to disagree, as long as ours is there; and which of its records cannot be used.

    Raises:
        GanbenchError: a folder cannot be read.
    """
    kept, problems = list[Record](), list[RecordError]()
    for path in store.paths(results, "conflicts"):
        try:
            kept.append(store.read(path))
        except RecordError as error:
            problems.append(error)
    known = {_place(r): r for r in store.read_all(results)[0]} if kept else {}
    found = [Conflict(ours, r) for r in kept if (ours := known.get(_place(r))) and ours.outcome != r.outcome]
    return found, problems


def origin(record: Record) -> str:
    """Where a record was made, as it says itself: commit, device and torch of each stretch."""
    stretches = dict.fromkeys(
        f"commit {which_code(s)} on {named(s, 'device')} with torch {named(s, 'torch')}" for s in segments(record)
    )
    return " then ".join(few(stretches, longest=300)) or "of unknown origin"


def _read(other: Path) -> Iterator[Record | RecordError]:
    """Each record, in turn: those of a bundle need not be in memory together."""
    try:
        mode = os.stat(other).st_mode
        if stat.S_ISREG(mode):
            yield from each(other)
            return
        if stat.S_ISDIR(mode) and (other / "records").exists():
            records, problems = shelf.read_all(other)
            yield from problems
            apart = {_place(conflict.ours) for conflict in conflicts(other)}
            for record in records:
                if record.contested and _place(record) not in apart:
                    yield RecordError(
                        other / record.name, "two files there disagree about it: remove the wrong one there"
                    )
                else:
                    yield record
            return
    except FileNotFoundError:
        raise GanbenchError(
            f"{other} does not exist: give a results folder, or a bundle that 'ganbench export' made"
        ) from None
    except OSError as error:
        raise GanbenchError(f"cannot read {other}: {error.strerror or error}") from None
    raise GanbenchError(f"{other} has no records/ folder: not a results folder, and not a bundle")


def _apart(other: Path) -> Iterator[Record]:
    """What a results folder keeps apart, since it disagrees with what counts there: it does so here too."""
    if other.is_dir():
        yield from (conflict.theirs for conflict in conflicts(other))


def _light(record: Record) -> Record:
    """The record without what is long and compared by its hash alone."""
    light = copy.copy(record)
    light.__dict__.update(outcome=record.outcome, history=[], samples="")
    return light


def _made_anew(ours: Record, record: Record) -> bool:
    return (ours.outcome, ours.provenance) != (record.outcome, record.provenance)


def _not_whole(record: Record) -> str | None:
    """Why a record's number of steps is not its recipe's; unknown data are not judged here, and join no cell."""
    r = record.recipe
    try:
        ours = card(r.dataset)
        if ours.content(r.split, r.resolution, r.channels) != record.content:
            return None  # a set of the same name
        images = subset_size(ours.split(r.split)["count"], r.data_percent, r.images)
        whole = r.total_steps(images)
    except (GanbenchError, KeyError, ZeroDivisionError):
        return None  # no data that are known here: it joins no cell
    return (
        None
        if record.total_steps == whole
        else f"impossible: {record.total_steps:,} steps in all, where its recipe and data give {whole:,}"
    )


def _keep(results: Path, record: Record) -> None:
    """One folder an outcome, so that several labs' versions of one run stand side by side."""
    store.write(results / "conflicts" / record.outcome[:16], f"merged/{_folder(record)}", record)


def _folder(record: Record) -> str:
    return safe_name(record.cell)[:LONGEST]


def _place(record: Record) -> tuple[str, int]:
    """What two records must not disagree on: a run's end, or a partial run at one step."""
    return record.evaluation, record.steps if record.status == "partial" else -1


def _value(measured: object) -> str:
    value = measured.get("value") if isinstance(measured, dict) else None
    return "nothing" if value is None else f"{value:.6g}"
