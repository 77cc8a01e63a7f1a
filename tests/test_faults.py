"""Faults: hung runs, full memory, lost nodes and heads, damaged records. ``tests/faults/inject.py`` mixes many more."""

from __future__ import annotations

import itertools
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest
import torch

from benchmark.cli import main
from benchmark.plan.plan import make_plan
from benchmark.pulse import beat, listening
from benchmark.records import store
from benchmark.records.furthest import by_evaluation
from benchmark.schedule.board import heard
from benchmark.schedule.cluster import Cluster, ClusterLost
from benchmark.schedule.hung import HungWatch, ending_if_hung
from benchmark.schedule.launch import Options, run_plan
from benchmark.schedule.memory import GPU, HOST, gpu_memory, with_room
from benchmark.suite.load import load
from benchmark.train import checkpoint
from tests.conftest import ROOT, protocol, recipe
from tests.faults import head
from tests.faults.inject import disturb
from tests.faults.stage import outcomes

pytestmark = pytest.mark.slow

SUITE = Path("tests/faults/suite.yaml")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def looks(watch: HungWatch, clock: Clock, seconds: int) -> list[str]:
    """What is found hung in so many looks, one a second."""
    found = []
    for _ in range(seconds):
        clock.now += 1
        found += [key for key, _ in watch.look()]
    return found


def test_a_run_is_hung_once_it_was_not_heard_of_for_long() -> None:
    clock = Clock()
    watch = HungWatch(60, clock)
    assert not looks(watch, clock, 500), "what waits in a queue was never heard of"
    watch.heard("a", ("node", 7))
    for _ in range(20):
        watch.heard("b", ("node", 8))
        assert not looks(watch, clock, 3)
    assert looks(watch, clock, 1) == ["a"] and watch.ended == {"a": 1}
    assert looks(watch, clock, 500) == ["b"], "what was ended waits to be started again"


@pytest.mark.parametrize("jump", [86400.0, -86400.0])
def test_time_in_which_the_watcher_slept_makes_nobody_hung(jump: float) -> None:
    clock = Clock()
    watch = HungWatch(60, clock)
    watch.look()
    watch.heard("a", ("node", 7))
    clock.now += jump
    assert not watch.look() and not looks(watch, clock, 50)
    assert looks(watch, clock, 30) == ["a"]


def test_what_is_asked_for_after_memory_was_short() -> None:
    nodes = [{"CPU": 4.0, "GPU": 2.0}, {"CPU": 16.0}]
    assert with_room(GPU, {"CPU": 1, "GPU": 0.25}, nodes) == {"CPU": 1, "GPU": 1.0}
    assert with_room(GPU, {"CPU": 1, "GPU": 1.0}, nodes) is None
    assert with_room(HOST, {"CPU": 1}, nodes) == {"CPU": 16.0} and with_room(HOST, {"CPU": 16.0}, nodes) is None
    assert with_room(HOST, {"CPU": 1, "GPU": 0.5}, nodes) == {"CPU": 4.0, "GPU": 0.5}
    assert gpu_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling")) and not gpu_memory(
        MemoryError()
    )


def test_measuring_and_reading_give_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In none of these loops does a step end; each must be heard of, or a long one would be taken for hung."""
    from benchmark.data.threads import mapped
    from benchmark.metrics.images import batches
    from benchmark.train.evaluate import evaluate
    from benchmark.train.gan import Gan

    heard: list[int] = []
    count = itertools.count()
    with listening(lambda: heard.append(next(count))):
        for loop, least in (
            (lambda: evaluate(Gan(recipe(), 0), protocol(generated=64), 0, 0, 0, True), 4),
            (lambda: list(batches(lambda: iter(torch.zeros(6, 2, 3, 8, 8)), None, 4)), 6),
            (lambda: list(mapped(str, 1000)), 2),
        ):
            heard.clear()
            loop()
            assert len(heard) >= least
    heard.clear()
    beat()
    assert not heard, "nobody listens any more"


HANGS = """
import sys, time
from benchmark.cli import main
from benchmark.schedule import inline

def execute(job, tick, about):
    tick(1, 2)
    time.sleep(600)

inline.execute = execute
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_that_hangs_in_this_process_ends_it_and_says_where(tmp_path: Path) -> None:
    words = [
        "run",
        str(SUITE),
        "--results",
        str(tmp_path),
        "--executor",
        "inline",
        "--device",
        "cpu",
        "--hung-after",
        "0.03min",
    ]
    (folders := tmp_path / "runs").mkdir()
    for run in make_plan(load(SUITE).cells, [0], {}).runs:
        (folders / run.key).mkdir()  # ``execute`` would make it
    done = subprocess.run([sys.executable, "-c", HANGS, *words], capture_output=True, text=True, timeout=120, cwd=ROOT)
    (log,) = folders.glob("*/run.log")
    assert (
        done.returncode == 1
        and f"gave no sign of life for 2 s; {log} says where it hangs; its checkpoint is kept: run the same "
        "command again"
        in done.stderr
    )
    assert "Traceback" not in done.stderr and " in execute\n" in log.read_text(encoding="utf-8")


def test_steps_and_beats_are_signs_of_life_of_a_run_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(HungWatch, "heard", lambda self, key, place: heard.append(key))
    with ending_if_hung("a", 3600, tmp_path / "log") as alive:
        beat()
        alive()
    beat()
    assert heard == ["a"] * 3, "its start, and two"


class _Ray:
    """As much of ray as ``Cluster`` asks for, with no head at its address."""

    gcs_address = "127.0.0.1:9"

    def get_runtime_context(self) -> _Ray:
        return self

    def get_node_id(self) -> str:
        return "here"

    def nodes(self) -> list[dict]:
        return [{"Alive": True, "Resources": {"CPU": 2.0}}]


def listening_at(port: int) -> socket.socket:
    """Stands for a head."""
    return socket.create_server(("127.0.0.1", port))


def test_a_head_that_comes_back_as_another_is_told_from_one_that_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another head may not even be spoken to: Ray would end the process."""
    monkeypatch.setattr("benchmark.schedule.cluster.PROBE_S", 0.0)
    same, asked = [True], []
    monkeypatch.setattr(Cluster, "_is_the_same", lambda self: asked.append(1) or same[0])
    head = listening_at(0)
    port = head.getsockname()[1]
    monkeypatch.setattr(_Ray, "gcs_address", f"127.0.0.1:{port}")
    cluster = Cluster(_Ray())
    for _ in range(3):
        cluster.check_head()
    assert not asked and not cluster.is_gone()
    head.close()
    cluster.check_head()
    assert cluster.is_gone(), "no leave is taken of it now"
    head = listening_at(port)
    same[0] = None
    cluster.check_head()
    assert cluster.is_gone() and len(asked) == 2, "it answers, and has not said yet whether it is the same"
    asked.clear()
    same[0] = True
    cluster.check_head()
    cluster.check_head()
    assert len(asked) == 1, "it was away, and is the same"
    same[0] = False
    head.close()
    head = listening_at(port)
    with head, pytest.raises(ClusterLost, match="restarted.*run the same command again"):
        cluster.check_head()  # it was away between two looks
    assert len(asked) == 2 and cluster.is_gone()


def test_a_board_that_was_started_again_is_told_again_to_stop() -> None:
    """Ray asks the new one the old question, so that its first answer is all that is seen of the change."""
    stops = []
    board = SimpleNamespace(stop=SimpleNamespace(remote=lambda: stops.append(1)))
    ray = SimpleNamespace(get=lambda answer: answer, exceptions=SimpleNamespace(RayActorError=ConnectionError))
    assert heard(ray, board, (58, {}), True, 57) == (58, {}) and heard(ray, board, (0, {}), False, 57) == (0, {})
    assert not stops
    assert heard(ray, board, (0, {}), True, 57) == (0, {}) and len(stops) == 1


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: Ray's sockets allow 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def scene(folder: Path, name: str) -> list[dict]:
    """The events of a scene, in order."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.scenes", str(folder), name],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0 and "the driver goes on" in done.stdout, done.stderr[-2000:]
    read = json.JSONDecoder().raw_decode  # what Ray says of a dead node may follow on the line
    return [read(line)[0] for line in done.stdout.splitlines() if line.startswith("{")]


def ends(events: list[dict]) -> dict[str, dict]:
    return {e["name"]: e for e in events if e["kind"] in ("done", "failed", "ended")}


def said(events: list[dict], name: str) -> list[str]:
    return [e["error"] for e in events if e["kind"] == "note" and e["name"] == name]


def test_runs_that_hang_crash_or_fill_the_memory(short: Path) -> None:
    events = scene(short, "runs")
    end = ends(events)
    assert end["hangs"]["result"]["attempt"] == 2 and "no sign of life for 6 s" in said(events, "hangs")[0]
    assert end["evaluates"]["result"]["attempt"] == end["waits"]["result"]["attempt"] == 1 and not said(
        events, "evaluates"
    ) + said(events, "waits")
    assert (
        end["fills_the_gpu"]["result"]["has"] == {"CPU": 1.0, "GPU": 1.0}
        and "ran out of GPU memory" in said(events, "fills_the_gpu")[-1]
    )
    assert end["fills_the_host"]["result"] | {"node": ""} == {"attempt": 2, "has": {"CPU": 2.0}, "node": ""}
    assert (
        end["always_fills_the_gpu"]["kind"] == "failed"
        and "ran out of GPU memory with 1 CPU, 1 GPU to itself" in end["always_fills_the_gpu"]["error"]
    )
    assert end["leaves_a_child"]["result"]["attempt"] == 2
    child = Path("/proc", (short / "child").read_text(), "stat")
    assert not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z", (
        "what a killed worker has started is ended with it, though nobody may have asked how"
    )


def test_lost_nodes_and_a_lost_head(short: Path) -> None:
    events = scene(short, "nodes")
    end = ends(events)
    assert end["stays"]["result"]["attempt"] == 2, "another node has taken it over"
    assert (
        "1 CPU, 0.5 GPU, which no node has any more" in said(events, "needs_the_gpu")[0]
        and end["needs_the_gpu"]["kind"] == "failed"
    )
    assert (
        "head at" in end["ClusterLost"]["error"]
        and "run the same command again to go on" in end["ClusterLost"]["error"]
    )


@pytest.fixture(scope="module")
def struck() -> Iterator[tuple[head.Scene, dict[str, str], int | None, str]]:
    """A head that was killed under a driver and started again; undisturbed outcomes; exit code and words of the
    driver.
    """
    folder = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    scene = head.Scene(folder)
    try:
        yield (scene, scene.reference(), *scene.play(head.Blow()))
    finally:
        scene.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_head_that_is_started_again_ends_the_driver_and_the_same_command_goes_on(
    struck: tuple[head.Scene, dict[str, str], int | None, str],
) -> None:
    scene, undisturbed, code, said = struck
    assert code == 1 and not head.wrong(code, said) and len(store.paths(scene.results)) == 1, said
    restarted = "was restarted and knows nothing of these runs; no record is lost: start its other nodes again"
    ended = "Ray on this machine has ended unexpectedly; no record is lost"  # on a busy one, before the head is back
    assert restarted in said or ended in said
    code, said = scene.again()
    assert code == 0 and "1 done; 1 run had a record already" in said, said
    assert outcomes(scene.results) == undisturbed and len(store.paths(scene.results)) == len(undisturbed) == 2


def test_a_run_that_fills_its_part_of_a_gpu_ends_with_the_same_bits_on_a_whole_one(
    struck: tuple[head.Scene, dict[str, str], int | None, str],
) -> None:
    """torch's own error, raised in a worker in the midst of training, through Ray and the command line."""
    scene, undisturbed, *_ = struck
    scene.results = scene.folder / "full-gpu"
    code, said = scene.again(
        "--only", "method=plain", "--device", "cuda", "--gpu-share", "0.5", module="tests.faults.full_gpu"
    )
    assert code == 0 and "1 done" in said, said
    assert (
        said.count("ran out of GPU memory: it is tried again, from its checkpoint, with 1 CPU, 1 GPU to itself") == 1
    ), said
    made = outcomes(scene.results)
    assert len(made) == 1 and made.items() <= undisturbed.items() and not list(scene.results.glob("failures/*"))
    (log,) = scene.results.glob("runs/*/run.log")
    assert "CUDA out of memory" in log.read_text(encoding="utf-8") and "resumed at step" in log.read_text(
        encoding="utf-8"
    )


def test_a_cluster_that_is_not_there_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    assert main(["run", str(SUITE), "--results", str(tmp_path), "--device", "cpu", "--address", "127.0.0.1:9"]) == 1
    assert (
        "no Ray head answers at 127.0.0.1:9: start it there with 'ray start --head --port=9'" in capsys.readouterr().err
        and time.monotonic() - began < 20
    )


def _plan(results: Path):
    found, problems = store.read_all(results)
    return make_plan(load(SUITE).cells[:1], [0], by_evaluation(found), 2, problems)


def test_a_damaged_record_is_moved_aside_and_its_run_made_again(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Also one of a partial run, whose name a later record would need."""
    options = Options(executor="inline", until_epoch=2, device="cpu")
    assert run_plan(_plan(tmp_path), tmp_path, options).counts == {"partial": 1}
    (path,) = store.paths(tmp_path)
    whole = store.read(path)
    for n, damage in enumerate(
        (lambda b: b[: len(b) // 2], lambda b: b.replace(b'"status": "partial"', b'"status": "finished"'))
    ):
        path.write_bytes(damage(path.read_bytes()))
        planned = _plan(tmp_path)
        assert planned.runs[0].state == "to do" and "moved aside" in planned.runs[0].reason
        assert run_plan(planned, tmp_path, options).counts == {"partial": 1}
        aside = path.with_name(f"{path.name}.damaged" + ("" if n == 0 else f"-{n}"))
        assert (
            store.read(path).outcome == whole.outcome
            and aside.exists()
            and f"is damaged: moved to {aside.name}" in capsys.readouterr().err
        )
    assert _plan(tmp_path).runs[0].state == "done" and store.set_aside(path) is None, "a whole record is not moved"


def test_a_checkpoint_that_the_disk_will_not_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for value in (1, 2):
        checkpoint.save(tmp_path, {"value": value})
    read = checkpoint.open_regular

    def bad(path: Path) -> BinaryIO:
        if path.name == checkpoint.CURRENT:
            raise OSError(5, "Input/output error")
        return read(path)

    monkeypatch.setattr(checkpoint, "open_regular", bad)
    with caplog.at_level(logging.WARNING):
        assert checkpoint.load(tmp_path)["value"] == 1
    assert "Input/output error" in caplog.text


def test_a_few_faults_at_random() -> None:
    """The short version of ``tests/faults/inject.py``."""
    counts, wrong = disturb(faults=6, seed=3, minutes=15, seeds=1, most_rounds=1)
    assert not wrong and counts.total(), wrong
