"""What several commands read, choose and print alike."""

from __future__ import annotations

import dataclasses
import io
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from benchmark.errors import GanbenchError, nearest, plain
from benchmark.outside.running import in_words
from benchmark.plan.blocks import weights_of
from benchmark.plan.plan import Plan, make_plan, prioritised
from benchmark.process import shell
from benchmark.recipe import Recipe
from benchmark.records import shelf, store
from benchmark.records.furthest import by_evaluation
from benchmark.records.record import Record, RecordError
from benchmark.suite.filter import Filter
from benchmark.suite.load import load_all
from benchmark.suite.model import Suite
from benchmark.suite.nodes import SuiteError
from benchmark.train.layout import AUTO


def chosen_plan(a: Namespace) -> tuple[Plan, list[Record], int]:
    """The plan, in the order of predicted cost where that is known; all records there are; what ``say`` returns."""
    from benchmark.plan.forecast import in_order

    suites, wrong = suites_of(a, strict=True)
    only = Filter(a.only) if a.only is not None else None
    cells = [c for s in suites for c in s.cells if only is None or only(c)]
    if not cells:
        raise no_cell(a, a.suites)
    found, problems = store.read_all(a.results)
    code = wrong or say(problems)
    made = make_plan(cells, range(a.seeds), by_evaluation(found), a.until_epoch, problems, fixed=not a.looked)
    made = prioritised(made, _priorities(suites, dict(a.priority or ()))) if a.priority else made
    say_code(run.recipe for run in made.of("to do"))
    _must_build(made)
    for line in _changed(made):
        print(f"ganbench: {line}", file=sys.stderr)
    return in_order(made, found, getattr(a, "layout", AUTO)), found, code


def suites_of(a: Namespace, strict: bool = False) -> tuple[list[Suite], int]:
    """The suites that are asked for, and the exit code: 2 where one that cannot be used is passed over, which is said.
    ``strict``: one that was named is not passed over.
    """
    wrong = list[SuiteError]()
    suites = load_all(a.suites, getattr(a, "profile", None), wrong.append, strict)
    for error in wrong:
        print(f"ganbench: {error}; this suite is passed over", file=sys.stderr)
    return suites, 2 if wrong else 0


def say_code(recipes: Iterable[Recipe]) -> None:
    """On standard error: which code of the user's own runs."""
    for line in in_words(recipes):
        print(f"ganbench: {plain(line)}", file=sys.stderr)


def _changed(made: Plan) -> list[str]:
    """A line for each file that is not what it was when records were made, and that says that it computes the same."""
    runs: dict[str, int] = {}
    for file in (file for run in made.of("done") for file in run.changed):
        runs[file] = runs.get(file, 0) + 1
    return [
        f"{file} has changed since {count(n, 'record')}, with VERSION as before: if it computes something else now, "
        "raise VERSION, and the runs are made again"
        for file, n in sorted(runs.items())
    ]


def _must_build(made: Plan) -> None:
    """Raises GanbenchError (exit 2) where weights are another file than the one that is known, or where a plug-in or
    torch refuses a recipe that is to be run, also with what is left for the last batch of an epoch.
    """
    from benchmark.plan.built import refusals
    from benchmark.weights.read import verified

    for weights in dict.fromkeys(w for run in made.of("to do") for w in weights_of(run.recipe, run.protocol)):
        verified(weights)

    recipes: dict[str, Recipe] = {}
    for run in made.of("to do"):
        name, r = run.cells[0].id, run.recipe
        recipes[name] = r
        if left := 0 if r.drop_last else run.images % r.batch_d:
            recipes[f"{name} (the last batch)"] = dataclasses.replace(r, batch_d=left, batch_g=min(left, r.batch_g))
    if found := refusals(recipes):
        raise GanbenchError("\n".join(found), 2)


def about(name: str, suites: Sequence[str], profile: str | None, *more: object) -> str:
    """Another command about the same suites and profile, to be pasted."""
    more = (*(shell.option("--profile", profile) if profile else ()), *more)
    return shell.command(name, *map(shell.file, suites), *more)


def first_seeds(words: Sequence[str]) -> str:
    """The command for the first seed of each cell, in place of one that adds seeds until verdicts are decided."""
    kept = shell.without(words, {"--until-decided": False, "--budget": True, "--seeds": True, "--until-epoch": True})
    return shell.command(kept[0], "--seeds", "1", *kept[1:])


def no_cell(a: Namespace, suites: Sequence[str]) -> GanbenchError:
    """That ``--only`` chooses nothing, and where to see what there is."""
    return GanbenchError(f"--only {a.only!r} leaves no cell; see: {about('list', suites, a.profile)}", 2)


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


def say(problems: list[RecordError]) -> int:
    """A line on standard error for each file that was passed over; the exit code: 1 if one could not be read."""
    for problem in problems:
        print(f"ganbench: {problem}; passed over", file=sys.stderr)
    return int(any(problem.unread for problem in problems))


def print_plain(text: str) -> None:
    """Print what may hold texts of others (records, files): nothing in it steers the terminal."""
    print(plain(text, lines=True), flush=True)


def out_for_programs() -> TextIO:
    """Standard output in UTF-8, which CSV and JSON are, whatever was chosen for people to read."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def plan_line(made: Plan) -> str:
    """Cells, trainings, evaluations, and how many of them are to do."""
    n = {state: len(made.of(state)) for state in ("to do", "blocked", "done")}
    cells = len({c.id for r in made.runs for c in r.cells})
    return (
        f"profile {made.profile}: {count(cells, 'cell')}, "
        f"{count(len(made.trainings()), 'distinct training run')} ({count(len(made.runs), 'evaluation')}): "
        f"{n['to do']} to do, {n['done']} done, {n['blocked']} blocked"
    )


def count(n: int, what: str) -> str:
    """``3 cells``, ``1 cell``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
