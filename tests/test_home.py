"""The tests themselves: what a user has makes no difference to them, and those that take long are told of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import home
from tests.home import ROOT


def test_tests_do_not_work_in_the_checkout(committed: Path) -> None:
    here = Path.cwd()
    assert ROOT not in (here, *here.parents) and committed == here / "results"
    assert not (here / "report").exists() and (here / "suites/theory.yaml").samefile(ROOT / "suites/theory.yaml")
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "results"], capture_output=True, check=True).stdout
    there = {p.relative_to(here).as_posix() for p in committed.rglob("*.json")}
    assert there and there <= set(listed.decode().split("\0"))
    for name in ("GANBENCH_CACHE", "GANBENCH_DATA", "GANBENCH_WEIGHTS", "GANBENCH_COMMIT", "RAY_ADDRESS", "GIT_DIR"):
        assert name not in os.environ


def test_what_is_not_in_git_is_not_among_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path / "clone"), *words], check=True, capture_output=True)

    records = tmp_path / "clone/results/records"
    records.mkdir(parents=True)
    (records / "kept.json").write_text("{}")
    monkeypatch.setattr(home, "ROOT", tmp_path / "clone")
    assert not (home.make(tmp_path / "without git") / "results").exists()
    git("init")
    git("add", "results")
    (records / "kept.json").write_text("a user's own")
    (records / "own.json").touch()
    (tmp_path / "clone/results/.lock").touch()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    made = home.make(tmp_path / "home")
    assert [p.name for p in made.rglob("results/**/*") if p.is_file()] == ["kept.json"]
    assert (made / "results/records/kept.json").read_text() == "{}"


def test_what_a_user_has_set_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "GANBENCH_CACHE",
        "GANBENCH_NEW",
        "RAY_ADDRESS",
        "GIT_INDEX_FILE",
        "TORCH_HOME",
        "XDG_CONFIG_HOME",
        "LINES",
    ):
        monkeypatch.setenv(name, "x")
        assert home.environment(tmp_path)[name] is None
    assert int(home.environment(tmp_path)["COLUMNS"] or 0) > 1000
    assert home.environment(tmp_path)["XDG_CACHE_HOME"] == str(tmp_path / "cache")
    monkeypatch.setenv("GANBENCH_CHROMIUM", "x")
    assert "GANBENCH_CHROMIUM" not in home.environment(tmp_path)


TWO = """import pytest

def test_quick() -> None:
    pass

@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2])
def test_long(n: int) -> None:
    pass
"""


def test_slow_tests_are_left_out_and_told_of_with_the_seconds_of_each_file(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/conftest.py").write_text("from tests_of_ganbench import *\n")
    shutil.copy(ROOT / "tests/times.py", tmp_path / "tests/tests_of_ganbench.py")
    for name in ("a", "b"):
        (tmp_path / f"tests/test_{name}.py").write_text(TWO)

    def told(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider", *words]
        quick = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=quick)
        return done.returncode, done.stdout

    code, said = told("-n", "1")
    assert code == 0 and "left out: 4; to run them: pytest -m slow\n" in said, said
    listed = said.partition("seconds of each file")[2]
    assert "s  " not in listed and all(f"  tests/test_{name}.py\n" in listed for name in ("a", "b"))
    code, said = told("tests/test_a.py::test_long[2]")
    assert code == 5 and "left out: 1; to run it: pytest -m slow tests/test_a.py::test_long[2]\n" in said, said
    code, said = told("-m", "slow", "tests/test_a.py::test_long", "tests/test_b.py")
    assert code == 0 and "left out" not in said and "...." in said, said
