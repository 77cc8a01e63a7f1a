"""The harness's own cost for a finished run against bare Ray tasks that return the same result, as ratios in one
session.

    python -m tests.speed.schedule [--runs 1000] [--rounds 5] [--plan 10000] [--kind constant]

A round makes so many runs on one core of one Ray: as bare tasks whose results are fetched as they come; as such tasks
with one file a run, synced and renamed, of as many bytes as a record has (the least that keeps a result); the same with
the record made and written; and through ``run_plan`` (board, events, records, status). CPU seconds of this process and
of all that Ray
started, so that a busy machine moves all. Two kinds of runs: ``constant`` returns a result that was made before (all
that is left is the harness's own cost), ``one step`` trains for one step, the least that a real run can be. Where many
files were deleted minutes before (by this script, too), ext4 makes new ones slowly: wait, or set TMPDIR to a disk in
memory.
Then: the driver's memory over the finished runs, and time and memory of a plan of 10,000 runs.
"""

from __future__ import annotations

import argparse
import atexit
import dataclasses
import functools
import itertools
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from unittest import mock

from benchmark.plan.make_record import make_record
from benchmark.plan.plan import Plan, make_plan
from benchmark.recipe import Protocol, Recipe
from benchmark.records import store
from benchmark.records.format import file_bytes
from benchmark.schedule import launch, places, ray_executor, session, surroundings
from benchmark.schedule.job import Job
from benchmark.suite.load import load
from tests.faults.processes import tree

PEER = "bare Ray tasks that return the same result"
SHORT = "--runs 400 --rounds 1 --plan 500 --kind constant"

SUITE = Path(__file__).parents[1] / "faults" / "suite.yaml"
RESULT = "GANBENCH_SPEED_RESULT"  # names the file with the constant result
EVERY = 20  # runs between two looks at the memory
TICKS = os.sysconf("SC_CLK_TCK")


def plan(runs: int) -> Plan:
    """So many one-step runs that differ in their seed."""
    cell = load(SUITE).cells[0]
    recipe = dataclasses.replace(cell.recipe, images=cell.recipe.batch_d, epochs=1)
    protocol = dataclasses.replace(
        cell.protocol, generated=16, metrics=("V_g",), every_epochs=None, jac_G_every_epochs=None
    )
    return make_plan([dataclasses.replace(cell, recipe=recipe, protocol=protocol)], range(runs), {})


def one_step(job: Job, tick: Callable[[int, int], bool]) -> dict[str, Any]:
    """A real run, without a lock or a checkpoint folder of its own."""
    from benchmark.data.read import read
    from benchmark.train.run import run

    r = Recipe.from_json(job.recipe)
    data = read(r.dataset, r.split, r.resolution, r.channels, r.data_percent, r.images, r.subset, r.crop, r.resize)
    with tempfile.TemporaryDirectory() as folder:
        return run(r, Protocol.from_json(job.protocol), job.seed, data, Path(folder), checkpoint_s=1e9, tick=tick)


def constant(job: Job, tick: Callable[[int, int], bool]) -> dict[str, Any]:
    """Always the same result, with one report."""
    tick(1, 1)
    return _result()


@functools.cache
def _result() -> dict[str, Any]:
    return json.loads(Path(os.environ[RESULT]).read_text(encoding="utf-8"))


_spent: dict[tuple[int, int], int] = {}


def cpu_s() -> float:
    """CPU seconds so far of this process, of what it started, and of what those started; of those that are gone, what
    was last seen.
    """
    for process in tree(os.getpid()):
        with suppress(OSError):
            fields = Path(f"/proc/{process[0]}/stat").read_text().rsplit(")", 1)[1].split()
            _spent[process] = int(fields[11]) + int(fields[12])
    return sum(_spent.values()) / TICKS


def bare(jobs: list[Job], make: Any, done: Callable[[Job, dict[str, Any]], object] = lambda job, result: None) -> None:
    """Tasks that return what ``make`` returns, as many kept submitted as by the harness; ``done`` gets every result."""
    import ray

    task = ray.remote(max_retries=3)(lambda job: make(job, lambda done, todo: False))
    waiting, running = list(jobs), {}
    while waiting or running:
        while len(running) < 2 + places.MORE and waiting:
            job = waiting.pop()
            running[task.remote(job)] = job
        for ref in ray.wait(list(running), num_returns=1)[0]:
            done(running.pop(ref), ray.get(ref))


def harness(made: Plan, make: Any, results: Path) -> list[int]:
    """``run_plan`` on the Ray that is up; the driver's resident memory, in bytes, at every ``EVERY``th record."""
    memory: list[int] = []
    ended = itertools.count(1)
    tell = launch.tell

    def measured(*arguments: Any) -> None:
        tell(*arguments)
        if arguments[0].kind == "done" and next(ended) % EVERY == 0:
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())

    def events(jobs: list[Job], stop: Any, options: launch.Options, told: Any) -> Any:
        import ray

        where = ray_executor.Places(ray_executor.Machines(ray), jobs)
        return ray_executor._drive(ray, where, stop, ray_executor.HungWatch(3600), make, ray_executor.Cluster(ray))

    before = launch._events
    launch._events, launch.tell = events, measured
    try:
        summary = launch.run_plan(made, results, launch.Options(device="cpu"))
    finally:
        launch._events, launch.tell = before, tell
    assert summary.counts["done"] == len(made.runs), summary
    return memory


def kept(folder: Path, name: str, content: bytes) -> None:
    """The least that keeps a result: one file, on the disk before it has its name."""
    folder.mkdir(exist_ok=True)
    with (folder / ".tmp").open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(folder / ".tmp", folder / name)


def compare(kind: str, make: Any, runs: int, rounds: int) -> list[int]:
    """Print the ratios; the driver's memory over the runs of the last round."""
    made, costs, memory = plan(runs), [], list[int]()
    alone = plan(1)
    planned = {run.evaluation: run for run in made.runs}
    with tempfile.TemporaryDirectory() as folder:
        jobs = launch._jobs(made.runs, Path(folder), launch.Options(device="cpu"))
        content = file_bytes(make_record(made.runs[0], _result()))
        for n in range(rounds + 1):
            at, marks = Path(folder) / str(n), [cpu_s()]
            bare(jobs, make)
            marks.append(cpu_s())
            bare(jobs, make, lambda job, result, at=at: kept(at, job.evaluation, content))
            marks.append(cpu_s())
            bare(
                jobs,
                make,
                lambda job, result, at=at: store.write(at / "bare", "x", make_record(planned[job.evaluation], result)),
            )
            marks.append(cpu_s())
            memory = harness(made, make, at / "harness")
            marks.append(cpu_s())
            harness(alone, make, at / "alone")
            marks.append(cpu_s())
            if n:  # the first warms up
                *others, ours, first = (1000 * (b - a) for a, b in itertools.pairwise(marks))
                costs.append([*(cost / runs for cost in others), (ours - first) / (runs - 1), first])
    names = ("bare tasks", "bare tasks and a file each", "bare tasks and records")
    *others, ours, first = (statistics.median(c[i] for c in costs) for i in range(5))
    print(
        f"{kind}: {', '.join(f'{name} {cost:.2f}' for name, cost in zip(names, others))}, harness {ours:.2f} "
        f"CPU ms for a further run ({first:.0f} ms for the first: the board's process)"
    )
    for i, name in enumerate(names):
        ratios = sorted(c[3] / c[i] for c in costs)
        print(f"  harness / {name}: median {statistics.median(ratios):.2f} (min {ratios[0]:.2f}, max {ratios[-1]:.2f})")
    return memory


def _job(ours: Callable[..., Any], ray: Any, *paths: Path) -> Any:
    """Ray's configuration of a job whose workers find this script too."""
    return ours(ray, *paths, Path(__file__).parents[2])


def main() -> None:
    """Print ratios, memory, and the plan's cost."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--plan", type=int, default=10_000)
    arguments.add_argument("--kind", choices=("constant", "one step"), help="only this one (default: both)")
    a = arguments.parse_args()
    if a.runs < 3 * EVERY:
        arguments.error(f"--runs: at least {3 * EVERY}")
    began, wall = time.process_time(), time.monotonic()
    print(
        f"a plan of {len(plan(a.plan).runs):,} runs: {time.process_time() - began:.2f} CPU s, "
        f"{time.monotonic() - wall:.2f} s, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} "
        "GiB at most"
    )
    for name, value in session.ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as stream:
        json.dump(
            one_step(
                launch._jobs(plan(1).runs, Path("unused"), launch.Options(device="cpu"))[0], lambda done, todo: False
            ),
            stream,
        )
    os.environ[RESULT] = stream.name
    stack = ExitStack()
    atexit.register(stack.close)
    stack.enter_context(mock.patch.object(surroundings, "job", functools.partial(_job, surroundings.job)))
    session._start(ray, 1, stack)
    if a.kind != "one step":
        memory = compare("constant", constant, a.runs, a.rounds)
        growth = (memory[-1] - memory[len(memory) // 3]) / (len(memory) - 1 - len(memory) // 3) / EVERY / 1024
        print(
            f"the driver's memory within a plan: {memory[0] / 2**20:.1f} MiB after {EVERY} runs, "
            f"{memory[-1] / 2**20:.1f} MiB after {EVERY * len(memory):,}: {growth:+.2f} KiB a run after the "
            "first third"
        )
    if a.kind != "constant":
        compare("one step", one_step, max(2, a.runs // 20), a.rounds)
    ray.shutdown()


if __name__ == "__main__":
    from tests.speed.schedule import main  # under its own name, by which workers find it

    main()
