"""What order and placement do to the time until everything is done: runs of known lengths on workers of known
speeds.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmark.plan.placement import Placer, Task
from benchmark.plan.rooms import Need, Node

IN_A_NODE = 8  # GPUs


def play(placer: Placer, length: Callable[[Task, Node], float]) -> float:
    """Seconds until the last of a placer's runs ends, each taking its true ``length``: the executor's own decisions, on
    a clock of their own.
    """
    now = 0.0
    ends: list[tuple[float, str]] = []
    while True:
        for start in placer.starts(now):
            heapq.heappush(ends, (now + length(start.task, start.node), start.task.key))
        if not ends:
            return now
        now, key = heapq.heappop(ends)
        placer.ended(key)


def placed(lengths: Sequence[float], speeds: Sequence[float], estimates: Sequence[float] | None = None) -> float:
    """Seconds until everything is done, placed as runs are.

    Args:
        lengths: true seconds on a worker of speed 1.
        speeds: of each worker.
        estimates: what is known of the lengths beforehand; None: everything.

    Raises:
        ValueError: there are no workers.
    """
    if not speeds:
        raise ValueError("no workers")
    known = lengths if estimates is None else estimates
    tasks = [Task(str(i), str(i), str(i)) for i in range(len(lengths))]
    placer = Placer(
        tasks,
        nodes(Counter(map(str, speeds))),
        lambda task, node: Need(1, 1),
        lambda task, node: known[int(task.key)] / float(node.kind),
    )
    return play(placer, lambda task, node: lengths[int(task.key)] / float(node.kind))


def nodes(gpus: Mapping[str, int]) -> list[Node]:
    """Nodes of up to 8 GPUs, each with a core.

    Args:
        gpus: how many of each kind.
    """
    return [
        Node(f"{kind}-{first}", kind, n, n)
        for kind, count in gpus.items()
        for first in range(0, count, IN_A_NODE)
        if (n := min(IN_A_NODE, count - first))
    ]


def as_submitted(lengths: Sequence[float], speeds: Sequence[float], order: Iterable[int] | None = None) -> float:
    """Seconds until everything is done if each run starts as soon as any worker is free, on the fastest that is: what
    to compare ``placed`` with.

    Args:
        order: in which runs are handed out; as given if None.
    """
    free = [(-speed, worker) for worker, speed in enumerate(speeds)]
    heapq.heapify(free)
    busy: list[tuple[float, int]] = []
    now = 0.0
    for i in range(len(lengths)) if order is None else order:
        if not free:
            now = busy[0][0]
            while busy and busy[0][0] <= now:
                _, worker = heapq.heappop(busy)
                heapq.heappush(free, (-speeds[worker], worker))
        speed, worker = heapq.heappop(free)
        heapq.heappush(busy, (now - lengths[i] / speed, worker))
    return max((end for end, _ in busy), default=0.0)


def longest_first(estimates: Sequence[float]) -> list[int]:
    """Indices by falling estimate; equal ones in the order given."""
    return sorted(range(len(estimates)), key=lambda i: -estimates[i])


def lower_bound(lengths: Sequence[float], speeds: Sequence[float]) -> float:
    """No placement is shorter: for each j, the j longest runs on the j fastest workers; and all of them on all."""
    longest, fastest = sorted(lengths, reverse=True), sorted(speeds, reverse=True)
    best, work, speed = 0.0, 0.0, 0.0
    for length, s in zip(longest, fastest):
        work, speed = work + length, speed + s
        best = max(best, work / speed)
    return max(best, sum(longest) / sum(fastest))
