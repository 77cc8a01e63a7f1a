"""What this machine has: ``data`` and ``doctor``."""

from __future__ import annotations

import itertools
from argparse import Namespace

from benchmark.commands.choosing import chosen_cells
from benchmark.commands.columns import print_fitting, show_fitting
from benchmark.commands.suites import suites_of
from benchmark.errors import GanbenchError, nearest


def data(a: Namespace) -> int:
    """Datasets."""
    from benchmark.commands.fetching import fetch, known_names, list_all, verify
    from benchmark.data.add import add
    from benchmark.data.newly import add_new
    from benchmark.weights.known import KNOWN

    if a.action == "list":
        return list_all(a.names)
    if a.action == "stats":
        return _stats(a)
    if a.action == "add":
        if a.name in KNOWN:
            raise GanbenchError("weights are not added: give their file with --weights, or in GANBENCH_WEIGHTS", 2)
        (add_new if a.new else add)(a.name, a.source, print_fitting)
        return 0
    if a.action == "verify":
        return verify(a.names)
    if a.only is not None and not a.suites:
        raise GanbenchError("--only chooses among the cells of --for", 2)
    if not a.names and not a.suites:
        raise GanbenchError(f"data fetch needs a name, or --for SUITE{nearest('', known_names())}", 2)
    return fetch(a)


def _stats(a: Namespace) -> int:
    from benchmark.data.cards import cache_folder
    from benchmark.metrics.stats import kept, precompute

    if a.import_file and (a.export or a.names):
        raise GanbenchError("--import takes neither suites nor --export: ganbench data stats --import FILE", 2)
    if a.export and not a.names:
        raise GanbenchError("--export needs suites: ganbench data stats SUITE --export FILE", 2)
    if a.import_file:
        from benchmark.metrics.exchange import import_file

        print_fitting(f"imported: {import_file(a.import_file)}")
        return 0
    if not a.names:
        print_fitting(f"features of real images in {cache_folder()} (set GANBENCH_CACHE to move)")
        for line in kept():
            print_fitting(f"  {line}")
        return 0
    suites, wrong = suites_of(Namespace(suites=a.names, profile=a.profile))
    cells = chosen_cells(a, suites, a.names)
    if a.export:
        from benchmark.metrics.exchange import export

        print_fitting(f"{a.export}: {export(cells, a.export)}")
        return wrong
    ready = True
    for there, line in precompute(cells):
        show_fitting(*_mark(there), f" {line}")
        ready &= there
    return wrong or int(not ready)


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
        show_fitting(*_mark(fine), f" {name}: {text}")
    return 0 if healthy else 1


def _mark(fine: bool) -> tuple[str, str]:
    """The word before a line, and its colour."""
    return ("ok ", "green") if fine else ("-- ", "red")
