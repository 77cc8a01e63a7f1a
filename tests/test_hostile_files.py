"""Files that are forged, enormous or no files, each kind that the fuzzers found: refused at once, and by name."""

import errno
import hashlib
import io
import json
import os
import pickle
import random
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.arguments.paths import folder_or_url
from benchmark.arrays import load_arrays
from benchmark.data import lmdb_reader, lsun
from benchmark.data.folders import read as read_folders
from benchmark.data.image import decode
from benchmark.data.pictures import from_zip
from benchmark.errors import GanbenchError
from benchmark.files import read_regular
from benchmark.metrics import stats, store
from benchmark.schedule.mirror import mirror_of
from benchmark.train import checkpoint
from benchmark.train.run import run
from benchmark.weights.known import KNOWN
from benchmark.weights.read import verified
from tests.conftest import protocol, recipe
from tests.faults.fuzz import images, zips
from tests.test_damaged_files import database
from tests.test_train import DATA

MANY = 300_000
SPARSE = 50 << 30


def _png(kind: bytes) -> bytes:
    head = images._chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + images._chunk(kind, b"") * MANY


def _tiff(tag: int) -> bytes:
    tags = {256: (4, 1, 8), 257: (4, 1, 8), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (3, 1, 400)}
    tags |= {277: (3, 1, 1), 278: (4, 1, 1), 279: (3, 1, 64), tag: (3, MANY, 400)}
    entries = b"".join(struct.pack("<HHII", key, *found) for key, found in sorted(tags.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(2 * MANY + 400)


MADE_OF_MUCH = {
    "chunks": _png(b"tEXt"),
    "empty data": _png(b"IDAT"),
    "segments": b"\xff\xd8" + b"\xff\xfe\0\2" * MANY,
    "padding": b"\xff\xd8" + b"\xff" * MANY,
    "junk": b"\xff\xd8" + b"\xff\0" * MANY,
    "strips": _tiff(273),
    "values of a tag": _tiff(320),
}


@pytest.mark.parametrize("data", MADE_OF_MUCH.values(), ids=MADE_OF_MUCH.keys())
def test_images_of_very_many_parts_are_refused_before_they_are_decoded(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(GanbenchError, match=r"a.png has more than .*not an image to be trusted"):
        decode(data, "a.png")
    assert time.process_time() - began < 0.5


def test_a_progressive_jpeg_of_very_many_scans_is_refused(tmp_path: Path) -> None:
    whole = images.prepare(tmp_path)["JPEG"][-1]
    decode(whole, "a.jpg")
    last = whole[whole.rfind(b"\xff\xda") : -2]
    with pytest.raises(GanbenchError, match=r"a.jpg has 3\d\d scans"):
        decode(whole[:-2] + last * 300 + whole[-2:], "a.jpg")


def test_a_database_that_leads_in_a_circle_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program.py"
    room = lmdb_reader.PROGRAM.parent
    program.write_text(
        f"import sys; sys.path.append({str(room)!r})\nimport lmdb_program as room\nroom.LONGEST_S = 0.1\n"
        "room.frame(b'k')\nwhile True: pass\n"
    )
    monkeypatch.setattr(lmdb_reader, "PROGRAM", program)
    with pytest.raises(GanbenchError, match="its keys led the process that reads it in a circle"):
        list(lmdb_reader.Reader(tmp_path, 100).keys())


def test_keys_that_would_take_all_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database(tmp_path / "db", 5)
    assert len(lsun.from_lmdb(tmp_path / "db").names) == 5
    monkeypatch.setattr(lsun, "MOST_KEYS", 150)
    with pytest.raises(GanbenchError, match="5 keys of up to 40 bytes are too many"):
        lsun.from_lmdb(tmp_path / "db")


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_that_unpack_without_bounds_are_refused(how: int) -> None:
    with pytest.raises(GanbenchError, match=r"a/0.png is packed by (bzip2|lzma); pack the archive by deflate"):
        from_zip(io.BytesIO(zips._zip([("a/0.png", b"")], how)), "a.zip")


def test_members_within_one_another_and_without_a_name_are_refused() -> None:
    whole = bytearray(zips._zip([(f"a/{i}.png", bytes(100)) for i in range(3)], zipfile.ZIP_STORED))
    for i in (at for at in range(len(whole)) if whole[at : at + 4] == b"PK\1\2"):
        whole[i + 20 : i + 28] = struct.pack("<II", 400, 400)
    with pytest.raises(GanbenchError, match="within one another"):
        from_zip(io.BytesIO(whole), "a.zip")
    with pytest.raises(GanbenchError, match="is not an image"):
        read_folders(zips._zip([("", b"x")]), 8, None, None, "a.zip")


def test_arrays_are_read_within_their_bounds(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=np.zeros(100), b=np.zeros(3))
    assert load_arrays(path, 1000, ["b"])["b"].shape == (3,)
    with pytest.raises(ValueError, match="are the most"):
        load_arrays(path, 500)
    np.savez_compressed(path, a=np.zeros(100))
    with pytest.raises(ValueError, match="compressed"):
        load_arrays(path, 10_000)
    bare = io.BytesIO()
    np.lib.format.write_array_header_1_0(bare, {"descr": "<f8", "fortran_order": False, "shape": (2**33,)})
    path.write_bytes(bare.getvalue())
    os.truncate(path, SPARSE)
    with pytest.raises(zipfile.BadZipFile):  # numpy alone would read all of it
        load_arrays(path, 10_000)


@pytest.mark.parametrize("change", [{"n": np.zeros(2)}, {"mu": np.zeros(4, "M8[s]")}, {"sigma": np.zeros(4)}])
def test_kept_statistics_of_other_types_count_as_absent(change: dict[str, Any], tmp_path: Path) -> None:
    arrays = {"mu": np.zeros(4), "sigma": np.eye(4), "n": np.array(8)} | change
    digests = {name: store.digest(array) if array.dtype.kind != "M" else "" for name, array in arrays.items()}
    path = tmp_path / f"{store.content_hash({'a': 1})}.npz"
    about = {"identity": {"a": 1}, "images": 8, "digests": digests}
    np.savez(path, about=np.array(json.dumps(about)), **arrays)
    assert store.load(path, 4, ()) is None


@pytest.mark.parametrize("digests", ["sha256", 1, ["mu"], None])
def test_kept_statistics_without_digests_count_as_absent(digests: Any, tmp_path: Path) -> None:
    path = tmp_path / f"{store.content_hash({'a': 1})}.npz"
    about = {"identity": {"a": 1}, "images": 8, "digests": digests}
    np.savez(path, about=np.array(json.dumps(about)), mu=np.zeros(4), sigma=np.eye(4), n=np.array(8))
    assert store.load(path, 4, ()) is None


@pytest.mark.parametrize("change", [{"extractor": "x" * 10**6}, {"images": 10**3000}])
def test_kept_statistics_are_listed_in_a_short_line(
    change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    (tmp_path / "features").mkdir()
    about = {"set": {"dataset": "d", "split": "s", "resolution": 4, "after": 0}, "extractor": "e", "images": 8}
    np.savez(tmp_path / "features/a.npz", about=np.array(json.dumps(about | {"digests": {}} | change)))
    assert [len(line) < 200 for line in stats.kept()] == [True]


def test_enormous_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / KNOWN["vgg16"].file
    path.touch()
    os.truncate(path, SPARSE)
    with pytest.raises(OSError, match="more than") as found:
        read_regular(path)
    assert found.value.errno == errno.EFBIG
    monkeypatch.setenv("GANBENCH_WEIGHTS", str(path))
    with pytest.raises(GanbenchError, match="cannot be read .*more than any that are known"):
        verified("vgg16")


@pytest.mark.parametrize(
    "url", ["reference://x", "dir://x", "generic://x", "jupyter://x", "zip://x", "async_wrapper://x", "nosuch://x"]
)
def test_stores_that_cannot_be_opened_are_named(url: str) -> None:
    with pytest.raises(GanbenchError, match=f"checkpoints cannot be kept at {url}"):
        mirror_of(folder_or_url(url))


@pytest.mark.parametrize("url", ["://", "://x", " ://x", "\x1b://x", "::://x", "x://", "a b://x"])
def test_what_is_no_url_is_taken_for_no_folder(url: str) -> None:
    with pytest.raises(Exception, match="is no place such as"):
        folder_or_url(url)


@pytest.fixture(scope="module")
def halfway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of a run that was stopped."""
    folder = tmp_path_factory.mktemp("halfway")
    run(ONE, SHORT, 0, DATA, folder, tick=lambda done, todo: done == 2)
    return folder


ONE, SHORT = recipe(epochs=1), protocol(metrics=("D_G",), every_epochs=None, every_steps=1, jac_G_every_epochs=None)


def _seal(path: Path, payload: bytes) -> None:
    path.write_bytes(hashlib.sha256(payload).digest() + payload)


def _set(*keys: Any) -> Any:
    *path, last, value = keys

    def change(state: dict[str, Any]) -> None:
        for key in path:
            state = state[key]
        state[last] = value

    return change


def _without_decay(state: dict[str, Any]) -> None:
    del state["gan"]["opt_D"]["param_groups"][0]["weight_decay"]


ODD = {
    "train_s nan": _set("book", "train_s", float("nan")),
    "train_s text": _set("book", "train_s", "1"),
    "eval_s negative": _set("book", "eval_s", -1.0),
    "cpu": _set("book", "train_cpu_s", "x"),
    "segments text": _set("book", "segments", "x"),
    "segments numbers": _set("book", "segments", [5]),
    "a segment's name": _set("book", "segments", 0, "commit", 1e-300),
    "a segment's sources": _set("book", "segments", 0, "sources", {"a.py": "x\ny"}),
    "an optimiser without its decay": _without_decay,
    "a segment's step": _set("book", "segments", 0, "to_step", 10**30),
    "diverged": _set("book", "diverged", "no"),
    "histories": _set("book", "histories", []),
    "a measurement": _set("book", "histories", "p", [{"step": 1, "epoch": 0, "FID": {"value": -5.0}}]),
    "a measurement's name": _set("book", "histories", "p", [{"step": 1, "epoch": 0, "a\nb": {"value": 5.0}}]),
    "a mean beyond its largest": _set(
        "book", "histories", "p", [{"step": 1, "epoch": 0, "V_g": {"value": -1.0, "max": -5.0}}]
    ),
    "a box": _set(
        "book", "histories", "p", [{"step": 1, "epoch": 0, "V_g": {"value": -1.0, "least": -0.5, "most": -1.0}}]
    ),
    "a number next to none": _set("book", "histories", "p", [{"step": 1, "epoch": 0, "V_g": {"value": -1e-99}}]),
    "a whole number": _set("book", "histories", "p", [{"step": 1, "epoch": 0, "FID": {"value": 5.0, "max": 10**30}}]),
    "no book": lambda state: state.pop("book"),
    "position": _set("position", -3),
    "step": _set("gan", "step", 10**9),
    "shape": _set("gan", "G", {}),
    "rng": _set("gan", "rng", "noise", torch.zeros(3)),
    "learning rate": _set("gan", "opt_G", "param_groups", 0, "lr", "x"),
    "moments": _set("gan", "opt_D", "state", 0, "exp_avg", torch.zeros(1).expand(10**6, 10**6)),
    "recipe": _set("identity", "recipe", {"a": 1}),
    "seed": _set("identity", "seed", "x"),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_checkpoint_falls_back_to_the_one_before_or_is_named(
    what: str, halfway: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = checkpoint.load(halfway)
    assert state is not None
    out = io.BytesIO()
    ODD[what](state)
    torch.save(state, out)
    _seal(tmp_path / checkpoint.CURRENT, out.getvalue())
    with pytest.raises(GanbenchError, match=r"checkpoint.pt cannot be read \(.*move it away"):
        run(ONE, SHORT, 0, DATA, tmp_path)
    (tmp_path / checkpoint.PREVIOUS).write_bytes((halfway / checkpoint.CURRENT).read_bytes())
    result = run(ONE, SHORT, 0, DATA, tmp_path)
    assert result and result["status"] == "finished" and result["segments"][0]["to_step"] == 2
    assert "the one before is taken" in caplog.text and (tmp_path / "checkpoint.damaged").exists()


class Evil:
    def __reduce__(self) -> Any:
        return bytearray, (2**40,)


def _evil_archive() -> bytes:
    out = io.BytesIO()
    torch.save({}, out)
    with zipfile.ZipFile(out) as archive, zipfile.ZipFile(made := io.BytesIO(), "w") as new:
        for name in archive.namelist():
            new.writestr(name, pickle.dumps(Evil(), 2) if name.endswith("data.pkl") else archive.read(name))
    return made.getvalue()


def _bomb() -> bytes:
    with zipfile.ZipFile(made := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("archive/data.pkl", bytes(1 << 22))
    return made.getvalue()


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (_evil_archive(), "bytearray"),
        (_bomb(), "unpacks"),
        (pickle.dumps([1]), "no archive"),
        (random.Random(1).randbytes(99), "no archive"),
    ],
    ids=["names", "bomb", "bare pickle", "noise"],
)
def test_what_would_take_all_memory_is_not_unpickled(payload: bytes, why: str, tmp_path: Path) -> None:
    _seal(tmp_path / checkpoint.CURRENT, payload)
    with pytest.raises(GanbenchError, match=f"cannot be read .*{why}"):
        checkpoint.load(tmp_path)


def test_an_enormous_checkpoint_is_not_read(halfway: Path, tmp_path: Path) -> None:
    (tmp_path / checkpoint.CURRENT).touch()
    os.truncate(tmp_path / checkpoint.CURRENT, SPARSE)
    with pytest.raises(GanbenchError, match="a checkpoint of this run has at most"):
        run(ONE, SHORT, 0, DATA, tmp_path)
