"""Faults that need a cluster and a run that misbehaves as told, played once each: one JSON line an event.

python -m tests.faults.scenes FOLDER runs     a cluster keeps; runs hang, crash, and run out of memory
python -m tests.faults.scenes FOLDER nodes    nodes and then the head are lost
python -m tests.faults.scenes FOLDER memory   the host's memory fills until Ray ends the run (by hand: it takes 3 GB)
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.errors import GanbenchError
from benchmark.plan.plan import make_plan
from benchmark.pulse import beat
from benchmark.schedule import cluster as cluster_room
from benchmark.schedule import launch, ray_executor, session
from benchmark.schedule.job import Event, Job
from benchmark.schedule.stop import Stop
from benchmark.suite.load import load

HUNG_S = 6.0
Tick = Callable[[int, int], bool]


class OutOfMemoryError(RuntimeError):
    """By torch's name; torch itself takes longer to import than a run may be silent here, and a process makes one run
    on a GPU.
    """


def job(folder: Path, name: str, device: str = "cpu") -> Job:
    """A job that says what ``make`` is to do."""
    run = make_plan(load(Path(__file__).with_name("suite.yaml")).cells[:1], [0], {}).runs[0]
    return dataclasses.replace(
        launch._jobs([run], folder, launch.Options(device=device))[0],
        key=name,
        evaluation=name,
        name=name,
        folder=str(folder / name),
    )


def make(job: Job, tick: Tick) -> dict | None:
    """Misbehave as the job's name says, the first time."""
    import ray

    folder = Path(job.folder)
    folder.mkdir(exist_ok=True)
    attempt = len(list(folder.iterdir())) + 1
    (folder / f"attempt-{attempt}").touch()
    context = ray.get_runtime_context()
    has = {k: v for k, v in context.get_assigned_resources().items() if k in ("CPU", "GPU")}
    tick(attempt, 10)
    globals()[job.name](attempt, has, tick, folder)
    return {"attempt": attempt, "has": has, "node": context.get_node_id()}


def hangs(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    if attempt == 1:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        time.sleep(600)


def evaluates(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    end = time.monotonic() + 1.7 * HUNG_S
    while time.monotonic() < end:
        time.sleep(0.3)
        beat()


def fills_the_gpu(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    if has["GPU"] < 1:
        raise OutOfMemoryError("Tried to allocate 20.00 GiB")


def always_fills_the_gpu(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    raise RuntimeError("CUDA out of memory. Tried to allocate 2000.00 GiB")


def fills_the_host(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    if has["CPU"] < 2:
        raise MemoryError


def really_fills_the_host(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    held = []
    while has["CPU"] < 2:
        held.append(b"x" * 2**26)
        time.sleep(0.05)


def leaves_a_child(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    if attempt == 1:
        child = subprocess.Popen(["sleep", "1000"])
        (folder.parent / "child").write_text(str(child.pid))
        os.kill(os.getpid(), signal.SIGKILL)


def waits(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    """Done at once; it is the queue that takes long."""


def stays(attempt: int, has: dict, tick: Tick, folder: Path) -> None:
    while attempt == 1 and not tick(attempt, 10):
        time.sleep(0.1)


needs_the_gpu = loses_its_head = stays


def play(events: Iterator[Event], react: Callable[[Event], object] = lambda event: None) -> None:
    """Print every event, and react to it."""
    try:
        for event in events:
            print(
                json.dumps(
                    {
                        "at": round(time.monotonic(), 1),
                        "kind": event.kind,
                        "name": event.job.name,
                        "error": event.error,
                        "result": event.result,
                    }
                ),
                flush=True,
            )
            react(event)
    except GanbenchError as error:
        print(
            json.dumps({"kind": "ended", "name": type(error).__name__, "error": str(error), "result": None}), flush=True
        )


def main(folder: Path, scene: str) -> None:
    """Play one scene on a cluster whose head takes no runs."""
    for name, value in (session.ENVIRONMENT | {"RAY_AUTH_MODE": "disabled"}).items():
        os.environ[name] = value
    if scene == "memory":
        used = 1 - int(
            next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemAvailable" in line).split()[1]
        ) / int(Path("/proc/meminfo").read_text().split()[1])
        os.environ["RAY_memory_usage_threshold"] = str(used + 0.1)
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "include_dashboard": False,
            "temp_dir": str(folder / "ray"),
            "object_store_memory": 100 * 2**20,
        },
    )
    first = cluster.add_node(num_cpus=2, num_gpus=1, object_store_memory=100 * 2**20)
    options = {"address": cluster.address, "cpus": None, "gpu_share": 0.5, "make": make}
    with Stop() as stop:
        if scene == "runs":
            names = [
                ("hangs", "cpu"),
                ("evaluates", "cpu"),
                ("fills_the_gpu", "cuda"),
                ("always_fills_the_gpu", "cuda"),
                ("fills_the_host", "cpu"),
                ("leaves_a_child", "cpu"),
                ("waits", "cpu"),
            ]
            play(ray_executor.run_on_ray([job(folder, *n) for n in names], stop, hung_s=HUNG_S, **options))
        elif scene == "memory":
            play(ray_executor.run_on_ray([job(folder, "really_fills_the_host")], stop, **options))
        else:
            nodes(folder, cluster, first, stop, options)
    print("the driver goes on", flush=True)
    for node in (*cluster.worker_nodes, cluster.head_node):
        node.kill_all_processes(check_alive=False, allow_graceful=False, wait=False)
    os._exit(0)  # as the command line does after ClusterLost: without its head, a thread of Ray's can crash at exit


def nodes(folder: Path, cluster, first, stop: Stop, options: dict) -> None:
    """A node is lost and another takes its runs, but for the one that needs a GPU; then the head is lost."""
    cluster_room.NODES_S, cluster_room.NO_NODE_S, cluster_room.AWAY_S = 1.0, 2.0, 5.0
    lost = threading.Event()

    def lose_the_node(event: Event) -> None:
        if event.kind == "progress" and event.done and not lost.is_set() and len(list(folder.glob("*/attempt-1"))) == 2:
            lost.set()
            cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
            cluster.remove_node(first, allow_graceful=False)

    def lose_the_head(event: Event) -> None:
        if event.kind == "progress" and event.done and cluster.head_node.live_processes():
            cluster.head_node.kill_gcs_server()

    play(
        ray_executor.run_on_ray([job(folder, "stays"), job(folder, "needs_the_gpu", "cuda")], stop, **options),
        lose_the_node,
    )
    play(ray_executor.run_on_ray([job(folder, "loses_its_head")], stop, **options), lose_the_head)


if __name__ == "__main__":
    from tests.faults.scenes import main  # under its own name, by which workers find it

    main(Path(sys.argv[1]), sys.argv[2])
