"""Which run starts next and where: the executor's own decisions, in simulation. What Ray makes of them is in
``test_nodes.py``.
"""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.plan.placement import Placer, Task
from benchmark.plan.rooms import Need, Node
from benchmark.plan.simulate import as_submitted, longest_first, lower_bound, placed, play

MIXED = {
    8: [4.0] * 2 + [2.0] * 2 + [1.0] * 4,
    32: [4.0] * 4 + [2.0] * 8 + [1.0] * 20,
    64: [4.0] * 8 + [2.0] * 16 + [1.0] * 40,
}
CLUSTERS = {
    **{f"{n} equal": [1.0] * n for n in (1, 2, 8, 32, 64)},
    **{f"{n} mixed": speeds for n, speeds in MIXED.items()},
}


def bag(rng: random.Random, giants: bool) -> tuple[list[float], list[float]]:
    """261 cells of 3 seeds: true lengths, 1 to 100 log-uniform or 1 to 3 with 5 % a hundred times as long; and
    estimates up to twice too long or short.
    """
    cells = [
        rng.uniform(1, 3) * (100 if rng.random() < 0.05 else 1) if giants else math.exp(rng.uniform(0, math.log(100)))
        for _ in range(261)
    ]
    lengths = [cell for cell in cells for _ in range(3)]
    return lengths, [length * 2 ** rng.uniform(-1, 1) for length in lengths]


@pytest.mark.slow
@pytest.mark.parametrize("giants", [False, True], ids=["log-uniform", "giants"])
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_placement_is_near_the_bound_and_not_worse_than_submission_order(cluster: str, giants: bool) -> None:
    """``tests/speed/placement.py`` prints the table, over more bags."""
    speeds = CLUSTERS[cluster]
    for seed in range(2):
        lengths, estimates = bag(random.Random(seed), giants)
        bound, found = lower_bound(lengths, speeds), placed(lengths, speeds, estimates)
        assert bound <= found * (1 + 1e-12)
        assert found <= max(
            as_submitted(lengths, speeds), 1.001 * bound
        )  # within a thousandth of the bound there is nothing to be better than
        if not giants and len(speeds) <= 32:
            assert found <= 1.05 * bound


def test_makespans_by_hand() -> None:
    assert (
        as_submitted([3, 3, 2, 2, 2], [1, 1]) == 7
        and as_submitted([2, 2, 2, 3, 3], [1, 1], longest_first([2, 2, 2, 3, 3])) == 7
    )
    assert as_submitted([1, 1, 4], [1, 1]) == 5 and placed([1, 1, 4], [1, 1]) == 4
    assert as_submitted([4, 4], [4, 1]) == 4 and placed([4, 4], [4, 1]) == 2  # the slow worker stays idle
    assert lower_bound([4, 4], [4, 1]) == 8 / 5 and lower_bound([8], [4, 1]) == 2 and placed([], [1.0]) == 0
    with pytest.raises(ValueError, match="no workers"):
        placed([1], [])


def test_no_other_order_is_never_longer_than_that_of_submission() -> None:
    """Three runs on two workers, estimates wrong by up to a factor of two: whatever starts first but the first two,
    some lengths make that the longer order.

    So "never longer" can be had only by keeping to the order of submission; which, with these lengths, may also be the
    longer one.
    """
    estimates = [2.0, 4.0, 4.0]
    truths = list(itertools.product(*((e / 2, e * 2) for e in estimates)))
    for order in itertools.permutations(range(3)):
        longer = [as_submitted(truth, [1, 1], order) > as_submitted(truth, [1, 1]) for truth in truths]
        assert any(longer) == (set(order[:2]) != {0, 1})
    assert placed([4, 2, 2], [1, 1], estimates) == 6 > as_submitted([4, 2, 2], [1, 1]) == 4
    assert placed([4, 2, 8], [1, 1], estimates) == 8 < as_submitted([4, 2, 8], [1, 1]) == 10


def _best(lengths: list[float], speeds: list[float]) -> float:
    return min(
        max(sum(n / speeds[w] for n, at in zip(lengths, where) if at == w) for w in range(len(speeds)))
        for where in itertools.product(range(len(speeds)), repeat=len(lengths))
    )


def test_the_bound_is_below_the_best_of_all_placements() -> None:
    rng = random.Random(1)
    for _ in range(40):
        lengths, speeds = [rng.uniform(1, 9) for _ in range(5)], [rng.choice([1.0, 2.0, 4.0]) for _ in range(3)]
        best = _best(lengths, speeds)
        assert lower_bound(lengths, speeds) <= best + 1e-9 <= placed(lengths, speeds) + 2e-9


SIZES = (0.0, 0.1, 0.25, 0.34, 0.5, 0.7, 1.0)


@st.composite
def clusters(draw: st.DrawFn) -> list[Node]:
    return [
        Node(f"n{i}", draw(st.sampled_from(["a", "b", "c"])), draw(st.integers(1, 6)), draw(st.integers(0, 3)))
        for i in range(draw(st.integers(1, 4)))
    ]


@st.composite
def bags(draw: st.DrawFn) -> dict[Task, tuple[Need, float, float]]:
    """What each run needs, takes, and is expected to take."""
    rng = random.Random(draw(st.integers(0, 10**6)))
    tasks = [Task(f"r{i}", f"r{i}", f"g{rng.randrange(30)}", rng.randrange(3)) for i in range(draw(st.integers(0, 25)))]
    return {
        task: (Need(rng.choice([1, 1, 2]), rng.choice(SIZES)), rng.uniform(0.1, 9), rng.uniform(0.1, 9))
        for task in tasks
    }


UNITS = 10_000  # of a GPU: Ray counts in these


class Ray:
    """Cores and GPUs as Ray hands them out: a part of a GPU from the one that has the least left, if that is enough."""

    def __init__(self, nodes: list[Node], at_most: int | None) -> None:
        self.cpus = {n.id: n.cpus for n in nodes}
        self.gpus = {n.id: [UNITS] * n.gpus for n in nodes}
        self.at_most, self.running, self.seen = at_most, {}, []

    def start(self, task: Task, node: Node, need: Need) -> None:
        assert task.key not in self.seen and task.group not in {t.group for t, *_ in self.running.values()}
        self.cpus[node.id] -= need.cpus
        gpu = (
            min(
                (i for i, left in enumerate(self.gpus[node.id]) if left >= round(need.gpu * UNITS)),
                key=lambda i: self.gpus[node.id][i],
            )
            if need.gpu
            else None
        )
        if gpu is not None:
            self.gpus[node.id][gpu] -= round(need.gpu * UNITS)
        self.running[task.key] = task, node, need, gpu
        self.seen.append(task.key)
        assert self.cpus[node.id] >= 0 and (self.at_most is None or len(self.running) <= self.at_most)

    def end(self, key: str) -> None:
        _, node, need, gpu = self.running.pop(key)
        self.cpus[node.id] += need.cpus
        if gpu is not None:
            self.gpus[node.id][gpu] += round(need.gpu * UNITS)


@given(nodes=clusters(), runs=bags(), at_most=st.none() | st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_every_run_that_fits_is_started_once_where_there_is_room_and_none_waits_for_ever(
    nodes: list[Node], runs: dict, at_most: int | None
) -> None:
    placer = Placer(runs, nodes, lambda task, node: runs[task][0], lambda task, node: runs[task][2], at_most)
    unfit = placer.misfits()
    placer.drop({task.key for task in unfit})
    assert all(not any(n.cpus >= runs[t][0].cpus and (n.gpus or not runs[t][0].gpu) for n in nodes) for t in unfit)
    ray = Ray(nodes, at_most)
    starts, ended = placer.starts, placer.ended

    def start(now: float) -> list:
        found = starts(now)
        for one in found:
            ray.start(one.task, one.node, one.need)
            if not one.need.gpu and any(not n.gpus and n.cpus >= one.need.cpus for n in nodes):
                assert not one.node.gpus
        return found

    placer.starts, placer.ended = start, lambda key: (ray.end(key), ended(key))
    play(placer, lambda task, node: runs[task][1])
    assert set(ray.seen) == {t.key for t in runs} - {t.key for t in unfit} and not placer.waiting


ONE = [Node("n", "k", 4, 1)]


def _order(tasks: list[Task], need: dict[str, float], length: dict[str, float], nodes: list[Node] = ONE) -> list[str]:
    placer, order = Placer(tasks, nodes, lambda t, n: Need(1, need[t.key]), lambda t, n: length[t.key]), []
    starts = placer.starts
    placer.starts = lambda now: [order.append(s.task.key) or s for s in starts(now)]
    play(placer, lambda t, n: length[t.key])
    return order


def test_priority_goes_before_length() -> None:
    tasks = [Task(k, k, k, p) for k, p in (("short", 0), ("long", 0), ("first", 2), ("second", 1))]
    assert _order(
        tasks,
        dict.fromkeys(("short", "long", "first", "second"), 1.0),
        {"short": 1, "long": 9, "first": 2, "second": 5},
    ) == ["first", "second", "long", "short"]


def test_a_run_for_a_whole_gpu_is_not_passed_over_by_small_ones() -> None:
    """Two halves run; as one ends, the whole one is next in the queue: the halves behind it wait with it."""
    tasks = [Task(k, k, k) for k in ("a", "b", "whole", "c", "d")]
    assert _order(
        tasks, {"a": 0.5, "b": 0.5, "whole": 1.0, "c": 0.5, "d": 0.5}, {"a": 9, "b": 8, "whole": 7, "c": 2, "d": 1}
    ) == ["a", "b", "whole", "c", "d"]


def test_smaller_runs_start_beside_one_that_waits_elsewhere() -> None:
    nodes = [Node("n", "k", 4, 1), Node("m", "k", 4, 1)]
    tasks = [Task(k, k, k) for k in ("a", "b", "whole", "c")]
    need = {"a": 1.0, "b": 0.5, "whole": 1.0, "c": 0.5}
    assert _order(tasks, need, {"a": 9, "b": 20, "whole": 7, "c": 2}, nodes) == ["b", "a", "c", "whole"]


def test_a_small_run_waits_where_ray_would_give_it_the_gpu_that_is_kept_for_another() -> None:
    """Both GPUs are 0.7 busy, and the first is kept for the whole run; Ray, which does not know that, would take it for
    the small one.
    """
    tasks = [Task(k, k, k, 3 - i) for i, k in enumerate(("a", "b", "whole", "small"))]
    need = {"a": 0.7, "b": 0.7, "whole": 1.0, "small": 0.25}
    assert _order(tasks, need, {"a": 1, "b": 9, "whole": 5, "small": 20}, [Node("n", "k", 8, 2)]) == [
        "a",
        "b",
        "whole",
        "small",
    ]


def test_a_run_that_is_made_again_may_need_more_and_nodes_come_and_go() -> None:
    need = {"a": 0.5, "b": 0.5}
    tasks = [Task(k, k, k) for k in need]
    placer = Placer(tasks, [], lambda t, n: Need(1, need[t.key]), lambda t, n: 1.0)
    assert placer.starts(0.0) == [] and len(placer.waiting) == 2
    placer.use(ONE)
    assert [s.need.gpu for s in placer.starts(1.0)] == [0.5, 0.5]
    placer.ended("a")
    need["a"] = 1.0
    placer.add(tasks[0])
    assert placer.starts(2.0) == []
    placer.ended("b")
    assert [s.need.gpu for s in placer.starts(3.0)] == [1.0]
    placer.use([])
    placer.ended("a")
    placer.add(tasks[0])
    assert placer.starts(4.0) == [] and placer.misfits() == placer.waiting == [tasks[0]]


def test_a_few_more_than_fit_are_handed_out_where_that_is_asked_for() -> None:
    placer = Placer(
        [Task(str(i), "w", str(i)) for i in range(9)],
        [Node("n", "cpu", 2, ahead=3)],
        lambda t, n: Need(1),
        lambda t, n: 1.0,
    )
    assert len(placer.starts(0.0)) == 5
    assert Placer(
        [Task("x", "x", "x")], [Node("n", "cpu", 2, ahead=3)], lambda t, n: Need(3), lambda t, n: 1.0
    ).misfits(), "room to wait in is no room to run in"


def test_ten_thousand_runs_are_handed_out_quickly() -> None:
    import time

    began = time.process_time()
    tasks = [Task(str(i), str(i % 300), str(i)) for i in range(10_000)]
    nodes = [Node(str(i), "ab"[i % 2], 16, 8) for i in range(4)]
    assert (
        play(
            Placer(tasks, nodes, lambda t, n: Need(1, 0.5), lambda t, n: 1.0 + int(t.work)),
            lambda t, n: 1.0 + int(t.work),
        )
        > 0
    )
    assert time.process_time() - began < 30  # 3 s on a quiet machine
