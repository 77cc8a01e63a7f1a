"""What an executor does with one planned run, wherever it does it: in this process, or in a Ray worker."""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from benchmark.errors import UNSAID, GanbenchError, said
from benchmark.files import open_lock, take, why
from benchmark.outside.exits import failure
from benchmark.outside.running import arrived
from benchmark.pulse import doing
from benchmark.recipe import Protocol, Recipe
from benchmark.schedule.mirror import Mirror, mirror_of, workplace
from benchmark.schedule.runlog import logged

log = logging.getLogger(__name__)

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
    layout: str  # "auto" until the run begins, where its device is known
    until_epoch: int | None
    checkpoint_s: float
    images: int = 0  # of the training set
    size: float = 0.0  # how long it takes, by the plan and in its units
    priority: int = 0  # higher ones start first
    plugins: tuple[dict[str, Any], ...] = ()  # from outside the package: their source, and where it lies
    again: bool = False  # a checkpoint that other code has made is begun anew
    cluster: bool = False  # on a cluster, each node may have its own folders, and errors name the node


@dataclass(frozen=True)
class Event:
    """What an executor tells its driver: ``kind`` is "progress", "note", "done", "interrupted", "failed" or "blocked"
    (fits nowhere).
    """

    kind: str
    job: Job
    done: int = 0  # steps, of "progress"
    todo: int = 0
    about: dict[str, Any] | None = None  # of "progress": what ``execute`` has told of the run
    result: dict[str, Any] | None = None  # of "done"
    error: str = ""  # of "failed", "blocked" and "note": one line for a person
    trace: str = ""  # of "failed": for a bug report; empty for a GanbenchError


def execute(job: Job, tick: Callable[[int, int], bool], about: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Read the data, train, measure: ``train.run.run`` under this run's lock, with its log beside its checkpoints.

    Args:
        about: kept up to date meanwhile, small enough to travel with every report: "node", "device", and
            "last", the newest measurement ("step", and metric -> value).

    Raises:
        GanbenchError: data missing or altered, or another process is making this very run.
    """
    about = {} if about is None else about
    about |= {"node": platform.node(), "device": _device(job.device)}
    set_folders(job)
    folder, mirror = workplace(job.folder), mirror_of(job.folder)
    try:
        with _alone(folder), logged(folder) as log_file:
            try:
                mirror.pull(folder)
                result = _execute(job, folder, tick, about, mirror)
                if not (result and result["trouble"]):
                    mirror.release(folder)
                if result and log_file.lost and not result["trouble"]:
                    result["trouble"] = f"its log could not be written: {why(log_file.lost)}"
                return result
            except Exception as error:
                log.error("failed: %s", words := said(error))
                if words == UNSAID:
                    raise GanbenchError(f"{type(error).__name__}: {words}") from error
                raise
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                log.error("failed: %s", failed := failure(error))
                raise failed from error
    except GanbenchError as error:
        if not job.cluster:
            raise
        raise GanbenchError(f"on node {platform.node()}: {error}") from None


def _execute(
    job: Job, folder: Path, tick: Callable[[int, int], bool], about: dict[str, Any], mirror: Mirror
) -> dict[str, Any] | None:
    from benchmark.data.read import read
    from benchmark.train.run import run

    recipe, protocol = Recipe.from_json(job.recipe), Protocol.from_json(job.protocol)
    log.info(
        "%s (run %s, evaluation %s) on node %s, %s, process %d",
        job.name,
        job.key,
        job.evaluation,
        about["node"],
        about["device"],
        os.getpid(),
    )

    def tell(entry: dict[str, Any]) -> None:
        """Keeps the newest measurement where ``status`` and the screen find it."""
        about["last"] = {"step": entry["step"], **{m: entry[m]["value"] for m in protocol.metrics if m in entry}}

    with doing(f"reading {recipe.dataset}"):
        data = read(
            recipe.dataset,
            recipe.split,
            recipe.resolution,
            recipe.channels,
            recipe.data_percent,
            recipe.images,
            recipe.subset,
            recipe.crop,
            recipe.resize,
        )
    return run(
        recipe,
        protocol,
        job.seed,
        data,
        folder,
        until_epoch=job.until_epoch,
        device=job.device,
        threads=job.threads,
        layout=job.layout,
        checkpoint_s=job.checkpoint_s,
        tick=tick,
        tell=tell,
        anew=job.again,
        saved=lambda: mirror.push(folder),
    )


def set_folders(job: Job) -> None:
    """Where this process finds data, features, weights and plug-ins: on a cluster, what a node's own environment says
    goes before what the driver has.
    """
    arrived(job.plugins)
    for name, value in (
        ("GANBENCH_DATA", job.data_root),
        ("GANBENCH_CACHE", job.cache),
        ("GANBENCH_WEIGHTS", job.weights),
    ):
        if not (job.cluster and os.environ.get(name)):
            os.environ[name] = value


def _device(device: str) -> str:
    if not device.startswith("cuda"):
        return device
    import torch

    return torch.cuda.get_device_name()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the run's lock, so that two processes never write one run's checkpoints; freed when the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open_lock(folder / ".lock")
    except OSError as error:
        raise GanbenchError(
            f"cannot keep checkpoints in {folder}: {error.strerror}; give --checkpoints a folder that can be written"
        ) from None
    with lock:
        if not take(lock):
            with doing("waiting for another process"):
                _wait(lock, folder)
        yield


def _wait(lock: TextIO, folder: Path) -> None:
    deadline = time.monotonic() + LOCK_WAIT_S
    while not take(lock):
        if time.monotonic() > deadline:
            raise GanbenchError(
                f"{folder}: another process has been making this run for {LOCK_WAIT_S:.0f} s; wait for it or end it"
            )
        time.sleep(0.2)
