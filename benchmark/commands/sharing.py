"""Records of several labs: ``merge`` and ``export``."""

from __future__ import annotations

import sys
from argparse import Namespace

from benchmark.commands.choosing import chosen_cells
from benchmark.commands.lines import believing, count, read_records, say
from benchmark.commands.suites import suites_of
from benchmark.errors import plain
from benchmark.records import external
from benchmark.suite.load import load


def merge(a: Namespace) -> int:
    """Records of other labs."""
    from benchmark.records.external_exchange import has_nothing_else, take_over
    from benchmark.records.merge import merge as merge_records

    theirs = [other for other in a.others if not has_nothing_else(other)]
    taken, same, problems = merge_records(a.results, theirs, a.again)
    for other in a.others:
        new, there, refused = take_over(a.results, other)
        taken, same, problems = taken + new, same + there, problems + refused
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    print(f"{count(taken, 'record')} taken over, {same} were here already, {count(len(problems), 'problem')}")
    return 1 if problems else 0


def export(a: Namespace) -> int:
    """A bundle of records."""
    from benchmark.records.bundle import MAILABLE, contents, write
    from benchmark.records.external_exchange import members_of

    loaded, wrong = suites_of(Namespace(suites=a.suites))
    suites = [
        load(s.path, p)
        for s in loaded
        for p in ([a.profile] if a.profile else s.profiles if s.profile == "full" else [s.profile])
    ]
    cells = chosen_cells(a, suites, a.suites)
    found, code = read_records(a.results)
    others, unread = external.read_all(a.results)
    code = max(code, wrong, say(unread))
    beside = members_of(others, {c.id for c in cells})
    (members, written, held), _ = believing(lambda left, _: contents(suites, cells, left, beside), found)
    write(a.out, members)
    for record in held:
        print(f"  contested, left out: {record.cell} seed {record.seed} ({record.contested})", file=sys.stderr)
    size = a.out.stat().st_size
    outside = f", {count(len(beside), 'result')} from outside" if beside else ""
    print(f"{plain(str(a.out))}: {count(len(written), 'record')}{outside}, {size / 1e6:.1f} MB")
    if size > MAILABLE:
        print(
            f"larger than {MAILABLE / 1e6:.0f} MB, which many mail servers refuse: --only makes smaller ones",
            file=sys.stderr,
        )
    return max(code, 1 if held else 0)
