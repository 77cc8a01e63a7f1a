"""Gives the damaged inputs of a kind, one after another, to a forked worker; counts its answers and what is none.

A kind is a module of this folder with ``prepare(folder)``, which makes the good inputs, and ``case(good, rng,
folder)``, which damages one, gives it to the program and returns a word for its answer. Findings are: an exception that
leaves ``case``, ten seconds without an end (of CPU while it computes: the machine may be shared), the worker's death,
more than 2 GiB. Seed and number decide a case.
"""

import importlib
import os
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from tests.faults.fuzz.worker import TRACE, Kind, work

HANG_S = 10.0
PREPARE_S = 180.0
MOST_MIB = 2048


@dataclass(frozen=True)
class Finding:
    """One case that was not answered; -1 is the making of the good inputs."""

    case: int
    what: str  # "unexpected", "hang", "death" or "memory"
    trace: str


@dataclass
class Outcome:
    """What the cases of one kind came to."""

    kind: str
    cases: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    peak_mib: int = 0
    slowest: tuple[float, int] = (0.0, -1)  # CPU seconds, case
    busy: float = 0.0  # seconds within cases
    seconds: float = 0.0

    def tell(self, case: int, what: str, text: str, taken: float, cpu: float, peak_mib: int) -> None:
        """Counts what the worker says of a case."""
        self.busy += taken
        self.slowest = max(self.slowest, (cpu, case))
        if peak_mib > MOST_MIB >= self.peak_mib:
            self.findings.append(Finding(case, "memory", f"{peak_mib} MiB at its peak"))
        self.peak_mib = max(self.peak_mib, peak_mib)
        if what == "answer":
            self.answers[text] += 1
        elif what == "unexpected":
            self.findings.append(Finding(case, what, text))


def kinds() -> list[str]:
    """Names of the modules of this folder that have cases."""
    here = Path(__file__).parent
    return sorted(path.stem for path in here.glob("*.py") if "\ndef case(" in path.read_text(encoding="utf-8"))


def run(
    kind: str | Kind,
    cases: int,
    seed: int = 1,
    seconds: float | None = None,
    only: int | None = None,
    hang_s: float = HANG_S,
) -> Outcome:
    """Gives ``cases`` cases, or case ``only``, to the program, for about ``seconds`` of cases at most."""
    module: Kind = importlib.import_module(f"tests.faults.fuzz.{kind}") if isinstance(kind, str) else kind
    outcome = Outcome(module.__name__.rpartition(".")[2])
    began, left = time.monotonic(), range(cases) if only is None else range(only, only + 1)
    most = float("inf") if seconds is None else seconds
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as scratch:
        while left:
            with _forked(module, seed, left, Path(scratch), hang_s) as worker:
                left = _hear(worker, left, most, hang_s, outcome, Path(scratch) / TRACE)
    outcome.seconds = time.monotonic() - began
    return outcome


class Worker(NamedTuple):
    """A forked process, and what it says."""

    pid: int
    says: Connection

    def used(self) -> tuple[bool, float]:
        """Whether it computes just now, and its seconds of CPU, with those of its children that ended."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return False, 0.0
        return stat[0] == "R", sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")


def _hear(worker: Worker, numbers: range, most: float, hang_s: float, outcome: Outcome, trace: Path) -> range:
    """Counts what a worker says of its cases, until it ends; the cases that are left for another."""
    if not _answered(worker, -1, PREPARE_S, outcome, trace):
        return range(0)  # the good inputs could not be made
    for number in numbers:
        outcome.cases += 1
        alive = _answered(worker, number, hang_s + 1, outcome, trace)
        if outcome.busy > most:
            break
        if not alive:
            return numbers[numbers.index(number) + 1 :]
    return range(0)


def _answered(worker: Worker, case: int, most_s: float, outcome: Outcome, trace: Path) -> bool:
    """Whether the worker had something to say; if not, it ends."""
    (_, before), began = worker.used(), time.monotonic()
    try:
        while worker.says.poll(most_s) or _starved(worker, before, began, most_s):
            if worker.says.poll():
                outcome.tell(case, *worker.says.recv())
                return True
        what = "hang"
    except (EOFError, ConnectionResetError):
        what = "death"
    outcome.findings.append(Finding(case, what, trace.read_text(encoding="utf-8", errors="replace")))
    return False


def _starved(worker: Worker, before: float, began: float, most_s: float) -> bool:
    """Whether it computes and has had little of the CPU."""
    computes, used = worker.used()
    return computes and used - before < most_s and time.monotonic() - began < 20 * most_s


@contextmanager
def _forked(kind: Kind, seed: int, numbers: range, scratch: Path, hang_s: float) -> Iterator[Worker]:
    """A worker, which is gone afterwards."""
    ours, theirs = Pipe(duplex=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of torch: the worker uses one
        pid = os.fork()
    if pid == 0:
        ours.close()
        work(kind, seed, numbers, scratch, hang_s, theirs)
    theirs.close()
    try:
        yield Worker(pid, ours)
    finally:
        ours.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
