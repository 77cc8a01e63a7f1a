"""What an executor does with one planned run, wherever it does it: in this process, or in a Ray worker."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.recipe import Protocol, Recipe

LOCK_WAIT_S = 60.0  # a worker of a killed driver may need this long to notice and go


@dataclass(frozen=True)
class Job:
    """One run, as it travels to a worker: plain data, nothing to be read again there."""

    key: str
    evaluation: str
    seed: int
    name: str
    recipe: dict[str, Any]
    protocol: dict[str, Any]
    folder: str  # for its checkpoints
    data_root: str
    weights: str  # of the Inception network; "" for where torch-fidelity keeps them
    cache: str  # where features of real images are kept
    device: str  # "cpu", "cuda", or "auto" until an executor knows what there is
    threads: int
    channels_last: bool
    until_epoch: int | None
    checkpoint_s: float
    images: int = 0  # of the training set
    size: float = 0.0  # how long it takes, by the plan and in its units
    priority: int = 0  # higher ones start first


@dataclass(frozen=True)
class Event:
    """What an executor tells its driver: ``kind`` is "progress", "note", "done", "interrupted", "failed" or "blocked" (fits nowhere)."""

    kind: str
    job: Job
    done: int = 0  # steps, of "progress"
    todo: int = 0
    result: dict[str, Any] | None = None  # of "done"
    error: str = ""  # of "failed", "blocked" and "note": one line for a person
    trace: str = ""  # of "failed": for a bug report; empty for a GanbenchError


def execute(job: Job, tick: Callable[[int, int], bool]) -> dict[str, Any] | None:
    """Read the data, train, measure: ``train.run.run`` under this run's lock.

    Raises:
        GanbenchError: data missing or altered, or another process is making this very run.
    """
    from benchmark.data.read import read
    from benchmark.train.run import run

    os.environ["GANBENCH_DATA"], os.environ["GANBENCH_CACHE"] = job.data_root, job.cache
    os.environ["GANBENCH_WEIGHTS"] = job.weights
    recipe, protocol = Recipe.from_json(job.recipe), Protocol.from_json(job.protocol)
    with _alone(Path(job.folder)):
        data = read(recipe.dataset, recipe.split, recipe.resolution, recipe.channels, recipe.data_percent, recipe.images, recipe.subset, recipe.crop, recipe.resize)
        return run(
            recipe,
            protocol,
            job.seed,
            data,
            Path(job.folder),
            until_epoch=job.until_epoch,
            device=job.device,
            threads=job.threads,
            channels_last=job.channels_last,
            checkpoint_s=job.checkpoint_s,
            tick=tick,
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the run's lock, so that two processes never write one run's checkpoints; freed when the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise GanbenchError(f"cannot keep checkpoints in {folder}: {error.strerror}") from None
    with lock:
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise GanbenchError(f"{folder}: another process has been making this run for {LOCK_WAIT_S:.0f} s; wait for it or end it") from None
                time.sleep(0.2)
        yield
