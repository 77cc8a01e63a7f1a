"""What Ray is given when it starts on this machine: a folder whose path leaves room for its sockets, and an environment
in which its processes start.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from benchmark.errors import GanbenchError
from benchmark.schedule.session import session

SOCKET = "session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store"
ROOM = 107


def start(monkeypatch: pytest.MonkeyPatch, error: Exception, **variables: str) -> dict[str, str]:
    """The environment, and as "folder" the one for sockets, with which Ray is started; then it fails with ``error``."""
    found: dict[str, str] = {}

    def init(**options: object) -> None:
        place = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()  # where Ray puts them of itself
        found.update(os.environ, folder=str(options.get("_temp_dir") or Path(place, "ray")))
        raise error

    ray = ModuleType("ray")
    ray.init, ray.job_config = init, SimpleNamespace(JobConfig=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("RAY_TMPDIR", "TMPDIR", "PYTHONOPTIMIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(GanbenchError, match="Ray could not start"), session(None, 1):
        pass
    return found


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", "TMPDIR"])
@pytest.mark.parametrize("letters", ["l" * 90, "é" * 18], ids=["letters", "bytes"])
def test_ray_is_never_given_a_folder_without_room_for_its_sockets(
    variable: str, letters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="g", dir="/tmp") as folder:
        (long := Path(folder, letters)).mkdir()
        found = start(monkeypatch, RuntimeError("no"), **{variable: str(long)})
    assert len(os.fsencode(f"{found['folder']}/{SOCKET}")) <= ROOM


@pytest.mark.parametrize("value", ["1", "2", "x"])
def test_rays_processes_keep_their_docstrings(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PYTHONOPTIMIZE" not in start(monkeypatch, RuntimeError("no"), PYTHONOPTIMIZE=value)
    assert os.environ["PYTHONOPTIMIZE"] == value, "it is the user's again afterwards"


@pytest.mark.parametrize(
    "error", [RuntimeError(), RuntimeError("no\nmore"), AssertionError()], ids=["bare", "two lines", "assertion"]
)
def test_an_error_of_rays_without_a_word_is_told_all_the_same(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, error)
