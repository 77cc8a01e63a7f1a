"""``ganbench run`` on nodes whose GPUs are only declared: a run that shares one meets torch's own error in the midst of
training.

    python -m tests.faults.full_gpu run SUITE --device cuda --gpu-share 0.5 --address A …

A run that has a GPU to itself is made, on the CPU.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable

from benchmark.cli import main
from benchmark.schedule import ray_executor
from benchmark.schedule.job import Job, execute

STEPS = 100


def make(job: Job, tick: Callable[[int, int], bool]) -> dict | None:
    """Train; out of memory after ``STEPS`` steps on a part of a GPU."""
    import ray
    import torch

    shares = ray.get_runtime_context().get_assigned_resources()["GPU"] < 1

    def step(done: int, todo: int) -> bool:
        if shares and done >= STEPS:
            raise torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.25 GiB of "
                "which 9.38 MiB is free."
            )
        return tick(done, todo)

    return execute(dataclasses.replace(job, device="cpu"), step)


if __name__ == "__main__":
    from tests.faults.full_gpu import make  # under its own name, by which workers find it

    ray_executor.run_on_ray = functools.partial(ray_executor.run_on_ray, make=make)
    sys.exit(main())
