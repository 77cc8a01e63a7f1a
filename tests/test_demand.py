"""What a run asks for on which node, by estimated memory; without Ray, on nodes that are only described."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmark.plan.counted import work_key
from benchmark.plan.devices import GPUS, Device, like
from benchmark.plan.plan import make_plan
from benchmark.plan.rooms import Need, Node
from benchmark.plan.work import Count, Work
from benchmark.records import failures
from benchmark.schedule import launch
from benchmark.schedule.demand import GUARD, HEADROOM, Demand, guarded
from benchmark.schedule.job import Event, Job
from benchmark.schedule.memory import GPU, HOST, with_room
from benchmark.schedule.places import Places
from benchmark.suite.load import load
from tests.conftest import protocol, recipe

A100 = Node("a", "A100 with 80 GB", 16, 4, 80e9)
V100 = Node("v", "V100 with 16 GB", 8, 2, 16e9)
UNKNOWN = Node("u", "GPU", 8, 2, None)
PLAIN = Node("p", "", 32)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))


def known(tmp_path: Path, memory: dict[int, float], work: Work = Work(conv=1e9, calls=1000)) -> None:
    """Counts for recipes that differ in ``z_dim``, as if they had been made: bytes of memory at the peak of a step."""
    found = {work_key(recipe(z_dim=z)): Count(work, Work(), Work(), 1, int(m), 1).to_json() for z, m in memory.items()}
    (tmp_path / "work.json").write_text(json.dumps(found))


def job(z: int, name: str = "", **changes: object) -> Job:
    """A job on a GPU whose recipe has this ``z_dim``."""
    name = name or f"run {z}"
    fields: dict = dict(
        key=name,
        evaluation=name,
        seed=0,
        name=name,
        recipe=recipe(z_dim=z).to_json(),
        protocol=protocol().to_json(),
        folder="",
        data_root="",
        weights="",
        cache="",
        device="cuda",
        threads=1,
        layout="auto",
        until_epoch=None,
        checkpoint_s=1.0,
        images=200,
        size=1.0,
    )
    return Job(**(fields | changes))


def many(z: int, count: int) -> list[Job]:
    return [job(z, f"{z}-{i}") for i in range(count)]


def test_a_part_of_a_gpu_is_the_guarded_memorys(tmp_path: Path) -> None:
    known(tmp_path, {10: 6e9, 11: 9e9, 12: 20e9})
    jobs = [*many(10, 40), *many(11, 40), *many(12, 40)]
    demand = Demand(jobs, [A100, V100, UNKNOWN])
    assert guarded(10e9) == GUARD * 10e9 + HEADROOM and GUARD > 1
    assert demand.need(jobs[0], V100) == Need(1, 0.66)  # 10.5 of 16 GB, rounded up
    assert demand.need(jobs[0], A100) == Need(1, 0.25)  # 10.5 of 80 GB would be less: 4 GPUs have 16 cores
    assert demand.need(jobs[40], V100) == Need(1, 0.94)
    assert demand.need(jobs[80], V100) is None and demand.need(jobs[80], A100) == Need(1, 0.4)
    assert demand.need(jobs[0], UNKNOWN) == Need(1, 1.0) and demand.need(jobs[0], PLAIN) is None


def test_a_run_that_may_just_fit_gets_the_whole_gpu(tmp_path: Path) -> None:
    known(tmp_path, {10: 15e9})
    assert Demand(many(10, 50), [V100]).need(job(10), V100) == Need(1, 1.0)


def test_a_stated_share_goes_before_estimates(tmp_path: Path) -> None:
    known(tmp_path, {10: 1e9, 12: 100e9})
    jobs = [*many(10, 50), *many(12, 50)]
    stated = Demand(jobs, [A100], share=0.2)
    assert {stated.need(one, A100) for one in jobs} == {Need(1, 0.2)}


def test_fewer_runs_than_gpus_share_none_and_a_busy_gpu_is_not_shared(tmp_path: Path) -> None:
    known(tmp_path, {10: 1e9})
    assert (
        Demand(many(10, 4), [A100]).need(job(10), A100).gpu == 1.0
        and Demand(many(10, 8), [A100]).need(job(10), A100).gpu == 0.5
    )
    known(tmp_path, {10: 1e9}, Work(conv=1e12, calls=10))
    assert Demand(many(10, 100), [A100]).need(job(10), A100).gpu == 1.0


def test_a_run_whose_work_cannot_be_counted_gets_a_whole_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.errors import GanbenchError

    def refuse(*_: object) -> Count:
        raise GanbenchError("no such width")

    known(tmp_path, {10: 1e9})
    monkeypatch.setattr("benchmark.plan.count.count", refuse)
    jobs = [*many(10, 20), job(99)]
    demand = Demand(jobs, [A100])
    assert demand.need(jobs[-1], A100) == Need(1, 1.0)
    assert demand.seconds(jobs[0], A100) == demand.seconds(jobs[-1], A100) > 0, "as long as the longest that is known"


def test_cpu_runs_and_stated_shares_of_alike_gpus_are_not_counted_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("benchmark.plan.count.count", lambda *recipes: asked.append(recipes))
    jobs = [job(z, device="cpu", size=z, threads=2) for z in (5, 6)]
    demand = Demand(jobs, [PLAIN, A100, V100])
    assert Demand(many(5, 2), [A100, PLAIN], share=0.3).need(job(5), A100) == Need(1, 0.3)
    for share, counted in (
        (0.29, 0.29),
        (0.16666, 0.1666),
        (1 / 3, 0.3333),
        (1.0, 1.0),
    ):  # Ray rounds to ten-thousandths: six of 0.16666 would be more than a GPU
        assert Demand(many(5, 2), [A100, PLAIN], share=share).need(job(5), A100) == Need(1, counted)
    assert demand.need(jobs[0], PLAIN) == Need(2) and [demand.seconds(one, PLAIN) for one in jobs] == [5, 6]
    assert not asked


@pytest.mark.parametrize(
    ("name", "gpu"),
    [("A100-80G", "A100"), ("GeForce-RTX-4090", "RTX4090"), ("V100", "V100"), ("A10G", None), ("GPU", None)],
)
def test_rays_names_of_gpus(name: str, gpu: str | None) -> None:
    assert like(name) is (GPUS[gpu] if gpu else None)


def test_the_share_of_time_in_which_a_gpu_computes() -> None:
    gpu = Device("x", conv=1.0, matmul=0.0, byte=0.0, call=1.0, overlap=True)
    assert gpu.busy(Work(conv=1, calls=4)) == 0.25 and gpu.busy(Work(conv=4, calls=1)) == 1.0
    assert dataclasses.replace(gpu, overlap=False).busy(Work(conv=1, calls=4)) == 1.0


class Described:
    """Nodes without a Ray."""

    def __init__(self, *nodes: Node) -> None:
        self.nodes, self.names = list(nodes), {n.id: f"node {n.id}" for n in nodes}

    def look(self, found: object = None) -> list[Node]:
        return list(self.nodes)


def test_what_fits_nowhere_is_said_with_what_each_node_has(tmp_path: Path) -> None:
    known(tmp_path, {10: 1e9, 12: 90e9})
    places = Places(Described(A100, V100), [*many(10, 3), job(12), job(10, "wide", threads=99)])
    found = {one.name: why for one, why in places.misfits()}
    assert set(found) == {"run 12", "wide"} and len(places) == 5
    assert (
        found["run 12"]
        == "asks for 1 CPU and a GPU with 90 GB, as estimated (--gpu-share 1 tries it on any), which no node "
        "has (node a; node v)"
    )
    assert "asks for 99 CPU" in found["wide"]
    places.drop([one for one, _ in places.misfits()])
    assert places.misfits() == [] and len(places) == 3


def test_a_run_that_fits_nowhere_is_blocked_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says nothing of the cell: on another cluster it may run."""
    made = make_plan(load(Path("suites/theory.yaml"), "ci").cells[:1], [0], {})
    monkeypatch.setattr(
        launch,
        "_events",
        lambda jobs, *_: iter([Event("blocked", jobs[0], error="asks for 9 CPU, which no node has (n: 1 CPU)")]),
    )
    summary = launch.run_plan(made, tmp_path, launch.Options())
    said = f"{made.runs[0].name}: blocked: asks for 9 CPU, which no node has (n: 1 CPU)"
    assert (
        summary.exit_code == 1
        and summary.counts == {"blocked": 1}
        and summary.failures == [said]
        and not failures.read_all(tmp_path)
    )
    assert "blocked: theory/" in capsys.readouterr().err


def test_a_job_that_was_out_of_memory_is_placed_again_with_a_whole_gpu(tmp_path: Path) -> None:
    known(tmp_path, {10: 1e9})
    jobs = many(10, 16)
    there = Described(Node("v", "V100 with 16 GB", 8, 1, 16e9))
    places = Places(there, jobs)
    started = {one.name: need for one, _, need in places.starts()}
    assert len(started) == 5 and set(started.values()) == {Need(1, 0.19)}
    first, *others = [one for one in jobs if one.name in started]
    places.withdraw()
    assert places.asked(first) == {"CPU": 1.0, "GPU": 0.19}
    places.again(first, with_room(GPU, places.asked(first), []))
    places.ended(first)
    assert places.starts() == []
    for one in others:
        places.ended(one)
    assert [(one.name, need.gpu) for one, _, need in places.starts()] == [(first.name, 1.0)]
    there.nodes = []
    places.look()
    assert places.short([first], []) == [(first, "1 CPU, 1 GPU")]


def test_on_one_node_a_few_more_are_handed_out_until_one_wants_it_for_itself() -> None:
    jobs = [job(10, f"r{i}", device="cpu") for i in range(12)]
    places = Places(Described(dataclasses.replace(PLAIN, cpus=4)), jobs)
    running = [one for one, _, _ in places.starts()]
    assert len(running) == 10
    places.withdraw()
    places.again(running[0], with_room(HOST, places.asked(running[0]), [{"CPU": 4.0}]))
    for one in running:
        assert places.starts() == []
        places.ended(one)
    (alone,) = places.starts()
    assert alone[0] is running[0] and alone[2] == Need(4.0)


def test_of_short_runs_more_are_handed_out_ahead_and_of_long_ones_few_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("benchmark.schedule.places.time.monotonic", lambda: now[0])
    places = Places(Described(dataclasses.replace(PLAIN, cpus=1)), [job(10, f"r{i}", device="cpu") for i in range(100)])
    running = [found for found, _, _ in places.starts()]
    for seconds, submitted in ((0.5, 4), *[(0.01, 4)] * 10, (0.01, 64), (0.5, 64), (5.0, 63)):
        now[0] += seconds
        places.ended(running.pop(0))
        running += [found for found, _, _ in places.starts()]
        assert len(running) == submitted, seconds
    for left in (63, 62, 61):  # after a long one, none until there are few again
        places.ended(running.pop(0))
        assert not places.starts() and len(running) == left - 1
