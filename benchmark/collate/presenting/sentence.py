"""What is known of one table, in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.verdict import VERDICTS
from benchmark.metrics.extractors import proxy
from benchmark.records.record import Record

AMISS = ("failed", "contested", "untrained", "diverged", "blocked", "missing here")
"""Verdicts on a number of which the sentence counts the cells."""


def sentence(joined: Sequence[Joined]) -> str:
    """How many cells are measured, and what is decided of their numbers; else why none can be."""
    measured = [j for j in joined if j.records]
    amiss = Counter(name for j in joined for name in _amiss(j))
    rest = "".join(f"; {amiss[name]} {name}" for name in AMISS if amiss[name])
    if not measured:
        return f"None of {_cells(len(joined))} has been run{rest}."
    start = f"{len(measured)} of {_cells(len(joined))} measured, {_seeds(measured)}"
    judged = [j for j in measured if j.tier and j.tier.judged]
    if counted := _counted(judged):
        besides = len(measured) - len(judged)
        return f"{start}: {counted}{f'; {besides} not comparable' if besides else ''}{rest}."
    printed = any(p.value is not None for j in joined for p in j.cell.published.values())
    why = _unlike(j for j in measured if j not in judged)
    if not printed:
        return f"{start}; the paper prints no number{f': {why}' if why else ''}{rest}."
    return f"{start}; none can be judged{f': {why}' if why else ''}{rest}."


def _seeds(measured: Sequence[Joined]) -> str:
    counts = {len(j.records) for j in measured}
    low, high = min(counts), max(counts)
    return f"{low if low == high else f'{low} to {high}'} seed{'s' if high > 1 else ''} each"


def _cells(n: int) -> str:
    return f"{n} cell{'s' if n > 1 else ''}"


def _amiss(j: Joined) -> set[str]:
    return {e.verdict.name for e in j.entries.values()} & {*AMISS}


def _counted(judged: Iterable[Joined]) -> str:
    """``3 numbers reproduced, 6 inconclusive`` of those that are the paper's own."""
    counts = Counter(
        e.verdict.name
        for j in judged
        for e in j.entries.values()
        if e.verdict.name not in AMISS and e.published and e.published.origin == "own"
    )
    found = [f"{counts[name]} {name}" for name in VERDICTS if counts[name]]
    if not found:
        return ""
    first, space, rest = found[0].partition(" ")
    return ", ".join([f"{first} number{'s' if first != '1' else ''}{space}{rest}", *found[1:]])


def _unlike(cells: Iterable[Joined]) -> str:
    """What stands in for what in those that cannot be judged: data, network of the measurement, steps; or that the
    recipe or the measurement differs.
    """
    data: dict[str, dict[str, None]] = {}
    networks: dict[str, dict[str, None]] = {}
    steps: dict[str, None] = {}
    for j in cells:
        for r in j.records:
            if r.recipe.dataset != j.cell.full_recipe.dataset:
                data.setdefault(r.recipe.dataset, {})[j.cell.full_recipe.dataset] = None
            theirs = j.cell.full_protocol.features
            if r.protocol.features and proxy(r.protocol.features) and theirs != r.protocol.features:
                networks.setdefault(r.protocol.features, {})[theirs or "none"] = None
            steps |= dict.fromkeys(_fewer(j, r))
    found = [f"{ours} stands in for {_listed(theirs)}" for ours, theirs in data.items()]
    found += [f"{ours} measures in place of {_listed(theirs)}" for ours, theirs in networks.items()]
    found += [next(iter(steps)) if len(steps) == 1 else "training is shorter"] if steps else []
    return ", ".join(found) or "recipe or measurement differ"


def _fewer(j: Joined, r: Record) -> list[str]:
    """``300 steps for 100,000``, where both are counted in steps; a run that stopped early by its own total."""
    full = j.cell.full_recipe.steps or (r.total_steps if r.status == "partial" else 0)
    return [f"{r.steps:,} steps for {full:,}"] if r.steps < full else []


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
