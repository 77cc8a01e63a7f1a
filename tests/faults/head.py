"""The head of a cluster is killed, and started again at the same address, under a driver of the real command line.

    python -m tests.faults.head [--rounds 10] [--seed 0]

Each round draws when the head is killed (its first seconds, too), what of it, how soon it comes back, and whether the
runs are on it or on a node that has joined it. The exit code is 0 if every driver ended by itself and said in plain
words what happened, no record was lost or doubled, and the same command again brought the bits of an undisturbed run.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import benchmark.cli
from benchmark.records.store import paths
from tests.conftest import ROOT
from tests.faults.processes import Family, send, title, tree
from tests.faults.stage import HERE, outcomes

SUITE = (str(HERE / "suite.yaml"), "--only", "method=SN-D | method=plain")
CPU = ("--device", "cpu")
RAY = Path(sys.executable).with_name("ray")
START_S, END_S = 300, 240  # within which Ray has started, and a driver has ended, on a busy machine


def until(true: Callable[[], object], seconds: float) -> bool:
    """Wait for it; whether it came."""
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.1)
    return bool(found)


@dataclass(frozen=True)
class Blow:
    """What happens to a head."""

    after: int | float = 1  # so many records (an int), or seconds since the driver's start (a float)
    gcs_only: bool = False  # its directory alone is killed, and the rest ends by itself
    away_s: float = 0.0  # before it is started again
    node: bool = False  # the runs are on a node that has joined it


class Scene:
    """A folder, a head at an address of its own, and drivers one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results, self.started = folder, folder / "results", 0
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        patient = {
            "RAY_raylet_start_wait_time_s": str(START_S),
            "RAY_agent_register_timeout_ms": str(1000 * START_S),
        }  # a starved agent ends its node after 30 s
        self.environment = (
            clean
            | patient
            | {
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": "1",
                "RAY_AUTH_MODE": "disabled",
                "RAY_USAGE_STATS_ENABLED": "0",
                "TMPDIR": str(folder),
            }
        )
        self.family = Family(os.getpid())
        self.family.look()
        self.before = set(self.family.seen)

    def ray(self, *words: str) -> subprocess.Popen:
        """``ray start``, once it says that it has."""
        self.started += 1
        said = self.folder / f"ray{self.started}.txt"
        with said.open("w") as out:
            command = [RAY, "start", "--block", "--object-store-memory", str(100 * 2**20), *words]
            started = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out, start_new_session=True)
        assert (
            until(lambda: "Ray runtime started" in said.read_text() or started.poll() is not None, START_S)
            and started.poll() is None
        ), said.read_text()
        return started

    def head(self, cpus: int) -> subprocess.Popen:
        """A folder for each: Ray refuses a second head where it finds nodes of the first, and here they are on one
        machine.
        """
        return self.ray(
            "--head",
            f"--port={self.port}",
            f"--num-cpus={cpus}",
            "--num-gpus=1",
            "--include-dashboard=false",
            f"--temp-dir={self.folder / f'ray{self.started}'}",
        )

    def node(self) -> subprocess.Popen:
        """A node with one core."""
        return self.ray(f"--address=127.0.0.1:{self.port}", "--num-cpus=1")

    def driver(self, name: str, *more: str, module: str = "benchmark") -> subprocess.Popen:
        """The command, on the cluster; what it says goes to ``name``.txt."""
        words = [
            "run",
            *SUITE,
            "--results",
            str(self.results),
            "--checkpoint-every",
            "0.2",
            "--address",
            f"127.0.0.1:{self.port}",
        ]
        with (self.folder / f"{name}.txt").open("w") as out:
            return subprocess.Popen(
                [sys.executable, "-m", module, *words, *(more or CPU)],
                env=self.environment,
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def reference(self) -> dict[str, str]:
        """The outcomes of an undisturbed run in this process."""
        results = self.folder / "undisturbed"
        assert benchmark.cli.main(["run", *SUITE, "--results", str(results), "--executor", "inline", *CPU]) == 0
        return outcomes(results)

    def play(self, blow: Blow) -> tuple[int | None, str]:
        """Strike, and start the head again; the exit code of the driver that it met (None: it did not end), and what it
        said.
        """
        head = self.head(0 if blow.node else 1)
        others = [self.node()] if blow.node else []
        driver = self.driver("met")
        if isinstance(blow.after, int):
            until(lambda: len(paths(self.results)) >= blow.after or driver.poll() is not None, END_S)
            until(lambda: self.family.workers() or driver.poll() is not None, 10)
        else:
            until(lambda: driver.poll() is not None, blow.after)
        kept = {path: path.read_bytes() for path in paths(self.results)}
        self.family.look()
        for pid, _ in tree(head.pid):
            if not blow.gcs_only or "gcs_server" in title(pid).split(" ")[0]:
                send(pid, signal.SIGKILL)
        head.wait(END_S)
        time.sleep(blow.away_s)
        head = self.head(0 if blow.node else 1)
        try:
            code = driver.wait(END_S)
        except subprocess.TimeoutExpired:
            code = None
            driver.kill()
        for path, content in kept.items():
            assert path.read_bytes() == content, f"{path} was changed"
        if others and not until(lambda: others[0].poll() is not None, 30):
            others[0].terminate()
        if blow.node:
            self.node()
        return code, (self.folder / "met.txt").read_text()

    def again(self, *more: str, module: str = "benchmark") -> tuple[int, str]:
        """The same command, or another, undisturbed: exit code, and what it said."""
        code = self.driver("again", *more, module=module).wait(END_S)
        return code, (self.folder / "again.txt").read_text()

    def close(self) -> None:
        """End everything that was started here."""
        for pid, at in self.family.look():
            if (pid, at) not in self.before:
                send(pid, signal.SIGKILL)


def wrong(code: int | None, said: str) -> list[str]:
    """What is not as it should be about a driver that lost its head."""
    found = ["it did not end"] if code is None else []
    found += [f"exit code {code}"] if code not in (None, 0, 1) else []
    found += [f"'{word}'" for word in ("Traceback", "ganbench: unexpected", "*** SIG", "Fatal") if word in said]
    ours = [line for line in said.splitlines() if line and not line.startswith("[")] or [""]
    return found + (
        []
        if code == 0
        or "run the same command again" in ours[-1]
        or "no Ray head" in ours[-1]
        or "could not join" in ours[-1]
        else ["no plain word at the end"]
    )


def main() -> int:
    """Rounds drawn at random; 1 if anything went wrong."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=0)
    a = arguments.parse_args()
    rng, reference, bad = random.Random(a.seed), None, 0
    for n in range(a.rounds):
        blow = Blow(
            rng.uniform(0.5, 10) if rng.random() < 0.7 else 1, rng.random() < 0.3, rng.uniform(0, 6), rng.random() < 0.5
        )
        scene = Scene(Path(tempfile.mkdtemp(prefix="gbh", dir="/tmp")))
        try:
            reference = reference or scene.reference()
            code, said = scene.play(blow)
            problems = wrong(code, said)
            last, words = scene.again()
            problems += (
                []
                if last == 0 and outcomes(scene.results) == reference and len(paths(scene.results)) == len(reference)
                else [f"the same command again: exit code {last}, {words[-500:]}"]
            )
        finally:
            scene.close()
        bad += bool(problems)
        print(
            f"round {n + 1}: {blow}: exit code {code}: {'; '.join(problems) or said.strip().splitlines()[-1]}"
            + (f" (kept in {scene.folder})" if problems else ""),
            flush=True,
        )
        if not problems:
            shutil.rmtree(scene.folder, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
