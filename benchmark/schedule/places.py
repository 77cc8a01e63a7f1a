"""The jobs of a launch that wait, and where each starts: what stands between the executor and the placer.

What others run on the same cluster is not seen: where they hold a node, a run that was placed there waits in Ray's
queue.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmark.plan.placement import Placer, Task
from benchmark.plan.rooms import Need, Node
from benchmark.schedule.cluster import asks, fits
from benchmark.schedule.demand import Demand
from benchmark.schedule.job import Job
from benchmark.schedule.machines import Machines

FEW, MORE = 2, 62  # runs that are kept submitted beyond twice as many as fit
SHORT_S, LONG_S = (
    0.25,
    5.0,
)  # from handing a run out to its end: below the one, more are kept submitted; above the other, few
IN_A_ROW = 8  # short runs, before more are: one that fails at once says nothing of the others


class Places:
    """Which job starts when and where; on nodes that come and go."""

    def __init__(
        self, machines: Machines, jobs: Sequence[Job], share: float | None = None, at_most: int | None = None
    ) -> None:
        self._machines, self._nodes = machines, machines.look()
        self.demand = Demand(jobs, self._nodes, share)
        self._more: dict[str, Need] = {}  # by evaluation: for jobs that are made again with more
        self._given: dict[str, tuple[Need, float]] = {}  # and when
        self._spare, self._short = FEW, 0
        self._jobs = {job.evaluation: job for job in jobs}
        tasks = [self._task(job) for job in jobs]
        self._ahead = (
            len(self._nodes) == 1
            and not any(job.device.startswith("cuda") for job in jobs)
            and len({job.threads for job in jobs}) == 1
        )
        self._placer = Placer(
            tasks,
            self._with_room(self._nodes),
            self._need,
            lambda task, node: self.demand.seconds(self._jobs[task.key], node),
            at_most,
        )

    def __len__(self) -> int:
        """How many jobs wait."""
        return len(self._placer.waiting)

    def starts(self) -> list[tuple[Job, Node, Need]]:
        """Jobs to start now, where, and what each asks for; they count as started."""
        now = time.monotonic()
        found = self._placer.starts(now)
        self._given |= {start.task.key: (start.need, now) for start in found}
        return [(self._jobs[start.task.key], start.node, start.need) for start in found]

    def asked(self, job: Job) -> dict[str, float]:
        """What a job that runs asked for, in Ray's words."""
        return _in_rays_words(self._given[job.evaluation][0])

    def ended(self, job: Job) -> None:
        """A job that was started is not running any more."""
        self._placer.ended(job.evaluation)
        took = time.monotonic() - self._given.pop(job.evaluation)[1]
        self._short = self._short + 1 if took < SHORT_S else 0
        spare = MORE if self._short >= IN_A_ROW else FEW if took > LONG_S else self._spare
        if spare != self._spare and self._ahead:
            self._spare = spare
            self._placer.use(self._with_room(self._nodes))

    def again(self, job: Job, asked: Mapping[str, float] | None = None) -> None:
        """Make a job once more; asking for so much, in Ray's words, if it is given."""
        if asked is not None:
            self._more[job.evaluation] = Need(asked["CPU"], asked.get("GPU", 0.0))
            self._ahead = False  # what was handed out ahead would go before it
            self._placer.use(self._nodes)
        self._placer.add(self._task(job))

    def withdraw(self) -> list[Job]:
        """Everything that waits, which then does not any more."""
        found, self._placer.waiting = self._placer.waiting, []
        return [self._jobs[task.key] for task in found]

    def drop(self, jobs: Sequence[Job]) -> None:
        """These jobs are not waited for any more."""
        self._placer.drop({job.evaluation for job in jobs})

    def misfits(self) -> list[tuple[Job, str]]:
        """Waiting jobs that no node can take, and why."""
        has = "; ".join(dict.fromkeys(self._machines.names[node.id] for node in self._nodes))
        jobs = [self._jobs[task.key] for task in self._placer.misfits()]
        return [(job, f"asks for {self._said(job)}, which no node has ({has})") for job in jobs]

    def short(self, running: Iterable[Job], nodes: Sequence[Mapping[str, float]]) -> list[tuple[Job, str]]:
        """Jobs that no node can take any more, and what each asks for: waiting ones, and started ones that Ray would
        have to start elsewhere.
        """
        waiting = [(job, self._said(job)) for job in (self._jobs[task.key] for task in self._placer.misfits())]
        return waiting + [(job, asks(self.asked(job))) for job in running if not fits(nodes, self.asked(job))]

    def look(self, there: Sequence[dict[str, Any]] | None = None) -> None:
        """See which nodes there are now, or are ``there``, in Ray's words."""
        found = self._machines.look(there)
        if found != self._nodes:
            self._nodes = found
            self._placer.use(self._with_room(found))

    def _said(self, job: Job) -> str:
        return (
            asks(_in_rays_words(self._more[job.evaluation])) if job.evaluation in self._more else self.demand.said(job)
        )

    def _task(self, job: Job) -> Task:
        work = f"{job.evaluation} again" if job.evaluation in self._more else self.demand.work(job)
        return Task(job.evaluation, work, job.key, job.priority)

    def _need(self, task: Task, node: Node) -> Need | None:
        return self._more.get(task.key) or self.demand.need(self._jobs[task.key], node)

    def _with_room(self, nodes: Sequence[Node]) -> list[Node]:
        """On one node with runs that are all alike, twice as many as fit and a few more are kept submitted, so that no
        core waits for the driver.

        Of short runs some more: Ray finds a worker anew for each run that finds no queue.
        """
        return (
            [replace(node, ahead=node.cpus + self._spare) for node in nodes]
            if self._ahead and len(nodes) == 1
            else list(nodes)
        )


def _in_rays_words(need: Need) -> dict[str, float]:
    return {"CPU": float(need.cpus), **({"GPU": need.gpu} if need.gpu else {})}
