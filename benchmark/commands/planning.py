"""Before a launch: ``plan`` and ``calibrate``."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING

from benchmark import records as record_store
from benchmark.commands.lines import chosen_plan, count, plan_line
from benchmark.plan.plan import Plan
from benchmark.recipe import content_hash

if TYPE_CHECKING:
    from benchmark.plan.forecast import Forecast


def plan(a: Namespace) -> int:
    """Which runs are needed, and what they cost where that is asked for."""
    made, found = chosen_plan(a)
    costs = _costs(a, made, found)
    if a.json:
        rows = [{"run": r.key, "recipe": content_hash(r.recipe.to_json()), "evaluation": r.evaluation, "seed": r.seed, "cells": [c.id for c in r.cells], "state": r.state, "reason": r.reason, "steps": r.total_steps} for r in made.runs]
        if costs:
            from benchmark.plan.cost import summary

            rows = [row | ({"device": costs.device.name, "cost": summary(one)} if (one := costs.cost(r)) else {}) for row, r in zip(rows, made.runs)]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    if a.explain:
        from benchmark.plan.forecast import line

        for run in made.runs:
            print(f"{run.state}: {run.name}: {run.reason}")
            if one := costs.cost(run):
                print(f"  {line(one, costs.device)}")
    shared = [runs for runs in made.trainings().values() if sum(len(r.cells) for r in runs) > 1]
    lines = [f"one training for: {', '.join(c.id for r in runs for c in r.cells)}" + (f" (measured {len(runs)} ways)" if len(runs) > 1 else "") for runs in shared]
    for line in dict.fromkeys(lines):  # once, whatever the number of seeds
        print(line)
    print(plan_line(made))
    print(_published_line(made))
    for text in costs.lines(a.gpus or 1, a.budget) if costs else []:
        print(text)
    return 0


def _costs(a: Namespace, made: Plan, found: list[record_store.Record]) -> Forecast | None:
    """None where no cost was asked for. ``--explain`` alone shows those that are known, without torch."""
    from benchmark.plan.cost import Counts
    from benchmark.plan.devices import named
    from benchmark.plan.forecast import Forecast, forecast

    if a.gpu or a.gpus or a.budget:
        return forecast(made, named(a.gpu or "cpu"), found)
    return Forecast(made, named("cpu"), Counts(), found) if a.explain else None


def _published_line(made: Plan) -> str:
    trainings = [runs for runs in made.trainings().values() if any(c.published for r in runs for c in r.cells)]
    cells = {c.id for runs in trainings for r in runs for c in r.cells if c.published}
    return f"of these, {count(len(cells), 'cell')} that the papers print need {count(len(trainings), 'distinct training run')}"


def calibrate(a: Namespace) -> int:
    """How fast this machine is."""
    from benchmark.plan.calibrate import calibrate as measure
    from benchmark.plan.devices import keep, this_device

    for name, number, fitted in measure(a.device):
        if fitted is None:
            print(f"{name}: {1000 * number:.3g} ms a step", flush=True)
        else:
            print(f"{name}: {number:.0%}\nkept in {keep(this_device(a.device), fitted)}")
    return 0
