"""Runs as Ray tasks: on this machine, or on a cluster with ``--address``.

The driver sleeps in ``ray.wait`` until something happens: workers (``worker.py``) report to the board
(``board.py``), which answers the driver's one outstanding question when there is news.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.schedule import nodes
from benchmark.schedule.board import heard, start_board
from benchmark.schedule.cluster import NO_NODE_S, Cluster, ClusterLost, asks
from benchmark.schedule.gpu import why_no_gpu
from benchmark.schedule.hung import HungWatch, end_worker
from benchmark.schedule.job import Event, Job
from benchmark.schedule.machines import Machines
from benchmark.schedule.memory import with_room
from benchmark.schedule.outcome import MAX_RETRIES, outcome
from benchmark.schedule.places import Places
from benchmark.schedule.progress import duration
from benchmark.schedule.session import session
from benchmark.schedule.stop import Stop
from benchmark.schedule.worker import Make, tasks

WAIT_S = 1.0  # how soon the driver sees Ctrl-C

LEAVE_S = 30.0  # after a stop was asked for, in which whatever has begun has said so
HUNG_S = 3600.0  # without a sign of life, after which a run is ended and started again


def run_on_ray(
    jobs: Sequence[Job],
    stop: Stop,
    *,
    address: str | None,
    cpus: int | None,
    gpu_share: float | None = None,
    max_parallel: int | None = None,
    hung_s: float = HUNG_S,
    make: Make | None = None,
) -> Iterator[Event]:
    """Events of every job as they happen.

    Args:
        address: a cluster to join; None starts Ray on this machine and ends it afterwards.
        cpus: how many cores of this machine to use; None for all.
        gpu_share: the part of a GPU that a run on "cuda" asks for; None: by its estimated memory (``demand.py``).
        max_parallel: so many runs at a time.
        hung_s: seconds without a sign of life, after which a run is ended and goes on from its checkpoint.
        make: what a worker does with a job instead of ``execute``, on nodes that need nothing for it.

    A job that no node can take is blocked, which is said at once: Ray itself would wait for ever.

    Raises:
        GanbenchError: that is so of all jobs; or Ray cannot start or be joined.
        ClusterLost: the head was lost or restarted. The process should end: Ray's client is left as it is, and will end
            it sooner or later.
    """
    with session(address, cpus) as (ray, cluster):
        gpus = bool(ray.cluster_resources().get("GPU", 0)) and not (address is None and why_no_gpu())
        if not gpus and any(job.device.startswith("cuda") for job in jobs):
            raise GanbenchError(f"--device cuda: no node {'of the cluster ' * bool(address)}has a GPU", 2)
        found = "cuda" if gpus else "cpu"
        jobs = [replace(job, device=found if job.device == "auto" else job.device) for job in jobs]
        if address and make is None:
            nodes.check(ray, jobs, cluster.check_head)
        places = Places(Machines(ray), jobs, gpu_share, max_parallel)
        misfits = places.misfits()
        if len(misfits) == len(jobs):
            raise GanbenchError(
                f"{misfits[0][0].name} {misfits[0][1]}"
                + (f"; nor can they take the {len(misfits) - 1} others" if len(misfits) > 1 else "")
            )
        places.drop([job for job, _ in misfits])
        yield from (Event("blocked", job, error=why) for job, why in misfits)
        yield from _drive(ray, places, stop, HungWatch(hung_s), make, cluster)


def _drive(
    ray: Any, places: Places, stop: Stop, watch: HungWatch, make: Make | None, cluster: Cluster
) -> Iterator[Event]:
    board = cluster.board = start_board(ray)
    task = tasks(ray, board, make, MAX_RETRIES)
    running: dict[Any, Job] = {}
    version = 0
    news = board.news.remote(version)
    told_at: float | None = None
    stop.begun = True

    def start() -> None:
        """Starts every job for which there is room now; none once a stop is asked for."""
        for job, node, need in [] if stop.asked else places.starts():
            running[task(node.id, need.cpus, need.gpu).remote(job)] = job

    start()
    while len(places) or running:
        if stop.asked and told_at is None:
            told_at = time.monotonic()
            board.stop.remote()
            yield from (Event("interrupted", job) for job in places.withdraw())
        ray.wait([*running, news], num_returns=1, timeout=WAIT_S)
        ready, _ = ray.wait(
            [*running, news], num_returns=len(running) + 1, timeout=0
        )  # all that has ended: as many runs start at once
        cluster.check_head()
        ended: list[Event] = []
        try:
            for ref in ready:
                if ref != news:
                    ended.append(_ended(ray, ref, running.pop(ref), places, watch, cluster, stop))
            known = {job.evaluation: job for job in running.values()}  # what there is news of
            start()  # before their records are written: no core waits for a disk
        finally:
            yield from ended
        if news in ready:
            version, progress = heard(ray, board, news, told_at is not None, version)
            news = board.news.remote(version)
            for key, (done, todo, place, about) in progress.items():
                if key in known:
                    watch.heard(key, place)
                    yield Event("progress", known[key], done, todo, about)
        yield from _end_hung(ray, watch, running)
        if told_at is not None and time.monotonic() - told_at > LEAVE_S:
            yield from _never_begun(ray, watch, places, running)
        if cluster.looked():
            places.look(cluster.found)
            yield from _without_a_node(ray, cluster, places, running)
            start()
    _take_leave(ray, board, news, cluster)


def _take_leave(ray: Any, board: Any, news: Any, cluster: Cluster) -> None:
    """All runs have ended. Raises ClusterLost if the head has gone meanwhile."""
    if cluster.is_gone():
        raise ClusterLost("the Ray head went away as the last runs ended")
    board.report.remote(
        "", 0, 0, ("", 0), {}
    )  # answers the open question, so that Ray has nothing to complain of at its end
    ray.wait([news], timeout=WAIT_S)
    ray.kill(board)  # the workers' handles would keep it


def _ended(ray: Any, ref: Any, job: Job, places: Places, watch: HungWatch, cluster: Cluster, stop: Stop) -> Event:
    """What became of a run; its place is free."""
    watch.forget(job.evaluation)
    event = outcome(ray, ref, job, watch)
    event = _once_more(event, places, cluster, stop) if event.kind == "crowded" else event
    places.ended(job)
    return event


def _once_more(event: Event, places: Places, cluster: Cluster, stop: Stop) -> Event:
    """A run that was short of memory waits again, for room to itself; or failed, if it had that already."""
    what, job, had = event.error, event.job, places.asked(event.job)
    if stop.asked:
        return Event("interrupted", job)
    if (more := with_room(what, had, cluster.nodes())) is None:
        return Event(
            "failed",
            job,
            error=f"ran out of {what} with {asks(had)} to itself: it needs a machine with more",
            trace=event.trace,
        )
    places.again(job, more)
    return Event(
        "note",
        job,
        error=f"{job.name} ran out of {what}: it is tried again, from its checkpoint, with {asks(more)} to itself",
    )


def _never_begun(ray: Any, watch: HungWatch, places: Places, running: dict[Any, Job]) -> Iterator[Event]:
    """Give up what still waits in Ray's queue, as behind others' work: it has no checkpoint to write."""
    for ref, job in [(ref, job) for ref, job in running.items() if not watch.knows(job.evaluation)]:
        ray.cancel(ref)
        places.ended(running.pop(ref))
        yield Event("interrupted", job)


def _end_hung(ray: Any, watch: HungWatch, running: dict[Any, Job]) -> Iterator[Event]:
    """End workers that give no sign of life; Ray then starts their runs again, as it does for any lost worker."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    for key, (node, pid) in watch.look():
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(end_worker).remote(pid)
        for job in running.values():
            if job.evaluation == key:
                yield Event(
                    "note",
                    job,
                    error=f"{job.name} gave no sign of life for {duration(watch.after_s)}: its process is ended, "
                    "and it goes on from its checkpoint",
                )


def _without_a_node(ray: Any, cluster: Cluster, places: Places, running: dict[Any, Job]) -> Iterator[Event]:
    """After nodes were lost: say which runs no node can take any more, and give them up if that stays so."""
    short = places.short(running.values(), cluster.nodes())
    jobs = {job.evaluation: (job, said) for job, said in short}
    new, given_up = cluster.short_of(jobs)
    for job, said in (jobs[key] for key in new):
        yield Event(
            "note",
            job,
            error=f"{job.name} asks for {said}, which no node has any more: waiting {duration(NO_NODE_S)} for one",
        )
    for job, said in (jobs[key] for key in given_up):
        places.drop([job])
        for ref in [ref for ref, one in running.items() if one.evaluation == job.evaluation]:
            ray.cancel(ref, force=True)
            places.ended(running.pop(ref))
        yield Event("failed", job, error=f"asks for {said}, which no node has any more; its checkpoint is kept")
