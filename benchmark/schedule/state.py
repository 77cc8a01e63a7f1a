"""``results/runs/status.json``: what a driver writes of its runs, and what ``ganbench status`` makes of it."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.door import within
from benchmark.errors import GanbenchError, plain
from benchmark.files import open_regular, write_whole
from benchmark.process.terminal import is_terminal
from benchmark.records.folders import is_there
from benchmark.schedule.progress import Progress, duration
from benchmark.schedule.screen import drawn, line

if TYPE_CHECKING:
    from benchmark.plan.plan import Plan

WRITE_EVERY_S = 1.0
WATCH_EVERY_S = 2.0
MOST_FAILURES = 100
MOST_BYTES = 50_000_000
LONGEST = 10_000  # of any text in it
LARGEST = 1e30  # of any number in it
SKEW_S = 5.0  # a clock that differs by more is worth a word


class StatusFile:
    """Counts, the runs under way and the failures: its size does not grow with the runs that are done."""

    def __init__(self, results: Path, plan: Plan) -> None:
        self.path = results / "runs" / "status.json"
        self._states = {run.evaluation: run.state for run in plan.runs if run.evaluation}
        self.counts = Counter(self._states.values())  # how many runs are in each state
        self.failures: list[dict[str, str]] = []
        self._last = 0.0

    def move(self, evaluation: str, state: str) -> None:
        """A run is in another state."""
        self.counts[self._states[evaluation]] -= 1
        self.counts[state] += 1
        self._states[evaluation] = state

    def fail(self, name: str, why: str) -> None:
        """A run has failed; the first hundred are listed."""
        if len(self.failures) < MOST_FAILURES:
            self.failures.append({"state": "failed", "name": name, "why": why[:500]})

    def write(self, progress: Progress, force: bool = False) -> None:
        """At most once a second, unless forced; raises OSError where it cannot be written: that costs nothing else."""
        if not force and time.monotonic() - self._last < WRITE_EVERY_S:
            return
        self._last = time.monotonic()
        rows = [{"run": key, "state": "running", **row} for key, row in progress.rows().items()]
        content = {
            "pid": os.getpid(),
            "time": time.time(),
            "eta_s": progress.eta_s(),
            "counts": {state: n for state, n in self.counts.items() if n},
            "runs": [*rows, *self.failures],
        }
        write_whole(self.path, json.dumps(content).encode())


def describe(results: Path) -> str:
    """The state of all runs, as text.

    Raises:
        GanbenchError: the status file is damaged, or cannot be read.
    """
    head, rows = _read(results)
    return "\n".join([head, *(f"  {_line(row)}" for row in rows)])


def watch(results: Path) -> str:
    """Show the state again and again until the driver ends: in place on a terminal, else one text after the other.

    Returns:
        The last state; the first one where it cannot be told whether a driver is at work.
    """
    if not is_terminal(sys.stdout):
        while _alive(results):
            print(describe(results), flush=True)
            time.sleep(WATCH_EVERY_S)
        return describe(results)
    from rich.console import Console
    from rich.live import Live

    console = Console(file=within(sys.stdout), markup=False, highlight=False, emoji=False)
    with Live(
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        vertical_overflow="crop",
    ) as live:
        while _alive(results):
            head, rows = _read(results)
            running = [row for row in rows if row["state"] == "running"]
            live.update(drawn(running, head.replace("\n", "; "), console.width, console.height), refresh=True)
            time.sleep(WATCH_EVERY_S)
    return describe(results)


def driver_alive(results: Path) -> bool:
    """Whether a process holds the results' lock; nothing is written.

    Raises:
        GanbenchError: that cannot be told.
    """
    path = results / ".lock"
    try:
        with open_regular(path) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (FileNotFoundError, NotADirectoryError):  # every driver makes it
        return False
    except OSError as error:
        why = error.strerror or str(error)
        raise GanbenchError(f"whether a driver is at work on {results} cannot be told: {path}: {why}") from None
    return False


def _alive(results: Path) -> bool | None:
    """As ``driver_alive``; None where that cannot be told."""
    try:
        return driver_alive(results)
    except GanbenchError:
        return None


def _read(results: Path) -> tuple[str, list[dict[str, Any]]]:
    """The head, and a row for each run that is under way or has failed, aged to this moment."""
    path, alive = results / "runs" / "status.json", _alive(results)
    if not all(map(is_there, (results, path.parent, path))):
        return f"{'a driver is at work: ' if alive else ''}nothing has been run in {plain(str(results))} yet", []
    try:
        with open_regular(path) as stream:
            text = stream.read(MOST_BYTES + 1).decode("utf-8", "replace")
    except OSError as error:
        raise GanbenchError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        if len(text) > MOST_BYTES:
            raise ValueError("larger than any")
        _check(content := json.loads(text))
        age, eta = time.time() - content["time"], content["eta_s"]
        counts = ", ".join(f"{int(n)} {plain(state)}" for state, n in content["counts"].items())
        rows = [_aged(row, max(0.0, age), content["time"], alive) for row in content["runs"]]
        list(map(_line, rows))  # every field is of its type
        left = f"; all: {duration(eta - max(0.0, age))} left" if alive and eta is not None and eta > age else ""
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, OSError) as error:
        raise GanbenchError(
            f"{path} is damaged ({type(error).__name__}); the next 'ganbench run' writes it anew"
        ) from None
    return f"{_heard(alive, age)}\n{counts}{left}", rows


def _check(value: Any) -> None:
    """Raises ValueError unless every number is one that a clock, a counter or a measurement can show, and every text
    one that a line can.
    """
    if isinstance(value, str) and len(value) > LONGEST:
        raise ValueError(f"a text of {len(value):,} characters")
    if isinstance(value, float | int) and not -LARGEST <= value <= LARGEST:  # infinity, NaN, hundreds of digits
        raise ValueError("a number beyond all counting")
    for part in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check(part)


def _heard(alive: bool | None, age: float) -> str:
    clocks = f" (its clock is {duration(-age)} ahead of this one)" if age < -SKEW_S else ""
    if alive is None:
        return f"the last driver was heard {duration(max(0.0, age))} ago{clocks}"
    if not alive:
        return f"no driver is at work; the last one was heard {duration(max(0.0, age))} ago{clocks}"
    return f"a driver is at work{f', last heard {duration(age)} ago' if age > SKEW_S else ''}{clocks}"


def _aged(row: dict[str, Any], age: float, written: float, alive: bool | None) -> dict[str, Any]:
    if row["state"] != "running":
        return row
    if alive is False:
        return row | {"state": "was running", "eta_s": None, "rate": None}
    eta = row.get("eta_s")
    since = time.strftime("%b %d %H:%M", time.localtime(written - row["ran_s"]))
    return row | {
        "silent_s": row["silent_s"] + age,
        "eta_s": None if eta is None or eta <= age else eta - age,
        "since": since,
    }


def _line(row: dict[str, Any]) -> str:
    if row["state"] == "failed":
        return plain(f"failed: {(name := row['name'])}: {row['why'].removeprefix(f'FAILED: {name}: ')}")
    return plain(f"{row['state']}: ") + line(row) + (f"  since {row['since']}" if "since" in row else "")
