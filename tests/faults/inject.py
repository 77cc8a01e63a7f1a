"""At least so many faults, drawn at random, over a suite of small runs; then: is anything lost, doubled, or changed by
a bit?

    python tests/faults/inject.py [--faults 200] [--seed 0] [--minutes 60] [--seeds 3]

Rounds of ``suite.yaml`` are made by the real command line, on a Ray of its own and on a cluster of several nodes in
turn, and disturbed until all of a round's runs are done; rounds follow until there were enough faults. The exit code is
0 if nothing that had finished was lost, no run has two records, and every run ended with the bits of an undisturbed
one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.processes import run_folder, send
from tests.faults.stage import Stage, outcomes

# fault -> how often, beside the others
MIX = {
    "worker SIGKILL": 16,
    "worker SIGSTOP, a while": 24,
    "worker SIGSTOP, for good": 2,
    "checkpoint truncated": 7,
    "checkpoint bit flipped": 7,
    "disk full": 22,
    "record truncated": 4,
    "record bit flipped": 4,
    "driver SIGKILL": 3,
    "driver SIGINT": 2,
    "driver SIGINT twice": 2,
    "driver SIGSTOP, a while": 10,
    "node removed": 3,
    "head killed": 2,
}
LIGHT = {"worker SIGSTOP, a while", "driver SIGSTOP, a while", "disk full", "record truncated", "record bit flipped"}


@dataclass
class Injector:
    """One round's faults."""

    stage: Stage
    rng: random.Random
    counts: Counter[str]
    faults: int  # after so many the round is left in peace
    last: float  # and after this moment
    wrong: list[str] = field(default_factory=list)
    met: float = 0.0  # when the newest file was written that the last heavy fault met

    def round(self, end: float) -> None:
        """Disturb until every run is done, or time is up."""
        while time.monotonic() < end:
            code = self._one_driver(end)
            self.wrong += self.stage.check(code)
            if self.wrong or (
                code == 0 and not self.stage.damaged()
            ):  # by a fault since this driver made its plan: the next one finds it
                return
        self.wrong.append("time was up before all runs were done")

    def _one_driver(self, end: float) -> int:
        """Start the command and disturb it until it ends; its exit code."""
        self.stage.start(on_cluster=self.rng.random() < 0.75)
        while (code := self.stage.driver.poll()) is None:
            if time.monotonic() > end:
                self.stage.stop()
                return self.stage.driver.wait()
            self.stage.watch(self.rng.uniform(0.1, 1.5))
            if self._in_peace():
                continue
            fault = self.rng.choices(list(MIX), list(MIX.values()))[0]
            written = self.stage.written()
            if fault not in LIGHT and written <= self.met and self.rng.random() > 0.03:
                continue  # or nothing would ever be done; but some faults meet a start
            if self.stage.driver.poll() is None and self._inject(fault):
                self.met = self.met if fault in LIGHT else written
                self._count(fault)
        if (
            code
            and not self._in_peace()
            and self.rng.random() < 0.5
            and self._inject(
                fault := self.rng.choice(
                    ["record truncated", "record bit flipped", "checkpoint truncated", "checkpoint bit flipped"]
                )
            )
        ):
            self._count(fault)
        return code

    def _in_peace(self) -> bool:
        return self.counts.total() >= self.faults or time.monotonic() > self.last

    def _count(self, fault: str) -> None:
        self.counts[fault] += 1
        print(f"{time.strftime('%H:%M:%S')} {self.counts.total():4} {fault}", file=self.stage.story, flush=True)

    def _inject(self, fault: str) -> bool:
        """Whether it could be done now."""
        kind, _, how = fault.partition(" ")
        return {
            "worker": self._worker,
            "checkpoint": self._checkpoint,
            "record": self._record,
            "driver": self._driver,
            "disk": self._disk,
            "node": self._node,
            "head": self._head,
        }[kind](how)

    def _worker(self, how: str) -> bool:
        if not (workers := self.stage.family.workers()):
            return False
        victim = self.rng.choice(workers)
        if how == "SIGKILL":
            return send(victim, signal.SIGKILL)
        if how.endswith("a while"):
            return self._pause(victim)
        return send(victim, signal.SIGSTOP)

    def _pause(self, pid: int) -> bool:
        if not send(pid, signal.SIGSTOP):
            return False
        self.stage.watch(self.rng.uniform(0.2, 2))
        send(pid, signal.SIGCONT)
        return True

    def _checkpoint(self, how: str) -> bool:
        """Damage the newest checkpoint of a run at work, and kill its worker; or of any run, while nothing works."""
        for worker in self.rng.sample(workers := self.stage.family.workers(), len(workers)):
            send(worker, signal.SIGSTOP)
            if (folder := run_folder(worker)) and (path := folder / "checkpoint.pt").exists():
                damage(path, how, self.rng)
                return send(worker, signal.SIGKILL)
            send(worker, signal.SIGCONT)
        there = [] if workers else sorted(self.stage.results.glob("runs/*/checkpoint.pt"))
        if there:
            damage(self.rng.choice(there), how, self.rng)
        return bool(there)

    def _record(self, how: str) -> bool:
        if not (there := sorted(self.stage.results.glob("records/**/*.json"))):
            return False
        path = self.rng.choice(there)
        self.stage.known.pop(path, None)
        damage(path, how, self.rng)
        return True

    def _driver(self, how: str) -> bool:
        driver = self.stage.driver.pid
        if how.endswith("a while"):
            return self._pause(driver)
        self.stage.family.look()
        send(driver, signal.SIGKILL if how == "SIGKILL" else signal.SIGINT)
        if how == "SIGINT twice":
            self.stage.watch(self.rng.uniform(0.1, 1.5))
            send(driver, signal.SIGINT)
        try:
            self.stage.driver.wait(120)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"the driver was still there two minutes after {how}")
            self.stage.stop()
        return True

    def _disk(self, how: str) -> bool:
        flag = self.stage.folder / "full"
        before = self.stage.refused()
        flag.write_text(f"{self.stage.results}\n")
        deadline = time.monotonic() + self.rng.uniform(1, 4)
        while time.monotonic() < deadline and self.stage.refused() == before:
            self.stage.watch(0.1)
        self.stage.watch(self.rng.uniform(0, 0.5))
        flag.unlink()
        return self.stage.refused() > before

    def _node(self, how: str) -> bool:
        return self.stage.cluster_in_use and self.stage.replace_node(self.rng)

    def _head(self, how: str) -> bool:
        return self.stage.cluster_in_use and self.stage.kill_head()


def damage(path: Path, how: str, rng: random.Random) -> None:
    """Cut a file short, or flip one bit of it, in place."""
    data = bytearray(path.read_bytes())
    if how == "truncated":
        del data[rng.randrange(len(data)) :]
    else:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def disturb(
    faults: int, seed: int, minutes: float, seeds: int, most_rounds: int = 10**6, say: Callable = print
) -> tuple[Counter[str], list[str]]:
    """The counts by kind, and everything that went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="gbf-"))
    rng, counts, wrong, end = random.Random(seed), Counter(), [], time.monotonic() + 60 * minutes
    last = end - 15 * minutes  # the last quarter is for finishing what was disturbed
    stage = Stage(folder, seeds)
    try:
        stage.make_reference()
        rounds = 0
        while counts.total() < faults and not wrong and time.monotonic() < last and rounds < most_rounds:
            stage.clear()
            injector = Injector(stage, rng, counts, faults, last)
            injector.round(end)
            rounds += 1
            wrong += injector.wrong
            if not wrong and outcomes(stage.results) != stage.reference:
                wrong.append("the round's records are not those of the undisturbed one")
            say(
                f"round {rounds}: {counts.total()} faults so far, {len(stage.reference)} runs, "
                f"{'; '.join(injector.wrong) or 'all as undisturbed'}",
                flush=True,
            )
    finally:
        stage.close()
    if counts.total() < faults and not wrong and rounds < most_rounds:
        wrong.append(f"only {counts.total()} faults in {minutes:g} minutes")
    say(f"drivers {stage.drivers}, of them on a cluster {stage.on_cluster}; exit codes {dict(stage.codes)}")
    say(f"seen: {stage.seen()}")
    if wrong:
        say(f"kept for a look: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return counts, wrong


def main() -> int:
    """Print a table; 1 if anything went wrong."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--faults", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--minutes", type=float, default=60)
    arguments.add_argument("--seeds", type=int, default=3, help="of each of the suite's three cells")
    a = arguments.parse_args()
    began = time.monotonic()
    counts, wrong = disturb(a.faults, a.seed, a.minutes, a.seeds)
    for fault in MIX:
        print(f"{counts[fault]:5}  {fault}")
    print(f"{counts.total():5}  faults in {(time.monotonic() - began) / 60:.0f} min")
    print("\n".join(wrong) or "no finished record lost, none doubled, every run with the bits of an undisturbed one")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
