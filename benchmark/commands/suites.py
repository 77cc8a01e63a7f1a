"""The suites that a command is about, and what is said of their code: what of the user's own runs, and what has changed
since records were made.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable

from benchmark.errors import plain
from benchmark.outside.running import in_words
from benchmark.plan.plan import Plan
from benchmark.recipe import Protocol, Recipe
from benchmark.suite.load import load_all
from benchmark.suite.model import Suite
from benchmark.suite.nodes import SuiteError


def suites_of(a: Namespace, strict: bool = False) -> tuple[list[Suite], int]:
    """The suites that are asked for, and the exit code: 2 where one that cannot be used is passed over, which is said.
    ``strict``: one that was named is not passed over.
    """
    wrong = list[SuiteError]()
    suites = load_all(a.suites, getattr(a, "profile", None), wrong.append, strict)
    for error in wrong:
        print(f"ganbench: {error}; this suite is passed over", file=sys.stderr)
    return suites, 2 if wrong else 0


def say_code(used: Iterable[tuple[Recipe, Protocol]]) -> None:
    """On standard error: which code of the user's own runs."""
    for line in in_words(used):
        print(f"ganbench: {plain(line)}", file=sys.stderr)


def say_changed(made: Plan) -> None:
    """A line for each file that is not what it was when records were made, and that says that it computes the same."""
    runs = Counter(file for run in made.of("done") for file in run.changed)
    for file, n in sorted(runs.items()):
        print(
            f"ganbench: {file} has changed since {n:,} record{'' if n == 1 else 's'}, with VERSION as before: if it "
            "computes something else now, raise VERSION, and the runs are made again; --again makes just these anew",
            file=sys.stderr,
        )
