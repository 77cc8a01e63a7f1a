"""The start page's first sentence: what is known of all published results."""

from __future__ import annotations

from benchmark.collate.judging.verdict import DECIDED
from benchmark.collate.presenting.site.summary import Summary


def headline(total: Summary) -> str:
    """In one sentence."""
    numbers, v = f"{total.numbers:,} published result{'' if total.numbers == 1 else 's'}", total.verdicts
    if not (total.records or any(total.amiss.values())):
        return f"Nothing has been run yet: {numbers} to be held against runs"
    found = [f"{v[name]:,} {name}" for name in DECIDED if v[name]]
    open_ = f"{v['inconclusive']:,} still open" if v["inconclusive"] else ""
    other = f"{total.apart:,} measured in ways that cannot be compared" if total.apart else ""
    amiss = [f"{n:,} {name}" for name, n in total.amiss.items() if n]
    unrun = f"{total.unrun:,} without a run" if total.unrun else ""
    rest = ", ".join(filter(None, (open_, *amiss, other, unrun)))
    if not found:
        return f"None of {numbers} is decided yet" + (f": {rest}" if rest else "")
    return f"Of {numbers}, {', '.join(found)}" + (f"; {rest}" if rest else "")
