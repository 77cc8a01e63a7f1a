"""What a Ray task does: one run, which reports to the board and asks it with each report whether to stop."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.pulse import listening
from benchmark.schedule.hung import Place
from benchmark.schedule.job import Job, execute

Make = Callable[[Job, Callable[[int, int], bool]], "dict[str, Any] | None"]
"""What a worker does with a job instead of ``execute``: in tests, and where a fault is staged."""

REPORT_S = 1.0  # seconds between a worker's reports


def work(job: Job, board: Any, make: Make | None) -> dict[str, Any] | None:
    """The Ray task: one run, reporting to the board; nothing if everybody has been asked to stop meanwhile."""
    reporter = _Reporter(job, board)
    try:
        if reporter.begin():
            return None
    except reporter.lost:
        why = f"node {platform.node()} cannot reach the driver; if the cluster was started without a token, set RAY_AUTH_MODE=disabled for 'ganbench run'"
        raise GanbenchError(why) from None
    with listening(reporter.beat):
        return execute(job, reporter.tick, reporter.about) if make is None else make(job, reporter.tick)


def answer(ref: Any) -> Any:
    """``ray.get`` within a task, from another thread: a task whose main thread waits gives its core away, and another run starts on it."""
    import ray

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(ray.get, ref).result()


class _Reporter:
    """A run's word to the board: its steps, or only that it is alive; and the board's answer, whether to stop."""

    def __init__(self, job: Job, board: Any) -> None:
        import ray

        self._ray, self._board, self._key = ray, board, job.evaluation
        self._place: Place = (ray.get_runtime_context().get_node_id(), os.getpid())
        self.about: dict[str, Any] = {}  # what else to tell: ``execute`` keeps it up to date
        self.lost = ray.exceptions.RayActorError
        self._steps, self._last, self._pending, self._stop = (0, 0), 0.0, None, False

    def begin(self) -> bool:
        """The first word, waiting for the answer."""
        self._last = time.monotonic()
        return answer(self._board.report.remote(self._key, 0, 0, self._place, self.about))

    def tick(self, done: int, todo: int) -> bool:
        """So many steps are done; whether to stop."""
        self._steps = (done, todo)
        self.beat()
        return self._stop

    def beat(self) -> None:
        """Report, if the last report is long enough ago and was answered."""
        if self._pending is not None and self._ray.wait([self._pending], timeout=0)[0]:
            with suppress(self._ray.exceptions.RayActorError):  # the board is being started again
                self._stop = answer(self._pending) or self._stop
            self._pending = None
        if self._pending is None and time.monotonic() - self._last >= REPORT_S:
            self._last, self._pending = time.monotonic(), self._board.report.remote(self._key, *self._steps, self._place, self.about)
