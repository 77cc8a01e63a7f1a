"""Placement for real: one Ray cluster of three local nodes with declared GPUs, on which runs do nothing but note where
they are.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.errors import GanbenchError
from benchmark.plan.work import Work
from benchmark.schedule import ray_executor
from benchmark.schedule.job import Event, Job
from benchmark.schedule.ray_executor import run_on_ray
from benchmark.schedule.session import ENVIRONMENT
from benchmark.schedule.stop import Stop
from tests.test_demand import job, known, many

pytestmark = pytest.mark.slow

NODES = {  # GPUs of two speeds
    "fast": {"num_cpus": 6, "num_gpus": 2, "resources": {"accelerator_type:H100": 1}},
    "slow": {"num_cpus": 3, "num_gpus": 1, "resources": {"accelerator_type:V100": 1}},
}
SMALL = {"object_store_memory": 100 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, dict[str, str]]]:
    """Its address, and the nodes' names by Ray's ids: "plain" is the driver's, with cores alone."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (ENVIRONMENT | {"RAY_AUTH_MODE": "disabled"}).items():
            patch.setenv(name, value)
        import ray
        from ray.cluster_utils import Cluster

        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False, **SMALL})
        yield (
            made.address,
            {made.head_node.node_id: "plain"}
            | {made.add_node(**given, **SMALL).node_id: name for name, given in NODES.items()},
        )
        made.shutdown()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    known(tmp_path, {10: 0.5e9, 12: 40e9, 13: 500e9})


def noting(job: Job, tick) -> dict | None:
    """Where a run is, on which GPU, and from when to when: until as many as its seed says have begun."""
    import ray

    began = time.time()
    Path(job.folder, job.name).touch()
    while len(os.listdir(job.folder)) < job.seed and time.time() < began + 120:
        time.sleep(0.02)
        if tick(1, 2):
            return None
    return {
        "node": ray.get_runtime_context().get_node_id(),
        "gpus": [str(g) for g in ray.get_gpu_ids()],
        "pid": os.getpid(),
        "began": began,
        "ended": time.time(),
    }


def events(cluster, jobs: list[Job], begun: int, stop: Stop | None = None, **options) -> list[Event]:
    """What becomes of jobs that end when so many of them have begun."""
    folder = tempfile.mkdtemp()
    jobs = [dataclasses.replace(one, folder=folder, seed=begun) for one in jobs]
    return [
        e
        for e in run_on_ray(jobs, stop or Stop(), address=cluster[0], cpus=None, make=noting, **options)
        if e.kind != "progress"
    ]


def together(spans: list[dict]) -> int:
    """How many overlap at most."""
    return max(sum(a["began"] <= b["began"] < a["ended"] for a in spans) for b in spans)


def test_small_runs_share_gpus_big_ones_go_where_they_fit_and_one_that_fits_nowhere_is_said_first(cluster) -> None:
    jobs = [*many(10, 8), job(12, "big", priority=1), job(13, "too big")]
    seen = events(cluster, jobs, 7)
    assert seen[0].kind == "blocked" and seen[0].job.name == "too big"
    assert (
        "asks for 1 CPU and a GPU with 500 GB, as estimated" in seen[0].error
        and ": 6 CPU, 2 H100 with 80 GB" in seen[0].error
        and ": 2 CPU, no GPU" in seen[0].error
    )
    assert {e.kind for e in seen[1:]} == {"done"} and len(seen) == len(jobs)
    found = {e.job.name: e.result for e in seen[1:]}
    assert cluster[1][found["big"]["node"]] == "fast"
    by_gpu = defaultdict(list)
    for result in found.values():
        (gpu,) = result["gpus"]
        by_gpu[cluster[1][result["node"]], gpu].append(result)
    assert set(by_gpu) == {("fast", "0"), ("fast", "1"), ("slow", "0")}
    assert sorted(together(spans) for spans in by_gpu.values()) == [1, 3, 3], (
        "the big one has a GPU for itself; the others are shared by three, one a core"
    )
    assert len({r["pid"] for r in found.values()}) == len(found), (
        "a process that has used a GPU makes no second run: it would stay on that GPU"
    )


def test_the_faster_gpu_goes_first_and_cpu_runs_stay_off_gpu_nodes(cluster, tmp_path: Path) -> None:
    known(tmp_path, {10: 0.5e9}, Work(conv=1e12, calls=10))
    seen = events(cluster, many(10, 2), 2)
    assert {cluster[1][e.result["node"]] for e in seen} == {"fast"} and len({e.result["gpus"][0] for e in seen}) == 2, (
        "of three GPUs, none shared"
    )
    seen = events(cluster, [job(10, f"c{i}", device="cpu") for i in range(3)], 2)
    assert (
        {cluster[1][e.result["node"]] for e in seen} == {"plain"}
        and len(seen) == 3
        and all(e.kind == "done" for e in seen)
    )


def test_priority_a_limit_of_runs_and_a_stated_share(cluster) -> None:
    jobs = [job(10, f"r{i}", priority=i) for i in range(3)]
    seen = events(cluster, jobs, 1, gpu_share=0.5, max_parallel=1)
    assert [e.job.name for e in seen] == ["r2", "r1", "r0"] and together([e.result for e in seen]) == 1
    assert subprocess.run(["false"], check=False).returncode == 1, "Ray has this process ignore how its children end"


def test_the_next_run_starts_before_what_became_of_one_is_told(cluster, tmp_path: Path) -> None:
    """So that no core waits while a record is written."""
    folder = tmp_path / "begun"
    folder.mkdir()
    jobs = [dataclasses.replace(one, folder=str(folder), seed=1) for one in many(10, 2)]
    begun = []
    for event in run_on_ray(jobs, Stop(), address=cluster[0], cpus=None, make=noting, max_parallel=1):
        until = time.monotonic() + 60
        while event.kind == "done" and len(os.listdir(folder)) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        begun += [len(os.listdir(folder))] if event.kind == "done" else []
    assert begun == [2, 2]


def test_over_time_all_runs_are_asked_to_stop(cluster) -> None:
    with Stop(time.monotonic() + 10) as stop:
        began, seen = time.monotonic(), events(cluster, many(10, 30), 99, stop)
    assert {e.kind for e in seen} == {"interrupted"} and len(seen) == 30 and time.monotonic() - began < 100, (
        "by themselves they end after 120 s"
    )


def test_what_none_can_take_ends_the_launch_at_once(cluster) -> None:
    with pytest.raises(
        GanbenchError,
        match=r"run 13 asks for 1 CPU and a GPU with 500 GB.*, which no node has \(.*6 CPU, 2 H100 with 80 GB.*; "
        r"nor can they take the 1 others",
    ):
        events(cluster, [job(13), job(13, "another")], 1)


def test_what_the_driver_says_of_a_gpu_goes_before_what_its_name_says(tmp_path: Path) -> None:
    """A stand-in for ``nvidia-smi`` that knows of two GPUs."""
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 40960\necho 81920\n")
    smi.chmod(0o755)
    code = "from benchmark.schedule.machines import gpu_memory; print(gpu_memory())"
    for path, said in ((f"{tmp_path}:{os.environ['PATH']}", str(40960.0 * 2**20)), (str(tmp_path / "nowhere"), "None")):
        assert (
            subprocess.run(
                [sys.executable, "-c", code], env={**os.environ, "PATH": path}, capture_output=True, text=True
            ).stdout.strip()
            == said
        )


HOLDS = """
import ray, sys, time
ray.init(address=sys.argv[1], log_to_driver=False)
hold = ray.remote(num_cpus=1)(lambda: time.sleep(300))
held = [hold.remote() for _ in range(11)]
while ray.available_resources().get("CPU", 0) > 0:
    time.sleep(0.1)
print("held", flush=True)
time.sleep(300)
"""


def test_a_stop_does_not_wait_for_what_others_keep_from_beginning(cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_executor, "LEAVE_S", 3.0)
    with subprocess.Popen([sys.executable, "-c", HOLDS, cluster[0]], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None and other.stdout.readline() == "held\n"
            with Stop(time.monotonic() + 5) as stop:
                began, seen = time.monotonic(), events(cluster, many(10, 4), 99, stop)
        finally:
            other.kill()
    assert [e.kind for e in seen] == ["interrupted"] * 4 and time.monotonic() - began < 60
