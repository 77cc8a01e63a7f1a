"""The forked half of the fuzzer: does case after case, and says what came of each."""

import faulthandler
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn, Protocol

DATA_LIMIT = 8 << 30  # so that a finding does not take the machine down
TRACE = "trace.txt"  # in the scratch folder: what faulthandler says of a death or a hang


class Kind(Protocol):
    """What a module of this folder has."""

    __name__: str
    prepare: Callable[[Path], Any]
    case: Callable[[Any, random.Random, Path], str]


def peak_mib() -> int:
    """Of this process, or of the largest of its children that ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(each).ru_maxrss for each in who) // 1024


def work(kind: Kind, seed: int, numbers: range, scratch: Path, hang_s: float, pipe: Connection) -> NoReturn:
    """Never comes back: the process ends after the last case."""
    with (scratch / TRACE).open("w", encoding="utf-8") as trace:
        try:
            _quiet()
            faulthandler.enable(trace)
            good = _prepared(kind, scratch / f"good-{os.getpid()}")
            pipe.send(("ready", "", 0.0, 0.0, peak_mib()))
            for number in numbers:
                faulthandler.dump_traceback_later(hang_s, file=trace)
                pipe.send(_one(kind, good, random.Random(f"{seed} {number}"), scratch / f"case-{number}"))
        except BaseException:
            traceback.print_exc(file=trace)
        finally:
            trace.flush()
            os._exit(0)


def _quiet() -> None:
    """Nothing of the parent's: neither its output, nor its signals, nor threads that a fork does not take along."""
    void = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(void, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_LIMIT, DATA_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _prepared(kind: Kind, folder: Path) -> Any:
    folder.mkdir()
    return kind.prepare(folder)


def _one(kind: Kind, good: Any, rng: random.Random, folder: Path) -> tuple[str, str, float, float, int]:
    """What happened, the word or the traceback, seconds, those of CPU, MiB."""
    folder.mkdir()
    began, used = time.monotonic(), sum(os.times()[:4])
    try:
        what, text = "answer", kind.case(good, rng, folder)
    except BaseException:  # also SystemExit
        what, text = "unexpected", traceback.format_exc()
    taken, cpu = time.monotonic() - began, sum(os.times()[:4]) - used
    shutil.rmtree(folder, ignore_errors=True)
    return what, text, taken, cpu, peak_mib()
