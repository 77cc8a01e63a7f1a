"""Predicted against measured seconds on this machine's processor: the ci suite, and ten assorted reduced runs.

Predictions are of one idle core. What is measured are CPU seconds of this process, on one thread, which other load
lengthens far less than wall seconds; these stand beside them for the ci suite and say how busy the machine was.
``ganbench calibrate`` comes first: its factors are read from GANBENCH_CACHE, and no record corrects a prediction.
A rented core is not always as fast (1.4 times apart within a quarter of an hour): the steps of ``calibrate`` are timed
again around each run, and ``speed`` is the machine's then, in units of that at the calibration. The last column is at
the speed of the calibration; it alone says how good the planner is.

The ci suite is made in full, one run after the other, with all that comes along (reading data, floors, records). A
reduced run takes minutes, so that it is shortened: its steps are timed for some seconds and one
whole measurement is made; the rest is multiplied. What is made once and kept (decoded images, features of real ones)
is made before the clock starts. Exit code 1 if, on a calibrated machine, a ratio of the last column is
outside of 0.75 to 1.25.

    python -m tests.speed.cost [--ci [--only EXPR]] [--reduced 10] [--seconds 10]
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # also for NumPy, which reads it when it is imported

import torch

from benchmark.data.read import read
from benchmark.metrics.names import IMAGE
from benchmark.plan.calibrate import step_seconds
from benchmark.plan.cost import measurements
from benchmark.plan.count import count
from benchmark.plan.devices import calibrated, named
from benchmark.plan.forecast import Forecast, forecast
from benchmark.plan.in_words import hours
from benchmark.plan.plan import Plan, Run, make_plan
from benchmark.plan.representative import REPRESENTATIVE
from benchmark.records import store
from benchmark.schedule.launch import Options, run_plan
from benchmark.suite.filter import Filter
from benchmark.suite.load import load_all
from benchmark.train.evaluate import evaluate, references
from benchmark.train.layout import AUTO, is_channels_last
from benchmark.train.run import train
from benchmark.train.session import Session

PEER = "the planner's predictions of the same runs"
SHORT = "--ci --only table=1"

WITHIN = 0.25
PROBE_S = 0.4  # CPU seconds of each of the steps of ``calibrate``, in one round


class Speed:
    """How fast the machine is between two calls, in units of its speed at the calibration: the geometric mean over
    ``calibrate``'s steps.
    """

    def __init__(self) -> None:
        self.calibrated = [named("cpu").seconds(count(recipe, 1000).step) for recipe in REPRESENTATIVE.values()]
        self.last = self._seconds()

    def since(self) -> float:
        """Since the last call: of the steps just before and just after."""
        before, self.last = self.last, self._seconds()
        return math.exp(
            statistics.fmean(math.log(2 * a / (b + c)) for a, b, c in zip(self.calibrated, before, self.last))
        )

    @staticmethod
    def _seconds() -> list[float]:
        return list(step_seconds(REPRESENTATIVE, budget_s=PROBE_S, rounds=1).values())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ci", action="store_true")
    parser.add_argument(
        "--only", metavar="EXPR", help="of the ci suite, these cells, as ganbench run --only takes them"
    )
    parser.add_argument("--reduced", type=int, default=0, metavar="N")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds of steps to time of each reduced run")
    a = parser.parse_args()
    torch.set_num_threads(1)
    print("calibrated on this machine" if calibrated() else "not calibrated: run ganbench calibrate first")
    speed = Speed()
    ratios = [_ci(speed, a.only)] if a.ci else []
    ratios += _reduced(a.reduced, a.seconds, speed)
    sys.exit(bool(calibrated()) and not all(abs(ratio - 1) <= WITHIN for ratio in ratios))


def _ci(speed: Speed, only: str | None) -> float:
    cells = _cells(["suites/ci.yaml"], None)
    made = make_plan(cells if only is None else [cell for cell in cells if Filter(only)(cell)], [0], {})
    known = forecast(made, named("cpu"))
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        run_plan(made, Path(folder), Options(executor="inline", device="cpu"))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found = {record.evaluation: record for record in store.read_all(Path(folder))[0]}
    then = speed.since()
    print("\n| ci | predicted | measured, CPU | predicted : measured |\n|---|---|---|---|")
    both = [(known.cost(run), found[run.evaluation]) for run in made.runs if run.evaluation in found]
    parts = {
        "steps": (sum(c.step_s * r.steps for c, r in both), sum(r.train_cpu_s for _, r in both)),
        "measurements": (sum(c.eval_s for c, _ in both), sum(r.eval_cpu_s for _, r in both)),
    }
    for name, (one, other) in parts.items():
        _row(name, one, other)
    _row(
        "what a run takes beside",
        sum(c.total_s for c, _ in both) - sum(p for p, _ in parts.values()),
        cpu - sum(m for _, m in parts.values()),
    )
    predicted = sum(c.total_s for c, _ in both)
    _row(f"all of {len(both)} runs", predicted, cpu)
    print(
        f"\n{hours(wall)} by the clock on the wall: {cpu / wall:.0%} of a core was to be had. Speed "
        f"{then:.2f}: at that of the calibration {predicted / cpu / then:.2f}"
    )
    return predicted / cpu / then


def _reduced(wanted: int, seconds: float, speed: Speed) -> list[float]:
    if not wanted:
        return []
    chosen = _assorted(make_plan(_cells(["suites"], "reduced"), [0], {}).of("to do"), wanted)
    known = forecast(Plan(tuple(chosen), "reduced"), named("cpu"))
    print(
        "\n| reduced | step: predicted | measured | measurement: predicted | measured | whole run: predicted "
        "| measured, CPU | predicted : measured | speed | at the speed of the calibration |\n"
        "|---|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    return [_shortened(run, known, seconds, speed) for run in chosen]


def _assorted(runs: tuple[Run, ...], wanted: int) -> list[Run]:
    """Of as many papers and networks as there are, by a fixed draw."""
    rng, groups = random.Random(0), {}
    for run in runs:
        groups.setdefault((run.cells[0].paper, run.recipe.network[0]), []).append(run)
    first = [rng.choice(group) for group in groups.values()]
    rng.shuffle(first)
    others = [run for run in runs if run not in first]
    rng.shuffle(others)
    return (first + others)[:wanted]


def _shortened(run: Run, known: Forecast, seconds: float, speed: Speed) -> float:
    one, r = known.cost(run), run.recipe
    where = r.dataset, r.split, r.resolution, r.channels, r.data_percent, r.images, r.subset, r.crop, r.resize
    read(*where)
    if any(m in IMAGE for m in run.protocol.metrics):
        references(r, run.protocol, "cpu")
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        data = read(*where)
        session = Session(r, run.protocol, 0, data, Path(folder), "cpu", is_channels_last(AUTO, r.network[0], "cpu"))
        session.segments.append({})  # the book of where it was made, which nobody reads here
        began = time.process_time() - start
        train(session, 1, 1e9, lambda done, todo: False)
        first, steps = session.train_cpu_s, 1
        while session.train_cpu_s - first < seconds and steps < run.total_steps:
            steps += max(1, steps // 2)
            train(session, steps, 1e9, lambda done, todo: False)
        step = (session.train_cpu_s - first) / (session.gan.step - 1)
        look = _look(session, run)
    measured = began + first + step * (run.total_steps - 1) + look * one.looks
    ratio, then = one.total_s / measured, speed.since()
    ms = (f"{1000 * s:.3g} ms" for s in (one.step_s, step))
    print(
        f"| {run.name} | {' | '.join(ms)} | {one.look_s:.3g} s | {look:.3g} s | {hours(one.total_s)} | "
        f"{hours(measured)} | {ratio:.2f} | {then:.2f} | {ratio / then:.2f} |",
        flush=True,
    )
    return ratio / then


def _look(session: Session, run: Run) -> float:
    """CPU seconds of one of the run's measurements, on average: some are dear (``jac_G``), the others not."""
    looks, dear = measurements(run.recipe, run.protocol, run.images)
    spent = []
    for final in (True, False) if 0 < dear < looks else (True,):
        start = time.process_time()
        evaluate(session.gan, run.protocol, 0, session.gan.step, 1, final)
        spent.append(time.process_time() - start)
    return spent[0] if len(spent) == 1 else (dear * spent[0] + (looks - dear) * spent[1]) / looks


def _row(name: str, predicted: float, measured: float) -> None:
    print(f"| {name} | {hours(predicted)} | {hours(measured)} | {predicted / measured:.2f} |")


def _cells(suites: list[str], profile: str | None) -> list:
    return [cell for suite in load_all(suites, profile) for cell in suite.cells]


if __name__ == "__main__":
    main()
