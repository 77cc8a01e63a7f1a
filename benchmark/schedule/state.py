"""``ganbench status``: what the last driver on a results folder wrote of its runs."""

from __future__ import annotations

import fcntl
import json
import time
from collections import Counter
from pathlib import Path

from benchmark.errors import GanbenchError
from benchmark.schedule.progress import duration


def describe(results: Path) -> str:
    """The state of every run, as text.

    Raises:
        GanbenchError: the status file is damaged.
    """
    path = results / "runs" / "status.json"
    if not path.exists():
        return f"nothing has been run in {results} yet"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        runs, age = content["runs"], time.time() - content["time"]
        lines = [f"  {_line(run)}" for run in runs if run["state"] not in ("done", "blocked")]
        counts = Counter(run["state"] for run in runs)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GanbenchError(f"{path} is damaged ({type(error).__name__}); the next 'ganbench run' writes it anew") from None
    head = "a driver is at work" if _driver_alive(results) else f"no driver is at work; the last one was heard {duration(age)} ago"
    return "\n".join([head, ", ".join(f"{n} {state}" for state, n in counts.items()), *lines])


def _line(run: dict) -> str:
    share = f" {100 * run['step'] / run['of']:.1f} % (step {run['step']:,} of {run['of']:,})" if run.get("of") else ""
    return f"{run['state']}: {run['name']}{share}"


def _driver_alive(results: Path) -> bool:
    try:
        with (results / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
