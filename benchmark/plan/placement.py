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

from benchmark.plan.rooms import Held, Need, Node, Place, Room


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
class _Option:
    node: Node
    need: Need
    seconds: float


class Placer:
    """The queue, what runs where, and the next decisions."""

    def __init__(
        self,
        tasks: Iterable[Task],
        nodes: Iterable[Node],
        need: Callable[[Task, Node], Need | None],
        seconds: Callable[[Task, Node], float],
        at_most: int | None = None,
    ) -> None:
        """For tasks in any order.

        Args:
            need: None where a run cannot be made however idle the node is.
            seconds: as expected.
            at_most: so many runs at a time.
        """
        self._need, self._seconds, self._at_most = need, seconds, at_most
        self._held: dict[str, tuple[Start, Held]] = {}
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
        groups = {start.task.group for start, _ in self._held.values()}
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
                self._held[task.key] = found[-1], Held(option.need, place.gpu, until)
                groups.add(task.group)
        for i in reversed(places):
            del self.waiting[i]
        return found

    def _rooms(self, now: float) -> dict[str, Room]:
        held: dict[str, list[Held]] = {node.id: [] for node in self.nodes}
        for start, one in self._held.values():
            held.get(start.node.id, []).append(one)
        return {node.id: Room(node, now, held[node.id]) for node in self.nodes}

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
        self._least_of = (
            Need(min((n.cpus for n in needs), default=0.0), min((n.gpu for n in needs), default=0.0)),
            len(self.waiting),
        )

    def _of(self, task: Task) -> list[_Option]:
        """Where a run can be made; a run without a GPU keeps off nodes that have some where there are others."""
        if task.work not in self._options:
            needs = [
                (node, need)
                for node in self.nodes
                if (need := self._need(task, node)) and need.cpus <= node.cpus and need.gpu <= min(1, node.gpus)
            ]
            plain = [(node, need) for node, need in needs if not need.gpu and not node.gpus]
            self._options[task.work] = [_Option(node, need, self._seconds(task, node)) for node, need in plain or needs]
        return self._options[task.work]


def _best(options: Sequence[_Option], rooms: dict[str, Room], now: float) -> tuple[_Option, Place]:
    """Where the run is expected to end first: of the places that are free, and of the others that are faster than any
    of these.
    """
    found = [(option, rooms[option.node.id].place(option.need)) for option in options]
    fastest = min((option.seconds for option, place in found if place.at_once), default=math.inf)
    able = [pair for pair in found if pair[1].at_once or pair[0].seconds < fastest]
    return min(able, key=lambda pair: (max(pair[1].start, now) + pair[0].seconds, not pair[1].at_once))
