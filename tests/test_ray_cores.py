"""Runs and the board: one that asks it something keeps its core meanwhile, and many short ones leave it alone."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import pytest

from benchmark.schedule.worker import REPORT_S

pytestmark = pytest.mark.slow

SCRIPT = """
import json, time
import ray
from benchmark.schedule.worker import answer

@ray.remote(num_cpus=0)
class Slow:
    def stopping(self):
        time.sleep(1.5)
        return False

@ray.remote(num_cpus=1)
def work(board):
    began = time.time()
    stop = answer(board.stopping.remote())
    return began, time.time(), stop

ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
board = Slow.remote()
print(json.dumps(ray.get([work.remote(board) for _ in range(3)])))
"""


def test_a_run_that_waits_for_an_answer_gives_no_other_run_its_core() -> None:
    """With one core, three tasks follow one another; a plain ``ray.get`` would start them all at once."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    spans = sorted(json.loads(done.stdout.strip().splitlines()[-1]))
    assert all(not stop for _, _, stop in spans)
    assert all(later[0] >= earlier[1] for earlier, later in itertools.pairwise(spans)), spans


LATE = """
import json, time
from types import SimpleNamespace
import ray
from benchmark.schedule.worker import REPORT_S, tasks

@ray.remote(num_cpus=0)
class Late:
    def report(self, key, done, todo, place, about):
        time.sleep(0.7 if done else 0)
        return done == 2

def make(job, tick):
    began, told = time.time(), False
    while not told and time.time() < began + 3 * REPORT_S:
        time.sleep(0.005)
        told = tick(2 if job.evaluation == "told" else 1, 3)
    return began, time.time(), told

ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
task = tasks(ray, Late.remote(), make, 0)(ray.get_runtime_context().get_node_id(), 1, 0.0)
print(json.dumps(ray.get([task.remote(SimpleNamespace(evaluation=key)) for key in ("a", "b", "told")])))
"""


def test_a_run_whose_reports_are_answered_late_gives_no_other_run_its_core() -> None:
    """And hears the answer all the same, when it comes."""
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    spans = sorted(json.loads(done.stdout.strip().splitlines()[-1]))
    assert sorted(told for _, _, told in spans) == [False, False, True]
    assert all(later[0] >= earlier[1] for earlier, later in itertools.pairwise(spans)), spans


SHORT = """
import json, time
from types import SimpleNamespace
import ray
from benchmark.schedule.worker import tasks

@ray.remote(num_cpus=0)
class Board:
    def __init__(self):
        self.heard = []
    def report(self, key, done, todo, place, about):
        self.heard.append((key, time.time(), place))
        return key in ("told", "told again")
    def all(self):
        return self.heard

def make(job, tick):
    began = time.time()
    time.sleep(3 if job.evaluation == "silent" else 0)
    return began, time.time()

ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
board = Board.remote()
task = tasks(ray, board, make, 0)(ray.get_runtime_context().get_node_id(), 1, 0.0)
keys = [*map(str, range(50)), "silent", "told", "told again"]
made = {key: ray.get(task.remote(SimpleNamespace(evaluation=key))) for key in keys}
print(json.dumps([made, ray.get(board.all.remote())]))
"""


def test_of_many_short_runs_few_ask_the_board_and_of_one_that_lasts_it_hears() -> None:
    done = subprocess.run([sys.executable, "-c", SHORT], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made, heard = json.loads(done.stdout.strip().splitlines()[-1])
    short, times = [made[str(i)] for i in range(50)], {key: at for key, at, _ in heard}
    asked = [key for key, _, _ in heard if key in map(str, range(50))]
    assert 1 <= len(asked) <= 2 + (short[-1][1] - short[0][0]) / REPORT_S
    assert times["silent"] < made["silent"][1], "heard of while it was silent, and so watched"
    assert len({tuple(place) for _, _, place in heard}) == 1, "all in one process"
    assert made["told"] is None and made["told again"] is None, "a run that was told to stop lets no other begin"
