"""What several commands read, choose and print alike."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from benchmark.commands.choosing import chosen_cells
from benchmark.commands.suites import say_changed, say_code, suites_of
from benchmark.door import within
from benchmark.errors import GanbenchError, nearest, plain
from benchmark.plan.blocks import BLOCKED, MISSING
from benchmark.plan.missing import weights_of
from benchmark.plan.plan import Plan, Run, make_plan, prioritised
from benchmark.process import shell
from benchmark.recipe import Recipe
from benchmark.records import shelf, store
from benchmark.records.culprits import T, Use, without_culprits
from benchmark.records.furthest import by_evaluation
from benchmark.records.record import Record, RecordError
from benchmark.suite.model import Suite
from benchmark.train.layout import AUTO
from benchmark.weights.place import missing


def chosen_plan(a: Namespace, elsewhere: bool = False) -> tuple[Plan, list[Record], int]:
    """The plan, in the order of predicted cost where that is known; all records there are; what ``say`` returns.
    ``elsewhere``: as ``make_plan``.
    """
    from benchmark.plan.forecast import in_order

    suites, wrong = suites_of(a, strict=True)
    cells = chosen_cells(a, suites, a.suites)
    found, problems = store.read_all(a.results)
    code = wrong or say(problems)
    priorities = _priorities(suites, dict(a.priority or ())) if a.priority else {}

    def planned(left: list[Record], out: list[RecordError]) -> Plan:
        """The plan with the records that are left."""
        known, unread = by_evaluation(left), [*problems, *out]
        made = make_plan(cells, range(a.seeds), known, a.until_epoch, unread, not a.looked, elsewhere, a.again)
        return prioritised(made, priorities) if priorities else made

    made, found = believing(planned, found)
    say_code((run.recipe, run.protocol) for run in made.of("to do"))
    another = any(getattr(a, name, None) for name in ("address", "gpu")) or getattr(a, "device", None) == "cuda"
    _must_build(made, another, running=a.command == "run")
    made, found = believing(lambda left, out: in_order(made, left, getattr(a, "layout", AUTO)), found)
    say_changed(made)
    return made, found, code


def _must_build(made: Plan, elsewhere: bool, running: bool) -> None:
    """Raises GanbenchError (exit 2) where weights are another file than the one that is known, or where a plug-in or
    torch refuses a recipe that is not done, here or blocked, also with what is left for the last batch of an epoch, or
    where it would not fit into this machine's memory and is not to run ``elsewhere``.
    """
    from benchmark.plan.built import refusals, room_here
    from benchmark.weights.read import verified

    wanted = made.of("to do", BLOCKED, MISSING)  # data that are not here excuse no recipe
    for weights in dict.fromkeys(w for run in wanted for w in _weights_here(run)):
        verified(weights)

    recipes: dict[str, Recipe] = {}
    for run in wanted:
        name, r = run.cells[0].id, run.recipe
        recipes[name] = r
        if left := 0 if r.drop_last else run.images % r.batch_d:
            recipes[f"{name} (the last batch)"] = dataclasses.replace(r, batch_d=left, batch_g=min(left, r.batch_g))
    if found := refusals(recipes, None if elsewhere else room_here(), running):
        raise GanbenchError("\n".join(found), 2)


def _weights_here(run: Run) -> list[str]:
    """Those of a run's weights that lie here."""
    try:
        return [name for name in weights_of(run.recipe, run.protocol) if missing(name) is None]
    except GanbenchError:  # an extractor that is not there: the run is blocked by it
        return []


def first_seeds(words: Sequence[str]) -> str:
    """The command for the first seed of each cell, in place of one that adds seeds until verdicts are decided."""
    kept = shell.without(words, {"--until-decided": False, "--budget": True, "--seeds": True, "--until-epoch": True})
    return shell.command(kept[0], "--seeds", "1", *kept[1:])


def _priorities(suites: list[Suite], given: dict[str, int]) -> dict[str, int]:
    """Of cells, from those of suites and papers. A cell of several takes the highest."""
    found: dict[str, int] = {}
    known = {name for suite in suites for name in (suite.name, *(cell.paper for cell in suite.cells))}
    for name in given:
        if name not in known:
            raise GanbenchError(f"--priority: no suite {name!r} among those to run{nearest(name, known)}", 2)
    for suite, cell in ((s, c) for s in suites for c in s.cells):
        own = [given[name] for name in (suite.name, cell.paper) if name in given]
        found[cell.id] = max([*own, *([found[cell.id]] if cell.id in found else [])], default=0)
    return found


def read_records(results: Path) -> tuple[list[Record], int]:
    """Records that can be read; what cannot is said and passed over. With what ``say`` returns."""
    found, problems = shelf.read_all(results)
    return found, say(problems)


def believing(use: Use[T], records: Sequence[Record]) -> tuple[T, list[Record]]:
    """What ``use`` makes of the records, and those with which it does not fail; the others are said and passed over."""
    made, left, out = without_culprits(use, records)
    say(out)
    return made, left


def say(problems: list[RecordError]) -> int:
    """A line on standard error for each file that was passed over; the exit code: 1 if one could not be read."""
    for problem in problems:
        print(f"ganbench: {plain(str(problem))}; passed over", file=sys.stderr)
    return int(any(problem.unread for problem in problems))


def print_plain(text: str) -> None:
    """Print what may hold texts of others (records, files): nothing in it steers the terminal."""
    print(plain(text, lines=True), flush=True)


def out_for_programs() -> TextIO:
    """Standard output in UTF-8, which CSV and JSON are, whatever was chosen for people to read; every character as it
    is, but on a terminal.
    """
    out = sys.stdout if sys.stdout.isatty() else within(sys.stdout)
    if isinstance(inner := within(out), io.TextIOWrapper):
        inner.reconfigure(encoding="utf-8")
    return out


def print_json(text: str) -> None:
    """Print JSON, in which what a terminal would not show is written by its number."""
    print(UNUSUAL.sub(_numbered, text), file=out_for_programs())


UNUSUAL = re.compile("[^ -~\n]")


def _numbered(found: re.Match[str]) -> str:
    c = found[0]
    return c if plain(c) == c else json.dumps(c)[1:-1]


def plan_line(made: Plan) -> str:
    """Cells, trainings, evaluations, and how many of them are to do."""
    n = {state: len(made.of(state)) for state in ("to do", BLOCKED, MISSING, "done")}
    missing = f", {n[MISSING]} {MISSING}" if n[MISSING] else ""
    redone = sum(run.again for run in made.of("to do"))
    again = f" ({redone:,} made again)" if redone else ""
    cells = len({c.id for r in made.runs for c in r.cells})
    return (
        f"profile {made.profile}: {count(cells, 'cell')}, "
        f"{count(len(made.trainings()), 'distinct training run')} ({count(len(made.runs), 'evaluation')}): "
        f"{n['to do']} to do{again}, {n['done']} done, {n[BLOCKED]} blocked{missing}"
    )


def count(n: int, what: str) -> str:
    """``3 cells``, ``1 cell``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
