"""Folders for as long as something lasts: private, and removed by the next process where one was killed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark import scratch as room
from benchmark.scratch import LOCK, scratch
from tests.conftest import ROOT

HOLD = """
import sys, time
from pathlib import Path
from benchmark.scratch import scratch
with scratch(Path(sys.argv[1]), "gb-") as folder:
    (folder / "x").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_one_is_private_and_gone_at_the_end_whatever_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch(tmp_path, "gb-") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and folder.parent == tmp_path
        (folder / "a/b").mkdir(parents=True)
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    held = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    theirs = Path(held.stdout.readline().strip())
    with scratch(tmp_path, "gb-"):
        assert theirs.exists(), "its process is at work"
    held.kill()
    held.wait()
    assert theirs.exists()
    with scratch(tmp_path, "gb-") as folder:
        assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("what", ["of another user", "a link", "without the lock", "another name"])
def test_nothing_else_is_ever_removed(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / ("other" if what == "another name" else "gb-x")
    real = tmp_path / "real" if what == "a link" else there
    real.mkdir()
    if what != "without the lock":
        (real / LOCK).write_text("")
    if what == "a link":
        there.symlink_to(real)
    if what == "of another user":
        monkeypatch.setattr(os, "geteuid", lambda: real.stat().st_uid + 1)
    room.clear(tmp_path, "gb-")
    assert there.exists() and real.exists()


def test_one_that_is_still_written_to_is_removed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, remove = [], shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda *a, **k: asked.append(a) or (len(asked) > 2 and remove(*a, **k)))
    began = time.monotonic()
    with scratch(tmp_path, "gb-"):
        pass
    assert not list(tmp_path.iterdir()) and time.monotonic() - began < room.GONE_S
