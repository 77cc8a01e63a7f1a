"""Small files that would be large once they are walked through or read: refused at once, whoever made them."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.errors import GanbenchError
from benchmark.files import open_regular, read_regular
from benchmark.records import bundle, store
from benchmark.records.record import RecordError
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError
from benchmark.train import checkpoint
from benchmark.train.kept import plain
from tests.test_decide import write

ENDLESS = Path("/proc/self/pagemap")


def shared(levels: int, width: int, make: Callable[[list[Any]], Any]) -> Any:
    """A value in which each container holds the one below it many times."""
    value: Any = 1
    for _ in range(levels):
        value = make([value] * width)
    return value


def written(folder: Path, state: dict[str, Any]) -> None:
    torch.save(state, buffer := io.BytesIO())
    payload = buffer.getvalue()
    assert len(payload) < 100_000
    (folder / checkpoint.CURRENT).write_bytes(hashlib.sha256(payload).digest() + payload)


@pytest.mark.parametrize("kind", ["lists", "mappings", "tuples", "itself"])
def test_a_checkpoint_that_shares_its_lists_is_refused_before_it_is_walked_through(kind: str, tmp_path: Path) -> None:
    inner: list[Any] = []
    inner += [inner] * 50
    made = {
        "lists": shared(6, 500, list),
        "mappings": shared(30, 2, lambda parts: dict(enumerate(parts))),
        "tuples": shared(30, 2, tuple),
        "itself": inner,
    }[kind]
    written(tmp_path, {"identity": {"recipe": made}})
    taken: list[bool] = []
    with pytest.raises(GanbenchError, match="the same lists over and over"):
        checkpoint.load(tmp_path, lambda state: taken.append(plain(state["identity"])))
    assert not taken


def test_so_is_one_whose_key_is_such_a_tuple(tmp_path: Path) -> None:
    doubled = b"".join(b"q%ch%c\x86" % (i, i) for i in range(40))  # memo, the same again, a pair
    torch.save({}, buffer := io.BytesIO())
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(whole := io.BytesIO(), "w") as new:
        for name in old.namelist():
            new.writestr(name, b"\x80\x02}K\x01" + doubled + b"K\x01s." if name.endswith(".pkl") else old.read(name))
    payload = whole.getvalue()
    (tmp_path / checkpoint.CURRENT).write_bytes(hashlib.sha256(payload).digest() + payload)
    with pytest.raises(GanbenchError, match="the same lists over and over"):
        checkpoint.load(tmp_path)


def test_a_checkpoint_may_share_a_little(tmp_path: Path) -> None:
    betas, stretch = (0.5, 0.999), {"from_step": 0, "device": "cpu"}
    state = {"groups": [{"betas": betas}] * 3, "segments": [stretch, stretch], "names": ["x" * 50] * 300}
    written(tmp_path, state)
    assert checkpoint.load(tmp_path) == state


@pytest.mark.parametrize("old", ["title: Tiny", "caption: c", "source: a test", "name: mlp"])
def test_a_text_of_a_suite_is_bounded(old: str, tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.yaml")
    path.write_text(path.read_text().replace(old, f"{old.split(':')[0]}: {'x' * 20_000}", 1))
    with pytest.raises(SuiteError, match=r"tiny.yaml:\d+:\d+: a text of 20,000 characters") as error:
        load(path)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{caption: c,", "{caption: c, notes: {NOTES},"),
        ("base: {dataset", 'base: {notes: {batch_d: "LONG", rest: "LONG"}, dataset'),
    ],
)
def test_so_are_the_notes_that_come_on_every_cell(old: str, new: str, tmp_path: Path) -> None:
    path, long = write(tmp_path / "tiny.yaml"), "x" * 9_000
    notes = ", ".join(f'"method!=B{i}": "{long}"' for i in range(50))
    rows = ", ".join(f"R{i}: {{recipe: base, V_g: 1.0, D_G: -0.5}}" for i in range(200))
    text = path.read_text().replace(old, new.replace("NOTES", notes).replace("LONG", long))
    path.write_text(text)
    assert load(path).cells[0].noted > 18_000
    path.write_text(text.replace("rows: {A", f"rows: {{{rows}, A"))
    with pytest.raises(SuiteError, match="the notes on the suite's cells have more than 20,000,000 characters"):
        load(path)


@pytest.mark.skipif(not ENDLESS.exists(), reason="no /proc, whose files say that they are empty")
def test_files_that_say_they_are_empty_and_never_end_are_not_read(tmp_path: Path) -> None:
    (link := tmp_path / "records/x.json").parent.mkdir()
    link.symlink_to(ENDLESS)
    for read in (open_regular, read_regular):
        with pytest.raises(OSError, match="made as it is read"):
            read(link)
    with pytest.raises(RecordError, match="made as it is read") as error:
        store.read(link)
    assert error.value.unread
    (empty := tmp_path / "empty").touch()
    assert read_regular(empty) == b""


def test_a_killed_export_leaves_no_bundle_and_the_next_takes_its_remains_away(tmp_path: Path) -> None:
    out = tmp_path / "mine.zip"
    program = """
import os, signal, sys
from pathlib import Path
from benchmark.records import bundle
bundle.place = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
bundle.write(Path(sys.argv[1]), {"a": b"x"})
"""
    done = subprocess.run([sys.executable, "-c", program, str(out)], cwd=Path(bundle.__file__).parents[2])
    assert done.returncode == -signal.SIGKILL and not out.exists() and len(os.listdir(tmp_path)) == 1
    bundle.write(out, {"a": b"x"})
    assert os.listdir(tmp_path) == ["mine.zip"]
    with pytest.raises(GanbenchError, match="is there already; it was not written over"):
        bundle.write(out, {"a": b"y"})
    assert os.listdir(tmp_path) == ["mine.zip"]
