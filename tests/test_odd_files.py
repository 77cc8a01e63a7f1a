"""FIFOs, sockets, devices, links and folders in the place of files: refused or passed over, and never waited for."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from benchmark.cli import main
from benchmark.data import place, prepared
from benchmark.data.absent import missing
from benchmark.data.add import add
from benchmark.data.cards import FileCard, card
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.files import read_regular
from benchmark.metrics import exchange, floor, store
from benchmark.plan import counted, devices
from benchmark.records import failures, remembered, shelf
from benchmark.schedule import job, launch, mirror, state
from benchmark.suite.file import read as read_yaml
from benchmark.suite.nodes import SuiteError
from benchmark.train import checkpoint
from tests.test_image_sets import QUIET, lay, picture, zipped

WAIT_S = 20


@pytest.fixture(autouse=True)
def _nothing_waits(tmp_path: Path) -> Iterator[None]:
    """A test that waits on a FIFO fails: whoever reads one is let go."""

    def late(number: int, frame: FrameType | None) -> None:
        for path in tmp_path.rglob("*"):
            if path.is_fifo():
                os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        pytest.fail("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(WAIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def fifo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def bound(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd()
        os.chdir(path.parent)  # the name of a socket may have 107 bytes
        try:
            s.bind(path.name)
        finally:
            os.chdir(here)
    return path


def link(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "FIFO": (fifo, "is a FIFO"),
    "socket": (bound, "is a socket"),
    "link to a device": (lambda path: link(path, "/dev/zero"), "is a device"),
    "link to a FIFO": (lambda path: link(path, str(fifo(path.parent.parent / "elsewhere"))), "is a FIFO"),
    "link to nothing": (lambda path: link(path, "nowhere"), "No such file"),
    "link to itself": (lambda path: link(path, path.name), "symbolic links"),
    "empty folder": (Path.mkdir, "is an empty folder"),
}


@pytest.mark.parametrize("odd", ODD)
def test_in_a_folder_of_images(odd: str, small, tmp_path: Path) -> None:
    small("obama", train={"count": 3, "size": [8, 8]})
    folder = lay(tmp_path / "set", {f"{i}.png": picture() for i in range(2)})
    make, message = ODD[odd]
    make(folder / "2.png")
    with pytest.raises(GanbenchError, match=rf"2\.png .*{message}"):
        add("obama", folder, **QUIET)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("odd", [o for o in ODD if "link to " not in o or "FIFO" in o or "device" in o])
def test_in_place_of_a_file_that_was_added(odd: str, small, tmp_path: Path) -> None:
    small("obama", train={"count": 3, "size": [8, 8]})
    folder = lay(tmp_path / "set", {f"{i}.png": picture() for i in range(3)})
    add("obama", folder, **QUIET)
    (folder / "2.png").unlink()
    ODD[odd][0](folder / "2.png")
    with pytest.raises(GanbenchError, match=r"2\.png|renamed since"):
        read("obama", "train", 8, 3)


MODES = {"link": stat.S_IFLNK, "FIFO": stat.S_IFIFO, "device": stat.S_IFCHR, "socket": stat.S_IFSOCK}


@pytest.mark.parametrize("odd", MODES)
def test_in_a_zip(odd: str, small, tmp_path: Path) -> None:
    small("tiny-imagenet", 1, train={"count": 2, "size": [8, 8]}, val={"count": 1, "size": [8, 8]})
    files = {f"tiny-imagenet-200/train/n01/images/{i}.JPEG": picture(form="JPEG") for i in range(2)}
    files |= {"tiny-imagenet-200/val/images/val_0.JPEG": picture(form="JPEG")}
    files |= {"tiny-imagenet-200/val/val_annotations.txt": b"val_0.JPEG\tn01\t0\t0\n"}
    path = zipped(tmp_path / "good.zip", files)
    add("tiny-imagenet", path, **QUIET)
    for odd_one in ("tiny-imagenet-200/train/n01/images/1.JPEG", "tiny-imagenet-200/val/val_annotations.txt"):
        with zipfile.ZipFile(tmp_path / "odd.zip", "w") as z:
            for name, data in files.items():
                info = zipfile.ZipInfo(name)
                info.external_attr = ((MODES[odd] if name == odd_one else stat.S_IFREG) | 0o644) << 16
                z.writestr(info, data)
        with pytest.raises(GanbenchError, match=rf"{odd_one} is a {odd}, not a file"):
            add("tiny-imagenet", tmp_path / "odd.zip", **QUIET)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        real = tarfile.TarInfo("d/real")
        real.size = 1
        tar.addfile(real, io.BytesIO(b"x"))
        info = tarfile.TarInfo("d/x.bin")
        info.type, info.linkname = kind, "real" if kind == tarfile.SYMTYPE else "d/real"
        tar.addfile(info)
    with pytest.raises(GanbenchError, match=r"d/x\.bin is not a file"):
        place.from_tar(tmp_path / "a.tar", "d/{file}", FileCard("x.bin", 1, "0" * 64), tmp_path)


def code_of(words: list[str]) -> int | str | None:
    try:
        return main(words)
    except SystemExit as end:
        return end.code


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Archive, suite, folder of suites, weights, statistics, bundle: whatever a person names."""
    pipe = fifo(tmp_path / "suites" / "pipe.yaml")
    for words, code, said in (
        (["data", "add", "obama"], 1, "is a FIFO, not a folder or an archive"),
        (["data", "add", "mnist"], 1, "is a FIFO, not a folder or an archive"),
        (["data", "stats", "--import"], 2, "is neither a file nor a folder; a file is wanted"),
        (["list"], 2, "cannot be read: it is a FIFO, not a file"),
        (["run", "suites/ci.yaml", "--weights"], 2, "is neither a file nor a folder; a file is wanted"),
        (
            ["merge", "--results", str(tmp_path / "results")],
            1,
            "no records/ folder: not a results folder, and not a bundle",
        ),
    ):
        assert code_of([*words, str(pipe)]) == code, words
        assert said in capsys.readouterr().err, words
    assert main(["list", str(pipe.parent)]) == 2 and main(["list", "--check", str(pipe.parent)]) == 2
    said = capsys.readouterr()
    assert (said.out + said.err).count("pipe.yaml: cannot be read: it is a FIFO") == 2


def test_in_the_data_root(small, tmp_path: Path) -> None:
    small("obama", train={"count": 2, "size": [8, 8]})
    folder = lay(tmp_path / "set", {f"{i}.png": picture() for i in range(2)})
    add("obama", folder, **QUIET)
    fifo(tmp_path / "data/obama/ganbench-train.npz")
    with pytest.raises(GanbenchError, match=r"ganbench-train\.npz cannot be read .*is a FIFO.*data add obama"):
        read("obama", "train", 8, 3)
    fifo(tmp_path / "data/obama/ganbench-train.json")
    assert re.search(r"ganbench-train\.json \(it is a FIFO, not a file\)", str(missing("obama", "train")))
    for file in card("mnist").files("train"):
        fifo(tmp_path / "data/mnist" / file.file)
    assert "train-images-idx3-ubyte" in str(missing("mnist", "train"))


def test_in_the_cache_they_count_as_absent(small, tmp_path: Path) -> None:
    small("obama", train={"count": 2, "size": [8, 8]})
    add("obama", lay(tmp_path / "set", {f"{i}.png": picture() for i in range(2)}), **QUIET)
    first = read("obama", "train", 8, 3).images.copy()
    (pixels,) = (tmp_path / "cache/pixels").glob("*.npy")
    for path in (pixels, pixels.with_suffix(".json")):
        fifo(path)
        assert (read("obama", "train", 8, 3).images == first).all()
    pipe = fifo(tmp_path / "pipe")
    assert store.load(pipe, 4, ()) is None and store.about_file(pipe) is None and floor._load(pipe, []) is None
    assert counted._read(pipe) == {} and remembered.read(pipe) == {}
    fifo(devices.factors_file())
    assert devices.calibrated() == {}
    assert prepared.kept(["x"], 1, 8) is None


def test_among_results(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fifo(tmp_path / "run" / checkpoint.CURRENT)
    checkpoint.save(tmp_path / "other", {"step": 3})
    os.replace(tmp_path / "other" / checkpoint.CURRENT, tmp_path / "run" / checkpoint.PREVIOUS)
    assert checkpoint.load(tmp_path / "run") == {"step": 3}
    assert "it is a FIFO, not a file; trying the one before" in caplog.text
    with pytest.raises(GanbenchError, match="checkpoint.pt is not a file"):
        mirror.mirror_of(f"file://{tmp_path}/run").pull(tmp_path / "other")
    key = "0" * 16
    fifo(tmp_path / "failures" / f"{key}-s0.json")
    fifo(tmp_path / "runs/status.json")
    fifo(tmp_path / "records/a/b.json")
    assert [f.reason for f in failures.read_all(tmp_path).values()] in ([], [f"{key}-s0.json cannot be read"])
    assert [str(p).partition(": ")[2] for p in shelf.read_all(tmp_path)[1]] == ["not a file"]
    with pytest.raises(GanbenchError, match=r"status\.json: it is a FIFO, not a file"):
        state.describe(tmp_path)


def test_regular_files_and_links_to_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1")
    assert read_regular(link(tmp_path / "b.yaml", "a.yaml")) == b"a: 1"
    assert read_yaml(tmp_path / "b.yaml").is_mapping()
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(SuiteError, match="cannot be read"):
            read_yaml(path)
    with pytest.raises(GanbenchError, match="is not a file of plain arrays"):
        exchange.import_file(tmp_path / "a.yaml")


@pytest.mark.parametrize("odd", ["FIFO", "socket", "link to a device"])
def test_in_the_place_of_a_lock(odd: str, tmp_path: Path) -> None:
    ODD[odd][0](tmp_path / ".lock")
    ODD[odd][0](tmp_path / "x.lock")
    message = rf"\.lock {ODD[odd][1]}, not a file"
    with pytest.raises(GanbenchError, match=message), launch._only_driver(tmp_path):
        pass
    with pytest.raises(GanbenchError, match=message), job._alone(tmp_path):
        pass
    with pytest.raises(GanbenchError, match=r"\.lock: it is a"):
        state.driver_alive(tmp_path)
    for alone in (prepared._alone(tmp_path / "x.npy"), store.alone(tmp_path / "x.npz", "features", lambda: False)):
        with pytest.raises(GanbenchError, match=r"x\.lock is a"), alone:
            pass
