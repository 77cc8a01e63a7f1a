"""Where faults happen: the suite's results, the driver under test, its cluster, and what must hold whatever happens to
them.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from benchmark.records.record import RecordError
from benchmark.records.store import read, read_all
from tests.conftest import ROOT
from tests.faults.processes import Family, send, title

HERE = Path(__file__).parent
HUNG = "2min"  # of these small runs, on a machine that is busy with others
GONE_S = 120  # within which all that a driver started must have ended, on a busy machine


def outcomes(results: Path) -> dict[str, str]:
    """Evaluation key and seed -> the hash of all that was measured."""
    found, _ = read_all(results)
    return {f"{r.evaluation}-{r.seed}": r.outcome for r in found}


class Stage:
    """One folder, one driver at a time, one cluster of a head without cores and two nodes with one each."""

    def __init__(self, folder: Path, seeds: int) -> None:
        self.folder, self.results, self.seeds = folder, folder / "results", seeds
        self.environment = {
            **os.environ,
            "FAULTS": str(folder),
            "PYTHONPATH": f"{HERE / 'hooks'}{os.pathsep}{ROOT}",
            "TMPDIR": str(folder / "tmp"),
            "OMP_NUM_THREADS": "1",
            "RAY_AUTH_MODE": "disabled",
        }
        (folder / "tmp").mkdir()
        self.story = (folder / "faults.txt").open("w")
        self.reference: dict[str, str] = {}
        self.known: dict[Path, bytes] = {}  # whole records that were seen
        self.cluster, self.cluster_in_use, self.clusters = None, False, 0
        self.drivers, self.on_cluster, self.codes = 0, 0, Counter()

    def _command(self, results: Path, *more: str) -> list[str]:
        run = [
            sys.executable,
            "-m",
            "benchmark",
            "run",
            str(HERE / "suite.yaml"),
            "--results",
            str(results),
            "--seeds",
            str(self.seeds),
        ]
        return [*run, "--device", "cpu", "--checkpoint-every", "0.2", "--hung-after", HUNG, *more]

    def make_reference(self) -> None:
        """The undisturbed outcomes."""
        results = self.folder / "undisturbed"
        subprocess.run(
            self._command(results, "--executor", "inline"),
            env=self.environment,
            cwd=ROOT,
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self.reference = outcomes(results)

    def clear(self) -> None:
        """For another round."""
        shutil.rmtree(self.results, ignore_errors=True)
        self.known = {}

    def start(self, on_cluster: bool) -> None:
        """Start the command."""
        if on_cluster and self.cluster is None:
            self._make_cluster()
        self.cluster_in_use = on_cluster
        place = ["--address", self.cluster.address] if on_cluster else ["--cpus", str(min(2, os.cpu_count() or 1))]
        self.drivers += 1
        self.on_cluster += on_cluster
        self.log = self.folder / f"driver-{self.drivers}.txt"
        with self.log.open("w") as out:
            self.driver = subprocess.Popen(
                self._command(self.results, *place),
                env=self.environment,
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.family = Family(os.getpid() if on_cluster else self.driver.pid)

    def watch(self, seconds: float) -> None:
        """Let time pass; note every record and process that appears."""
        end = time.monotonic() + seconds
        while True:
            self.family.look()
            self._note_records()
            if time.monotonic() >= end or self.driver.poll() is not None:
                return
            time.sleep(0.1)

    def written(self) -> float:
        """When the newest checkpoint or record was written."""
        times = [0.0]
        for path in (*self.results.glob("runs/*/checkpoint.pt"), *self.results.glob("records/**/*.json")):
            with suppress(OSError):
                times.append(path.stat().st_mtime)
        return max(times)

    def stop(self) -> None:
        """End the driver, whatever it does."""
        send(self.driver.pid, signal.SIGKILL)

    def _note_records(self) -> None:
        for path in set(self.results.glob("records/**/*.json")) - set(self.known):
            with suppress(RecordError):  # one that a fault has damaged is not to stay as it is
                read(path)
                self.known[path] = path.read_bytes()

    def check(self, code: int) -> list[str]:
        """What is wrong after a driver has ended."""
        self.codes[code] += 1
        said = self.log.read_text()
        wrong = [
            f"driver {self.drivers} said '{word}', see {self.log}"
            for word in ("Traceback", "ganbench: unexpected")
            if word in said
        ]
        if code not in (0, 1, 130, -signal.SIGKILL):
            wrong.append(f"driver {self.drivers} ended with {code}, see {self.log}")
        if not self.cluster_in_use and (left := self.family.gone(GONE_S)):
            wrong.append(f"processes left by driver {self.drivers}: {[title(pid) for pid, _ in left]}")
            self.family.kill()
        deadline = time.monotonic() + GONE_S
        while self.cluster_in_use and (left := self.family.workers()) and time.monotonic() < deadline:
            time.sleep(0.2)
        if self.cluster_in_use and left:
            wrong.append(f"workers left by driver {self.drivers} on the cluster: {left}")
        found, _ = read_all(self.results)
        wrong += [
            f"{path} was lost or changed"
            for path, content in self.known.items()
            if not path.exists() or path.read_bytes() != content
        ]
        wrong += [
            f"{key} has {n} records" for key, n in Counter(f"{r.evaluation}-{r.seed}" for r in found).items() if n > 1
        ]
        for kept in (self.results, *(self.folder / "tmp").glob("ganbench-*")):
            wrong += [
                f"{key} in {kept} is not as undisturbed"
                for key, outcome in outcomes(kept).items()
                if self.reference.get(key) != outcome
            ]
        self._note_records()
        return wrong

    def damaged(self) -> bool:
        """Whether a record is there that cannot be used."""
        return bool(read_all(self.results)[1])

    def refused(self) -> int:
        """How many flushes the full disk has refused."""
        log = self.folder / "refused"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def seen(self) -> dict[str, int]:
        """Traces of what the faults did."""
        said = "".join(path.read_text(errors="replace") for path in self.folder.glob("driver-*.txt"))
        words = {
            "records moved aside": "is damaged: moved to",
            "hung runs ended": "gave no sign of life",
            "clusters lost": "no record is lost",
            "records rescued": "The record is in",
            "runs failed": "FAILED:",
        }
        return {name: len(re.findall(re.escape(word), said)) for name, word in words.items()} | {
            "flushes refused": self.refused()
        }

    def _make_cluster(self) -> None:
        from ray.cluster_utils import Cluster

        self.clusters += 1
        os.environ.update(
            {key: self.environment[key] for key in ("FAULTS", "PYTHONPATH", "OMP_NUM_THREADS", "RAY_AUTH_MODE")}
            | {"RAY_USAGE_STATS_ENABLED": "0"}
        )
        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "temp_dir": str(self.folder / f"ray{self.clusters}"),
                "object_store_memory": 100 * 2**20,
            },
        )
        self.workers = [self._add_node() for _ in range(2)]

    def _add_node(self):
        return self.cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)

    def replace_node(self, rng: random.Random) -> bool:
        """Lose a node, and get another."""
        self.cluster.remove_node(self.workers.pop(rng.randrange(2)), allow_graceful=False)
        self.workers.append(self._add_node())
        return True

    def kill_head(self) -> bool:
        """Lose the whole cluster; the driver must say so and end by itself."""
        self._end_cluster()
        try:
            self.driver.wait(120)
        except subprocess.TimeoutExpired:
            self.stop()
            self.driver.wait()
        return True

    def _end_cluster(self) -> None:
        cluster, self.cluster = self.cluster, None
        for node in [*self.workers, cluster.head_node]:
            node.kill_all_processes(check_alive=False, allow_graceful=False, wait=False)

    def close(self) -> None:
        """End everything that was started here."""
        self.story.close()
        family = Family(os.getpid())
        if self.drivers:
            family.seen |= self.family.look()
        family.look()
        if self.cluster is not None:
            self._end_cluster()
        for pid, _ in family.look():
            if pid != os.getpid():
                send(pid, signal.SIGKILL)
