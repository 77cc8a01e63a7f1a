"""The board: a small actor between workers and driver, with the latest progress, and whether to stop."""

from __future__ import annotations

import time
from typing import Any

from benchmark.schedule.hung import Place

NEWS_S = 0.3  # in which the board gathers reports for one answer to the driver


Told = tuple[int, int, Place, dict[str, Any]]
"""Steps done and to do, where, and what there is to tell of the run."""


class Board:
    """The actor between workers and driver: latest progress, and whether to stop."""

    def __init__(self) -> None:
        import asyncio

        self._version, self._stopping = 0, False
        self._latest: dict[str, Told] = {}
        self._changed = asyncio.Event()

    async def report(self, key: str, done: int, todo: int, place: Place, about: dict[str, Any]) -> bool:
        """A worker's progress, where it is, and what there is to tell of the run; the answer is whether it should
        stop.
        """
        self._latest[key] = (done, todo, place, about)
        self._version += 1
        self._changed.set()
        return self._stopping

    async def news(self, seen: int) -> tuple[int, dict[str, tuple[int, int, Place, dict[str, Any]]]]:
        """Waits until there is something after version ``seen``; then all that came since."""
        import asyncio

        while self._version == seen:
            self._changed.clear()
            await self._changed.wait()
        await asyncio.sleep(NEWS_S)
        latest, self._latest = self._latest, {}
        return self._version, latest

    async def nodes(self) -> list[dict[str, Any]]:
        """The cluster's nodes, in Ray's words: asked in this process, since Ray ends one whose question meets a head
        that was restarted.
        """
        import asyncio

        import ray

        return await asyncio.to_thread(ray.nodes)

    async def stop(self) -> None:
        """From now on, reports are answered with "stop"."""
        self._stopping = True


def start_board(ray: Any) -> Any:
    """The board, on the driver's own node, and started again should it be lost."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)(Board).remote()


def heard(ray: Any, board: Any, news: Any, told: bool, before: int) -> tuple[int, dict[str, Told]]:
    """The board's version and news; nothing if its node was lost. Ray starts it again, with version 0, and it is told
    again to stop.
    """
    try:
        version, progress = ray.get(news)
    except ray.exceptions.RayActorError:
        time.sleep(0.1)
        version, progress = 0, {}
    if told and version < before:
        board.stop.remote()
    return version, progress
