"""Readers of image archives on small files of the true format, made here; hostile ones; and the real JPEG copy of
CIFAR-10.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.data import cifar, folders
from benchmark.data.read import read
from benchmark.data.subsets import subset_indices
from benchmark.errors import GanbenchError
from tests.conftest import DATA

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3 * 32 * 32), dtype=np.uint8)


class Bomb:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("bomb"),))


def tar(**members: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else pickle.dumps(content, protocol=2)
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def batch(rows: slice, key: bytes = b"labels") -> dict[bytes, object]:
    return {b"batch_label": b"a batch", key: list(range(10))[rows], b"data": PIXELS[rows], b"filenames": [b"x.png"]}


def test_cifar_archives_are_read_member_by_member() -> None:
    images, labels = cifar.read(
        tar(d__1=batch(slice(0, 4)), d__2=batch(slice(4, 6))), ["d/1", "d/2"], "labels", "c.tar.gz"
    )
    assert np.array_equal(images, PIXELS.reshape(6, 3, 32, 32)) and labels.tolist() == [0, 1, 2, 3, 4, 5]
    images, labels = cifar.read(tar(t=batch(slice(2, 5), b"fine_labels")), ["t"], "fine_labels", "c.tar.gz")
    assert labels.tolist() == [2, 3, 4] and np.array_equal(images, PIXELS[2:5].reshape(3, 3, 32, 32))


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        pytest.param(tar(t=Bomb()), "has no place in a CIFAR file", id="code"),
        pytest.param(tar(t={b"labels": [1]}), "not a CIFAR archive", id="no images"),
        pytest.param(tar(t={b"data": PIXELS, b"labels": [1]}), "6 images and 1 labels", id="a label missing"),
        pytest.param(tar(u=batch(slice(0, 1))), "not a CIFAR archive", id="another member"),
        pytest.param(b"not a tar", "not a CIFAR archive", id="no tar"),
        pytest.param(tar(t=batch(slice(0, 4)))[:200], "not a CIFAR archive", id="cut off"),
        pytest.param(tar(t=b"junk"), "not a CIFAR archive", id="no pickle"),
        pytest.param(tar(t={b"data": "text", b"labels": [1]}), "not a CIFAR archive", id="images that are a text"),
        pytest.param(tar(t=[1, 2]), "not a CIFAR archive", id="a list"),
    ],
)
def test_what_is_no_cifar_archive_is_refused_unexecuted(archive: bytes, message: str) -> None:
    with pytest.raises(GanbenchError, match=message):
        cifar.read(archive, ["t"], "labels", "c.tar.gz")
    assert not Path("bomb").exists()


def png(mode: str = "RGB", size: tuple[int, int] = (8, 8), colour: object = None) -> bytes:
    out = io.BytesIO()
    Image.new(
        mode,
        size,
        colour if colour is not None else {"RGB": (10, 20, 30), "L": 77, "RGBA": (10, 20, 30, 40), "P": 3}[mode],
    ).save(out, "PNG")
    return out.getvalue()


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in files.items():
            z.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def test_a_zip_of_class_folders_in_name_order_grey_and_transparent_ones_too() -> None:
    data = archive(
        **{
            "b__2.png": png("L"),
            "a__1.png": png(),
            "a__Thumbs.db": b"x",
            "b__1.PNG": png("RGBA"),
            "a__._1.png": b"x",
            "0__0.png": png("P"),
        }
    )
    images, labels = folders.read(data, 8, None, None, "z.zip")
    assert images.shape == (4, 3, 8, 8) and labels.tolist() == [0, 1, 2, 2]
    assert (
        images[1, :, 0, 0].tolist() == [10, 20, 30]
        and images[2, :, 0, 0].tolist() == [10, 20, 30]
        and images[3, :, 0, 0].tolist() == [77, 77, 77]
    )


def test_images_are_cut_and_resized_as_the_recipe_says() -> None:
    left = Image.new("RGB", (300, 200), (0, 0, 0))
    left.paste((200, 200, 200), (61, 11, 239, 189))  # the middle 178 x 178
    out = io.BytesIO()
    left.save(out, "PNG")
    data = archive(**{"a__1.png": out.getvalue()})
    cut, _ = folders.read(data, 178, "center-178", None, "z")
    assert cut.min() == cut.max() == 200
    small, _ = folders.read(data, 64, "center-178", "bilinear", "z")
    assert small.shape == (1, 3, 64, 64) and small.min() == small.max() == 200
    square, _ = folders.read(data, 200, "center", None, "z")
    assert square.shape == (1, 3, 200, 200) and square[0, 0, 0, 0] == 0 and square[0, 0, 100, 100] == 200
    assert folders.read(data, 32, None, "bilinear", "z")[0].shape == (1, 3, 32, 32)  # squashed, as FastGANDBig


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive(**{"a__1.png": png(), "a__2.png": png(size=(9, 8))}), "a/2.png has 9 x 8 pixels, not 8 x 8"),
        (archive(**{"a__1.png": b"no image"}), "a/1.png is not an image"),
        (archive(**{"a__1.png": png("I;16", (8, 8), 40000)}), "only 8-bit images are read"),
        (archive(**{"a__1.png": png()[:40]}), "a/1.png is not an image"),
        (archive(**{"a.txt": b""}), "a.txt is not an image"),
        (archive(**{".DS_Store": b""}), "holds no image"),
        (archive(**{"a__1.png": png(), "..__e.png": png()}), "climbs out"),
        (archive(**{"__etc__1.png": png()}), "climbs out"),
        (archive(**{"a__1.png": b""}), "a/1.png is empty"),
        (b"PK", "not a zip archive"),
        (archive(**{"a__1.png": png()})[:-30], "not a zip archive"),
    ],
)
def test_bad_archives_of_images_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(GanbenchError, match=message):
        folders.read(data, 8, None, None, "z.zip")


def test_damaged_archives_give_one_message_whatever_is_damaged() -> None:
    for data, reader in (
        (archive(**{"a__1.png": png(), "a__2.png": png("L")}), lambda d: folders.read(d, 8, None, None, "z")),
        (tar(t=batch(slice(0, 4))), lambda d: cifar.read(d, ["t"], "labels", "c")),
    ):
        for at in range(0, len(data), 3):
            damaged = bytearray(data)
            damaged[at] ^= 0x55
            with contextlib.suppress(GanbenchError):
                reader(bytes(damaged))
    with pytest.raises(GanbenchError, match="cannot be cut out of 8 x 8"):
        folders.read(archive(**{"a__1.png": png()}), None, "center-178", None, "z")


def test_subsets_are_those_of_the_papers_code() -> None:
    """Checksums of the DiffAugment family's draws from CIFAR's 50,000 training images."""
    for percent, sha1 in (
        (10.0, "da7053a7a89cf74c1acaf693b2b008891102eb53"),
        (20.0, "9b2369ab6b418e2dc8197ce37dc86ba787d395ce"),
    ):
        drawn = subset_indices(50000, percent, None, "numpy-choice-0")
        assert hashlib.sha1(drawn.astype("<i8").tobytes()).hexdigest() == sha1
    assert subset_indices(100, 7.0, None, "first").tolist() == list(range(7))
    with pytest.raises(GanbenchError, match="no draw of images called 'second', only first, numpy-choice-0"):
        subset_indices(100, 7.0, None, "second")


def test_the_real_jpeg_copy_of_cifar10(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (DATA / "cifar10-jpeg-test.zip").exists():
        pytest.skip(f"no CIFAR-10 JPEG archives in {DATA}; set GANBENCH_DATA")
    monkeypatch.setenv("GANBENCH_DATA", str(DATA))
    found = read("cifar10-jpeg", "test", 32, 3)
    assert found.images.shape == (10000, 3, 32, 32) and np.bincount(found.labels).tolist() == [1000] * 10
    assert 110 < found.images.mean() < 130 and found.images.std() > 50
    part = read("cifar10-jpeg", "test", 48, 3, images=20, resize="bilinear")
    assert part.images.shape == (20, 3, 48, 48)
    with pytest.raises(GanbenchError, match="for 48 the recipe must say resize: bilinear"):
        read("cifar10-jpeg", "test", 48, 3)
