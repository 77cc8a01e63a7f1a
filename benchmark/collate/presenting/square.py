"""One square of a table: a published number, and what is achieved beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.notes import SYMBOLS, Notes
from benchmark.errors import sure
from benchmark.suite.model import Published

NONE = "–"
"""What stands where there is no number."""


@dataclass(frozen=True)
class Square:
    """One square of the printed table."""

    published: str
    achieved: str  # mean ± half the 95 % interval over seeds; the seeds in parentheses
    verdict: str
    symbol: str
    why: str
    cell: str  # id
    best: bool = False  # the paper prints the number as a best value
    value: float | None = None  # published
    mean: float | None = None  # achieved
    tier: str = ""
    published_marks: tuple[str, ...] = ()  # of the footnotes on the published number
    achieved_marks: tuple[str, ...] = ()
    number: str = ""  # what is achieved, in pieces: the mean,
    half: str = ""  # half of its interval,
    seeds: int = 0
    floor: float | None = None  # and what real images get, where no row of the table says it
    on: str = ""  # the data that the runs were trained on, where it is not the column's

    @property
    def short_why(self) -> str:
        """The reason; of one that its tier gives the tier alone, since the fields stand elsewhere."""
        return f"tier {self.tier}" if self.why.startswith(f"tier {self.tier}: ") else self.why


def _other_data(j: Joined) -> str:
    trained = dict.fromkeys(r.recipe.dataset for r in j.records)
    return ", ".join(trained) if trained and list(trained) != [j.cell.full_recipe.dataset] else ""


def reference(p: Published | None) -> Square:
    """Of a row that is no method."""
    return replace(NOTHING, published=p.text) if p else NOTHING


def square(j: Joined, metric: str, notes: Notes) -> Square:
    """Of one metric of one cell."""
    e = j.entries[metric]
    p = e.published
    return Square(
        published=p.text if p else NONE,
        achieved=achieved_text(e),
        verdict=e.verdict.name,
        symbol=SYMBOLS[e.verdict.name],
        why=e.verdict.why,
        cell=e.cell.id,
        best=bool(p and p.best),
        value=p.value if p else None,
        mean=e.achieved.mean if e.achieved else None,
        tier=j.tier.name if j.tier else "",
        published_marks=notes.on_published(j, p),
        achieved_marks=notes.on_achieved(j),
        number=_decimal(e, e.achieved.mean) if e.achieved else "",
        half=_decimal(e, e.achieved.half) if e.achieved and e.achieved.half is not None else "",
        seeds=e.achieved.n if e.achieved else 0,
        floor=e.floor if e.achieved else None,
        on=_other_data(j),
    )


NOTHING = Square("", "", "", "", "", "")


def achieved_text(e: Entry) -> str:
    """``-0.661 ± 0.004 (3)``: as many decimals as published; one seed has no ±. A proxy's number is followed by
    ``[floor …]``, what real images get.
    """
    if e.verdict.name == "diverged" or (e.achieved is None and e.diverged):
        return f"{e.diverged} of {e.diverged + (e.achieved.n if e.achieved else 0)} diverged"
    if e.achieved is None:
        told = ("blocked", "missing here", "failed", "contested", "not measured")
        return e.verdict.name if e.verdict.name in told else NONE
    half = f" ± {_decimal(e, e.achieved.half)}" if e.achieved.half is not None else ""
    floor = f" [floor {_decimal(e, e.floor)}]" if e.floor is not None else ""
    return f"{_decimal(e, e.achieved.mean)}{half} ({e.achieved.n}){floor}"


def _decimal(e: Entry, value: float) -> str:
    """With as many decimals as published; of thousands one at most."""
    printed = e.published is not None and e.published.value is not None
    decimals = len(re.split(r"[±(]", sure(e.published).text)[0].strip().partition(".")[2]) if printed else 3
    return f"{value:.{min(decimals, 1) if abs(value) >= 1000 else decimals}f}"
