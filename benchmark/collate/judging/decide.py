"""Which open verdicts more seeds could decide, and which of them for the fewest device hours.

A question is a number of a cell, or a claim, whose verdict is ``inconclusive`` and could change; or a number that is
``reproduced where it trains`` until the rest of its plan is there (``unfinished.py``). Its chance with k more
seeds for each of its cells, up to ``LAST``, is the power that the collator's own tests would then have, corrected for
looks, if means and spreads stay as they are; a claim's is an index to order by (``outlook.py``). For one seed, whose
spread is unknown, the published numbers' plausible noise stands in. That orders, and gives nothing up: what has no
interval yet is a question however small its chance. What has one is given up where even the upper end of that chance,
with the least spread and the best distance that the seeds leave plausible, is below ``POWER``. Seeds that are no sample
of seed noise decide nothing, however many there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from benchmark.collate.judging.alike import protocol_of
from benchmark.collate.judging.claim_odds import LADDER, ClaimOdds, with_spread
from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.of_runs import entry_of
from benchmark.collate.judging.sentences import own_noise
from benchmark.collate.judging.unfinished import left_of
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.statistics.hope import GIVEN_UP, most_power
from benchmark.collate.statistics.interval import POWER, power
from benchmark.collate.statistics.looks import FIRST, LAST, LEVEL, SHARE
from benchmark.collate.statistics.outlook import limit_odds
from benchmark.errors import sure
from benchmark.suite.model import Tolerance

LEAST_S = 1e-3
"""Device seconds that a seed costs at least, whatever a record says of its own."""


@dataclass(frozen=True)
class Question:
    """An open verdict that seeds could decide: ``chance(k)`` with k more for each of ``cells`` (ids)."""

    name: str
    cells: tuple[str, ...]
    chance: Callable[[int], float]


@dataclass(frozen=True)
class Hopeless:
    """An open verdict that no number of seeds can decide; or that is given up (``little``), since even the upper end of
    what they could do, by the seeds there are, is too little; or (``blocked``) whose seeds cannot be made.
    """

    name: str
    why: str
    blocked: bool = False
    little: bool = False


Blocked = Callable[[Joined], str]
"""Why no more seeds of a cell can be made; "" if they can."""


def open_questions(
    cells: Sequence[Joined],
    tolerances: Mapping[str, Mapping[str, Tolerance]],
    claims: Iterable[JudgedClaim],
    blocked: Blocked = lambda j: "",
    limits: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> tuple[list[Question], list[Hopeless]]:
    """What is open among numbers and claims.

    Args:
        cells: all of a selection.
        tolerances: table key -> metric -> band.
        claims: judged over these cells.
        blocked: asked only of cells whose seeds could decide something.
        limits: table key -> metric -> what the paper calls converged, where it prints no number.
    """
    found: list[Question | Hopeless] = []
    for j in cells:
        bands = tolerances[f"{j.cell.paper}/{j.cell.table}"]
        found += [
            _number(j, e, bands.get(e.metric), blocked, limits.get(f"{j.cell.paper}/{j.cell.table}", {}).get(e.metric))
            for e in j.entries.values()
            if e.verdict.name == "inconclusive" or (j.short and e.verdict.name == "reproduced where it trains")
        ]
    by_id = {j.cell.id: j for j in cells}
    found += [_claim(c, by_id, blocked) for c in claims if c.achieved.name == "inconclusive"]
    return [q for q in found if isinstance(q, Question)], [h for h in found if isinstance(h, Hopeless)]


def all_verdicts(cells: Iterable[Joined], claims: Iterable[JudgedClaim]) -> dict[str, Verdict]:
    """Of numbers and claims, by the names that questions have."""
    numbers = {_number_name(j, e): e.verdict for j in cells for e in j.entries.values()}
    return numbers | {_claim_name(c): Verdict(c.achieved.name, c.achieved.why) for c in claims}


def in_order(
    questions: Iterable[Question], seconds: Mapping[str, float], runs: Mapping[str, str]
) -> list[list[Question]]:
    """Questions that the same runs answer, together; most informative per device hour first.

    Args:
        seconds: of one more seed of each cell.
        runs: cell id -> what tells its runs from others': cells that share theirs have the same, and cost once.
    """
    groups: dict[frozenset[str], list[Question]] = {}
    for q in questions:
        groups.setdefault(frozenset(runs[c] for c in q.cells), []).append(q)

    def worth(group: list[Question]) -> float:
        """Decisions to expect a device second, at the best of the numbers of seeds in ``LADDER``."""
        price = max(sum({runs[c]: seconds[c] for q in group for c in q.cells}.values()), LEAST_S)
        return max(sum(q.chance(k) for q in group) / (k * price) for k in LADDER)

    return sorted(groups.values(), key=worth, reverse=True)


def _number_name(j: Joined, e: Entry) -> str:
    return f"{j.cell.id} {e.metric}"


def _claim_name(c: JudgedClaim) -> str:
    return f"claim {c.claim.paper}: {c.claim.id}"


def _number(j: Joined, e: Entry, band: Tolerance | None, blocked: Blocked, limit: float | None) -> Question | Hopeless:
    name = _number_name(j, e)
    p = sure(e.published)
    if j.short and (p.value is None or (band and band.band(p)[0])):
        return _finishing(name, [j], e.verdict.why, blocked)
    if p.value is None:
        return _beside_a_dash(name, j, e, blocked, limit)
    a = sure(e.achieved)
    if band is None or j.gap is not None or not band.band(p)[0] or a.n >= LAST:
        return Hopeless(name, e.verdict.why)
    if a.quiet:
        return Hopeless(name, f"{a.quiet}: no sample of seed noise")
    a = with_spread(a, e.metric)
    noise, _ = own_noise(p, a, e.runs)
    value, (width, _) = sure(p.value), band.band(p)

    def chance(k: int) -> float:
        """Power of the test with ``k`` more seeds, at most ``LAST`` in all; 0 before the first look."""
        n = min(a.n + k, LAST)
        return power(a.std, a.mean - value, width, n, (noise / a.std) ** 2) if a.std and n >= FIRST else 0.0

    if a.half is not None and max(map(chance, LADDER)) < POWER and most_power(a, value, width, noise) < POWER:
        return Hopeless(name, f"{e.verdict.why}; {GIVEN_UP}", little=True)
    if why := blocked(j):
        return Hopeless(name, why, blocked=True)
    return Question(name, (j.cell.id,), chance)


def _finishing(name: str, short: Sequence[Joined], why: str, blocked: Blocked) -> Question | Hopeless:
    """What waits for the rest of a plan: it is decided, or asked anew, once that is there."""
    left, planned = (max(of(j) for j in short) for of in (_left, lambda j: _left(j) + len(j.records)))
    barred = "; ".join(f"{j.cell.id}: {said}" for j in short if (said := blocked(j)))
    if planned > LAST:
        barred = f"looks add no seed beyond {LAST}, and 'run --seeds {planned}' makes the rest of the plan; {why}"
    if barred:
        return Hopeless(name, barred, blocked=True)
    return Question(name, tuple(j.cell.id for j in short), lambda k: float(k >= left))


def _beside_a_dash(name: str, j: Joined, e: Entry, blocked: Blocked, limit: float | None) -> Question | Hopeless:
    """Where the paper prints no number: seeds decide up to the first look, whether they converge or not; from there on,
    those of which the interval lies on both sides of the limit are asked on.
    """
    left, a, why = FIRST - len(j.records), e.achieved, e.verdict.why
    if j.gap is not None or (left <= 0 and (limit is None or a is None or not a.varies or a.n >= LAST)):
        return Hopeless(name, why)

    def chance(k: int, off: float = 0.0) -> float:
        """That so many more put the interval on one side of the limit, with the mean moved by its standard error."""
        if limit is None or a is None or left > 0:
            return float(k >= left)
        moved = replace(a, mean=a.mean + off * sure(a.std) / math.sqrt(a.n))
        return sum(limit_odds(limit, moved, min(a.n + k, LAST), (1 - LEVEL) / 2 / SHARE))

    if left <= 0 and max(chance(k, off) for k in LADDER for off in (-2, 0, 2)) < POWER:
        return Hopeless(name, f"{why}; {GIVEN_UP}", little=True)
    if barred := blocked(j):
        return Hopeless(name, barred, blocked=True)
    return Question(name, (j.cell.id,), chance)


def _left(j: Joined) -> int:
    return left_of(j.records)


def _claim(c: JudgedClaim, cells: Mapping[str, Joined], blocked: Blocked) -> Question | Hopeless:
    name = _claim_name(c)
    numbers = {n: with_spread(sure(entry_of(n, cells).achieved), n.metric) for n in c.claim.numbers()}
    claim = ClaimOdds(c, numbers, {cell: protocol_of(j.cell) for cell, j in cells.items()})
    if not claim.compared():
        return Hopeless(name, f"{c.achieved.why}; {claim.why_not()}")
    if short := [j for cell in dict.fromkeys(n.cell for n in c.claim.numbers()) if (j := cells[cell]).short]:
        return _finishing(name, short, c.achieved.why, blocked)
    if not claim.could() or not claim.cells():
        return Hopeless(name, f"{c.achieved.why}; {claim.why_not()}", little=bool(claim.cells()) and claim.possible())
    barred = {cell: why for cell in claim.cells() if (why := blocked(cells[cell]))}
    if barred and not (claim.could(barred) and claim.cells(barred)):
        return Hopeless(name, "; ".join(f"{cell}: {why}" for cell, why in barred.items()), blocked=True)
    return Question(name, claim.cells(barred), lambda k: claim.chance(k, barred))
