"""The jobs of a launch that wait, and where each starts: what stands between the executor and the placer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from benchmark.plan.placement import Need, Node, Placer, Task
from benchmark.schedule.demand import Demand
from benchmark.schedule.job import Job
from benchmark.schedule.machines import Machines

LOOK_S = 10.0  # between looks at the nodes, while runs wait


class Places:
    """Which job starts when and where; on nodes that come and go."""

    def __init__(self, machines: Machines, jobs: Sequence[Job], share: float | None = None, at_most: int | None = None) -> None:
        self._machines, self._nodes = machines, machines.look()
        self._looked = time.monotonic()
        self.demand = Demand(jobs, self._nodes, share)
        self._more: dict[str, Need] = {}  # by evaluation: for jobs that are made again with more
        self._jobs = {job.evaluation: job for job in jobs}
        tasks = [self._task(job) for job in jobs]
        self._ahead = len(self._nodes) == 1 and not any(job.device.startswith("cuda") for job in jobs) and len({job.threads for job in jobs}) == 1
        self._placer = Placer(tasks, self._with_room(self._nodes), self._need, lambda task, node: self.demand.seconds(self._jobs[task.key], node), at_most)

    def __len__(self) -> int:
        """How many jobs wait."""
        return len(self._placer.waiting)

    def starts(self) -> list[tuple[Job, Node, Need]]:
        """Jobs to start now, where, and what each asks for; they count as started."""
        if self._placer.waiting and time.monotonic() - self._looked > LOOK_S:
            self._look()
        return [(self._jobs[start.task.key], start.node, start.need) for start in self._placer.starts(time.monotonic())]

    def ended(self, job: Job) -> None:
        """A job that was started is not running any more."""
        self._placer.ended(job.evaluation)

    def again(self, job: Job, need: Need | None = None) -> None:
        """Make a job that has ended once more; with ``need``, on a node that has so much."""
        if need is not None:
            self._more[job.evaluation] = need
        self._placer.add(self._task(job))

    def withdraw(self) -> list[Job]:
        """Everything that waits, which then does not any more."""
        found, self._placer.waiting = self._placer.waiting, []
        return [self._jobs[task.key] for task in found]

    def misfits(self) -> list[tuple[Job, str]]:
        """Jobs that no node can take, and why; they do not wait any more."""
        has = "; ".join(dict.fromkeys(self._machines.names[node.id] for node in self._nodes))
        jobs = [self._jobs[task.key] for task in self._placer.take_misfits()]
        return [(job, f"asks for {self._said(job)}, which no node has ({has})") for job in jobs]

    def _said(self, job: Job) -> str:
        more = self._more.get(job.evaluation)
        return f"{more.cpus:g} CPU" + (f" and {more.gpu:g} GPU" if more.gpu else "") if more else self.demand.said(job)

    def _task(self, job: Job) -> Task:
        work = f"{job.evaluation} again" if job.evaluation in self._more else self.demand.work(job)
        return Task(job.evaluation, work, job.key, job.priority)

    def _need(self, task: Task, node: Node) -> Need | None:
        return self._more.get(task.key) or self.demand.need(self._jobs[task.key], node)

    def _look(self) -> None:
        found, self._looked = self._machines.look(), time.monotonic()
        if found != self._nodes:
            self._nodes = found
            self._placer.use(self._with_room(found))

    def _with_room(self, nodes: Sequence[Node]) -> list[Node]:
        """On one node with runs that are all alike, twice as many as fit and a few more are kept submitted, so that no core waits for the driver."""
        return [replace(node, ahead=node.cpus + 2) for node in nodes] if self._ahead and len(nodes) == 1 else list(nodes)
