"""The footnotes of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.collate.judging.join import Joined
from benchmark.errors import sure
from benchmark.suite.kinds import in_words
from benchmark.suite.model import Cell, Published

SYMBOLS = {
    "reproduced": "✓",
    "reproduced where it trains": "(✓)",
    "better": "▲",
    "not reproduced": "✗",
    "not reached as assumed": "✗?",
    "converged": "∴",
    "inconclusive": "?",
    "incomparable": "≁",
    "differs": "≠",
    "untrained": "∅",
    "diverged": "∞",
    "failed": "!",
    "contested": "‼",
    "blocked": "⊘",
    "missing here": "⊖",
    "not measured": "○",
    "not run": "·",
    "agrees as declared": "[✓]",
    "better as declared": "[▲]",
    "differs as declared": "[✗]",
    "": "",
}


@dataclass(frozen=True)
class Footnote:
    """A note under a table; ``mark`` is the letter by which squares refer to it, "" where it is on the whole table."""

    mark: str
    text: str


class Notes:
    """The footnotes of one table. What differs from cell to cell gets a letter: the tier of what was achieved
    with its reasons, remarks on the paper's numbers, and which of them are quoted.
    """

    def __init__(self, joined: Sequence[Joined]) -> None:
        self._joined = joined
        remarks: dict[str, int] = {}
        for j in joined:
            for remark in dict.fromkeys(j.cell.remarks):
                remarks[remark] = remarks.get(remark, 0) + 1
        self._everywhere = [remark for remark, n in remarks.items() if n == len(joined)]
        marked = [_tier_line(j) for j in joined if j.tier]
        marked += [_caveat(line) for j in joined for line in j.caveats]
        marked += [LOOKED] if any(map(_looked, joined)) else []
        marked += [f"note: {remark}" for remark in remarks if remark not in self._everywhere]
        marked += [QUOTED] if any(p.origin == "quoted" for j in joined for p in j.cell.published.values()) else []
        self._marks = {text: _letters(i) for i, text in enumerate(dict.fromkeys(marked))}

    def on_published(self, j: Joined, p: Published | None) -> tuple[str, ...]:
        """The letters on a published number."""
        texts = [f"note: {remark}" for remark in dict.fromkeys(j.cell.remarks)] + (
            [QUOTED] if p and p.origin == "quoted" else []
        )
        return tuple(self._marks[t] for t in texts if t in self._marks)

    def on_achieved(self, j: Joined) -> tuple[str, ...]:
        """The letters on an achieved number."""
        return (
            tuple(
                self._marks[text]
                for text in (_tier_line(j), *map(_caveat, j.caveats), *([LOOKED] if _looked(j) else []))
            )
            if j.tier
            else ()
        )

    def footnotes(self) -> tuple[Footnote, ...]:
        """All notes: what the columns mean, the letters, and what is assumed for the whole table."""
        cells = [j.cell for j in self._joined]
        over = sorted({p.std_of for c in cells for p in c.published.values() if p.std_of})
        notes = [
            "achieved: mean ± half of the 95 % t interval over seeds (number of seeds)"
            + (f"; published ± is over {', '.join(over)}" if over else "")
        ]
        if drawn := dict.fromkeys(
            f"{r.floor['drawn']} against {r.floor['against']:,}" for j in self._joined for r in j.records if r.floor
        ):
            notes.append(
                f"floor: what real images get in the generated ones' place ({'; '.join(drawn)}); a proxy's "
                "number says something only beside it"
            )
        used = list(dict.fromkeys(e.verdict.name for j in self._joined for e in j.entries.values() if e.verdict.name))
        notes += [", ".join(f"{SYMBOLS[name]} {name}" for name in used)] if used else []
        if any(p.best for c in cells for p in c.published.values()):
            notes.append("bold: printed so by the paper, as a best value")
        notes += [f"note on all cells: {remark}" for remark in self._everywhere]
        return (
            *(Footnote("", n) for n in notes),
            *(Footnote(mark, text) for text, mark in self._marks.items()),
            *(Footnote("", text) for text in _assumed(cells)),
        )


QUOTED = "quoted by the paper from another, under another protocol: shown, and no target"


LOOKED = "seeds may have been added by a look at those before: ± is of the wider interval that holds over all looks"


def _looked(j: Joined) -> bool:
    return any(e.achieved.looked and e.achieved.half is not None for e in j.entries.values() if e.achieved)


def _tier_line(j: Joined) -> str:
    tier = sure(j.tier)
    return f"tier {tier.name}" + (f": {'; '.join(tier.differences)}" if tier.differences else "")


def _caveat(line: str) -> str:
    return f"to be believed: {line}"


def _letters(i: int) -> str:
    """Footnote number i: a to z, then aa, ab and so on."""
    return (_letters(i // 26 - 1) if i >= 26 else "") + chr(ord("a") + i % 26)


def _assumed(cells: Sequence[Cell]) -> list[str]:
    """What the paper does not state, field by field, with its kind and why it has its value; one line a reason."""
    targets = [c for c in cells if not c.published or any(p.origin == "own" for p in c.published.values())]
    by_reason: dict[str, dict[str, None]] = {}
    for field, why, kind in dict.fromkeys(
        (f, why, in_words(c.kinds, f)) for c in targets for f, why in c.notes.items()
    ):
        by_reason.setdefault(why, {})[f"{field} [{kind}]" if kind else field] = None
    return [
        f"assumed, since the paper does not state it: {', '.join(fields)} ({why})" for why, fields in by_reason.items()
    ]
