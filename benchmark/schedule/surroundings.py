"""What Ray's processes find around them when it starts on this machine: a short folder for sockets, an environment, our
code.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.process import home
from benchmark.scratch import scratch

PREFIX = "gb-"
NAME = len("/gb-12345678/r")  # Ray's folder, in that of a launch: Ray lets everybody write in its own
LONGEST = 41  # bytes of its path: in it Ray makes sockets, with 66 more, and their names have room for 107
FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
SHARED_MEMORY = Path("/dev/shm")
CLUSTERS = "ENABLE_RAY_CLUSTER"  # a constant of Ray's: whether other machines are to reach what starts
NOT_FOR_RAY = ("PYTHONPATH", "PYTHONOPTIMIZE")  # the former is cleaned; with docstrings taken away, Ray does not start


def place() -> Path:
    """Where a folder for Ray's sockets and logs can be made: as variables say, or else in the first of ``FOLDERS`` that
    takes it.

    Raises:
        GanbenchError: nowhere.
    """
    named = [os.path.abspath(given) for name in ("RAY_TMPDIR", "TMPDIR") if (given := os.environ.get(name))]
    for path in (*named, *FOLDERS):
        if len(os.fsencode(path)) + NAME <= LONGEST and _takes(Path(path)):
            return Path(path)
    tried = ", ".join(dict.fromkeys((*named, *FOLDERS)))
    raise GanbenchError(
        f"Ray has nowhere to keep its sockets: each of {tried} cannot be written, or its path is too long; "
        f"set RAY_TMPDIR to a folder whose path has at most {LONGEST - NAME} bytes, or give --executor inline"
    )


@contextmanager
def folder() -> Iterator[Path]:
    """Ray's, for sockets and logs, beside which is room for a copy of the code: both in one of this launch's own, where
    nobody else can go. It is removed at the end, and so are those of launches that were killed.

    Raises:
        GanbenchError: it cannot be made.
    """
    where = place()
    with ExitStack() as stack:
        try:
            ray = stack.enter_context(scratch(where, PREFIX)) / "r"
            ray.mkdir()
        except OSError as error:
            raise GanbenchError(
                f"cannot write to {where} ({error.strerror}); set RAY_TMPDIR to another folder"
            ) from None
        yield ray


def memory(folder: Path) -> dict[str, str]:
    """What ``ray.init`` is told of shared memory: where else to keep objects, if this machine has none."""
    return {} if _takes(SHARED_MEMORY) else {"_plasma_directory": str(folder)}


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


def code(folder: Path) -> Path:
    """A folder beside Ray's with a copy of this package and nothing else: what workers import, whatever becomes of the
    original meanwhile.

    Raises:
        GanbenchError: it cannot be written.
    """
    path = folder.parent / "code"
    try:
        shutil.copytree(home.PACKAGE, path / "benchmark")
    except OSError as error:  # of a whole tree: one for every file that could not be copied
        why = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror
        raise GanbenchError(
            f"cannot copy ganbench's code to {path} for Ray's workers: {why}; set RAY_TMPDIR to a folder with room"
        ) from None
    return path


@contextmanager
def alone(ray: Any) -> Iterator[None]:
    """Meanwhile, a Ray that starts takes this machine's loopback address for its own, and listens there alone.

    It does so of itself on macOS and Windows, and has no option for it elsewhere.
    """
    constants: Any = getattr(getattr(ray, "_private", None), "ray_constants", SimpleNamespace())
    before = getattr(constants, CLUSTERS, True)
    setattr(constants, CLUSTERS, False)
    try:
        yield
    finally:
        setattr(constants, CLUSTERS, before)


def job(ray: Any, *paths: Path) -> Any:
    """Ray's configuration of a job whose workers import from ``paths`` first.

    Of itself, Ray has them import from the driver's working directory before anything else, and from beside its script.
    """
    config = ray.job_config.JobConfig(_py_driver_sys_path=[str(path) for path in paths])
    config._runtime_env_has_working_dir = lambda: True  # Ray's question whether to leave these out
    return config


def _takes(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
