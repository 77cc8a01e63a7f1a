"""What this machine has: ``data`` and ``doctor``."""

from __future__ import annotations

import itertools
from argparse import Namespace
from typing import Any

from benchmark.commands.lines import no_cell, print_plain
from benchmark.door import show
from benchmark.errors import GanbenchError
from benchmark.suite.filter import Filter
from benchmark.suite.load import load_all


def data(a: Namespace) -> int:
    """Datasets."""
    from benchmark.data.add import add
    from benchmark.data.cards import card, cards, data_root
    from benchmark.data.fetch import fetch
    from benchmark.data.verify import state, verify

    if a.action == "list":
        print(f"datasets in {data_root()} (set GANBENCH_DATA to move)")
        for name in a.names or cards():
            c = card(name)
            print_plain(_data_line(name, c, state(c)))
        return 0
    if a.action == "stats":
        return _stats(a)
    if a.action == "add":
        add(a.name, a.source)
        return 0
    wrong = 0
    for name in a.names:
        if a.action == "fetch":
            fetch(name, a.force)
            continue
        for file, problem in verify(name):
            show(f"{name}:", "red" if problem else "green", f" {file}: {problem or 'ok'}")
            wrong += problem is not None
        if card(name).reader == "shapes":
            print(f"{name}: procedural, nothing to verify")
    return 1 if wrong else 0


def _data_line(name: str, c: Any, state: str) -> str:
    splits = ", ".join(f"{split} {s['count']:,}" for split, s in c.splits.items())
    return f"  {name}: {c.title}; {splits}; {state}"


def _stats(a: Namespace) -> int:
    from benchmark.data.cards import cache_folder
    from benchmark.metrics.stats import kept, precompute

    if a.import_file and (a.export or a.names):
        raise GanbenchError("--import takes neither suites nor --export: ganbench data stats --import FILE", 2)
    if a.export and not a.names:
        raise GanbenchError("--export needs suites: ganbench data stats SUITE --export FILE", 2)
    if a.import_file:
        from benchmark.metrics.exchange import import_file

        print_plain(f"imported: {import_file(a.import_file)}")
        return 0
    if not a.names:
        print(f"features of real images in {cache_folder()} (set GANBENCH_CACHE to move)")
        for line in kept():
            print_plain(f"  {line}")
        return 0
    only = Filter(a.only) if a.only is not None else None
    cells = [c for s in load_all(a.names, a.profile) for c in s.cells if only is None or only(c)]
    if not cells:
        raise no_cell(a, a.names)
    if a.export:
        from benchmark.metrics.exchange import export

        print(f"{a.export}: {export(cells, a.export)}")
        return 0
    ready = True
    for there, line in precompute(cells):
        show(*_mark(there), f" {line}")
        ready &= there
    return 0 if ready else 1


def doctor(a: Namespace) -> int:
    """This machine."""
    from benchmark.commands.doctor import examine

    healthy = True
    checks = examine(a.results)
    if a.golden:
        from benchmark.metrics.golden import check

        checks = itertools.chain(checks, check())
    for name, fine, text in checks:
        healthy &= fine
        show(*_mark(fine), f" {name}: {text}")
    return 0 if healthy else 1


def _mark(fine: bool) -> tuple[str, str]:
    """The word before a line, and its colour."""
    return ("ok ", "green") if fine else ("-- ", "red")
