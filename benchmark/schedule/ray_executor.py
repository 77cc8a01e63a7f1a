"""Runs as Ray tasks: on this machine, or on a cluster with ``--address``.

The driver sleeps in ``ray.wait`` until something happens: workers report to a small actor, the
board, and the board answers the driver's one outstanding question when there is news. A worker
asks the board with each report whether it should stop.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.schedule.job import Event, Job, execute
from benchmark.schedule.machines import Machines
from benchmark.schedule.places import Places
from benchmark.schedule.stop import Stop

REPORT_S = 1.0  # seconds between a worker's reports
MAX_RETRIES = 3  # of a run whose worker or node was lost; it goes on from its checkpoint
WAIT_S = 1.0  # how soon the driver sees Ctrl-C

# Before ray is imported. Ray's default niceness of 15 starved workers on a busy machine, and a run out
# of memory was retried past max_retries (both measured); usage reports are off unless asked for.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_task_oom_retries": "1",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


Make = Callable[[Job, Callable[[int, int], bool]], "dict[str, Any] | None"]

TOKEN = Path("~/.ray/auth_token")  # where Ray keeps the token of its clusters


def run_on_ray(jobs: Sequence[Job], stop: Stop, *, address: str | None, cpus: int | None, gpu_share: float | None = None, max_parallel: int | None = None, make: Make = execute) -> Iterator[Event]:
    """Events of every job as they happen.

    Args:
        address: a cluster to join; None starts Ray on this machine and ends it afterwards.
        cpus: how many cores of this machine to use; None for all.
        gpu_share: the part of a GPU that a run on "cuda" asks for; None: by its estimated memory (``demand.py``).
        max_parallel: so many runs at a time.
        make: what a worker does with a job.

    A job that no node can take has failed, which is said at once: Ray itself would wait for ever.

    Raises:
        GanbenchError: that is so of all jobs; or Ray cannot start or be joined.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if address and TOKEN.expanduser().exists():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # `ray start` asks for it; joining does not find it by itself
    import ray

    _start(ray, address, cpus)
    try:
        found = "cuda" if ray.cluster_resources().get("GPU", 0) else "cpu"
        jobs = [replace(job, device=found if job.device == "auto" else job.device) for job in jobs]
        places = Places(Machines(ray), jobs, gpu_share, max_parallel)
        misfits = places.misfits()
        if len(misfits) == len(jobs):
            raise GanbenchError(f"{misfits[0][0].name} {misfits[0][1]}" + (f"; nor can they take the {len(misfits) - 1} others" if len(misfits) > 1 else ""))
        yield from (Event("failed", job, error=why) for job, why in misfits)
        yield from _drive(ray, places, stop, make)
    finally:
        ray.shutdown()


def _start(ray: Any, address: str | None, cpus: int | None) -> None:
    common = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            package = Path(__file__).resolve().parents[1]
            ray.init(address=address, runtime_env={"py_modules": [str(package)]}, **common)
        else:
            memory = 100 * 2**20  # records are small; the default would take a third of the machine's memory
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, object_store_memory=memory, **common)
    except (ConnectionError, RuntimeError, ValueError) as error:
        hint = "; a cluster that asks for a token needs it in ~/.ray/auth_token and RAY_AUTH_MODE=token" if address else ""
        raise GanbenchError(f"Ray could not {'join ' + address if address else 'start'}: {str(error).splitlines()[0]}{hint}") from None


def _drive(ray: Any, places: Places, stop: Stop, make: Make) -> Iterator[Event]:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    board = _board(ray)
    tasks = {on_gpu: ray.remote(max_retries=MAX_RETRIES, max_calls=int(on_gpu))(work) for on_gpu in (False, True)}  # a process keeps its first GPU, and memory on it
    running: dict[Any, Job] = {}
    news = board.news.remote(0)
    told = False
    while len(places) or running:
        for job, node, need in [] if stop.asked else places.starts():
            there = NodeAffinitySchedulingStrategy(node.id, soft=True)  # soft: elsewhere, should the node be lost
            task = tasks[need.gpu > 0].options(num_cpus=need.cpus, num_gpus=need.gpu, scheduling_strategy=there)
            running[task.remote(job, board, make)] = job
        if stop.asked and not told:
            told = True
            board.stop.remote()
            yield from (Event("interrupted", job) for job in places.withdraw())
        ready, _ = ray.wait([*running, news], num_returns=1, timeout=WAIT_S)
        for ref in ready:
            if ref == news:
                try:
                    version, progress = ray.get(news)
                except ray.exceptions.RayActorError:  # its node was lost; Ray starts it again
                    version, progress = 0, {}
                    if told:
                        board.stop.remote()
                news = board.news.remote(version)
                by_key = {job.evaluation: job for job in running.values()}
                yield from (Event("progress", by_key[key], *steps) for key, steps in progress.items() if key in by_key)
            else:
                job = running.pop(ref)
                places.ended(job)
                yield _outcome(ray, ref, job)
    board.report.remote("", 0, 0)  # answers the open question, so that Ray has nothing to complain of at its end
    ray.wait([news], timeout=WAIT_S)


def _board(ray: Any) -> Any:
    """The board, on the driver's own node, and started again should it be lost."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)(Board).remote()


def _outcome(ray: Any, ref: Any, job: Job) -> Event:
    """A finished task as an event. Errors are told apart by type: their messages may be empty."""
    try:
        result = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, GanbenchError):
            return Event("failed", job, error=str(cause))
        return Event("failed", job, error=f"{type(cause).__name__}: {cause}", trace=str(error))
    except ray.exceptions.OutOfMemoryError:
        return Event("failed", job, error="ran out of host memory, twice")
    except ray.exceptions.RayError as error:
        return Event("failed", job, error=f"its worker was lost {MAX_RETRIES + 1} times ({type(error).__name__})", trace=str(error))
    return Event("interrupted", job) if result is None else Event("done", job, result=result)


def work(job: Job, board: Any, make: Make) -> dict[str, Any] | None:
    """The Ray task: one run, reporting to the board; nothing if everybody has been asked to stop meanwhile."""
    if answer(board.stopping.remote()):
        return None
    return make(job, _reporter(job, board))


def answer(ref: Any) -> Any:
    """``ray.get`` within a task, from another thread: a task whose main thread waits gives its core away, and another run starts on it."""
    import ray

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(ray.get, ref).result()


def _reporter(job: Job, board: Any) -> Callable[[int, int], bool]:
    import ray

    last, pending = 0.0, None

    def tick(done: int, todo: int) -> bool:
        nonlocal last, pending
        stop = False
        if pending is not None and ray.wait([pending], timeout=0)[0]:
            try:
                stop = answer(pending)
            except ray.exceptions.RayActorError:
                stop = False  # the board is being started again
            pending = None
        if pending is None and time.monotonic() - last >= REPORT_S:
            last, pending = time.monotonic(), board.report.remote(job.evaluation, done, todo)
        return stop

    return tick


class Board:
    """The actor between workers and driver: latest progress, and whether to stop."""

    def __init__(self) -> None:
        import asyncio

        self._version, self._latest, self._stopping = 0, {}, False
        self._changed = asyncio.Event()

    async def report(self, key: str, done: int, todo: int) -> bool:
        """A worker's progress; the answer is whether it should stop."""
        self._latest[key] = (done, todo)
        self._version += 1
        self._changed.set()
        return self._stopping

    async def news(self, seen: int) -> tuple[int, dict[str, tuple[int, int]]]:
        """Waits until there is something after version ``seen``; then all that came since."""
        while self._version == seen:
            self._changed.clear()
            await self._changed.wait()
        latest, self._latest = self._latest, {}
        return self._version, latest

    async def stopping(self) -> bool:
        """Whether everybody has been asked to stop."""
        return self._stopping

    async def stop(self) -> None:
        """From now on, reports are answered with "stop"."""
        self._stopping = True
