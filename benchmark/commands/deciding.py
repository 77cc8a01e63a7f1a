"""``run --until-decided``: seed by seed, until what could be decided is, or the budget is spent."""

from __future__ import annotations

import os
import statistics
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import failures, shelf
from benchmark.collate.claims import judge_claim
from benchmark.collate.decide import Hopeless, Question, in_order, open_questions
from benchmark.collate.join import Joined, by_series, join_loaded
from benchmark.collate.looks import FIRST, LAST
from benchmark.commands.lines import count, say
from benchmark.errors import GanbenchError
from benchmark.plan.counted import Counts
from benchmark.plan.devices import GPUS, Device, named, this_device
from benchmark.plan.forecast import Forecast, hours
from benchmark.plan.keys import series_of
from benchmark.plan.plan import Plan, make_plan
from benchmark.record import Record
from benchmark.records import by_evaluation
from benchmark.schedule.launch import Options, Summary, run_plan
from benchmark.suite.filter import Filter
from benchmark.suite.load import load_all
from benchmark.suite.model import Cell, Suite

RULE = f"""Rule: after every seed from the {FIRST}rd on, all verdicts are looked at. Intervals of seeds that are added so are wider: all these looks together give at most
5 % false verdicts, whenever one stops (up to {LAST} seeds; the records say how they came about). Where a plan of several seeds was judged before, its own 5 %
come on top; where one began with --seeds 1, nothing does. Most informative per device hour first."""
SHOWN = 10


@dataclass(frozen=True)
class _State:
    """What is known after a look."""

    cells: list[Joined]
    questions: list[Question]
    hopeless: list[Hopeless]
    records: list[Record]


@dataclass
class _Session:
    suites: list[Suite]
    chosen: Filter | None
    results: Path
    options: Options
    budget_s: float
    spent_s: float = 0.0
    made: int = 0
    lost: dict[str, str] = field(default_factory=dict)  # series whose runs failed or cannot be made -> why

    def look(self) -> _State:
        """Judge all there is, as ``compare`` and ``claims`` do."""
        found, problems = shelf.read_all(self.results)
        if not self.made:
            say(problems)
        index, failed = by_series(found), failures.read_all(self.results)
        cells: list[Joined] = []
        claims = []
        for suite in self.suites:
            every = [j for rows in join_loaded(suite, index, True, failed)[1].values() for j in rows]
            cells += (picked := [j for j in every if self.chosen is None or self.chosen(j.cell)])
            there = {j.cell.id for j in picked}
            claims += [judge_claim(c, every) for c in suite.claims if there.issuperset(n.cell for n in c.numbers())]
        bands = {t.key: t.tolerance for suite in self.suites for t in suite.tables}
        return _State(cells, *open_questions(cells, bands, claims), found)

    def round(self, state: _State, width: int, device: Device | None) -> tuple[Plan | None, float, str]:
        """The next runs, at least ``width`` where there are so many, their predicted device seconds, and (if there are none) why."""
        runs = {j.cell.id: _series(j.cell) for j in state.cells}
        have = {runs[j.cell.id]: len(j.records) for j in state.cells}
        questions = [q for q in state.questions if not any(runs[c] in self.lost for c in q.cells)]
        if not questions:
            return None, 0.0, "every verdict that seeds could decide has fallen" + (", but for those of runs that failed" if self.lost else "")
        seconds = _seconds([j for j in state.cells if any(j.cell.id in q.cells for q in questions)], device, state.records)
        each = {runs[cell]: s for cell, s in seconds.items()}
        goals: dict[str, int] = {}  # series -> seeds to have
        price, too_dear = 0.0, []
        for group in in_order(questions, seconds, runs):
            asked = {key: max(have[key] + 1, FIRST) for key in {runs[c]: None for q in group for c in q.cells} if key not in goals}
            more = sum((goal - have[key]) * each[key] for key, goal in asked.items())
            if self.spent_s + price + more > self.budget_s:
                too_dear.append(more)
                continue
            price, goals = price + more, goals | asked
            if sum(goal - have[key] for key, goal in goals.items()) >= width:
                break
        if not goals:
            return None, 0.0, f"the budget: the least that could decide more takes {hours(min(too_dear))}, and {hours(max(0.0, self.budget_s - self.spent_s))} of {hours(self.budget_s)} are left"
        known = by_evaluation(state.records)
        plans = [make_plan([j.cell for j in state.cells if runs[j.cell.id] == key], range(have[key], goal), known, fixed=False) for key, goal in goals.items()]
        profiles = dict.fromkeys(plan.profile for plan in plans)
        return Plan(tuple(run for plan in plans for run in plan.runs), "+".join(profiles)), price, ""

    def make(self, plan: Plan, price: float) -> Summary:
        """Make the runs, and charge what they took: by their records, or, where there is none, as predicted."""
        summary = run_plan(plan, self.results, self.options)
        failed = failures.read_all(self.results)
        made = by_evaluation(shelf.read_all(self.results)[0])
        for run in plan.runs:
            record = made.get(run.evaluation)
            self.made += record is not None
            self.spent_s += record.train_s + record.eval_s if record else price / len(plan.runs)
            if record is None:
                self.lost[_series(run.cells[0])] = failed[run.evaluation].reason if run.evaluation in failed else run.reason
        return summary


def until_decided(a: Namespace, options: Options) -> int:
    """Add seeds where they decide most; returns the exit code: 0 if all that could be decided is, 1 if something is left or failed."""
    session = _Session(load_all(a.suites, a.profile), Filter(a.only) if a.only is not None else None, a.results, options, a.budget)
    state = session.look()
    if not state.cells:
        raise GanbenchError(f"--only {a.only!r} leaves no cell; see: ganbench list", 2)
    _begin(state)
    if not state.questions:
        return 0
    device = _device(options)
    width = _width(options, device)
    while True:
        plan, price, why = session.round(state, width, device)
        if plan is None:
            break
        _print(f"{hours(session.spent_s)} of {hours(session.budget_s)} spent; next, for {hours(price)}: {', '.join(run.name for run in plan.runs[:SHOWN])}{' …' * (len(plan.runs) > SHOWN)}")
        summary = session.make(plan, price)
        for failure in summary.failures:
            _print(f"  {failure}")
        if summary.exit_code == 130:
            _print("interrupted: run the same command again to go on")
            return 130
        before, state = {q.name for q in state.questions}, session.look()
        for name in sorted(before - {q.name for q in state.questions}):
            _print(f"  {name}: {_outcome(name, state)}")
    _print(f"stopped after {count(session.made, 'run')}, {hours(session.spent_s)} of device time: {why}")
    _list("still open", [q.name for q in state.questions])
    _list("lost", [f"{next(j.cell.id for j in state.cells if _series(j.cell) == key)}: {reason}" for key, reason in session.lost.items()])
    return 1 if state.questions or session.lost else 0


def _begin(state: _State) -> None:
    """What there is to decide, before anything is run."""
    absent = [j.cell.id for j in state.cells if not j.records and j.cell.published]
    barred = [j for j in state.cells if j.tier and not j.tier.judged]
    if state.questions:
        _print(RULE)
        _print(f"{count(len(state.questions), 'open verdict')} that seeds could decide")
    else:
        _print("nothing to decide: no verdict is open that seeds could decide")
    if barred:
        _print(f"{count(len(barred), 'cell')} of profile {', '.join(dict.fromkeys(j.cell.profile for j in barred))}: tier {', '.join(dict.fromkeys(j.tier.name for j in barred))}, from which no verdict can come however many seeds there are")
    if absent:
        _print(f"{count(len(absent), 'cell')} without a record take no part; for their first seed: ganbench run … --seeds 1")
    _list("open, and seeds would not decide", [f"{h.name}: {h.why}" for h in state.hopeless])


def _outcome(name: str, state: _State) -> str:
    verdicts = {f"{j.cell.id} {e.metric}": e.verdict.name for j in state.cells for e in j.entries.values()}
    hopeless = {h.name for h in state.hopeless}
    return "open, and more seeds would not decide" if name in hopeless else verdicts.get(name, "decided")


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        _print(f"{title} ({len(lines)}):")
        for line in [*lines[:SHOWN], *(["…"] if len(lines) > SHOWN else [])]:
            _print(f"  {line}")


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _series(cell: Cell) -> str:
    """What tells a cell's runs from others'; its id where it has none that can be made."""
    try:
        return "\n".join(series_of(cell.recipe, cell.protocol))
    except GanbenchError:
        return cell.id


def _seconds(cells: Sequence[Joined], device: Device | None, found: Sequence[Record]) -> dict[str, float]:
    """Device seconds of one more seed of each cell: as predicted for the device, where its work is counted; else what its seeds took."""
    seconds = {j.cell.id: max(statistics.median(r.train_s + r.eval_s for r in j.records), 1e-3) for j in cells}
    if device is not None:
        plan = make_plan([j.cell for j in cells], [0], {}, fixed=False)
        costs = Forecast(plan, device, Counts(), found)
        seconds |= {cell.id: cost.total_s for run in costs.plan.runs if (cost := costs.cost(run)) is not None for cell in run.cells}
    return seconds


def _device(options: Options) -> Device | None:
    """What the runs will be made on; None where that is not known before."""
    if options.device == "cpu":
        return named("cpu")
    if options.address:
        return None
    import torch

    if not torch.cuda.is_available():
        return named("cpu")
    name = this_device("cuda").replace(" ", "").lower()
    return next((named(known) for known in GPUS if known.lower() in name), None)


def _width(options: Options, device: Device | None) -> int:
    """How many runs go side by side: as many are chosen before the next look."""
    if options.executor == "inline":
        return 1
    if options.address:
        return sys.maxsize  # a cluster of unknown size: one more seed for every open question
    if device is not None and device.name == "cpu":
        return max(1, (options.cpus or os.cpu_count() or 1) // options.threads)
    import torch

    return max(1, int(torch.cuda.device_count() / options.gpu_share))
