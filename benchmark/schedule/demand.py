"""What a run asks of a node, and how long it will take there.

A run on a GPU asks for a part of it, as large as the largest of these, and for the whole GPU where nothing is known:

- its share of the memory: ``GUARD`` times what a step is estimated to need, and ``HEADROOM`` beside it;
- its share of the time: how long a step is predicted to keep the GPU computing while its host sends operations, so that
  runs that share a GPU hardly slow each other;
- its share of the cores: where a node has fewer cores than such runs, smaller parts would help nobody;
- its share of the GPUs: with fewer runs than GPUs, none shares.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.plan.cost import cost
from benchmark.plan.counted import Counting, Counts
from benchmark.plan.devices import named
from benchmark.plan.rooms import Need, Node
from benchmark.recipe import Protocol, Recipe
from benchmark.schedule.job import Job
from benchmark.schedule.machines import device_of

GUARD = 1.5
"""Counted are tensors that live at one time. The allocator's rounding and fragments, and the workspaces of
convolutions, come on top: by guess.
"""

HEADROOM = 1.5e9
"""Bytes of a process on a GPU beside its tensors: CUDA's context and libraries, and the feature extractor with a batch
of its activations: by guess.
"""


@dataclass(frozen=True)
class Estimate:
    """Of one kind of run on one kind of node."""

    seconds: float
    memory: float | None = None  # bytes on the GPU at the peak of a step
    busy: float = 1.0  # share of a step in which the GPU computes


class Demand:
    """For the runs of one launch. Work is counted where it matters: for parts of GPUs, and for GPUs of several
    kinds.
    """

    def __init__(self, jobs: Sequence[Job], nodes: Sequence[Node], share: float | None = None) -> None:
        """``share``: the part of a GPU for every run, whatever is estimated."""
        self._share, self._jobs = None if share is None else _as_ray_counts(share), len(jobs)
        self._counted = any(_on_gpu(job) for job in jobs) and (
            share is None or len({n.kind for n in nodes if n.gpus}) > 1
        )
        self._known: dict[tuple[str, str], Estimate | None] = {}
        self._gpus = sum(n.gpus for n in nodes)
        if self._counted:
            self._count(jobs)

    def work(self, job: Job) -> str:
        """Equal for jobs that need the same and take the same time."""
        what = [job.recipe, job.protocol] if self._counted else job.size
        return json.dumps([what, job.device, job.threads], sort_keys=True)

    def need(self, job: Job, node: Node) -> Need | None:
        """What the job asks of a node; None if it can never run there."""
        if not _on_gpu(job):
            return Need(job.threads)
        if not node.gpus:
            return None
        if self._share is not None:
            return Need(job.threads, self._share)
        known = self.estimate(job, node)
        if known is None or known.memory is None or node.memory is None:
            return Need(job.threads, 1.0)
        if known.memory > node.memory:
            return None
        memory = math.ceil(100 * guarded(known.memory) / node.memory) / 100
        others = max(known.busy, job.threads * node.gpus / max(node.cpus, 1), self._gpus / self._jobs)
        return Need(job.threads, min(1.0, max(memory, _as_ray_counts(others))))

    def seconds(self, job: Job, node: Node) -> float:
        """Predicted; the size that the plan goes by where the work is not counted."""
        if not self._counted:
            return job.size
        known = self.estimate(job, node)
        return (
            known.seconds
            if known
            else max((e.seconds for (_, kind), e in self._known.items() if e and kind == node.kind), default=1.0)
        )

    def estimate(self, job: Job, node: Node) -> Estimate | None:
        """None where a job's work could not be counted."""
        key = self.work(job), node.kind if _on_gpu(job) else "cpu"
        if key not in self._known:
            self._known[key] = self._estimate(job, node)
        return self._known[key]

    def said(self, job: Job) -> str:
        """What a job asks for, for a person."""
        if not _on_gpu(job):
            return f"{job.threads} CPU"
        if self._share is not None:
            return f"{job.threads} CPU, {self._share:g} GPU"
        counted = self._counts.known(_recipe(job))
        return f"{job.threads} CPU and a GPU" + (
            f" with {counted.memory / 1e9:.3g} GB, as estimated (--gpu-share 1 tries it on any)" if counted else ""
        )

    def _count(self, jobs: Sequence[Job]) -> None:
        self._counts = Counts()
        self._counts.count_all(
            [
                (recipe, recipe.total_steps(job.images))
                for job in {self.work(job): job for job in jobs}.values()
                if (recipe := _recipe(job))
            ],
            Counting(),
        )

    def _estimate(self, job: Job, node: Node) -> Estimate | None:
        host = named("cpu")
        device = device_of(node) if _on_gpu(job) else host
        if (counted := self._counts.known(recipe := _recipe(job))) is None:
            return None
        found = cost(recipe, Protocol.from_json(job.protocol), job.images, self._counts, device, host)
        return Estimate(found.total_s, counted.memory, device.busy(counted.step))


def guarded(memory: float) -> float:
    """Bytes to set aside for a run whose step is estimated to need ``memory``."""
    return GUARD * memory + HEADROOM


def _on_gpu(job: Job) -> bool:
    return job.device.startswith("cuda")


def _recipe(job: Job) -> Recipe:
    return Recipe.from_json(job.recipe)


def _as_ray_counts(part: float) -> float:
    """A part of a GPU in whole ten-thousandths, rounded down, so that three thirds are one GPU."""
    return math.floor(round(1e4 * part, 6)) / 1e4
