"""What became of a task of Ray's, as an event."""

from __future__ import annotations

from typing import Any

from benchmark.errors import GanbenchError
from benchmark.schedule.cluster import ClusterLost
from benchmark.schedule.hung import HungWatch
from benchmark.schedule.job import Event, Job
from benchmark.schedule.memory import GPU, HOST, gpu_memory

MAX_RETRIES = 3  # of a run whose worker or node was lost; it goes on from its checkpoint


def outcome(ray: Any, ref: Any, job: Job, watch: HungWatch) -> Event:
    """A finished task as an event; "crowded", with what was short, if it ran out of memory. Errors are told apart by
    type: their messages may be empty.
    """
    try:
        result = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, GanbenchError):
            return Event("failed", job, error=str(cause))
        if gpu_memory(cause) or isinstance(cause, MemoryError):
            return Event("crowded", job, error=GPU if gpu_memory(cause) else HOST, trace=str(error))
        return Event("failed", job, error=f"{type(cause).__name__}: {cause}", trace=str(error))
    except ray.exceptions.OutOfMemoryError as error:
        return Event("crowded", job, error=HOST, trace=str(error))
    except ray.exceptions.LocalRayletDiedError:
        raise ClusterLost("Ray on this machine has ended unexpectedly") from None
    except ray.exceptions.RayError as error:
        hung = f", {n} of them because it gave no sign of life" if (n := watch.ended.get(job.evaluation)) else ""
        return Event(
            "failed",
            job,
            error=f"its worker was lost {MAX_RETRIES + 1} times{hung} ({type(error).__name__})",
            trace=str(error),
        )
    return Event("interrupted", job) if result is None else Event("done", job, result=result)
