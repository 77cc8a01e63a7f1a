"""What order and placement do to the time until everything is done: runs of known lengths on workers of known speeds.

Runs start in the order in which they are given, each on a worker that is free. Nothing here knows a run's true length
beforehand: order and choice go by estimates, time passes by true lengths.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def longest_first(estimates: Sequence[float]) -> list[int]:
    """Indices by falling estimate; equal ones in the order given."""
    return sorted(range(len(estimates)), key=lambda i: -estimates[i])


def makespan(lengths: Sequence[float], speeds: Sequence[float], order: Sequence[int] | None = None, estimates: Sequence[float] | None = None) -> float:
    """Seconds until the last run ends.

    Args:
        lengths: true seconds on a worker of speed 1.
        speeds: of each worker.
        order: in which runs are handed out; as given if None.
        estimates: place by earliest finish: a run may wait for a busy, faster worker on which it is expected to end sooner
            than on any free one. None: every run starts at once on the fastest free worker.

    Raises:
        ValueError: there are no workers.
    """
    if not speeds:
        raise ValueError("no workers")
    order = range(len(lengths)) if order is None else order
    if estimates is None:
        return _at_once(lengths, speeds, order)
    return _by_earliest_finish(lengths, speeds, order, estimates)


def lower_bound(lengths: Sequence[float], speeds: Sequence[float]) -> float:
    """No placement is shorter: for each j, the j longest runs on the j fastest workers; and all of them on all."""
    longest, fastest = sorted(lengths, reverse=True), sorted(speeds, reverse=True)
    best, work, speed = 0.0, 0.0, 0.0
    for length, s in zip(longest, fastest):
        work, speed = work + length, speed + s
        best = max(best, work / speed)
    return max(best, sum(longest) / sum(fastest))


def _at_once(lengths: Sequence[float], speeds: Sequence[float], order: Sequence[int]) -> float:
    free = [(-speed, worker) for worker, speed in enumerate(speeds)]
    heapq.heapify(free)
    busy: list[tuple[float, int]] = []
    now = 0.0
    for i in order:
        if not free:
            now = busy[0][0]
            while busy and busy[0][0] <= now:
                _, worker = heapq.heappop(busy)
                heapq.heappush(free, (-speeds[worker], worker))
        speed, worker = heapq.heappop(free)
        heapq.heappush(busy, (now - lengths[i] / speed, worker))
    return max((end for end, _ in busy), default=0.0)


def _by_earliest_finish(lengths: Sequence[float], speeds: Sequence[float], order: Sequence[int], estimates: Sequence[float]) -> float:
    """Each event (a worker becomes free) hands out what should run now; expected ends are corrected when true ones come."""
    waiting = list(order)
    expected = [0.0] * len(speeds)  # when each worker is expected to be free
    ends: list[tuple[float, int]] = []
    idle = set(range(len(speeds)))
    now = 0.0
    while waiting:
        plan = [max(e, now) for e in expected]
        started = []
        for place, i in enumerate(waiting):
            if not idle:
                break
            fastest = max(speeds[w] for w in idle)  # waiting pays for a faster worker only: how long an equal one still takes is a guess
            able = (w for w in range(len(speeds)) if w in idle or speeds[w] > fastest)
            worker = min(able, key=lambda w: (plan[w] + estimates[i] / speeds[w], w))
            plan[worker] += estimates[i] / speeds[worker]
            if worker in idle:
                idle.remove(worker)
                expected[worker] = now + estimates[i] / speeds[worker]
                heapq.heappush(ends, (now + lengths[i] / speeds[worker], worker))
                started.append(place)
        for place in reversed(started):
            del waiting[place]
        if waiting:
            now, worker = heapq.heappop(ends)
            idle.add(worker)
            expected[worker] = now
    return max((end for end, _ in ends), default=now)
