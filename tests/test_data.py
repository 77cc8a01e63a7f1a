"""Datasets: what is read is what the card says, or nothing; the embedded one is the same everywhere."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.data import cards as card_room
from benchmark.data import fetch as store
from benchmark.data.absent import missing
from benchmark.data.add import add
from benchmark.data.cards import FileCard, card
from benchmark.data.check import check_bytes
from benchmark.data.read import read
from benchmark.data.shapes import render
from benchmark.data.subsets import subset_hash, subset_indices
from benchmark.data.verify import verify
from benchmark.errors import GanbenchError


def test_mnist_is_read_whole(mnist: Path) -> None:
    train, test = read("mnist", "train", 28, 1), read("mnist", "test", 28, 1)
    assert train.images.shape == (60000, 1, 28, 28) and test.images.shape == (10000, 1, 28, 28)
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9] and np.bincount(test.labels).tolist()[:2] == [980, 1135]
    assert train.content == card("mnist").content("train", 28, 1)
    assert list(verify("mnist")) == [(f.file, None) for f in card("mnist").files()]


def test_mnist_is_resized_where_the_recipe_says_so(mnist: Path) -> None:
    plain, larger = read("mnist", "test", 28, 1), read("mnist", "test", 32, 1, images=50, resize="bilinear")
    chosen = torch.from_numpy(plain.images[subset_indices(10000, 100.0, 50)]).double()
    expected = torch.nn.functional.interpolate(
        chosen, size=(32, 32), mode="bilinear", align_corners=False
    ).numpy()  # enlarging: nothing to smooth
    assert (
        larger.images.shape == (50, 1, 32, 32) and larger.images.dtype == np.uint8 and larger.content == plain.content
    )
    assert np.abs(larger.images - expected).max() <= 1.01 and np.abs(larger.images - expected).mean() < 0.3
    assert np.array_equal(read("mnist", "test", 28, 1, resize="bilinear").images, plain.images)
    assert np.array_equal(
        read("mnist", "test", 64, 1, images=3, crop="center-20", resize="bilinear").images[:, 0],
        [
            np.asarray(Image.fromarray(x[0, 4:24, 4:24]).resize((64, 64), Image.Resampling.BILINEAR))
            for x in plain.images[subset_indices(10000, 100.0, 3)]
        ],
    )
    with pytest.raises(GanbenchError, match="a square of 29 pixels cannot be cut"):
        read("mnist", "test", 28, 1, images=3, crop="center-29")
    with pytest.raises(GanbenchError, match="cut to 20 x 20 pixels, not 28 x 28"):
        read("mnist", "test", 28, 1, images=3, crop="center-20")
    with pytest.raises(GanbenchError, match="neither cut nor resized"):
        read("shapes", "test", 32, 1, resize="bilinear")


CONTENT = b"\x00\x00\x08\x01" + (10).to_bytes(4, "big") + bytes(range(10))
FILE = FileCard("tiny", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(CONTENT)[:-12], "truncated or damaged"),
        (b"not gzip at all", "truncated or damaged"),
        (gzip.compress(CONTENT[:-1]), "17 of 18 bytes|17 of|17"),
        (gzip.compress(CONTENT[:-1] + b"x"), "sha256"),
        (gzip.compress(CONTENT + bytes(10_000_000)), "more than 18 bytes"),
    ],
    ids=["truncated", "not gzip", "short", "tampered", "gzip bomb"],
)
def test_a_wrong_file_is_refused_with_the_mend(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "tiny.gz"
    path.write_bytes(content)
    with pytest.raises(GanbenchError, match=message) as error:
        check_bytes("mnist", FILE, path)
    assert str(path) in str(error.value) and "ganbench data fetch mnist --force" in str(error.value)


def test_missing_data_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    assert "run: ganbench data fetch mnist" in missing("mnist", "train")
    with pytest.raises(GanbenchError, match="train-images-idx3-ubyte.*ganbench data fetch mnist"):
        read("mnist", "train", 28, 1)
    assert missing("shapes", "train") is None


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A dataset of one small file, served from a folder; returns the folder."""
    source = tmp_path / "mirror"
    source.mkdir()
    splits = {"train": {"count": 10, "images": dataclasses.asdict(FILE)}}
    sources = ({"url": f"file://{tmp_path}/nowhere/{{file}}.gz"}, {"url": f"file://{source}/{{file}}.gz"})
    tiny = dataclasses.replace(card("mnist"), name="tiny", splits=splits, sources=sources)
    monkeypatch.setattr(card_room, "cards", lambda: {"tiny": tiny})
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    return source


def test_fetch_tries_each_source_and_keeps_only_the_right_bytes(tiny: Path, tmp_path: Path) -> None:
    (tiny / "tiny.gz").write_bytes(gzip.compress(CONTENT[:-1] + b"x"))
    with pytest.raises(GanbenchError, match="no source gave tiny") as error:
        store.fetch("tiny")
    assert (
        "nowhere" in str(error.value) and "sha256" in str(error.value) and not list((tmp_path / "data").rglob("*.gz"))
    )
    (tiny / "tiny.gz").write_bytes(gzip.compress(CONTENT))
    said: list[str] = []
    store.fetch("tiny", say=said.append)
    store.fetch("tiny", say=said.append)
    assert "checksum right" in said[0] and "nothing to fetch" in said[1]
    assert gzip.decompress((tmp_path / "data/tiny/tiny.gz").read_bytes()) == CONTENT


def test_add_takes_local_files_and_refuses_wrong_ones(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(GanbenchError, match="holds no tiny"):
        add("tiny", tiny)
    (tiny / "tiny").write_bytes(CONTENT)
    add("tiny", tiny, say=lambda line: None)
    assert list(verify("tiny")) == [("tiny", None)]


def test_npm_package_is_read_by_member_and_not_run(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "scratch" / "tiny-1.tgz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("package/data/tiny", "../escape"):
            info = tarfile.TarInfo(name)
            info.size = len(CONTENT)
            tar.addfile(info, io.BytesIO(CONTENT))
    monkeypatch.setattr(store.shutil, "which", lambda name: "/usr/bin/npm")
    path = store._from_npm({"npm": "tiny@1", "member": "package/data/{file}"}, FILE, archive.parent)
    assert path.read_bytes() == CONTENT and not (tmp_path / "escape").exists()


def test_shapes_are_the_same_everywhere_and_a_prefix_of_more() -> None:
    images, labels = render("train", 300, 10, 32, 3)
    more, _ = render("train", 600, 10, 32, 3)
    assert images.shape == (300, 3, 32, 32) and images.dtype == np.uint8 and np.array_equal(images, more[:300])
    assert labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert abs(float(images.mean()) - SHAPES_MEAN) < 0.01  # a changed pixel stream must raise VERSION
    assert not np.array_equal(images, render("test", 300, 10, 32, 3)[0])


SHAPES_MEAN = 59.614482421875


@pytest.mark.parametrize("resolution", [28, 48, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_come_at_any_size_with_visible_classes(resolution: int, channels: int) -> None:
    images, labels = render("train", 100, 10, resolution, channels)
    assert images.shape == (100, channels, resolution, resolution)
    means = np.array([images[labels == k].mean((0, 2, 3)) for k in range(10)])
    assert len({tuple(np.round(m, 3)) for m in means}) == 10 and images.std() > 20


def test_subsets_are_nested_sorted_and_hashed_by_content() -> None:
    small, large = subset_indices(1000, 10.0, None), subset_indices(1000, 20.0, None)
    assert len(small) == 100 and len(large) == 200 and set(small) <= set(large) and (np.diff(small) > 0).all()
    assert subset_indices(1000, 100.0, None) is None and np.array_equal(subset_indices(1000, 100.0, 100), small)
    assert subset_hash(1000, 10.0, None) == subset_hash(1000, 100.0, 100) != subset_hash(1000, 20.0, None)


def test_a_wrong_size_or_split_is_refused_with_what_there_is() -> None:
    for arguments, message in (
        (("mnist", "train", 27, 1), "28 to 64 pixels"),
        (("mnist", "train", 32, 1), "for 32 the recipe must say resize: bilinear"),
        (("cifar10-jpeg", "train", 48, 3), "for 48 the recipe must"),
        (("mnist", "train", 28, 3), "1 channels"),
        (("mnist", "val", 28, 1), "no split 'val'"),
    ):
        with pytest.raises(GanbenchError, match=message):
            read(*arguments)
