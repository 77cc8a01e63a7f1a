"""``--executor inline``: one run after the other in this process, for debugging and tiny suites."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.schedule.gpu import why_no_gpu
from benchmark.schedule.hung import ending_if_hung
from benchmark.schedule.job import Event, Job, execute
from benchmark.schedule.mirror import workplace
from benchmark.schedule.runlog import NAME
from benchmark.schedule.stop import Stop


def run_inline(jobs: Sequence[Job], stop: Stop, hung_s: float) -> Iterator[Event]:
    """Events of every job, in order; progress is told at the end of each, since nothing runs beside it.

    One that gives no sign of life for ``hung_s`` seconds ends the process.
    """
    found = "cpu" if why_no_gpu() else "cuda"
    stop.begun = True
    for job in (replace(job, device=found if job.device == "auto" else job.device) for job in jobs):
        if stop.asked:
            yield Event("interrupted", job)
            continue
        seen: deque[tuple[int, int]] = deque(maxlen=1)
        about: dict[str, Any] = {}
        yield Event("progress", job)
        try:
            with ending_if_hung(job.name, hung_s, workplace(job.folder) / NAME) as alive:
                result = execute(job, _tick(seen, stop, alive), about)
        except GanbenchError as error:
            yield Event("failed", job, error=str(error))
        except Exception as error:  # one run's failure is reported and must not end the suite
            yield Event("failed", job, error=f"{type(error).__name__}: {error}", trace=traceback.format_exc())
        else:
            if seen:
                yield Event("progress", job, *seen[0], about)
            yield Event("interrupted", job) if result is None else Event("done", job, result=result)


def _tick(seen: deque[tuple[int, int]], stop: Stop, alive: Callable[[], None]) -> Callable[[int, int], bool]:
    def tick(done: int, todo: int) -> bool:
        """A sign of life with steps done and to do; whether to stop."""
        alive()
        seen.append((done, todo))
        return stop.asked

    return tick
