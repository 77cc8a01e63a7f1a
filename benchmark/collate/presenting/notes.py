"""The footnotes of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.tier import OTHER_SCALE
from benchmark.errors import sure
from benchmark.suite.model import Published

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
    about: str = ""  # "tier", "caveat", "looks", "printed": what a letter is about


class Notes:
    """The footnotes of one table. What differs from cell to cell gets a letter: the tier of what was achieved,
    remarks on the paper's numbers, and which of them are quoted. All that differs and is assumed is a table of its own
    (``fields.py``).
    """

    def __init__(self, joined: Sequence[Joined]) -> None:
        self._joined = joined
        remarks: dict[str, int] = {}
        for j in joined:
            for remark in dict.fromkeys(j.cell.remarks):
                remarks[remark] = remarks.get(remark, 0) + 1
        self._everywhere = [remark for remark, n in remarks.items() if n == len(joined)]
        about = {_tier_line(j): "caveat" if j.source else "tier" for j in joined if j.tier}
        about |= {_caveat(line): "caveat" for j in joined for line in j.caveats}
        about |= {LOOKED: "looks"} if any(map(_looked, joined)) else {}
        about |= {f"note: {remark}": "printed" for remark in remarks if remark not in self._everywhere}
        quoted = any(p.origin == "quoted" for j in joined for p in j.cell.published.values())
        about |= {QUOTED: "printed"} if quoted else {}
        self._about = about
        self._marks = {text: _letters(i) for i, text in enumerate(about)}

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
        """All notes: what the columns mean, then the letters."""
        cells = [j.cell for j in self._joined]
        over = sorted({p.std_of for c in cells for p in c.published.values() if p.std_of})
        measured = any(j.records for j in self._joined) or any(j.tier for j in self._joined)
        notes = []
        if measured or over:
            notes.append(
                "achieved: mean ± half of the 95 % t interval over seeds (number of seeds)"
                + (f"; published ± is over {', '.join(over)}" if over else "")
            )
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
            *(Footnote(mark, text, self._about[text]) for text, mark in self._marks.items()),
        )


QUOTED = "quoted by the paper from another, under another protocol: shown, and no target"


LOOKED = "seeds may have been added by a look at those before: ± is of the wider interval that holds over all looks"


def _looked(j: Joined) -> bool:
    return any(e.achieved.looked and e.achieved.half is not None for e in j.entries.values() if e.achieved)


def _tier_line(j: Joined) -> str:
    """The tier with what is no field and the data in full, and of other fields that differ their names."""
    tier = sure(j.tier)
    besides = list(tier.differences[: len(tier.differences) - len(tier.fields)])
    besides += [f"{d.field}: {d.paper} -> {d.ours}" for d in tier.fields if d.field in OTHER_SCALE]
    others = [d.field for d in tier.fields if d.field not in OTHER_SCALE]
    besides += [("also " if besides else "") + f"{', '.join(others)} {'differ' if others[1:] else 'differs'}"] * bool(
        others
    )
    return f"tier {tier.name}" + (f": {'; '.join(besides)}" if besides else "")


def _caveat(line: str) -> str:
    return f"to be believed: {line}"


def _letters(i: int) -> str:
    """Footnote number i: a to z, then aa, ab and so on."""
    return (_letters(i // 26 - 1) if i >= 26 else "") + chr(ord("a") + i % 26)
