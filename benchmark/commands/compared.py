"""What ``compare`` and ``claims`` say for people: the comparison on a narrow terminal, and either in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.findings import ClaimVerdict
from benchmark.collate.judging.verdict import VERDICTS
from benchmark.collate.presenting.tidy import OURS
from benchmark.commands.columns import GAP, beside, fitting
from benchmark.commands.lines import count

SHOWN = ("metric", "published", "achieved", "verdict")
MANY = {"holds": "hold", "fails": "fail", "inconclusive": "inconclusive", "not judged": "not judged"}
"""What a claim can be, and of several."""


def blocks(rows: Sequence[dict[str, Any]], room: int) -> Iterator[str]:
    """Rows of ``compared_rows`` in so many columns: a cell, and its numbers below it."""
    squares = [[row[name] for name in SHOWN] for row in rows]
    widths = fitting([SHOWN, *squares], room - len(GAP))
    yield from (f"{GAP}{line}" for line in beside(SHOWN, widths))
    before = ""
    for row, square in zip(rows, squares):
        about = ", ".join(filter(None, (row["source"] if row["source"] != OURS else "", row["profile"], row["tier"])))
        if (title := f"{row['cell']} ({about})") != before:
            yield from beside([before := title], [room])
        yield from (f"{GAP}{line}" for line in beside(square, widths))


def compared_in_a_line(rows: Sequence[dict[str, Any]]) -> str:
    """How many numbers of ours have which verdict; and how many are from outside."""
    ours = [row for row in rows if row["source"] == OURS]
    verdicts = Counter(row["verdict"] for row in ours)
    said = [f"{verdicts[name]:,} {name}" for name in VERDICTS if verdicts[name]]
    said += [f"{verdicts['']:,} with nothing to compare with"] if verdicts[""] else []
    outside = len(rows) - len(ours)
    cells = count(len({row["cell"] for row in ours}), "cell")
    return f"{count(len(ours), 'number')} of {cells}: {', '.join(said)}" + (
        f"; {count(outside, 'number')} from outside" if outside else ""
    )


def claims_in_a_line(claims: Sequence[JudgedClaim], published_only: bool) -> str:
    """How many claims hold, by whose numbers."""
    said = [f"by the published numbers {_verdicts([c.published for c in claims])}"]
    said += [] if published_only else [f"by ours {_verdicts([c.achieved for c in claims])}"]
    return f"{count(len(claims), 'claim')}" + (f": {'; '.join(said)}" if claims else "")


def _verdicts(found: Sequence[ClaimVerdict]) -> str:
    names = Counter(v.name for v in found)
    fragile = Counter(v.name for v in found if v.fragile)
    return ", ".join(
        f"{n:,} {many if n > 1 else name}" + (f" ({fragile[name]:,} fragile)" if fragile[name] else "")
        for name, many in MANY.items()
        if (n := names[name])
    )
