"""STL-10's and CIFAR's binary files, prepared pixels on disk, and the subsets that are drawn: small files of the true
formats, made here.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmark.data import cards as card_room
from benchmark.data import cifar_binary, prepared, subsets
from benchmark.data.absent import missing
from benchmark.data.add import add
from benchmark.data.cards import Card, card
from benchmark.data.fetch import fetch
from benchmark.data.read import read
from benchmark.data.verify import verify
from benchmark.errors import GanbenchError
from benchmark.plan.blocks import what_blocks
from benchmark.plan.keys import run_key
from tests.conftest import protocol, recipe

RNG = np.random.default_rng(1)
QUIET = {"say": lambda line: None}


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Card]:
    """Data root and cache of the test, and the cards, which it may change."""
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    known = dict(card_room.cards())
    monkeypatch.setattr(card_room, "cards", lambda: known)
    return known


def pinned(path: Path, **more: object) -> dict[str, object]:
    data = path.read_bytes()
    return {"file": path.name, "bytes": len(data), "md5": hashlib.md5(data).hexdigest(), **more}


def tarball(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


STL = {
    name: RNG.integers(0, 256, (n, 96, 96, 3), dtype=np.uint8)
    for name, n in (("train", 3), ("test", 2), ("unlabeled", 4))
}
"""Images as a person sees them: row, column, colour."""
STL_BYTES = {f"{name}_X.bin": images.transpose(0, 3, 2, 1).tobytes() for name, images in STL.items()} | {
    "train_y.bin": bytes([1, 10, 4]),
    "test_y.bin": bytes([2, 3]),
}


@pytest.fixture
def stl(rooms: dict[str, Card], tmp_path: Path) -> Path:
    """STL-10 with a card of a few images; the folder with the files."""
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    for name, data in STL_BYTES.items():
        (folder / name).write_bytes(data)
    x, y = (
        {n: pinned(folder / f"{n}_X.bin") for n in STL},
        {n: pinned(folder / f"{n}_y.bin") for n in ("train", "test")},
    )
    splits = {n: {"count": len(STL[n]), "images": x[n], "labels": y[n]} for n in ("train", "test")}
    splits |= {
        "unlabeled": {"count": 4, "images": x["unlabeled"]},
        "train+unlabeled": {"count": 7, "images": x["train"], "labels": y["train"], "more": x["unlabeled"]},
    }
    archive = tarball(tmp_path / "stl10_binary.tar.gz", {f"stl10_binary/{n}": data for n, data in STL_BYTES.items()})
    source = {"tar": f"file://{archive}", "bytes": archive.stat().st_size, "member": "stl10_binary/{file}"}
    rooms["stl10"] = dataclasses.replace(rooms["stl10"], splits=splits, sources=(source,))
    return folder


def test_stl10_columns_become_rows_and_labels_begin_at_0(stl: Path) -> None:
    add("stl10", stl, **QUIET)
    train, unlabeled, both = (read("stl10", split, 96, 3) for split in ("train", "unlabeled", "train+unlabeled"))
    assert np.array_equal(train.images, STL["train"].transpose(0, 3, 1, 2)) and train.labels.tolist() == [0, 9, 3]
    assert unlabeled.labels.tolist() == [-1] * 4 and both.labels.tolist() == [0, 9, 3, -1, -1, -1, -1]
    assert (
        np.array_equal(both.images, np.concatenate([train.images, unlabeled.images]))
        and len({train.content, unlabeled.content, both.content}) == 3
    )
    small = read("stl10", "unlabeled", 48, 3, resize="bilinear")
    want = Image.fromarray(STL["unlabeled"][2]).resize((48, 48), Image.Resampling.BILINEAR)
    assert np.array_equal(
        small.images[2].transpose(1, 2, 0), np.asarray(want)
    ) and small.content == unlabeled.content == card("stl10").content("unlabeled", 48, 3)
    assert [why for _, why in verify("stl10")] == [None] * 5
    with pytest.raises(GanbenchError, match="96 x 96 pixels, not 48 x 48"):
        read("stl10", "test", 48, 3)


def test_stl10_comes_out_of_its_archive_fetched_or_added(stl: Path, tmp_path: Path) -> None:
    assert "train_X.bin, train_y.bin not found" in missing("stl10", "train") and "ganbench data fetch stl10" in missing(
        "stl10", "train"
    )
    fetch("stl10", **QUIET)
    assert sorted(p.name for p in (tmp_path / "data/stl10").iterdir()) == sorted(STL_BYTES) and not list(
        (tmp_path / "data").glob(".fetch*")
    )
    for path in (tmp_path / "data/stl10").iterdir():
        path.unlink()
    add("stl10", tmp_path, **QUIET)  # the folder with stl10_binary/ in it
    (tmp_path / "data/stl10/test_X.bin").unlink()
    add("stl10", tmp_path / "stl10_binary.tar.gz", **QUIET)
    assert np.array_equal(read("stl10", "test", 96, 3).images, STL["test"].transpose(0, 3, 1, 2))


def test_wrong_stl10_files_are_refused(stl: Path, tmp_path: Path) -> None:
    (stl / "test_X.bin").write_bytes(STL_BYTES["test_X.bin"][:-1] + b"?")
    with pytest.raises(GanbenchError, match="test_X.bin: md5"):
        add("stl10", stl, **QUIET)
    assert not (tmp_path / "data").exists()  # not even the files that are right
    tarball(tmp_path / "stl10_binary.tar.gz", {"stl10_binary/train_X.bin": STL_BYTES["train_X.bin"], "../evil": b"x"})
    with pytest.raises(GanbenchError, match="holds no stl10_binary/train_y.bin"):
        add("stl10", tmp_path / "stl10_binary.tar.gz", **QUIET)
    whole = tarball(
        tmp_path / "stl10_binary.tar.gz", {f"stl10_binary/{n}": d for n, d in STL_BYTES.items()}
    ).read_bytes()
    (tmp_path / "stl10_binary.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GanbenchError, match="is damaged"):
        add("stl10", tmp_path / "stl10_binary.tar.gz", **QUIET)
    assert not list((tmp_path / "data").rglob("*.bin"))
    (stl / "test_X.bin").write_bytes(STL_BYTES["test_X.bin"])
    add("stl10", stl, **QUIET)
    kept = tmp_path / "data/stl10/unlabeled_X.bin"
    kept.write_bytes(STL_BYTES["unlabeled_X.bin"][:-1] + b"?")
    with pytest.raises(GanbenchError, match="unlabeled_X.bin: md5.*ganbench data fetch stl10 --force"):
        read("stl10", "unlabeled", 96, 3)
    kept.write_bytes(STL_BYTES["unlabeled_X.bin"][:1000])
    with pytest.raises(GanbenchError, match="1,000 of 110,592 bytes"):
        read("stl10", "unlabeled", 96, 3)


PIXELS, FINE = RNG.integers(0, 256, (6, 3072), dtype=np.uint8), [3, 1, 99, 0, 41, 7]


@pytest.mark.parametrize(("name", "label_bytes", "key"), [("cifar10", 1, "labels"), ("cifar100", 2, "fine_labels")])
def test_cifar_binary_archives_stand_in_for_the_pickles(
    name: str, label_bytes: int, key: str, rooms: dict[str, Card], tmp_path: Path
) -> None:
    labels = [v % rooms[name].classes for v in FINE]
    records = b"".join(
        bytes([9] * (label_bytes - 1) + [label]) + row.tobytes() for label, row in zip(labels, PIXELS, strict=True)
    )
    where = {form: tmp_path / form for form in ("python", "binary", "other")}
    for folder in where.values():
        folder.mkdir()
    batch = pickle.dumps({b"data": PIXELS, key.encode(): labels}, protocol=2)
    python = tarball(where["python"] / f"{name}-python.tar.gz", {"p/train": batch})
    half = 3 * (label_bytes + 3072)
    binary = tarball(where["binary"] / f"{name}-binary.tar.gz", {"b/1.bin": records[:half], "b/2.bin": records[half:]})
    splits = {
        "train": {
            "count": 6,
            "archive": pinned(python),
            "members": ["p/train"],
            "labels_key": key,
            "binary": {"archive": pinned(binary), "members": ["b/1.bin", "b/2.bin"], "label_bytes": label_bytes},
        }
    }
    rooms[name] = dataclasses.replace(rooms[name], splits=splits)
    assert f"{name}-python.tar.gz (or {name}-binary.tar.gz) not found" in missing(name, "train")
    add(name, where["binary"], **QUIET)
    two = read(name, "train", 32, 3)
    (tmp_path / "data" / name / binary.name).unlink()
    add(name, where["python"], **QUIET)
    one = read(name, "train", 32, 3)
    assert (
        np.array_equal(one.images, two.images)
        and one.labels.tolist() == two.labels.tolist() == labels
        and one.content == two.content
    )
    assert np.array_equal(one.images, PIXELS.reshape(6, 3, 32, 32))
    add(name, binary, **QUIET)
    assert list(verify(name)) == [
        (python.name, None),
        (binary.name, None),
        ("both archives hold the same images", None),
    ]
    other = tarball(
        where["other"] / binary.name, {"b/1.bin": records[half:], "b/2.bin": records[:half]}
    )  # the images in another order
    splits["train"]["binary"]["archive"] = pinned(other)
    add(name, other, **QUIET)
    assert "they differ" in list(verify(name))[-1][1]


@pytest.mark.parametrize("members", [{"b": b""}, {"b": b"x" * 3072}, {"a": b"x" * 3073}])
def test_what_is_no_binary_cifar_archive_is_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    data = tarball(tmp_path / "c.tar.gz", members).read_bytes()
    for content in (data, data[:40], b"junk"):
        with pytest.raises(GanbenchError, match="not a CIFAR"):
            cifar_binary.read(content, ["b"], 1, "c.tar.gz")


def test_content_hashes_that_records_depend_on_have_not_changed() -> None:
    found = {
        f"{name} {split}": card(name).content(split, size, channels)
        for name, size, channels in (
            ("mnist", 28, 1),
            ("cifar10", 32, 3),
            ("cifar100", 32, 3),
            ("cifar10-jpeg", 32, 3),
            ("shapes", 28, 1),
        )
        for split in ("train", "test")
    }
    assert {key: value[:16] for key, value in found.items()} == CONTENTS


CONTENTS = {
    "mnist train": "8f9dfd1ad9d2b90a",
    "mnist test": "3e79b0b0f7746859",
    "cifar10-jpeg train": "83c7a4d53cfc0b25",
    "cifar10-jpeg test": "97db00c1186aa296",
    "cifar10 train": "e0ae65ee30ceae7c",
    "cifar10 test": "e5ef7506deaaac2d",
    "cifar100 train": "583bafe8f681b0f3",
    "cifar100 test": "1aa32a1d8ad40627",
    "shapes train": "fb8f90d15123805c",
    "shapes test": "de243b90fb521c5b",
}


def test_records_in_the_repository_have_the_content_that_the_cards_give(committed: Path) -> None:
    seen = 0
    for path in (committed / "records").rglob("*.json"):
        record = json.loads(path.read_text())
        r = record["recipe"]
        assert record["content"] == card(r["dataset"]).content(r["split"], r["resolution"], r["channels"])
        seen += 1
    assert seen > 0


def images(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, 3, side, side), dtype=np.uint8)


def test_prepared_pixels_are_made_once_and_checked(rooms: dict[str, Card], tmp_path: Path) -> None:
    wanted, made = images(700, 8), []

    def opened():
        made.append(1)
        return lambda i: wanted[i]

    first = prepared.keep(["x"], 700, 8, opened)
    assert (
        isinstance(first, np.memmap)
        and np.array_equal(first, wanted)
        and np.array_equal(prepared.keep(["x"], 700, 8, opened), wanted)
        and len(made) == 1
    )
    first[0] = 0  # private: it never reaches the file
    assert np.array_equal(prepared.kept(["x"], 700, 8), wanted)
    assert prepared.kept(["x"], 699, 8) is None and prepared.kept(["y"], 700, 8) is None
    mine, theirs = (prepared._path([name]) for name in ("x", "y"))
    for suffix in (".npy", ".json"):
        shutil.copy(mine.with_suffix(suffix), theirs.with_suffix(suffix))
    assert prepared.kept(["y"], 700, 8) is None  # another's, under its name
    path = mine
    path.write_bytes(path.read_bytes()[:-1] + b"\x00" if wanted[-1, -1, -1, -1] else path.read_bytes()[:-1] + b"\x01")
    assert (
        prepared.kept(["x"], 700, 8) is None
        and np.array_equal(prepared.keep(["x"], 700, 8, opened), wanted)
        and len(made) == 2
    )
    path.with_suffix(".tmp").write_bytes(b"left by a killed worker")
    path.unlink()
    assert np.array_equal(prepared.keep(["x"], 700, 8, opened), wanted) and not list(
        (tmp_path / "cache").rglob("*.tmp")
    )


def test_a_failure_while_preparing_leaves_nothing(
    rooms: dict[str, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(i: int) -> np.ndarray:
        if i == 300:
            raise GanbenchError("image 300 is damaged")
        return images(1, 8)[0]

    with pytest.raises(GanbenchError, match="image 300"):
        prepared.keep(["x"], 700, 8, lambda: broken)
    monkeypatch.setattr(prepared, "SPARE_BYTES", 2**62)
    with pytest.raises(GanbenchError, match="need 0.0 GiB.*GANBENCH_CACHE"):
        prepared.keep(["x"], 700, 8, lambda: broken)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(GanbenchError, match="set GANBENCH_CACHE to a folder that can be written"):
        prepared.keep(["x"], 700, 8, lambda: broken)
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.suffix != ".lock"]


def _worker(number: int, log: str, out) -> None:
    def opened():
        with open(log, "a") as stream:
            stream.write(f"{number}\n")
        wanted = images(600, 16)
        return lambda i: wanted[i]

    out.put(hashlib.sha256(prepared.keep(["shared"], 600, 16, opened).tobytes()).hexdigest())


def test_many_workers_prepare_once(rooms: dict[str, Card], tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    out = context.Queue()
    workers = [context.Process(target=_worker, args=(i, str(tmp_path / "log"), out)) for i in range(6)]
    for worker in workers:
        worker.start()
    found = {out.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join(60)
    assert (
        found == {hashlib.sha256(images(600, 16).tobytes()).hexdigest()}
        and len((tmp_path / "log").read_text().split()) == 1
    )


def test_a_part_is_taken_from_the_whole_where_that_is_prepared(stl: Path, tmp_path: Path) -> None:
    add("stl10", stl, **QUIET)
    alone = read("stl10", "unlabeled", 96, 3, images=2)
    whole = read("stl10", "unlabeled", 96, 3)
    part = read("stl10", "unlabeled", 96, 3, images=3)
    for found, n in ((alone, 2), (part, 3)):
        assert np.array_equal(found.images, whole.images[subsets.subset_indices(4, 100.0, n)]) and isinstance(
            found.images, np.memmap
        )
    (tmp_path / "data/stl10/unlabeled_X.bin").write_bytes(bytes(len(STL_BYTES["unlabeled_X.bin"])))
    assert np.array_equal(
        read("stl10", "unlabeled", 96, 3).images, whole.images
    )  # the prepared pixels are what was checked


MEMORY = """
    import resource, sys
    import numpy as np
    from benchmark.data import prepared
    count, side = int(sys.argv[1]), 64
    def private():
        return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")) // 1024
    block = np.random.default_rng(0).integers(0, 256, (64, 3, side, side), dtype=np.uint8)
    found = prepared.keep(["memory", count], count, side, lambda: lambda i: block[i % 64])
    order, total, most = np.random.default_rng(1).permutation(count), 0, 0
    for start in range(0, count, 64):
        total += int(found[order[start:start + 64]].sum())
        most = max(most, private())
    print(most, total)
"""


def test_memory_stays_flat_however_many_images(rooms: dict[str, Card]) -> None:
    """Private memory while preparing 12 and 200 MB of images and reading all of them a batch at a time."""
    used = []
    for count in (1_000, 17_000):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(MEMORY), str(count)],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        used.append(int(done.stdout.split()[0]))
    print(f"private memory in MiB with 1,000 and with 17,000 images of 64 pixels: {used}")
    assert used[1] - used[0] < 40  # of 200


@given(st.integers(1, 3000), st.floats(0.1, 100), st.sampled_from([None, "first", "numpy-choice-0"]), st.data())
def test_drawn_indices_are_distinct_sorted_repeatable_and_their_hash_is_their_content(
    count: int, percent: float, how: str | None, data: st.DataObject
) -> None:
    n = data.draw(st.none() | st.integers(1, 3500))
    drawn, wanted = subsets.subset_indices(count, percent, n, how), subsets.subset_size(count, percent, n)
    assert wanted == (min(count, n) if n is not None else round(count * percent / 100))
    if drawn is None:
        assert wanted == count and subsets.subset_hash(count, percent, n, how) == subsets.subset_hash(
            count, 100.0, None, None
        )
        return
    assert (
        len(drawn) == wanted < count
        and np.array_equal(drawn, np.unique(drawn))
        and (wanted == 0 or (drawn[0] >= 0 and drawn[-1] < count))
    )
    assert np.array_equal(drawn, subsets.subset_indices(count, percent, n, how))
    by_count = subsets.subset_hash(count, 100.0, wanted, how)
    assert by_count == subsets.subset_hash(count, percent, n, how)
    if wanted > 1 and how != "numpy-choice-0":
        assert set(subsets.subset_indices(count, 100.0, wanted - 1, how)) < set(
            drawn
        )  # a smaller part lies inside a larger one


def test_numpy_choice_is_the_draw_of_numpy_seeded_as_the_papers_do() -> None:
    state = np.random.get_state()
    np.random.seed(0)
    listed = np.random.choice(50000, 5000, replace=False)
    np.random.set_state(state)
    assert listed[:5].tolist() == [11841, 19602, 45519, 25747, 42642] and np.array_equal(
        np.sort(listed), subsets.subset_indices(50000, 10.0, None, "numpy-choice-0")
    )


def test_a_draw_that_is_not_the_papers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(subsets.KNOWN, ("numpy-choice-0", 1000, 10), "0" * 40)
    with pytest.raises(GanbenchError, match="does not draw the 10 of 1,000 images"):
        subsets.subset_indices(1000, 1.0, None, "numpy-choice-0")
    with pytest.raises(GanbenchError, match="no draw of images called 'balanced'"):
        subsets.subset_indices(1000, 1.0, None, "balanced")


def test_the_list_of_a_fraction_is_kept_by_its_hash(rooms: dict[str, Card], tmp_path: Path) -> None:
    found = read("shapes", "train", 28, 1, percent=10.0, subset="numpy-choice-0")
    path = tmp_path / "cache/subsets" / f"{found.subset}.txt"
    listed = [int(line) for line in path.read_text().split()]
    assert np.array_equal(listed, subsets.subset_indices(8192, 10.0, None, "numpy-choice-0")) and np.array_equal(
        found.images, read("shapes", "train", 28, 1).images[listed]
    )
    path.write_text("1\n")
    read("shapes", "train", 28, 1, percent=10.0, subset="numpy-choice-0")
    assert len(path.read_text().split()) == 819


def test_the_run_key_takes_the_declared_content(rooms: dict[str, Card], stl: Path) -> None:
    r = recipe(dataset="stl10", split="unlabeled", resolution=96, channels=3, images=None)
    key = run_key(r, 0)  # the card pins STL-10: known before the files are here
    add("stl10", stl, **QUIET)
    assert run_key(r, 0) == key
    with pytest.raises(GanbenchError, match="ganbench data fetch obama"):
        run_key(recipe(dataset="obama", resolution=256, channels=3, images=None), 0)


def test_a_packed_bin_is_not_mapped(stl: Path, tmp_path: Path) -> None:
    add("stl10", stl, **QUIET)
    kept = tmp_path / "data/stl10/test_X.bin"
    (kept.parent / "test_X.bin.gz").write_bytes(gzip.compress(kept.read_bytes()))
    kept.unlink()
    with pytest.raises(GanbenchError, match="test_X.bin.gz is packed: unpack it"):
        read("stl10", "test", 96, 3)


def test_a_conditional_recipe_on_images_without_classes_is_blocked_before_it_runs() -> None:
    without = {
        f"{name} {split}"
        for name in ("stl10", "tiny-imagenet", "imagenet", "cifar10", "obama", "celeba-hq")
        for split in card(name).splits
        if not card(name).labelled(split)
    }
    assert without == {"stl10 unlabeled", "stl10 train+unlabeled", "tiny-imagenet test", "imagenet val"}
    r = recipe(
        dataset="stl10", split="unlabeled", resolution=48, channels=3, images=None, resize="bilinear", classes=10
    )
    assert "images without a class" in what_blocks(r, protocol())
    assert "images without a class" not in what_blocks(dataclasses.replace(r, split="train"), protocol())
