"""What is free on a node, now and later: cores, and parts of GPUs as Ray hands them out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DIGITS = 9  # of a GPU: sums of fractions are kept equal to what they stand for


@dataclass(frozen=True)
class Node:
    """A machine; its GPUs are alike."""

    id: str
    kind: str  # equal for nodes on which every run takes the same time and the same part of a GPU
    cpus: float
    gpus: int = 0
    memory: float | None = None  # bytes of one GPU, where that is known
    ahead: float = 0.0  # cores' worth of runs that may be handed out while all cores are busy


@dataclass(frozen=True)
class Need:
    """What a run asks of a node: cores, and one GPU or a part of it (0 for none)."""

    cpus: float
    gpu: float = 0.0


@dataclass(frozen=True)
class Place:
    """The earliest place for a run on a node."""

    # when it is expected to be free, or a GPU that Ray would not choose to be asked for again; -inf: the run can start
    start: float
    gpu: int | None  # which of the node's

    @property
    def at_once(self) -> bool:
        """Whether it is free."""
        return self.start == -math.inf


@dataclass(frozen=True)
class Held:
    """What a run that has been started holds."""

    need: Need
    gpu: int | None  # which of the node's
    until: float  # as expected


class Room:
    """What is free on a node, and what is expected to become free when."""

    def __init__(self, node: Node, now: float, held: Sequence[Held]) -> None:
        self.now = now
        self.cpu = _Bin(node.cpus + node.ahead, now, ((h.until, h.need.cpus) for h in held))
        self.gpus = [_Bin(1.0, now, ((h.until, h.need.gpu) for h in held if h.gpu == i)) for i in range(node.gpus)]

    def fits(self, need: Need) -> bool:
        """Whether a run could start now."""
        return self.cpu.idle >= need.cpus and (not need.gpu or any(gpu.idle >= need.gpu for gpu in self.gpus))

    def place(self, need: Need) -> Place:
        """The earliest. A run that starts now gets the GPU that Ray chooses; where that is kept for a run that waits,
        it waits, too.

        A run that Ray has started again, after its process was lost, may be on another GPU than is thought here; until
        it ends, one that was placed by that may wait in Ray's own queue.
        """
        cpu = self.cpu.earliest(need.cpus)
        if not need.gpu:
            return Place(cpu, None)
        rays = self._rays_choice(need.gpu)
        if cpu == -math.inf and rays is not None and self.gpus[rays].idle >= need.gpu:
            return Place(cpu, rays)
        return min(
            (Place(max(cpu, gpu.earliest(need.gpu), self.now), i) for i, gpu in enumerate(self.gpus)),
            key=lambda place: place.start,
        )

    def _rays_choice(self, amount: float) -> int | None:
        """Of the GPUs with enough that no run has, the one with the least; Ray knows nothing of runs that wait."""
        able = [i for i, gpu in enumerate(self.gpus) if gpu.free >= amount]
        return min(able, key=lambda i: self.gpus[i].free, default=None)

    def book(self, need: Need, place: Place, until: float) -> None:
        """The place is taken."""
        self.cpu.book(need.cpus, place.start, until)
        if place.gpu is not None:
            self.gpus[place.gpu].book(need.gpu, place.start, until)


class _Bin:
    """A quantity: how much of it no run has, how much of that is kept for none, and when how much more is expected to
    be.
    """

    def __init__(self, size: float, now: float, busy: Iterable[tuple[float, float]]) -> None:
        self.busy = sorted((max(until, now), amount) for until, amount in busy)
        self.free = self.idle = round(size - sum(amount for _, amount in self.busy), DIGITS)

    def earliest(self, amount: float) -> float:
        """When so much is expected to be idle at once; -inf if it is now."""
        idle = self.idle
        if idle >= amount:
            return -math.inf
        for until, more in self.busy:
            idle = round(idle + more, DIGITS)
            if idle >= amount:
                return until
        return math.inf

    def book(self, amount: float, start: float, until: float) -> None:
        """It is taken from ``start`` on; of what becomes idle till then the last first, so that what is idle now stays
        so.
        """
        wanted, kept = amount, []
        for end, there in reversed(self.busy):
            used = min(there, wanted) if end <= start else 0.0
            wanted -= used
            if there > used:
                kept.append((end, there - used))
        self.idle = round(self.idle - wanted, DIGITS)
        if start == -math.inf:
            self.free = round(self.free - amount, DIGITS)
        self.busy = sorted([*kept, (until, amount)])
