"""Before a launch: ``plan`` and ``calibrate``."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING, Any

from benchmark.arguments.numbers import MOST_GPUS, whole
from benchmark.commands.columns import print_fitting
from benchmark.commands.lacking import say_fetch
from benchmark.commands.lines import believing, chosen_plan, count, plan_line, print_json
from benchmark.errors import GanbenchError, plain
from benchmark.plan.blocks import BLOCKED, MISSING
from benchmark.plan.devices import named
from benchmark.plan.plan import Plan
from benchmark.plan.reasons import waiting_lines
from benchmark.records.record import Record

if TYPE_CHECKING:
    from benchmark.plan.forecast import Forecast


BUSY = 0.25  # of the cores: two that share a unit already slow each other


def plan(a: Namespace) -> int:
    """Which runs are needed, and what they cost where that is asked for."""
    kinds = _kinds(a)
    made, found, code = chosen_plan(a, elsewhere=_priced(a))  # what is got does not change a price
    all_costs, _ = believing(lambda left, _: _costs(a, kinds, made, left), found)
    costs = all_costs[0] if all_costs else None
    if a.json:
        print_json(json.dumps(_rows(made, costs), indent=1, ensure_ascii=False))
        return code
    if a.explain:
        _explain(made, costs)
    else:
        for text in waiting_lines(made.of(BLOCKED)):
            print_fitting(text)
    for text in dict.fromkeys(_sharing(made)):  # once, whatever the number of seeds
        print_fitting(text)
    print_fitting(plan_line(made))
    print_fitting(_published_line(made))
    if all_costs:
        _print_costs(all_costs, kinds, a.budget)
    lacking = [run for run in made.runs if run.missing]
    for text in waiting_lines(lacking):
        print_fitting(text)
    say_fetch(a, (), (run.missing for run in lacking))
    return code


def _rows(made: Plan, costs: Forecast | None) -> list[dict[str, Any]]:
    """A row a run, for programs."""
    rows: list[dict[str, Any]] = [
        {
            "run": r.key,
            "recipe": r.recipe.fingerprint(),
            "evaluation": r.evaluation,
            "seed": r.seed,
            "cells": [c.id for c in r.cells],
            "state": r.state,
            "reason": r.reason,
            "steps": r.total_steps,
            "missing": [thing.name for thing in r.missing],
        }
        for r in made.runs
    ]
    if costs:
        from benchmark.plan.cost import summary

        rows = [
            row | ({"device": costs.device.name, "cost": summary(one)} if (one := costs.cost(r)) else {})
            for row, r in zip(rows, made.runs)
        ]
    return rows


def _explain(made: Plan, costs: Forecast | None) -> None:
    from benchmark.plan.in_words import line

    for run in made.runs:
        short = ", ".join(thing.name for thing in run.missing)  # what to do about it is said at the end
        print_fitting(f"{run.state}: {run.name}: {short if run.state == MISSING else run.reason}")
        if costs and (cost := costs.cost(run)):
            print_fitting(f"  {line(cost, costs.device)}")
        elif costs and (why := costs.why_none(run)):
            print_fitting(f"  no cost: {why}")


def _sharing(made: Plan) -> list[str]:
    """Which cells share a training."""
    shared = [runs for runs in made.trainings().values() if sum(len(r.cells) for r in runs) > 1]
    return [
        f"one training for: {', '.join(c.id for r in runs for c in r.cells)}"
        + (f" (measured {len(runs)} ways)" if len(runs) > 1 else "")
        for runs in shared
    ]


def _print_costs(all_costs: list[Forecast], kinds: dict[str, int], budget_s: float | None) -> None:
    """On each kind of device, and on all together; a budget is of the first."""
    from benchmark.plan import forecast_in_words
    from benchmark.plan.in_words import hours
    from benchmark.plan.several_kinds import together

    for costs, workers in zip(all_costs, kinds.values()):
        for text in forecast_in_words.lines(costs, workers, budget_s if costs is all_costs[0] else None):
            print_fitting(text)
    if len(all_costs) > 1:
        print_fitting(
            f"all on {' and '.join(f'{n} {name}' for name, n in kinds.items())}, each where it is expected "
            f"to end first: {hours(together(all_costs, list(kinds.values())))}"
        )


def _kinds(a: Namespace) -> dict[str, int]:
    """Devices and how many there are of each: ``--gpu A100 --gpus 8``, or ``--gpu A100:4,V100:8``. A budget is in hours
    of the first.
    """
    found: dict[str, int] = {}
    for part in (a.gpu or "cpu").split(","):
        name, colon, number = part.partition(":")
        if colon and a.gpus:
            raise GanbenchError(f"--gpu {plain(a.gpu)}: numbers are in --gpu or in --gpus, not in both", 2)
        if (kind := named(name).name) in found:
            raise GanbenchError(f"--gpu {plain(a.gpu)}: {kind} is there twice", 2)
        try:
            found[kind] = whole(1, MOST_GPUS)(number) if colon else a.gpus or 1
        except ArgumentTypeError:
            raise GanbenchError(
                f"--gpu {plain(a.gpu)}: {number!r} is no number of devices from 1 to {MOST_GPUS:,}", 2
            ) from None
    return found


def _priced(a: Namespace) -> bool:
    return any(asked is not None for asked in (a.gpu, a.gpus, a.budget))


def _costs(a: Namespace, kinds: dict[str, int], made: Plan, found: list[Record]) -> list[Forecast]:
    """None where no cost was asked for. ``--explain`` alone shows those that are known, without torch."""
    from benchmark.plan.counted import Counts
    from benchmark.plan.forecast import Forecast, forecast

    if _priced(a):
        return [forecast(made, named(name), found) for name in kinds]
    return [Forecast(made, named("cpu"), Counts(), found)] if a.explain else []


def _published_line(made: Plan) -> str:
    trainings = [runs for runs in made.trainings().values() if any(c.published for r in runs for c in r.cells)]
    cells = {c.id for runs in trainings for r in runs for c in r.cells if c.published}
    return (
        f"of these, {count(len(cells), 'cell')} that the papers print need "
        f"{count(len(trainings), 'distinct training run')}"
    )


def _busy(load: float, cores: int) -> str:
    """What to say where other work may lengthen what is measured; "" on an idle machine.

    Args:
        load: mean number of processes at work in the last minute.
    """
    if load < cores * BUSY:
        return ""
    return (
        f"this machine is busy (load {load:.1f} on {count(cores, 'core')}): beside other work CPU seconds are longer, "
        "and so will be what plan predicts; calibrate again once it is idle"
    )


def _load() -> float:
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0  # a system that does not tell


def calibrate(a: Namespace) -> int:
    """How fast this machine is."""
    if a.device == "cpu":
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # NumPy reads it when it is imported
    from benchmark.plan.calibrate import calibrate as measure
    from benchmark.plan.devices import check_place, keep, this_device

    device = this_device(a.device)
    check_place()
    if a.device == "cpu" and (said := _busy(_load(), os.cpu_count() or 1)):
        print(f"ganbench: {said}", file=sys.stderr, flush=True)
    print("steps of several kinds, in turn: about a minute on an idle machine", flush=True)
    for name, number, fitted in measure(a.device):
        if fitted is None:
            print(f"{name}: {1000 * number:.3g} ms a step", flush=True)
        else:
            print(f"{name}: {number:.0%}\nkept in {keep(device, fitted)}")
    return 0
