"""The rounds of ``run --until-decided``: what is open, which runs would decide most of it, and what they took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.decide import all_verdicts, in_order, open_questions
from benchmark.collate.judging.index import by_series
from benchmark.collate.judging.join import Joined, join_loaded
from benchmark.collate.statistics.looks import FIRST
from benchmark.commands.pace import seconds_each
from benchmark.commands.standing import Standing
from benchmark.errors import GanbenchError
from benchmark.plan.blocks import BLOCKED, MISSING
from benchmark.plan.devices import Device
from benchmark.plan.in_words import hours
from benchmark.plan.keys import series_of
from benchmark.plan.plan import Plan, Run, make_plan
from benchmark.records import failures, shelf
from benchmark.records.culprits import without_culprits
from benchmark.records.furthest import by_evaluation
from benchmark.records.record import Record, RecordError
from benchmark.schedule.launch import Options, run_plan
from benchmark.schedule.summary import Summary
from benchmark.suite.filter import Filter
from benchmark.suite.model import Cell, Suite


@dataclass(frozen=True)
class Round:
    """The next runs, and the predicted device seconds of one of each series."""

    plan: Plan
    seconds: dict[str, float]

    def price(self, run: Run) -> float:
        """Predicted device seconds."""
        return self.seconds[_series(run.cells[0])]


@dataclass
class Session:
    """What ``run --until-decided`` was asked for, and what it has asked, made and spent so far."""

    suites: list[Suite]
    chosen: Filter | None
    results: Path
    options: Options
    budget_s: float
    spent_s: float = 0.0
    made: int = 0
    asked: set[str] = field(default_factory=set)  # verdicts that seeds were to decide, at any look
    blocked: dict[str, str] = field(default_factory=dict)  # series -> why no run of it can be made; "" if one can

    def look(self) -> Standing:
        """Judge all there is, as ``compare`` and ``claims`` do."""
        found, problems = shelf.read_all(self.results)
        return without_culprits(lambda left, out: self._standing(left, [*problems, *out]), found)[0]

    def _standing(self, found: list[Record], problems: list[RecordError]) -> Standing:
        index, failed = by_series(found), failures.read_all(self.results)
        cells: list[Joined] = []
        claims = []
        for suite in self.suites:
            every = [j for rows in join_loaded(suite, index, True, failed)[1].values() for j in rows]
            cells += (picked := [j for j in every if self.chosen is None or self.chosen(j.cell)])
            there = {j.cell.id for j in picked}
            claims += [judge_claim(c, every) for c in suite.claims if there.issuperset(n.cell for n in c.numbers())]
        bands = {t.key: t.tolerance for suite in self.suites for t in suite.tables}

        def blocked(j: Joined) -> str:
            """Why its next seed cannot be run, or ""; planned once a series."""
            if (key := _series(j.cell)) not in self.blocked:
                run = make_plan([j.cell], [len(j.records)], {}, problems=problems, fixed=False).runs[0]
                self.blocked[key] = f"{run.state}: {run.reason}" if run.state in (BLOCKED, MISSING) else ""
            return self.blocked[key]

        limits = {t.key: t.converged for suite in self.suites for t in suite.tables}
        questions, hopeless = open_questions(cells, bands, claims, blocked, limits)
        self.asked |= {q.name for q in questions}
        return Standing(
            cells,
            questions,
            [h for h in hopeless if not h.blocked and not h.little],
            [h for h in hopeless if h.little],
            [h for h in hopeless if h.blocked],
            all_verdicts(cells, claims),
            found,
            problems,
        )

    def round(self, state: Standing, width: int, device: Device | None) -> Round | str:
        """The next runs, at least ``width`` where there are so many; or, where the budget is too small for any, that it
        is.
        """
        runs = {j.cell.id: _series(j.cell) for j in state.cells}
        have = {runs[j.cell.id]: len(j.records) for j in state.cells}
        seconds = seconds_each(
            [j for j in state.cells if any(j.cell.id in q.cells for q in state.questions)],
            device,
            state.records,
            self.options.layout,
        )
        each = {runs[cell]: s for cell, s in seconds.items()}
        goals: dict[str, int] = {}  # series -> seeds to have
        price, too_dear = 0.0, []
        for group in in_order(state.questions, seconds, runs):
            asked = {
                key: max(have[key] + 1, FIRST)
                for key in {runs[c]: None for q in group for c in q.cells}
                if key not in goals
            }
            more = sum((goal - have[key]) * each[key] for key, goal in asked.items())
            if self.spent_s + price + more > self.budget_s:
                too_dear.append(more)
                continue
            price, goals = price + more, goals | asked
            if sum(goal - have[key] for key, goal in goals.items()) >= width:
                break
        if not goals:
            return (
                f"the budget: the least that could decide more takes {hours(min(too_dear))}, and "
                f"{hours(max(0.0, self.budget_s - self.spent_s))} of {hours(self.budget_s)} are left"
            )
        known = by_evaluation(state.records)
        plans = [
            make_plan(
                [j.cell for j in state.cells if runs[j.cell.id] == key],
                range(have[key], goal),
                known,
                problems=state.problems,
                fixed=False,
            )
            for key, goal in goals.items()
        ]
        profiles = dict.fromkeys(plan.profile for plan in plans)
        return Round(Plan(tuple(run for plan in plans for run in plan.runs), "+".join(profiles)), each)

    def make(self, chosen: Round) -> Summary:
        """Make the runs, and charge what they took."""
        start, summary = time.monotonic(), None
        try:
            summary = run_plan(chosen.plan, self.results, self.options)
        finally:
            self._charge(chosen, summary, time.monotonic() - start)
        return summary

    def _charge(self, chosen: Round, summary: Summary | None, wall_s: float) -> None:
        """By records; what failed or was stopped as predicted, at most what the round took; nothing for what was
        blocked.

        Args:
            summary: None where an error ended the round.
        """
        failed = failures.read_all(self.results)
        made = by_evaluation(shelf.read_all(self.results)[0])
        over = summary is not None and not summary.counts["interrupted"]
        for run in chosen.plan.runs:
            if record := made.get(run.evaluation):
                self.made += 1
                self.spent_s += record.train_s + record.eval_s
                continue
            if run.state == "to do" and (run.evaluation in failed or not over):
                self.spent_s += min(chosen.price(run), wall_s)
            if summary is not None and over:
                self.blocked[_series(run.cells[0])] = _why_none(run, failed, summary)


def _why_none(run: Run, failed: dict[str, failures.Failure], summary: Summary) -> str:
    """Why a run has no record, where its round has ended."""
    if run.evaluation in failed:
        return f"seed {run.seed} failed: {failed[run.evaluation].reason}"
    if run.state in (BLOCKED, MISSING):
        return f"{run.state}: {run.reason}".partition("\n")[0]
    said = next(
        (line.removeprefix(f"{run.name}: ") for line in summary.failures if line.startswith(f"{run.name}: ")), ""
    )
    return said.partition("\n")[0] or f"seed {run.seed} left no record"


def _series(cell: Cell) -> str:
    """What tells a cell's runs from others'; its id where it has none that can be made."""
    try:
        return "\n".join(series_of(cell.recipe, cell.protocol))
    except GanbenchError:
        return cell.id
