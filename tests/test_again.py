"""``--again`` makes just those records anew whose parts' source has changed, and loses none on the way."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import shlex
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from benchmark.cli import main
from benchmark.data.read import ImageSet
from benchmark.errors import GanbenchError
from benchmark.files import write_whole
from benchmark.recipe import Protocol
from benchmark.records import anew, leftovers, store
from benchmark.records.leftovers import sweep
from benchmark.records.provenance import segments
from benchmark.records.record import Record
from benchmark.schedule import endings
from benchmark.sources import sources
from benchmark.train.run import run as train
from tests.conftest import recipe
from tests.test_sources import copy, edit  # noqa: F401  (a fixture)
from tests.test_working_directory import MINI

RUN = ["run", "mini.yaml", "--executor", "inline"]
PART = "methods/spectral_norm.py"


def records() -> dict[str, Record]:
    found, problems = store.read_all(Path("results"))
    assert not problems
    return {r.cell.split("/")[2]: r for r in found}


def files() -> dict[Path, tuple[int, int]]:
    return {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in Path("results/records").rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two records, made once."""
    folder = tmp_path_factory.mktemp("ready")
    with pytest.MonkeyPatch.context() as patch, mock.patch.dict(os.environ):
        patch.chdir(folder)
        Path("mini.yaml").write_text(MINI)
        assert main(RUN) == 0
    return folder


@pytest.fixture
def made(ready: Path, copy: Path) -> Path:  # noqa: F811
    """The two, of one of which a part has changed since."""
    shutil.copytree(ready, ".", dirs_exist_ok=True)
    edit(copy / PART, "VERSION = 1\n", "VERSION = 1\nOTHER = 2\n")
    return copy


def test_just_what_changed_is_made_anew(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, on_disk = records(), files()
    capsys.readouterr()
    assert main(["plan", "mini.yaml"]) == 0
    said = capsys.readouterr()
    assert "0 to do, 2 done" in said.out and "--again makes just these anew" in said.err
    assert main(["plan", "mini.yaml", "--again", "--explain"]) == 0
    said = capsys.readouterr()
    assert "1 to do (1 made again), 1 done" in said.out
    assert f"to do: mini/1/SN-D/shapes seed 0: {PART} changed since record" in said.out and PART not in said.err
    assert files() == on_disk, "a plan makes nothing"
    assert main([*RUN, "--again"]) == 0
    assert f"again: mini/1/SN-D/shapes seed 0: {PART} changed" in capsys.readouterr().err
    after = records()
    (stretch,) = segments(after["SN-D"])
    assert (stretch["from_step"], stretch["to_step"]) == (0, 4), "not from the checkpoint that the other code has made"
    assert stretch["sources"] == sources(after["SN-D"].recipe)
    kept = {path for path in files() if path.suffix == anew.KEPT}
    assert len(kept) == 1 and files().keys() == on_disk.keys() | kept
    shutil.copy(kept.pop(), old := Path("old.json"))
    assert segments(store.read(old)) == segments(before["SN-D"])
    plain = [path for path in on_disk if "plain" in str(path)]
    assert plain and all(files()[path] == on_disk[path] for path in plain), "the other one was not touched"
    last = files()
    assert main([*RUN, "--again"]) == 0 and files() == last
    said = capsys.readouterr().err
    assert "0 to do, 2 done" in said and "changed" not in said


@pytest.mark.parametrize("fails", ["write", "keep", "replace"])
def test_where_the_new_one_cannot_be_written_the_old_one_stays(
    fails: str, made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, on_disk = records(), files()

    def full(*arguments: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        *{"write": (anew.os, "fsync"), "keep": (anew, "_keep"), "replace": (anew.os, "replace")}[fails], full
    )
    assert main([*RUN, "--again"]) == 1
    assert "the old record is still there" in capsys.readouterr().err.lower()
    after = records()
    assert segments(after["SN-D"]) == segments(before["SN-D"])
    assert {p: v for p, v in files().items() if p.suffix == ".json"} == on_disk


def test_one_that_finds_no_room_is_rescued_as_any_other(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = records()
    (tmp_path / "rescue").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "rescue"))

    def full(*arguments: object, **more: object) -> None:
        raise GanbenchError("cannot write: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(endings, "replace", full)
        assert main([*RUN, "--again"]) == 1
    said = capsys.readouterr().err
    (command,) = {line.partition("when there is room, run: ganbench ")[2] for line in said.splitlines()} - {""}
    assert main(shlex.split(command)) == 0 and "1 record taken over" in capsys.readouterr().out
    after = records()
    assert segments(after["SN-D"])[0]["sources"] == sources(after["SN-D"].recipe)
    (kept,) = (path for path in files() if path.suffix == anew.KEPT)
    shutil.copy(kept, old := Path("old.json"))
    assert segments(store.read(old)) == segments(before["SN-D"])
    on_disk = files()
    assert main(shlex.split(command)) == 0 and "0 records taken over, 1 were here" in capsys.readouterr().out
    assert main([*RUN, "--again"]) == 0 and "0 to do, 2 done" in capsys.readouterr().err and files() == on_disk


def test_records_of_another_lab_are_made_anew_as_ours(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("results").rename("theirs")
    assert main(["merge", "theirs"]) == 0 and main([*RUN, "--again"]) == 0
    assert "1 to do (1 made again), 1 done" in "".join(capsys.readouterr())
    assert segments(new := records()["SN-D"])[0]["sources"] == sources(new.recipe)
    (kept,) = (path for path in files() if path.suffix == anew.KEPT)
    assert kept.parts[2] == "merged" and kept.with_suffix("").exists()
    assert main(["merge", "theirs"]) == 0 and "0 records taken over, 2 were here" in capsys.readouterr().out
    assert segments(records()["SN-D"]) == segments(new)


@pytest.mark.parametrize("kept", ["another step", "nothing", "another outcome", "another outcome, without --again"])
def test_a_rescued_record_takes_the_place_of_whatever_is_there(kept: str, made: Path) -> None:
    (path,) = (p for p in files() if "SN-D" in str(p))
    new = store.read(path)
    store.write(Path("rescue"), "rescued", new)
    other = dataclasses.replace(new, samples="")
    path.unlink()
    if kept == "another step":
        other = dataclasses.replace(other, status="partial", steps=2, epochs=0.5, history=[])
    if kept != "nothing":
        store.write(Path("results"), "mini/x", other)
    words = ["merge", "rescue", *["--again"] * (not kept.endswith("without --again"))]
    assert main(words) == int(kept.endswith("without --again"))
    there = {r.outcome for r in store.read_all(Path("results"))[0] if "SN-D" in r.cell}
    assert there == {(other if kept.endswith("without --again") else new).outcome}


def test_all_copies_are_replaced_and_other_steps_put_aside(made: Path) -> None:
    (path,) = (p for p in files() if "SN-D" in str(p))
    copied = Path("results/records/merged", path.name)
    copied.parent.mkdir()
    shutil.copy(path, copied)
    partial = path.with_name(f"{path.name.removesuffix('.json')}.step2.json")
    shutil.copy(path, partial)
    record = store.read(path)
    for name in (path, copied):
        shutil.copy(name, f"{name}{anew.KEPT}")
    anew.replace(Path("results"), "mini/other", record)
    there = sorted(str(p.relative_to("results/records")) for p in files() if "plain" not in str(p))
    room = str(path.parent.relative_to("results/records"))
    assert there == sorted(
        [f"{folder}/{path.name}{end}" for folder in (room, "merged") for end in ("", ".before", ".before-1")]
        + [f"{room}/{partial.name}.before"]
    )
    assert set(records()) == {"SN-D", "plain"}


@pytest.mark.parametrize("room", ["records/mini/1--SN-D--shapes", "conflicts/x/records", "external/mini/a", "failures"])
@pytest.mark.parametrize("name", ["{0}-s0.json", "{0}-s12.step40.json", "{0}-s0.json.before", "{0}-s0.json.before-2"])
def test_what_a_killed_process_left_half_written_is_swept(room: str, name: str, tmp_path: Path) -> None:
    whole = tmp_path / room / name.format("0123456789abcdef")
    whole.parent.mkdir(parents=True)
    whole.write_bytes(b"whole")
    half, living, locked = (whole.with_name(f".{whole.name}.{n}.tmp") for n in (999_999_999, os.getpid(), 999_999_998))
    for path in (half, living, locked):
        path.write_bytes(b"{")
    with locked.open("ab") as stream:  # by a machine that shares the disk
        fcntl.flock(stream, fcntl.LOCK_EX)
        sweep(tmp_path)
    assert sorted(whole.parent.iterdir()) == sorted([whole, living, locked])


def test_results_from_outside_are_locked_while_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine's sweep, by which no process of this number lives, leaves them."""
    monkeypatch.setattr(leftovers, "_lives", lambda pid: False)
    replaced = os.replace

    def meanwhile(one: Path, other: Path) -> None:
        sweep(tmp_path)
        replaced(one, other)

    monkeypatch.setattr("benchmark.files.os.replace", meanwhile)
    write_whole(there := tmp_path / "external/mini/a/0123456789abcdef-s0.json", b"whole")
    assert there.read_bytes() == b"whole"


def test_what_was_begun_anew_is_gone_on_with(copy: Path, tmp_path: Path) -> None:  # noqa: F811
    r = recipe(epochs=2, images=None, batch_d=16, batch_g=16)
    protocol = Protocol(metrics=("V_g",), generated=8, bn_mode="eval", weights="raw", checkpoint="last",
                        std_of="noises", seeds=1)  # fmt: skip
    data = ImageSet(np.zeros((64, 1, 28, 28), np.uint8), np.zeros(64, np.int64), "content", "subset")
    steps = [
        [
            (s["from_step"], s["to_step"])
            for s in (train(r, protocol, 0, data, tmp_path / "run", **more) or {})["segments"]
        ]
        for more in ({}, {"anew": True})
    ]
    assert steps == [[(0, 8)], [(0, 8)]], "nothing has changed"
    edit(copy / PART, "VERSION = 1\n", "VERSION = 1\nOTHER = 2\n")
    half = train(r, protocol, 0, data, tmp_path / "run", anew=True, until_epoch=1)
    assert half and half["status"] == "partial" and len(half["segments"]) == 1
    whole = train(r, protocol, 0, data, tmp_path / "run", anew=True)
    assert whole and [(s["from_step"], s["to_step"]) for s in whole["segments"]] == [(0, 4), (4, 8)]


def test_it_is_not_for_rounds(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--again", "--until-decided", "--budget", "1h"]) == 2
    assert "leave out --again" in capsys.readouterr().err


def test_records_are_placed_where_there_are_no_hard_links(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*names: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    (path,) = (p for p in files() if "SN-D" in str(p))
    old = path.read_bytes()
    anew.replace(Path("results"), "mini/1/SN-D", store.read(path))
    assert Path(f"{path}{anew.KEPT}").read_bytes() == old
