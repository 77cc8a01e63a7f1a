"""Making a plan's runs: from the frozen plan to records on disk, whatever happens meanwhile."""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.data.cards import cache_folder, data_root
from benchmark.data.home import full_path
from benchmark.errors import GanbenchError, plain
from benchmark.files import open_lock, why
from benchmark.outside.running import travelling
from benchmark.plan.blocks import BLOCKED, MISSING
from benchmark.plan.missing import weights_of
from benchmark.plan.plan import Plan, Run
from benchmark.plan.reasons import waiting_lines
from benchmark.process.leave import INTERRUPTED
from benchmark.records import store
from benchmark.records.leftovers import sweep
from benchmark.schedule.endings import tell
from benchmark.schedule.gpu import refuse_without_gpu
from benchmark.schedule.inline import run_inline
from benchmark.schedule.job import Event, Job
from benchmark.schedule.mirror import is_url, mirror_of
from benchmark.schedule.nodes import refuse_scratch
from benchmark.schedule.stop import Stop
from benchmark.schedule.summary import Summary
from benchmark.schedule.watch import Watch
from benchmark.train.layout import AUTO
from benchmark.weights.read import verified


@dataclass(frozen=True)
class Options:
    """How, not what: nothing here is part of a run's key, and on a CPU only ``threads`` and ``layout`` can change a
    bit.
    """

    executor: str = "ray"  # "ray" or "inline"
    address: str | None = None
    cpus: int | None = None
    device: str = "auto"  # "auto", "cpu" or "cuda"
    gpu_share: float | None = None  # for every run; None: by its estimated memory
    max_parallel: int | None = None  # runs at a time
    stop_at: float | None = None  # of time.monotonic(): then all runs are asked to write a checkpoint and stop
    threads: int = 1
    layout: str = AUTO  # of maps and weights in memory, one of ``train.layout.LAYOUTS``
    until_epoch: int | None = None
    checkpoints: str | None = None  # a folder, or a URL that fsspec can open; default: results/runs
    checkpoint_s: float = 60.0
    tensorboard: Path | None = None  # where TensorBoard's files are written; None: nowhere
    command: tuple[str, ...] = ()  # the words of the command line, for the lines that make failed runs again
    # without a sign of life, after which a run is started again from its checkpoint; with "inline", the command line
    # ends
    hung_s: float = 3600.0


def run_plan(plan: Plan, results: str | Path, options: Options) -> Summary:
    """Make every run that is to do; write each record as soon as its run has ended.

    Raises:
        GanbenchError: another driver works on the same results, or no node can take a run; or there is no GPU where
            "cuda" was asked for; or a file of weights is not the one that it should be.
    """
    results, todo = Path(results), {run.evaluation: run for run in plan.of("to do")}
    summary = Summary()
    waiting = plan.of(BLOCKED, MISSING)
    summary.counts.update(run.state for run in waiting)
    summary.failures += [plain(line, lines=True) for line in waiting_lines(waiting)]
    if not todo:
        return summary
    if options.device == "cuda" and options.address is None:
        refuse_without_gpu()
    for name in dict.fromkeys(name for run in todo.values() for name in weights_of(run.recipe, run.protocol)):
        verified(name)
    jobs = _jobs(todo.values(), results, options)
    refuse_scratch(results)
    mirror_of(jobs[0].folder)  # a URL that cannot be opened is said before anything runs
    with _only_driver(results), Stop(options.stop_at) as stop:
        watch = Watch(plan, results, options.tensorboard)
        for path in (path for run in todo.values() for path in run.damaged):
            if aside := store.set_aside(path):
                watch.screen.say(f"{path} is damaged: moved to {aside.name}, and its run is made again")
        told = _teller(todo, results, watch, summary, options.command)
        try:
            for event in _events(jobs, stop, options, told):
                told(event)
        except KeyboardInterrupt:
            summary.counts["interrupted"] += 1
        except GanbenchError as error:
            if stop.asked:  # whoever stops everything by a signal stops Ray's processes, too
                error.exit_code = INTERRUPTED
            raise
        finally:
            watch.close()
    return summary


def _teller(
    todo: Mapping[str, Run], results: Path, watch: Watch, summary: Summary, command: tuple[str, ...]
) -> Callable[[Event], None]:
    """What keeps and shows an event."""
    return lambda event: tell(event, todo[event.job.evaluation], results, watch, summary, command)


def _events(jobs: list[Job], stop: Stop, options: Options, told: Callable[[Event], None]) -> Iterator[Event]:
    if options.executor == "inline":  # a notebook's process is not ours to end
        return run_inline(jobs, stop, options.hung_s if options.command else math.inf, told)
    from benchmark.schedule.ray_executor import run_on_ray

    return run_on_ray(
        jobs,
        stop,
        address=options.address,
        cpus=options.cpus,
        gpu_share=options.gpu_share,
        max_parallel=options.max_parallel,
        hung_s=options.hung_s,
    )


def _jobs(runs: Collection[Run], results: Path, options: Options) -> list[Job]:
    folder = str(options.checkpoints or results / "runs")
    common: dict[str, Any] = {
        "data_root": _known(data_root),
        "weights": os.environ.get("GANBENCH_WEIGHTS", ""),
        "cache": _known(cache_folder),
        "device": options.device,
        "threads": options.threads,
        "layout": options.layout,
        "until_epoch": options.until_epoch,
        "checkpoint_s": options.checkpoint_s,
        "cluster": options.address is not None,
    }
    folder = folder.rstrip("/") if is_url(folder) else full_path(Path(folder))
    things = {id(thing): thing for run in runs for thing in (run.recipe, run.protocol)}
    as_json = {key: thing.to_json() for key, thing in things.items()}  # one for all runs that share it
    pairs = {(id(run.recipe), id(run.protocol)): (run.recipe, run.protocol) for run in runs}
    plugs = {key: tuple(travelling(*pair)) for key, pair in pairs.items()}
    return [
        Job(
            key=run.key,
            evaluation=run.evaluation,
            seed=run.seed,
            name=run.name,
            recipe=as_json[id(run.recipe)],
            protocol=as_json[id(run.protocol)],
            folder=f"{folder}/{run.key}",
            images=run.images,
            size=run.size,
            priority=run.priority,
            again=run.again,
            plugins=plugs[id(run.recipe), id(run.protocol)],
            **common,
        )
        for run in runs
    ]


def _known(find: Callable[[], Path]) -> str:
    """One of the user's folders; "" without a home directory, which is said where the folder is needed."""
    try:
        return full_path(find())
    except GanbenchError:
        return ""


@contextmanager
def _only_driver(results: Path) -> Iterator[None]:
    """Hold the results folder's lock; it is freed when the process ends, however it ends."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        lock = open_lock(results / ".lock")
    except OSError as error:
        raise GanbenchError(f"cannot write to {results}: {why(error)}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GanbenchError(
                f"another 'ganbench run' works on {results}; wait for it, or give --results another folder"
            ) from None
        sweep(results)
        yield
