"""``run --until-decided``: seed by seed, until what could be decided is, or the budget is spent."""

from __future__ import annotations

from argparse import Namespace

from benchmark.collate.statistics.looks import FIRST, LAST
from benchmark.commands import standing
from benchmark.commands.choosing import no_cell, only_of
from benchmark.commands.lines import count, first_seeds, say
from benchmark.commands.pace import device_of, width_of
from benchmark.commands.rounds import Session
from benchmark.commands.standing import SHOWN, Standing, tell
from benchmark.commands.suites import say_code, suites_of
from benchmark.errors import GanbenchError
from benchmark.plan.in_words import hours
from benchmark.schedule.launch import Options

RULE = f"""Rule: after every seed from the {FIRST}rd on, all verdicts are looked at. Intervals of seeds that are
added so are wider: all these looks together give at most 5 % false verdicts, whenever one stops (up to {LAST} seeds;
the records say how they came about). Where a plan of several seeds was judged before, its own 5 % come on top; where
one began with --seeds 1, nothing does. Most informative per device hour first."""
INTERRUPTED = "interrupted: run the same command again to go on"


def until_decided(a: Namespace, options: Options) -> int:
    """Add seeds where they decide most; returns the exit code: 0 if all that seeds can decide is, 1 if something is
    left, given up, blocked, failed or diverged.
    """
    suites, wrong = suites_of(a, strict=True)
    session = Session(suites, only_of(a), a.results, options, a.budget)
    state = session.look()
    if not state.cells:
        raise no_cell(a, a.suites, suites)
    say_code((joined.cell.recipe, joined.cell.protocol) for joined in state.cells)
    unread = say(state.problems)
    standing.begin(state, RULE, first_seeds(a.words))
    if not state.questions:
        return wrong or state.exit_code() or unread
    try:
        why = _rounds(session, state)
    except GanbenchError:
        _end(session, state, "an error, said last")
        raise
    last = _end(session, state, why)
    return 130 if why == INTERRUPTED else wrong or last.exit_code(session.asked) or unread


def _rounds(session: Session, state: Standing) -> str:
    """Round by round; returns why there is no further one."""
    first, device = state, device_of(session.options)
    width = width_of(session.options, device)
    while state.questions:
        chosen = session.round(state, width, device)
        if isinstance(chosen, str):
            return chosen
        runs = chosen.plan.runs
        tell(
            f"{hours(session.spent_s)} of {hours(session.budget_s)} spent; next, for "
            f"{hours(sum(map(chosen.price, runs)))}: "
            f"{', '.join(run.name for run in runs[:SHOWN])}{' …' * (len(runs) > SHOWN)}"
        )
        summary = session.make(chosen)
        for failure in summary.failures:
            tell(f"  {failure}")
        if summary.exit_code == 130:
            return INTERRUPTED
        before, state = state, session.look()
        standing.changes(before, state)
    return standing.why_nothing(state, session.asked, first)


def _end(session: Session, first: Standing, why: str) -> Standing:
    last = session.look()
    standing.end(
        last,
        session.asked,
        first,
        f"stopped after {count(session.made, 'run')}, {hours(session.spent_s)} of device time: {why}",
    )
    return last
