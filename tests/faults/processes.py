"""The processes under test, and nobody else's: descendants of one process, remembered with their start times."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Process = tuple[int, int]
"""Process id and start time: the pair is never used twice."""


def start_time(pid: int) -> int | None:
    """In clock ticks since boot; None if there is no such process, or a dead one that waits for its parent."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def title(pid: int) -> str:
    """The command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def tree(root: int) -> set[Process]:
    """``root`` and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(
                    int(entry.name)
                )
    found, left = [], [root]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return {(pid, at) for pid in found if (at := start_time(pid)) is not None}


@dataclass
class Family:
    """A process and all that it ever started, also when it is gone and they are others' children."""

    root: int
    seen: set[Process] = field(default_factory=set)

    def look(self) -> set[Process]:
        """Those alive now; call it often, since a child whose parent died between two looks is not found."""
        alive = {p for p in self.seen if start_time(p[0]) == p[1]}
        found = set().union(*(tree(pid) for pid, _ in alive), tree(self.root) if start_time(self.root) else set())
        self.seen = alive | found
        return self.seen

    def workers(self) -> list[int]:
        """Ray workers that make a run now."""
        return sorted(pid for pid, _ in self.look() if title(pid).startswith("ray::work"))

    def gone(self, seconds: float) -> set[Process]:
        """Wait for all to end; those that are left."""
        deadline = time.monotonic() + seconds
        while (left := self.look()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    def kill(self) -> None:
        """End all that is left."""
        for pid, _ in self.look():
            send(pid, signal.SIGKILL)


def send(pid: int, number: int) -> bool:
    """Send a signal; whether the process was there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def run_folder(worker: int) -> Path | None:
    """The folder of the run that a worker makes: it holds its lock open."""
    with suppress(OSError):
        for link in Path(f"/proc/{worker}/fd").iterdir():
            with suppress(OSError):
                path = Path(os.readlink(link))
                if path.name == ".lock" and path.parent.parent.name == "runs":
                    return path.parent
    return None
