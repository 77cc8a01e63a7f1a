"""What stands after a look at all verdicts, and what ``run --until-decided`` says of it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from benchmark.collate.judging.decide import Hopeless, Question
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.verdict import DECIDED, LOST, Verdict
from benchmark.commands.lines import count
from benchmark.errors import sure
from benchmark.records.record import Record, RecordError

SHOWN = 10
JUDGED = (*DECIDED, "holds", "fails", "inconclusive")


@dataclass(frozen=True)
class Standing:
    """What is known after a look."""

    cells: list[Joined]
    questions: list[Question]
    hopeless: list[Hopeless]  # open, and no number of seeds can decide them
    given_up: list[Hopeless]  # open, and even the upper end of what seeds could do is too little
    blocked: list[Hopeless]  # open, and the seeds that could decide cannot be made
    verdicts: dict[str, Verdict]  # all, by the names that questions have
    records: list[Record]
    problems: list[RecordError]  # files that were passed over

    def lost(self, asked: Collection[str] = ()) -> dict[str, Verdict]:
        """What seeds cannot decide any more: numbers that a paper prints, of which a run failed or diverged; and what
        was ``asked`` and is not judged now.
        """
        able = [j for j in self.cells if j.tier is None or j.tier.judged]
        targets = {
            f"{j.cell.id} {e.metric}"
            for j in able
            for e in j.entries.values()
            if e.published and e.published.value is not None and e.published.origin == "own"
        }
        return {
            n: v
            for n, v in self.verdicts.items()
            if (n in targets and v.name in LOST) or (n in asked and v.name not in JUDGED)
        }

    def exit_code(self, asked: Collection[str] = ()) -> int:
        """0 if all that seeds can decide is decided; 1 if some of it is left, given up, blocked, or lost."""
        return 1 if self.questions or self.given_up or self.blocked or self.lost(asked) else 0


def begin(state: Standing, rule: str, first: str) -> None:
    """What there is to decide, before anything is run.

    Args:
        first: the command that makes the first seed of each cell.
    """
    absent = [j.cell.id for j in state.cells if not j.records and not j.failures and j.cell.published]
    barred = [j for j in state.cells if j.tier and not j.tier.judged]
    if state.questions:
        tell(rule)
        tell(f"{count(len(state.questions), 'open verdict')} that seeds could decide")
    else:
        tell(
            "nothing to decide: no verdict is open that seeds could decide"
            + (", but for those that are blocked" if state.blocked else "")
            + (f"; {count(len(state.given_up), 'verdict')} given up" if state.given_up else "")
        )
    if barred:
        tell(
            f"{count(len(barred), 'cell')} of profile "
            f"{', '.join(dict.fromkeys(j.cell.profile for j in barred))}: tier "
            f"{', '.join(dict.fromkeys(sure(j.tier).name for j in barred))}, from which no verdict can come "
            "however many seeds there are"
        )
    if absent:
        tell(f"{count(len(absent), 'cell')} without a record take no part; for their first seed: {first}")
    _list("lost to runs that failed or diverged", {n: _said(v) for n, v in state.lost().items()})
    _list("open, and blocked", {h.name: h.why for h in state.blocked})
    _list("given up", {h.name: h.why for h in state.given_up})
    _list("open, and cannot be decided by seeds", {h.name: h.why for h in state.hopeless})


def changes(before: Standing, after: Standing) -> None:
    """Each verdict that has become another."""
    said = {}
    for name, now in sorted(after.verdicts.items()):
        was = before.verdicts[name].name if name in before.verdicts else ""
        if was and now.name != was:
            said[name] = _said(now) + (f" (was: {was})" if was != "inconclusive" else "")
    for line in _together(said):
        tell(f"  {line}")


def end(state: Standing, asked: Collection[str], first: Standing, said: str) -> None:
    """How it stands at the end of a session.

    Args:
        asked: the verdicts that seeds were to decide at any time in it.
        first: how it stood at its beginning.
        said: what was done.
    """
    tell(said)
    before = {h.name for h in (*first.hopeless, *first.given_up)} - set(asked)
    hopeless, given_up = (
        sorted(of, key=lambda h: h.name in before)  # what has become so in this session first
        for of in (state.hopeless, state.given_up)
    )
    _list("still open", dict.fromkeys((q.name for q in state.questions), ""))
    _list("still open, and blocked", {h.name: h.why for h in state.blocked})
    _list("given up", {h.name: h.why for h in given_up})
    _list("still open, and cannot be decided by seeds", {h.name: h.why for h in hopeless})
    _list("lost", {n: _said(v) for n, v in state.lost(asked).items()})


def why_nothing(state: Standing, asked: Collection[str], first: Standing) -> str:
    """Why no more runs are to be made, where no question is left."""
    before = {h.name for h in (*first.hopeless, *first.given_up)} - set(asked)
    hopeless, given_up = (len({h.name for h in of} - before) for of in (state.hopeless, state.given_up))
    lost = state.lost(asked)
    cells = [j.cell.id for j in state.cells if any(e.verdict.name in LOST for e in j.entries.values())]
    left = (
        [
            f"{count(len(lost), 'verdict')} lost"
            + (f", since runs of {', '.join(cells[:3])}{' …' * (len(cells) > 3)} failed or diverged" if cells else "")
        ]
        if lost
        else []
    )
    left += [f"{count(len(state.blocked), 'verdict')} blocked"] if state.blocked else []
    left += [f"{count(given_up, 'verdict')} given up"] if given_up else []
    left += [f"{count(hopeless, 'verdict')} open that seeds cannot decide"] if hopeless else []
    return (
        f"nothing is left that seeds could decide; {'; '.join(left)}"
        if left
        else "every verdict that seeds could decide has fallen"
    )


def tell(text: str) -> None:
    """A line on standard error, at once."""
    print(text, file=sys.stderr, flush=True)


def _said(verdict: Verdict) -> str:
    return verdict.name if verdict.name in JUDGED else f"{verdict.name}: {verdict.why}"


def _together(said: Mapping[str, str]) -> list[str]:
    """What is said of each name; numbers of one cell of which the same is said, in one line."""
    lines: dict[tuple[str, str], list[str]] = {}
    for name, text in said.items():
        whose, _, which = name.rpartition(" ")
        lines.setdefault((whose, text), []).append(which)
    return [f"{whose} {', '.join(which)}{': ' * bool(text)}{text}" for (whose, text), which in lines.items()]


def _list(title: str, said: Mapping[str, str]) -> None:
    if said:
        tell(f"{title} ({len(said)}):")
        lines = _together(said)
        for line in [*lines[:SHOWN], *(["…"] if len(lines) > SHOWN else [])]:
            tell(f"  {line}")
