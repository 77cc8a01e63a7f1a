"""Datasets and weights by their names: ``data list``, ``data fetch`` and ``data verify``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence

from benchmark.commands.choosing import chosen_cells
from benchmark.commands.columns import print_fitting, show_fitting
from benchmark.commands.suites import suites_of
from benchmark.data.cards import card, data_root, known_datasets
from benchmark.data.fetch import fetch as fetch_data
from benchmark.data.verify import state
from benchmark.data.verify import verify as verify_data
from benchmark.errors import GanbenchError, continued, nearest, plain
from benchmark.plan.blocks import hindrance
from benchmark.plan.missing import Missing, can_be_fetched, in_words
from benchmark.suite.model import Suite
from benchmark.weights.fetch import fetch as fetch_weights
from benchmark.weights.known import KNOWN
from benchmark.weights.place import find
from benchmark.weights.place import missing as missing_weights
from benchmark.weights.read import verified


def known_names() -> list[str]:
    """Of all datasets and weights."""
    return list(dict.fromkeys([*known_datasets(), *KNOWN]))


def list_all(names: Sequence[str]) -> int:
    """What there is of these (none: all), and where."""
    names = _known(names or known_names())
    if datasets := [name for name in names if name not in KNOWN]:
        print_fitting(f"datasets in {data_root()} (set GANBENCH_DATA to move)")
        for name in datasets:
            print_fitting(_data_line(name))
    if weights := [name for name in names if name in KNOWN]:
        print_fitting("weights (a file's hash is looked at by 'data verify', 'doctor' and 'run')")
        for name in weights:
            print_fitting(f"  {name}: {missing_weights(name) or f'here: {find(name)}'}")
    return 0


def _data_line(name: str) -> str:
    try:
        c = card(name)
    except GanbenchError as error:  # a card of the user's own
        return f"  {name}: {error}"
    splits = ", ".join(f"{split} {s['count']:,}" for split, s in c.splits.items())
    return f"  {c.name}: {c.title}; {splits}; {state(c)}"


def verify(names: Sequence[str]) -> int:
    """Read through all files of these."""
    wrong = 0
    for name in _known(names):
        for file, problem in _weights(name) if name in KNOWN else verify_data(name):
            show_fitting(f"{name}:", "red" if problem else "green", f" {file}: {problem or 'ok'}")
            wrong += problem is not None
        if name not in KNOWN and card(name).reader == "shapes":
            print_fitting(f"{name}: procedural, nothing to verify")
    return 1 if wrong else 0


def _weights(name: str) -> Iterator[tuple[str, str | None]]:
    """As ``data.verify.verify``."""
    try:
        yield str(verified(name)), None
    except GanbenchError as error:
        yield KNOWN[name].file, str(error)


def fetch(a: Namespace) -> int:
    """What is named, and all that suites need; one that cannot be had does not keep the others."""
    names = _known(a.names)
    suites, wrong = suites_of(a) if a.suites else ([], 0)
    if suites:
        lacks = _lacks(a, suites)
        needed = list(dict.fromkeys(thing.name for lack in lacks for thing in lack))
        if not needed:
            print("nothing to fetch: all that these cells need is here")
        names = list(dict.fromkeys([*names, *filter(can_be_fetched, needed)]))
    failed = 0
    for name in names:
        try:
            (fetch_weights if name in KNOWN else fetch_data)(name, a.force, _say)
        except GanbenchError as error:
            if len(names) == 1 and not a.suites:
                raise
            print(continued(f"ganbench: {error}"), file=sys.stderr, flush=True)
            failed += 1
    left = in_words(_lacks(a, suites)) if suites else []
    for line in left:
        print_fitting(line)
    return wrong or int(bool(failed or left))


def _say(text: str) -> None:
    print_fitting(plain(text))


def _known(names: Sequence[str]) -> list[str]:
    for name in names:
        if name not in known_names():
            raise GanbenchError(f"unknown dataset {name!r}{nearest(name, known_names())}", 2)
    return list(names)


def _lacks(a: Namespace, suites: Sequence[Suite]) -> list[tuple[Missing, ...]]:
    """What each of the cells that are asked for lacks here."""
    cells = chosen_cells(a, suites, a.suites)
    return [found.missing for c in cells if (found := hindrance(c.recipe, c.protocol))]
