"""A run that asks the board something keeps its core meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys

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
    assert all(later[0] >= earlier[1] for earlier, later in zip(spans, spans[1:])), spans
