"""Records of several labs: ``merge`` and ``export``."""

from __future__ import annotations

import sys
from argparse import Namespace

from benchmark.commands.lines import believing, count, read_records
from benchmark.suite.filter import Filter
from benchmark.suite.load import load, load_all


def merge(a: Namespace) -> int:
    """Records of other labs."""
    from benchmark.records.merge import merge as merge_records

    taken, same, problems = merge_records(a.results, a.others)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    print(f"{count(taken, 'record')} taken over, {same} were here already, {count(len(problems), 'problem')}")
    return 1 if problems else 0


def export(a: Namespace) -> int:
    """A bundle of records."""
    from benchmark.records.bundle import MAILABLE, contents, write

    loaded = load_all(a.suites)
    suites = [
        load(s.path, p)
        for s in loaded
        for p in ([a.profile] if a.profile else s.profiles if s.profile == "full" else [s.profile])
    ]
    only = Filter(a.only) if a.only is not None else None
    cells = [c for s in suites for c in s.cells if only is None or only(c)]
    found, code = read_records(a.results)
    (members, written), _ = believing(lambda left, _: contents(suites, cells, left), found)
    write(a.out, members)
    size = a.out.stat().st_size
    print(f"{a.out}: {count(len(written), 'record')}, {size / 1e6:.1f} MB")
    if size > MAILABLE:
        print(
            f"larger than {MAILABLE / 1e6:.0f} MB, which many mail servers refuse: --only makes smaller ones",
            file=sys.stderr,
        )
    return code
