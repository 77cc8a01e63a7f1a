"""What a Ray task does: one run, which reports to the board and asks it with each report whether to stop."""

from __future__ import annotations

import functools
import os
import platform
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.pulse import listening, phase
from benchmark.records.provenance import adopt, code_version
from benchmark.schedule.hung import Place
from benchmark.schedule.job import Job, execute

Make = Callable[[Job, Callable[[int, int], bool]], "dict[str, Any] | None"]
"""What a worker does with a job instead of ``execute``: in tests, and where a fault is staged."""

REPORT_S = 1.0  # seconds between a worker's reports


def tasks(ray: Any, board: Any, make: Make | None, max_retries: int) -> Callable[[str, float, float], Any]:
    """The Ray task of a run by its node, cores and part of a GPU. What all runs have in common goes to a worker once,
    with the task.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    version = code_version()

    def one(job: Job) -> dict[str, Any] | None:
        """In the worker; None where it was stopped before its end."""
        adopt(version)
        return work(job, board, make)

    @functools.cache
    def task(node: str, cpus: float, gpu: float) -> Any:
        """Made once for each node, cores and part of a GPU; bound to the node as long as it lives."""
        there = NodeAffinitySchedulingStrategy(node, soft=True)  # soft: elsewhere, should the node be lost
        return remote[gpu > 0].options(name="work", num_cpus=cpus, num_gpus=gpu, scheduling_strategy=there)

    remote = {
        on_gpu: ray.remote(max_retries=max_retries, max_calls=int(on_gpu))(one) for on_gpu in (False, True)
    }  # a process keeps its first GPU, and memory on it
    return task


def work(job: Job, board: Any, make: Make | None) -> dict[str, Any] | None:
    """In a worker: one run, reporting to the board; nothing if everybody has been asked to stop meanwhile."""
    reporter = _Reporter(job, board)
    try:
        if reporter.begin():
            return None
    except reporter.lost:
        why = (
            f"node {platform.node()} cannot reach the driver; if the cluster was started without a token, set "
            "RAY_AUTH_MODE=disabled for 'ganbench run'"
        )
        raise GanbenchError(why) from None
    with listening(reporter.beat):
        try:
            return execute(job, reporter.tick, reporter.about) if make is None else make(job, reporter.tick)
        finally:
            _unheard.discard(reporter)


def answer(ref: Any) -> Any:
    """``ray.get`` within a task, from another thread: a task whose main thread waits gives its core away, and another
    run starts on it.
    """
    import ray

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(ray.get, ref).result()


_begun: tuple[Any, float] = (None, 0.0)
"""The board that last let a run of this process begin, and when."""

_unheard: set[_Reporter] = set()
"""Runs of this process that have not said their first word, or not that another phase has begun."""


@functools.cache
def _say_first_words() -> None:
    """From now on, a thread says the first word of a run, or its phase, that was not yet said after ``REPORT_S``.

    It needs Python's lock: a run that is stopped, or hangs in a call that keeps the lock, within its first second and
    after another short one in the same process, is not heard of and so not watched.
    """

    def say() -> None:
        """Every ``REPORT_S``, as long as the process lives."""
        while True:
            time.sleep(REPORT_S)
            for reporter in list(_unheard):
                with suppress(Exception):  # Ray's; the thread must outlive the run that met it
                    reporter.late()

    threading.Thread(target=say, daemon=True).start()


class _Reporter:
    """A run's word to the board: its steps, or only that it is alive; and the board's answer, whether to stop."""

    def __init__(self, job: Job, board: Any) -> None:
        import ray

        self._ray, self._board, self._key = ray, board, job.evaluation
        self._place: Place = (ray.get_runtime_context().get_node_id(), os.getpid())
        self.about: dict[str, Any] = {}  # what else to tell: ``execute`` keeps it up to date
        self.lost = ray.exceptions.RayActorError
        self._steps, self._last, self._pending, self._stop = (0, 0), 0.0, None, False
        self._phase: str | None = None  # that was reported last

    def begin(self) -> bool:
        """The first word, waiting for the answer; whether to stop.

        A run that begins within ``REPORT_S`` of another in this process goes by the other's answer, and says its first
        word
        when it has lasted as long: of many short runs, few ask the board.
        """
        global _begun
        self._last = time.monotonic()
        if _begun[0] == self._board and self._last - _begun[1] < REPORT_S:
            _unheard.add(self)
            _say_first_words()
            return False
        stop: bool = answer(self._report())
        if not stop:
            _begun = self._board, self._last
        return stop

    def late(self) -> None:
        """The first word, or that another phase has begun, if it is time; from another thread."""
        if time.monotonic() - self._last >= REPORT_S and self in _unheard:
            _unheard.discard(self)
            if phase() != self._phase:
                self._report()

    def tick(self, done: int, todo: int) -> bool:
        """So many steps are done; whether to stop."""
        self._steps = (done, todo)
        self.beat()
        return self._stop

    def beat(self) -> None:
        """Report, if the last report is long enough ago and was answered.

        By a future: to ``ray.wait`` for what is not there yet, if only for no time, gives the task's core away
        (``answer``).
        """
        if self._pending is not None and self._pending.done():
            with suppress(self._ray.exceptions.RayActorError):  # the board is being started again
                self._stop = self._pending.result() or self._stop
            self._pending = None
        if self._pending is None and time.monotonic() - self._last >= REPORT_S:
            _unheard.discard(self)
            self._last, self._pending = time.monotonic(), self._report().future()
        elif phase() != self._phase:  # which may last: it is said in a while if no other report says it
            _unheard.add(self)
            _say_first_words()

    def _report(self) -> Any:
        self._phase = phase()
        return self._board.report.remote(self._key, *self._steps, self._place, {**self.about, "phase": self._phase})
