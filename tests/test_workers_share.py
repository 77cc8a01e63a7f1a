"""Forty processes of one machine that need the same reference at once: it is made by one, whoever dies on the way."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.metrics import extractors, floor, store
from benchmark.metrics import reference as references
from benchmark.recipe import Protocol
from tests.conftest import protocol, recipe

pytestmark = pytest.mark.slow

WORKERS = 40
LITE = "efficientnet-lite0"


class Pixels(torch.nn.Module):
    """Stands for a network: a few pixels as features and as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.flatten(1)[:, 300:308].float(), x.flatten(1)[:, :4].float()


PIXELS = extractors.Extractor(LITE, "0" * 64, 8, Pixels())


def measured() -> Protocol:
    return protocol(
        metrics=("IS", "FID", "KIDx1000", "precision", "recall"),
        is_splits=2,
        kid_subsets=3,
        kid_subset_size=20,
        jac_G_every_epochs=None,
        every_epochs=None,
        features=LITE,
        quantise="round",
        real_split="train",
        real=80,
        generated=60,
        std_of="splits",
    )


def _say(out: str, what: str, said: Any = None) -> None:
    (Path(out) / f"{what}-{os.getpid()}").write_text(json.dumps(said))


def _spy(out: str) -> None:
    """Every extraction and every measurement of a floor leaves a mark."""
    extract, measure = references.extract, floor.measure
    references.extract = lambda *a: _say(out, f"extracted-{time.monotonic_ns()}") or extract(*a)
    floor.measure = lambda *a: _say(out, "measured") or measure(*a)


def _work(cache: str, out: str, together: Barrier) -> None:
    os.environ["GANBENCH_CACHE"] = cache
    torch.set_num_threads(1)
    _spy(out)
    together.wait(120)
    real = references.reference(recipe(), measured(), PIXELS)
    beside = floor.real_floor(recipe(), measured(), PIXELS, real, None)
    _say(out, "found", [real.moments.mean.tolist(), real.features.tolist(), beside["metrics"]])


def _die_writing(cache: str, out: str) -> None:
    os.environ["GANBENCH_CACHE"] = cache
    torch.set_num_threads(1)

    def half(stream: Any, *rest: Any) -> None:
        stream.write(b"half a file")
        stream.flush()
        _say(out, "half")
        time.sleep(600)

    store.write = half
    references.reference(recipe(), measured(), PIXELS)


@pytest.fixture
def context() -> Any:
    """Children from one server that has imported everything: forty fresh interpreters would take minutes."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([__name__, "benchmark.data.read"])
    return found


def _started(context: Any, work: Any, *args: Any) -> Any:
    process = context.Process(target=work, args=args, daemon=True)  # none outlives the tests
    process.start()
    return process


def _finish(workers: list[Any], out: Path) -> None:
    """All of them come to the same numbers, and only one of them made each thing."""
    for w in workers:
        w.join(180)
    assert [w.exitcode for w in workers] == [0] * len(workers)
    found = [p.read_text() for p in out.glob("found-*")]
    assert (
        len(found) == len(workers)
        and len(set(found)) == 1
        and json.loads(found[0])[2].keys() == set(measured().metrics)
    )
    assert len(list(out.glob("extracted-*"))) == 2  # what is compared with, and the other images of the floor
    assert len(list(out.glob("measured-*"))) == 1


def test_forty_workers_that_start_together_make_a_reference_once(context: Any, tmp_path: Path) -> None:
    together = context.Barrier(WORKERS)
    workers = [_started(context, _work, str(tmp_path / "cache"), str(tmp_path), together) for _ in range(WORKERS)]
    _finish(workers, tmp_path)


def test_one_that_is_killed_in_the_middle_of_writing_leaves_its_place_to_one_of_forty(
    context: Any, tmp_path: Path
) -> None:
    victim = _started(context, _die_writing, str(tmp_path / "cache"), str(tmp_path))
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("half-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    together = context.Barrier(WORKERS + 1)
    workers = [_started(context, _work, str(tmp_path / "cache"), str(tmp_path), together) for _ in range(WORKERS)]
    together.wait(120)
    time.sleep(1)  # they wait for its lock
    assert not list(tmp_path.glob("found-*")) and not list(tmp_path.glob("extracted-*"))
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(30)
    _finish(workers, tmp_path)
    assert {p.suffix for p in (tmp_path / "cache" / "features").iterdir()} == {
        ".npz",
        ".json",
        ".lock",
    }  # nothing half written is left
