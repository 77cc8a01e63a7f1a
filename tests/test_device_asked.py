"""A GPU that was asked for and is not there: said before anything is started; one that torch cannot use is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.plan.plan import make_plan
from benchmark.schedule import ray_executor
from benchmark.schedule.job import Job
from benchmark.schedule.launch import Options, _jobs
from benchmark.schedule.stop import Stop
from benchmark.suite.load import load

SUITE = Path("suites/theory.yaml")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose torch finds none, whatever this one has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def ray_finds(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What a Ray that was never started says it has; the placing of jobs is not reached."""
    resources: dict[str, float] = {"CPU": 2.0}

    @contextmanager
    def session(address: str | None, cpus: int | None) -> Iterator[tuple[object, object]]:
        yield SimpleNamespace(cluster_resources=lambda: resources), SimpleNamespace(check_head=None)

    monkeypatch.setattr(ray_executor, "session", session)
    monkeypatch.setattr(ray_executor.nodes, "check", lambda *_: None)
    monkeypatch.setattr(ray_executor, "Machines", lambda ray: ray)
    return resources


def jobs(tmp_path: Path, device: str) -> list[Job]:
    runs = make_plan(load(SUITE, "ci").cells[:2], [0], {}).runs
    return _jobs(runs, tmp_path, Options(device=device))


def chosen(monkeypatch: pytest.MonkeyPatch, given: list[Job], address: str | None) -> set[str]:
    """On which devices the jobs would be made."""
    placed: list[Job] = []

    def places(machines: object, jobs: list[Job], *_: object) -> object:
        placed.extend(jobs)
        raise GanbenchError("enough")

    monkeypatch.setattr(ray_executor, "Places", places)
    with pytest.raises(GanbenchError, match="enough"):
        next(ray_executor.run_on_ray(given, Stop(), address=address, cpus=None))
    return {job.device for job in placed}


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("executor", ["inline", "ray"])
def test_no_run_is_tried_without_the_gpu_that_was_asked_for(
    executor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_executor, "session", lambda *_: pytest.fail("Ray was started"))
    words = ["run", "theory", "--profile", "ci", "--only", "table=2", "--results", str(tmp_path)]
    assert main([*words, "--device", "cuda", "--executor", executor]) == 2
    assert "--device cuda: " in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", [None, "auto"])
@pytest.mark.usefixtures("ray_finds")
def test_no_run_is_placed_where_ray_has_no_gpu(address: str | None, tmp_path: Path) -> None:
    with pytest.raises(GanbenchError, match="--device cuda: no node .*has a GPU") as error:
        next(ray_executor.run_on_ray(jobs(tmp_path, "cuda"), Stop(), address=address, cpus=None))
    assert error.value.exit_code == 2


@pytest.mark.usefixtures("no_gpu")
def test_a_gpu_that_torch_cannot_use_is_not_chosen_here_and_a_clusters_is(
    ray_finds: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chosen(monkeypatch, jobs(tmp_path, "auto"), None) == {"cpu"}
    ray_finds["GPU"] = 1.0
    assert chosen(monkeypatch, jobs(tmp_path, "auto"), None) == {"cpu"}, "of a torch without CUDA"
    assert chosen(monkeypatch, jobs(tmp_path, "auto"), "auto") == {"cuda"}, "the driver needs none itself"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen(monkeypatch, jobs(tmp_path, "auto"), None) == {"cuda"}
    assert chosen(monkeypatch, jobs(tmp_path, "cpu"), None) == {"cpu"}


@pytest.mark.usefixtures("no_gpu")
def test_calibrating_a_gpu_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--device", "cuda"]) == 2
    said = capsys.readouterr()
    assert "there is no GPU here" in said.err and not said.out
