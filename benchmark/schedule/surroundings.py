"""What Ray's processes find around them when it starts on this machine: a short folder for sockets, an environment, our
code.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.process import home

LONGEST = 41  # bytes: in its folder Ray makes sockets, with 66 more, and their names have room for 107
FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
SHARED_MEMORY = Path("/dev/shm")
NOT_FOR_RAY = ("PYTHONPATH", "PYTHONOPTIMIZE")  # the former is cleaned; with docstrings taken away, Ray does not start


def folder() -> Path:
    """Where Ray may keep its sockets and logs: where it would itself, or else in the first of ``FOLDERS`` that takes
    them.

    Raises:
        GanbenchError: nowhere.
    """
    named = [os.path.abspath(given) for name in ("RAY_TMPDIR", "TMPDIR") if (given := os.environ.get(name))]
    for place in (*named, *FOLDERS):
        for name in ("ray", f"ray-{os.getuid()}"):  # the first may be another user's
            path = Path(place, name)
            if len(os.fsencode(path)) <= LONGEST and _takes(path if path.exists() else path.parent):
                return path
    tried = ", ".join(dict.fromkeys((*named, *FOLDERS)))
    raise GanbenchError(
        f"Ray has nowhere to keep its sockets: each of {tried} cannot be written, or its path is too long; "
        f"set RAY_TMPDIR to a folder whose path has at most {LONGEST - len('/ray')} bytes, or give "
        "--executor inline"
    )


def memory(place: Path) -> dict[str, str]:
    """What ``ray.init`` is told of shared memory: where else to keep objects, if this machine has none."""
    return {} if _takes(SHARED_MEMORY) else {"_plasma_directory": str(place)}


@contextmanager
def cleaned() -> Iterator[None]:
    """Meanwhile, the environment is one in which Ray's processes start, and import nothing from the working
    directory.
    """
    before = {name: os.environ.get(name) for name in NOT_FOR_RAY}
    clean = home.environment()
    for name in NOT_FOR_RAY:
        os.environ.pop(name, None)
    os.environ |= {"PYTHONPATH": clean["PYTHONPATH"]} if "PYTHONPATH" in clean else {}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ |= {} if value is None else {name: value}


COPY = "ganbench-"
"""What the names of copies of this package begin with; the number of their driver's process follows."""


def _clear(place: Path) -> None:
    """Remove copies of drivers that have ended, at once perhaps, and could not do so themselves."""
    for left in place.glob(f"{COPY}*-*"):
        number = left.name.removeprefix(COPY).partition("-")[0]
        if number.isdigit() and not Path("/proc", number).exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def code(place: Path) -> Iterator[Path]:
    """A folder with a copy of this package and nothing else: what workers import, whatever becomes of the original
    meanwhile.

    Raises:
        GanbenchError: it cannot be written.
    """
    with ExitStack() as stack:
        try:
            place = place if place.exists() else place.parent
            _clear(place)
            room = tempfile.TemporaryDirectory(prefix=f"{COPY}{os.getpid()}-", dir=place, ignore_cleanup_errors=True)
            path = Path(stack.enter_context(room))
            shutil.copytree(home.PACKAGE, path / "benchmark")
        except OSError as error:  # of a whole tree: one for every file that could not be copied
            why = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror
            raise GanbenchError(
                f"cannot copy ganbench's code to {place} for Ray's workers: {why}; set RAY_TMPDIR to a folder with room"
            ) from None
        yield path


def job(ray: Any, *paths: Path) -> Any:
    """Ray's configuration of a job whose workers import from ``paths`` first.

    Of itself, Ray has them import from the driver's working directory before anything else, and from beside its script.
    """
    config = ray.job_config.JobConfig(_py_driver_sys_path=[str(path) for path in paths])
    config._runtime_env_has_working_dir = lambda: True  # Ray's question whether to leave these out
    return config


def _takes(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
