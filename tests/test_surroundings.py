"""Where Ray keeps its sockets, and the environment that its processes get."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.errors import GanbenchError
from benchmark.schedule import session, surroundings

TAIL = "/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store"


@pytest.fixture
def short() -> Path:
    with tempfile.TemporaryDirectory(prefix="g", dir="/tmp") as folder:
        yield Path(folder)


def _use(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name in ("RAY_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, variables.get(name, ""))


def test_the_longest_path_has_room_for_the_sockets() -> None:
    assert surroundings.LONGEST + len(TAIL) <= 107
    with surroundings.folder() as made:
        assert len(os.fsencode(made)) == len(os.fsencode(made.parents[1])) + surroundings.NAME


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", "TMPDIR"])
@pytest.mark.parametrize("what", ["long", "missing", "a file", "read-only", "many bytes"])
def test_a_folder_that_ray_cannot_use_is_passed_over(
    variable: str, what: str, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "FOLDERS", (str(short),))
    bad = {"long": short / ("l" * 60), "many bytes": short / ("é" * 18)}.get(what, short / "x")
    if what == "a file":
        bad.write_text("")
    elif what != "missing":
        bad.mkdir()
    if what == "read-only":
        access = os.access
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != bad and access(path, mode))
    _use(monkeypatch, **{variable: str(bad)})
    assert surroundings.place() == short


def test_one_that_it_can_use_is_kept_and_rays_own_variable_goes_first(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short / "a").mkdir()
    (short / "b").mkdir()
    _use(monkeypatch, RAY_TMPDIR=str(short / "a"), TMPDIR=str(short / "b"))
    assert surroundings.place() == short / "a"
    monkeypatch.chdir(short)
    _use(monkeypatch, TMPDIR="b")
    assert surroundings.place() == short / "b"


def test_nowhere_to_go_says_what_to_change(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "FOLDERS", (str(short / "none"),))
    _use(monkeypatch)
    with pytest.raises(GanbenchError, match="set RAY_TMPDIR to a folder whose path has at most 27 bytes"):
        surroundings.place()


def test_a_full_disk_says_what_to_change(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise surroundings.shutil.Error([("a", "b", "[Errno 28] No space left on device: 'a'"), ("c", "d", "e")])

    monkeypatch.setattr(surroundings.shutil, "copytree", full)
    with pytest.raises(GanbenchError, match="No space left on device.*set RAY_TMPDIR"):
        surroundings.code(short / "r")


@pytest.mark.parametrize("there", [True, False])
def test_objects_go_elsewhere_without_shared_memory(there: bool, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "SHARED_MEMORY", short if there else short / "none")
    assert surroundings.memory(short) == ({} if there else {"_plasma_directory": str(short)})


@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [
        ({}, {}),
        ({"PYTHONOPTIMIZE": "2"}, {}),
        ({"PYTHONPATH": "/a:/b"}, {"PYTHONPATH": "/a:/b"}),
        ({"PYTHONPATH": ":/a::./:.:/b:lib:", "PYTHONOPTIMIZE": "x"}, {"PYTHONPATH": "/a:/b:lib"}),
        ({"PYTHONPATH": ""}, {}),
        ({"PYTHONPATH": ":"}, {}),
    ],
)
def test_the_environment_is_cleaned_and_put_back(
    before: dict[str, str], meanwhile: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> dict[str, str]:
        return {name: os.environ[name] for name in surroundings.NOT_FOR_RAY if name in os.environ}

    for name in surroundings.NOT_FOR_RAY:
        monkeypatch.delenv(name, raising=False)
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ZeroDivisionError), surroundings.cleaned():
        assert found() == meanwhile
        raise ZeroDivisionError
    assert found() == before


def test_whatever_else_keeps_ray_from_starting_says_where_to_look(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(_temp_dir: str, **_: object) -> None:
        Path(_temp_dir, "session_latest/logs").mkdir(parents=True)
        raise RuntimeError

    ray = SimpleNamespace(init=init, job_config=SimpleNamespace(JobConfig=SimpleNamespace))
    _use(monkeypatch, TMPDIR=str(short))
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    said = "could not start: RuntimeError; .*ganbench-ray-.* has what.*--executor inline"
    with pytest.raises(GanbenchError, match=said), session.ExitStack() as stack:
        session._start(ray, None, stack)
    assert [path.name[:13] for path in short.iterdir()] == ["ganbench-ray-"], "only the logs, which the message names"
