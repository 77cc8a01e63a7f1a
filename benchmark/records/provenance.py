"""Where and with what something ran: kept with every stretch of a run, since a run may be resumed elsewhere."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import benchmark

COMMIT = "GANBENCH_COMMIT"
"""Environment variable: the commit of code that was copied here without its history, as Ray does to a cluster's nodes."""

PACKAGES = ("torch", "numpy", "ray")


@functools.cache
def code_version() -> dict[str, str]:
    """``{"ganbench": version, "commit": sha}``; the commit ends in ``+changes`` when the package's files differ from it,
    and outside a git checkout is what ``GANBENCH_COMMIT`` says, or "unknown"."""
    folder = Path(benchmark.__file__).parent
    commit = _git(folder, "rev-parse", "HEAD")
    if commit and _git(folder, "status", "--porcelain", "--", str(folder)):
        commit += "+changes"
    return {"ganbench": benchmark.__version__, "commit": commit or os.environ.get(COMMIT) or "unknown"}


def libraries() -> dict[str, str]:
    """Versions of Python and of the packages that decide a number."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


@functools.cache
def processor() -> str:
    """The processor's model, as the system names it, with its architecture."""
    model = ""
    if (info := Path("/proc/cpuinfo")).exists():
        model = next(
            (
                line.split(":", 1)[1].strip()
                for line in info.read_text("utf-8", "replace").splitlines()
                if line.startswith("model name")
            ),
            "",
        )
    return f"{model or platform.processor() or 'unknown'} ({platform.machine()})"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, errors="replace", timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
