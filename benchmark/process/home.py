"""Which code runs: this package, and nothing of the working directory, in this process and in those that it starts."""

from __future__ import annotations

import os  # nothing that Python has not loaded before: the working directory may still be on the path
import sys

PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

WORKING = "working_dir_files"
"""Folder of a node in which Ray unpacks the working directories of jobs."""

ENTER = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
folder, module = sys.argv[1:]
spec = spec_from_file_location("benchmark", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["benchmark"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["benchmark"])
import runpy
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
"""Runs a module of the package in the folder that is named first, whatever else is called "benchmark"."""


def python(*words: str) -> list[str]:
    """This Python in a process of its own, which imports nothing from the working directory if it gets
    ``environment``.
    """
    return [sys.executable, "-P", *words]


def module(name: str) -> list[str]:
    """The same, for a module of this very package."""
    return python("-c", ENTER, PACKAGE, name)


def environment() -> dict[str, str]:
    """This process's, for one that it starts: without the working directory among PYTHONPATH, where an empty entry
    means it.
    """
    found = dict(os.environ)
    named = found.pop("PYTHONPATH", "")
    if kept := [entry for entry in named.split(os.pathsep) if named and not _is_here(entry)]:
        found["PYTHONPATH"] = os.pathsep.join(kept)
    return found


def leave_working_directory() -> None:
    """Take the working directory off the path, where ``python -m`` puts it first, and an empty entry of PYTHONPATH
    later.
    """
    try:
        here = os.getcwd()
    except OSError:  # it was deleted: nothing can be imported from it
        return
    if not sys.flags.safe_path and sys.path[:1] in ([""], [here]):
        del sys.path[0]
    named = os.environ.get("PYTHONPATH", "")
    if named and any(map(_is_here, named.split(os.pathsep))) and here not in named.split(os.pathsep):
        sys.path[:] = [entry for entry in sys.path if entry not in ("", here)]


def leave_job_directory() -> None:
    """The same in a worker of a cluster, also where the working directory is the job's own: this package, if it came in
    it, is imported.
    """
    leave_working_directory()
    if WORKING in (here := os.getcwd()).split(os.sep):
        sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != os.path.realpath(here)]


def _is_here(entry: str) -> bool:
    """Whether an entry of PYTHONPATH means the working directory, whichever that is."""
    return os.path.normpath(entry or ".") == "."
