"""``--executor inline``: one run after the other in this process, for debugging and tiny suites."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.pulse import listening, phase
from benchmark.schedule.gpu import why_no_gpu
from benchmark.schedule.hung import ending_if_hung
from benchmark.schedule.job import Event, Job, execute
from benchmark.schedule.mirror import workplace
from benchmark.schedule.runlog import NAME
from benchmark.schedule.stop import Stop

REPORT_S = 0.5  # between two reports of a run


def run_inline(jobs: Sequence[Job], stop: Stop, hung_s: float, tell: Callable[[Event], None]) -> Iterator[Event]:
    """Events of every job, in order. How far it is goes to ``tell`` meanwhile, since nothing runs beside it.

    One that gives no sign of life for ``hung_s`` seconds ends the process.
    """
    found = "cpu" if why_no_gpu() else "cuda"
    stop.begun = True
    for job in (replace(job, device=found if job.device == "auto" else job.device) for job in jobs):
        if stop.asked:
            yield Event("interrupted", job)
            continue
        yield Event("progress", job)
        try:
            with ending_if_hung(job.name, hung_s, workplace(job.folder) / NAME) as alive:
                told = _Told(job, stop, alive, tell)
                with listening(told.beat):
                    result = execute(job, told.tick, told.about)
        except GanbenchError as error:
            yield Event("failed", job, error=str(error))
        except Exception as error:  # one run's failure is reported and must not end the suite
            yield Event("failed", job, error=f"{type(error).__name__}: {error}", trace=traceback.format_exc())
        else:
            yield told.event()
            yield Event("interrupted", job) if result is None else Event("done", job, result=result)


@dataclass
class _Told:
    """What a run in this process tells, and when it last did."""

    job: Job
    stop: Stop
    alive: Callable[[], None]
    tell: Callable[[Event], None]
    about: dict[str, Any] = field(default_factory=dict)
    steps: tuple[int, int] = (0, 0)
    phase: str = ""
    last: float = 0.0

    def tick(self, done: int, todo: int) -> bool:
        """So many steps are done; whether to stop."""
        self.steps = (done, todo)
        self.beat()
        return self.stop.asked

    def beat(self) -> None:
        """A sign of life; told at the beginning of another phase, and every ``REPORT_S``."""
        self.alive()
        if phase() != self.phase or time.monotonic() - self.last >= REPORT_S:
            self.tell(self.event())
            self.phase, self.last = phase(), time.monotonic()

    def event(self) -> Event:
        """How far it is."""
        return Event("progress", self.job, *self.steps, {**self.about, "phase": phase()})
