"""What the cells of a command lack here, at its end."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence

from benchmark.commands.columns import print_fitting
from benchmark.plan.missing import Missing, can_be_fetched, in_words
from benchmark.process import shell
from benchmark.suite.model import Suite


def say_missing(a: Namespace, suites: Sequence[Suite], lacks: Iterable[tuple[Missing, ...]]) -> None:
    """A line for each thing, and the command that gets all of those that can be fetched; nothing where nothing is
    missing.
    """
    lacks = list(lacks)
    for line in in_words(lacks):
        print_fitting(line)
    say_fetch(a, suites, lacks)


def say_fetch(a: Namespace, suites: Sequence[Suite], lacks: Iterable[tuple[Missing, ...]]) -> None:
    """The command that gets all that can be fetched, where that is more than one thing."""
    if len({thing.name for lack in lacks for thing in lack if can_be_fetched(thing.name)}) > 1:
        named = a.suites or [suite.name for suite in suites]
        more = [
            word
            for name in ("profile", "only")
            if (value := getattr(a, name, None)) is not None
            for word in shell.option(f"--{name}", value)
        ]
        print_fitting(
            f"all that can be fetched: {shell.command('data', 'fetch', '--for', *map(shell.file, named), *more)}"
        )
