"""Which run starts next, and where: asked by the executor, by the forecast and by simulations alike.

Runs stand in a queue: higher priority first, then longest expected first. Whenever there is room, each run in turn is
given the place on which it is expected to end earliest. It may decline free places for a busy one that is faster; how
long an equal one still takes is a guess, and not worth waiting for. A run that waits for a place keeps it: smaller ones
behind it start elsewhere, or not yet, so that a run that needs a whole GPU is not passed over for ever.

Nothing here knows a run's true length: choice goes by estimates, and expected ends are corrected when true ones come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
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
class Task:
    """A run, as far as placing it goes."""

    key: str
    work: str  # equal for runs that need the same and take the same time
    group: str  # of runs with one group, one at a time is made
    priority: int = 0


@dataclass(frozen=True)
class Start:
    """A decision: this run, now, there."""

    task: Task
    node: Node
    need: Need


@dataclass(frozen=True)
class _Held:
    start: Start
    gpu: int | None  # which of the node's
    until: float  # as expected


@dataclass(frozen=True)
class _Option:
    node: Node
    need: Need
    seconds: float


class Placer:
    """The queue, what runs where, and the next decisions."""

    def __init__(self, tasks: Iterable[Task], nodes: Iterable[Node], need: Callable[[Task, Node], Need | None], seconds: Callable[[Task, Node], float], at_most: int | None = None) -> None:
        """For tasks in any order.

        Args:
            need: None where a run cannot be made however idle the node is.
            seconds: as expected.
            at_most: so many runs at a time.
        """
        self._need, self._seconds, self._at_most = need, seconds, at_most
        self._held: dict[str, _Held] = {}
        self.waiting = list(tasks)
        self.use(nodes)

    def use(self, nodes: Iterable[Node]) -> None:
        """From now on, these are the nodes. What runs on others runs on, as far as is known here."""
        self.nodes = tuple(nodes)
        self._options: dict[str, list[_Option]] = {}
        self._sort()

    def add(self, task: Task) -> None:
        """One more run, or one that is to be made again; ``need`` is asked anew."""
        self._options.pop(task.work, None)
        self.waiting.append(task)
        self._sort()

    def ended(self, key: str) -> None:
        """A run that was started has ended, however it did."""
        del self._held[key]

    def misfits(self) -> list[Task]:
        """The waiting runs that no node can take, be it empty."""
        return [task for task in self.waiting if not self._of(task)]

    def drop(self, keys: Collection[str]) -> None:
        """Take runs out of the queue."""
        self.waiting = [task for task in self.waiting if task.key not in keys]

    def starts(self, now: float) -> list[Start]:
        """What is to be started now; it counts as started.

        Args:
            now: in seconds, of any clock that does not run backwards.
        """
        rooms = self._rooms(now)
        groups = {held.start.task.group for held in self._held.values()}
        found, places = [], []
        for i, task in enumerate(self.waiting):
            if len(self._held) == self._at_most or not any(room.fits(self._least()) for room in rooms.values()):
                break
            if task.group in groups or not (options := self._of(task)):
                continue
            option, place = _best(options, rooms, now)
            until = max(place.start, now) + option.seconds
            rooms[option.node.id].book(option.need, place, until)
            if place.at_once:
                found.append(Start(task, option.node, option.need))
                places.append(i)
                self._held[task.key] = _Held(found[-1], place.gpu, until)
                groups.add(task.group)
        for i in reversed(places):
            del self.waiting[i]
        return found

    def _rooms(self, now: float) -> dict[str, _Room]:
        held: dict[str, list[_Held]] = {node.id: [] for node in self.nodes}
        for one in self._held.values():
            held.get(one.start.node.id, []).append(one)
        return {node.id: _Room(node, now, held[node.id]) for node in self.nodes}

    def _least(self) -> Need:
        """No waiting run needs less of anything. Made anew whenever half of the queue has gone."""
        if 2 * len(self.waiting) < self._least_of[1]:
            self._sort()
        return self._least_of[0]

    def _sort(self) -> None:
        options = {task.work: self._of(task) for task in self.waiting}
        length = {work: min((o.seconds for o in found), default=0.0) for work, found in options.items()}
        self.waiting.sort(key=lambda task: (-task.priority, -length[task.work]))  # stable
        needs = [o.need for found in options.values() for o in found]
        self._least_of = Need(min((n.cpus for n in needs), default=0.0), min((n.gpu for n in needs), default=0.0)), len(self.waiting)

    def _of(self, task: Task) -> list[_Option]:
        """Where a run can be made; a run without a GPU keeps off nodes that have some where there are others."""
        if task.work not in self._options:
            needs = [(node, need) for node in self.nodes if (need := self._need(task, node)) and need.cpus <= node.cpus and need.gpu <= min(1, node.gpus)]
            plain = [(node, need) for node, need in needs if not need.gpu and not node.gpus]
            self._options[task.work] = [_Option(node, need, self._seconds(task, node)) for node, need in plain or needs]
        return self._options[task.work]


def _best(options: Sequence[_Option], rooms: dict[str, _Room], now: float) -> tuple[_Option, _Place]:
    """Where the run is expected to end first: of the places that are free, and of the others that are faster than any of these."""
    found = [(option, rooms[option.node.id].place(option.need)) for option in options]
    fastest = min((option.seconds for option, place in found if place.at_once), default=math.inf)
    able = [pair for pair in found if pair[1].at_once or pair[0].seconds < fastest]
    return min(able, key=lambda pair: (max(pair[1].start, now) + pair[0].seconds, not pair[1].at_once))


@dataclass(frozen=True)
class _Place:
    """The earliest place for a run on a node."""

    start: float  # when it is expected to be free; -inf if it is
    gpu: int | None  # which of the node's

    @property
    def at_once(self) -> bool:
        """Whether it is free."""
        return self.start == -math.inf


class _Room:
    """What is free on a node, and what is expected to become free when."""

    def __init__(self, node: Node, now: float, held: Sequence[_Held]) -> None:
        self.now = now
        self.cpu = _Bin(node.cpus + node.ahead, now, ((h.until, h.start.need.cpus) for h in held))
        self.gpus = [_Bin(1.0, now, ((h.until, h.start.need.gpu) for h in held if h.gpu == i)) for i in range(node.gpus)]

    def fits(self, need: Need) -> bool:
        """Whether a run could start now."""
        return self.cpu.idle >= need.cpus and (not need.gpu or any(gpu.idle >= need.gpu for gpu in self.gpus))

    def place(self, need: Need) -> _Place:
        """The earliest. A run that starts now gets the GPU that Ray chooses; where that is kept for a run that waits, it waits, too."""
        cpu = self.cpu.earliest(need.cpus)
        if not need.gpu:
            return _Place(cpu, None)
        rays = self._rays_choice(need.gpu)
        if cpu == -math.inf and rays is not None and self.gpus[rays].idle >= need.gpu:
            return _Place(cpu, rays)
        return min((_Place(max(cpu, gpu.earliest(need.gpu), self.now), i) for i, gpu in enumerate(self.gpus)), key=lambda place: place.start)

    def _rays_choice(self, amount: float) -> int | None:
        """Of the GPUs with enough that no run has, the one with the least; Ray knows nothing of runs that wait."""
        able = [i for i, gpu in enumerate(self.gpus) if gpu.free >= amount]
        return min(able, key=lambda i: self.gpus[i].free, default=None)

    def book(self, need: Need, place: _Place, until: float) -> None:
        """The place is taken."""
        self.cpu.book(need.cpus, place.start, until)
        if place.gpu is not None:
            self.gpus[place.gpu].book(need.gpu, place.start, until)


class _Bin:
    """A quantity: how much of it no run has, how much of that is kept for none, and when how much more is expected to be."""

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
        """It is taken from ``start`` on; of what becomes idle till then the last first, so that what is idle now stays so."""
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
