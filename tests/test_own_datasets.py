"""Datasets of a user's own: ``data add NAME FOLDER --new`` writes a card, suites name it, its hash is what counts."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from benchmark.cli import main
from benchmark.data.absent import missing
from benchmark.data.add import add
from benchmark.data.cards import card, known_datasets
from benchmark.data.newly import add_new
from benchmark.data.own import card_file
from benchmark.data.read import read
from benchmark.data.verify import verify
from benchmark.errors import GanbenchError
from benchmark.records import store
from tests.test_working_directory import MINI

Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def picture(seed: int, size: tuple[int, int] = (28, 28), grey: bool = False) -> bytes:
    shape = (size[1], size[0]) if grey else (size[1], size[0], 3)
    into = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(into, "PNG")
    return into.getvalue()


def lay(folder: str, files: Files) -> Path:
    for name, data in files.items():
        Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, name).write_bytes(data)
    return Path(folder)


def pictures(*names: str, grey: bool = False) -> Files:
    return {name: picture(seed, grey=grey) for seed, name in enumerate(names)}


def new(files: Files, name: str = "mine") -> None:
    shutil.rmtree("set", ignore_errors=True)
    add_new(name, lay("set", files), lambda text: None)


def rows(split: dict[str, object]) -> tuple[object, ...]:
    return split["count"], split["under"], split["classes"]


LAYOUTS = {
    "flat": (("a.png", "b.png"), 1, {"train": (2, [""], "none")}),
    "one folder": (("x/a.png", "x/b.png"), 1, {"train": (2, ["x"], "none")}),
    "classes": (("x/a.png", "y/b.png", "y/c.png"), 2, {"train": (3, [""], "folder")}),
    "classes, deeper": (("s/x/i/a.png", "s/y/i/b.png"), 2, {"train": (2, ["s"], "folder")}),
    "some in no class": (("x/a.png", "y/b.png", "c.png"), 1, {"train": (3, [""], "none")}),
    "splits": (("train/a.png", "test/b.png"), 1, {"train": (1, ["train"], "none"), "test": (1, ["test"], "none")}),
    "splits by other words": (
        ("s/Training/a.png", "s/validation/b.png"),
        1,
        {"train": (1, ["s/Training"], "none"), "val": (1, ["s/validation"], "none")},
    ),
    "splits and classes": (
        ("train/x/a.png", "train/y/b.png", "test/x/c.png", "test/y/d.png"),
        2,
        {"train": (2, ["train"], "folder"), "test": (2, ["test"], "folder")},
    ),
    "one split without classes": (
        ("train/x/a.png", "train/y/b.png", "val/c.png"),
        2,
        {"train": (2, ["train"], "folder"), "val": (1, ["val"], "none")},
    ),
    "a class that is called train": (("train/a.png", "bus/b.png"), 2, {"train": (2, [""], "folder")}),
    "one split": (("test/a.png", "test/b.png"), 1, {"test": (2, ["test"], "none")}),
}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_splits_and_classes_are_by_folders(layout: str, form: str) -> None:
    names, classes, splits = LAYOUTS[layout]
    files = {**pictures(*names), "README.md": b"of whom"}
    if form == "zip":
        with zipfile.ZipFile("set.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        add_new("mine", Path("set.zip"), lambda text: None)
    else:
        new(files)
    found = card("mine")
    assert found.classes == classes and {split: rows(s) for split, s in found.splits.items()} == splits
    assert "mine" in known_datasets() and all(missing("mine", split) is None for split in splits)
    assert list(verify("mine")) == [(split, None) for split in splits]
    for split, (count, *_) in splits.items():
        got = read("mine", split, 28, 3)
        assert got.images.shape == (count, 3, 28, 28) and got.content == found.splits[split]["content"]
        assert set(got.labels.tolist()) <= {-1, *range(classes)} and found.labelled(split) == (-1 not in got.labels)


def test_sizes_and_colours_are_as_found() -> None:
    new(pictures("a.png", "b.png", grey=True), "grey")
    grey = card("grey")
    assert (grey.size, grey.channels, grey.resolutions) == (28, (1, 3), (8, 64))
    one, three = read("grey", "train", 28, 1).images, read("grey", "train", 28, 3).images
    assert one.shape == (2, 1, 28, 28) and (three == one).all()
    with pytest.raises(GanbenchError, match="comes at 28 pixels: for 32 the recipe must say resize"):
        grey.check("train", 32, 1, None)
    new({"a.png": picture(0, (100, 80)), "b.png": picture(1, (90, 80))}, "large")
    large = card("large")
    assert (large.size, large.channels, large.resolutions) == (None, (3,), (8, 100))
    assert read("large", "train", 64, 3, crop="center", resize="bilinear").images.shape == (2, 3, 64, 64)


REFUSED = {
    "no images": ({"README.md": b"x"}, "holds no images"),
    "something else": ({**pictures("a.png"), "b.gif": b"GIF89a"}, r"b.gif is not an image"),
    "broken": (
        {**pictures("a.png"), "b.png": picture(1)[:200]},
        r"b.png (is not an image that can be read|ends before)",
    ),
    "empty file": ({**pictures("a.png"), "b.png": b""}, "b.png is empty"),
    "other classes": (
        pictures("train/x/a.png", "train/y/b.png", "test/x/c.png", "test/z/d.png"),
        "in train only: y; in test only: z",
    ),
    "a class in train only": (pictures("train/x/a.png", "train/y/b.png", "test/x/c.png"), "in train only: y.*number"),
    "a class in test only": (pictures("train/x/a.png", "test/x/b.png", "test/y/c.png"), "in test only: y"),
    "a class in no validation": (
        pictures("train/x/a.png", "train/y/b.png", "test/x/c.png", "test/y/d.png", "val/y/e.png"),
        "train and val have not the same folders of classes .in train only: x",
    ),
    "half splits": (pictures("train/a.png", "test/b.png", "more/c.png"), "train look like splits, and more like none"),
    "two of one split": (pictures("val/a.png", "valid/b.png"), "are both called val"),
    "a folder that steers": (pictures("x\x1b[2J/train/a.png", "x\x1b[2J/test/b.png"), "rename the folder x"),
    "a folder with a backslash": (pictures("x\\y/a.png", "x\\y/b.png"), "rename the folder x"),
    "a name that steers": ({"a\x1b[2J.gif": b"x"}, r"a\\x1b\[2J.gif is not an image"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_added_leaves_nothing(fault: str, here: Path) -> None:
    files, said = REFUSED[fault]
    with pytest.raises(GanbenchError, match=said):
        new(files)
    assert not (here / "data").exists() and "mine" not in known_datasets()


NO_CLASSES = {
    "images beside classes": (pictures("x/a.png", "y/b.png", "c.png"), "train: no classes, as c.png is in no folder"),
    "one split without classes": (
        pictures("train/x/a.png", "train/y/b.png", "val/all/c.png"),
        "val: no classes, as all its images are in the folder all",
    ),
    "one folder a split, and two names": (pictures("train/x/a.png", "test/y/b.png"), "test: no classes, as all"),
    "an empty folder": (
        {**pictures("x/a.png", "y/b.png"), "z/README.md": b"x"},
        "train: without images, and so no class: z",
    ),
}


@pytest.mark.parametrize("case", NO_CLASSES)
def test_what_looks_like_classes_and_is_none_is_said(case: str) -> None:
    files, line = NO_CLASSES[case]
    said: list[str] = []
    add_new("mine", lay("set", files), said.append)
    assert sum(line in text for text in said) == 1


@pytest.mark.parametrize("way", ["file", "folder", "zip climbs", "huge"])
def test_what_leads_out_or_is_too_large_is_refused(way: str, here: Path) -> None:
    lay("elsewhere", pictures("secret.png"))
    source, said = lay("set", pictures("a.png")), "is outside of it, by a link"
    if way == "file":
        (source / "b.png").symlink_to(here / "elsewhere/secret.png")
    elif way == "folder":
        (source / "more").symlink_to(here / "elsewhere")
    elif way == "huge":
        head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
        lay("set", {"b.png": head + b"\0" * 64})
        said = "b.png.*(too many|not an image)"
    else:
        with zipfile.ZipFile(source := Path("set.zip"), "w") as archive:
            archive.writestr("../a.png", picture(0))
        said = "climbs out"
    with pytest.raises(GanbenchError, match=said):
        add_new("mine", source, lambda text: None)
    assert not (here / "data").exists()


@pytest.mark.parametrize("name", ["mnist", "shapes", "vgg16", "inception-2015-12-05"])
def test_none_of_ours_is_shadowed(name: str) -> None:
    lay("set", pictures("a.png"))
    assert main(["data", "add", name, "set", "--new"]) == 2
    assert not Path("data").exists()
    if name not in ("mnist", "shapes"):  # weights
        return
    new(pictures("a.png"))
    shutil.copytree("data/mine", f"data/{name}")
    assert card(name).reader != "images" and known_datasets().count(name) == 1


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "", ".", "x" * 101, "a\x1b[2J", "<script>", "a@b", "-a"])
def test_names_are_names(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    lay("set", pictures("a.png"))
    with pytest.raises(GanbenchError, match="cannot be a name"):
        add_new(name, Path("set"))
    with pytest.raises(GanbenchError, match="unknown dataset"):
        card(name)
    assert not Path("data").exists()


def test_other_images_do_not_take_a_name() -> None:
    new(pictures("a.png", "b.png"))
    before = card_file("mine").read_bytes()
    new(pictures("a.png", "b.png"))  # the same
    with pytest.raises(GanbenchError, match="there is a dataset mine already, with other images"):
        new(pictures("b.png", "a.png", "c.png"))
    with pytest.raises(GanbenchError, match="holds 3 images, the card says 2"):
        add("mine", Path("set"), lambda text: None)
    lay("other", {"a.png": picture(8), "b.png": picture(9)})
    with pytest.raises(GanbenchError, match="has the content .*, the card says .*: these are other images"):
        add("mine", Path("other"), lambda text: None)
    assert card_file("mine").read_bytes() == before


def test_one_image_in_colour_makes_a_set_colour_whoever_looks_first() -> None:
    files = {f"{i}.png": picture(i, (512, 512), grey=i != 3) for i in range(6)}
    for name in "abcdef":
        new(files, name)
        assert card(name).channels == (3,)


def test_images_are_images_whatever_they_and_their_folders_are_called() -> None:
    new(pictures("LICENSE_PLATE/a.png", "README/b.png", "CAR/LICENSE-0.png", "CAR/ganbench-0.png") | {"LICENSE": b"x"})
    assert card("mine").split("train")["count"] == 4 and card("mine").classes == 3


def test_the_same_images_in_other_folders_do_not_break_a_set() -> None:
    new(pictures("flowers/train/a.png", "flowers/test/b.png"))
    with pytest.raises(GanbenchError, match="in train here, and by its card in flowers/train: move them, or remove"):
        lay("flat", {"train/a.png": picture(0), "test/b.png": picture(1)})
        add_new("mine", Path("flat"), lambda text: None)
    assert len(read("mine", "train", 28, 3).images) == 1
    card_file("mine").unlink()
    add_new("mine", Path("flat"), lambda text: None)
    shutil.rmtree("set")
    assert len(read("mine", "train", 28, 3).images) == 1


def test_an_image_with_a_very_long_side_makes_a_card_that_can_be_read() -> None:
    new({"a.png": picture(0, (9000, 8))})
    assert card("mine").resolutions == (8, 8192)


def test_a_set_that_has_changed_is_said_to_be_another() -> None:
    new(pictures("a.png", "b.png"))
    Path("set/b.png").rename("set/c.png")
    with pytest.raises(GanbenchError, match="renamed since; if that is right, run: ganbench data add mine "):
        read("mine", "train", 28, 3)
    add("mine", Path("set"), lambda text: None)
    lay("set", {"c.png": picture(9)})
    with pytest.raises(GanbenchError, match="get it again, or add these as another dataset: ganbench data add NAME "):
        read("mine", "train", 28, 3)
    with pytest.raises(GanbenchError, match="other images are another dataset: ganbench data add NAME FOLDER --new"):
        add("mine", Path("set"), lambda text: None)


def test_a_card_travels_without_its_images(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new(pictures("a.png", "b.png"))
    text = card_file("mine").read_text()
    shutil.rmtree("data")
    lay("data/mine", {"ganbench-card.yaml": text.encode()})
    assert main(["data", "list", "mine"]) == 0
    assert "train 2; missing; run: ganbench data add mine FOLDER" in capsys.readouterr().out
    add("mine", Path("set"), lambda text: None)
    assert missing("mine", "train") is None and card_file("mine").read_text() == text


HOSTILE = {
    "no YAML": ("{", "not valid YAML"),
    "no mapping": ("- a", "1:1: expected a mapping"),
    "unknown key": ("sources: [{url: 'http://x'}]", "unknown key 'sources'"),
    "reader": ("reader: cifar", "unknown key 'reader'"),
    "missing key": ("classes: 1", "missing key 'resolutions'"),
    "climbs": (("under: ''", "under: ../../secret"), "leads out of the folder"),
    "absolute": (("under: ''", "under: /etc"), "leads out of the folder"),
    "no hash": (("content: ", "content: x"), "content is a SHA-256"),
    "many": (("count: 2", "count: 1000000000000"), "from 1 to 10,000,000"),
    "none": (("count: 2", "count: 0"), "from 1 to 10,000,000"),
    "split climbs": (("  train:", "  ../x:"), "cannot be a split"),
    "anchor": (("classes: 1", "classes: &x 1"), "anchors and aliases"),
    "tag": (("classes: 1", "classes: !!python/object:os.system 1"), "tags"),
    "deep": ("x: " + "[" * 5_000, "not a dataset card|not valid YAML"),
    "steers": (("title: mine", 'title: "\\e[2J"'), "has no place in a dataset card"),
    "turned": (("- 8\n- 64", "- 64\n- 8"), "resolutions are the smallest and the largest"),
    "channels": (("- 3", "- 4"), "channels are 1 or 3"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_card_from_anybody_is_read_as_such(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    new(pictures("a.png", "b.png"))
    change, said = HOSTILE[fault]
    if isinstance(change, tuple):
        text = card_file("mine").read_text()
        assert change[0] in text
        change = text.replace(*change, 1)
    card_file("mine").write_text(change)
    with pytest.raises(GanbenchError, match=f"ganbench-card.yaml.*({said})"):
        card("mine")
    assert main(["data", "list"]) == 0, "others are listed all the same"
    out = capsys.readouterr().out
    assert "mnist: " in out and "ganbench-card.yaml" in out and "\x1b" not in out


def test_a_suite_names_it_and_its_records_are_shown_where_it_is_not(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new(pictures(*(f"{i}.png" for i in range(16)), grey=True))
    Path("mini.yaml").write_text(MINI.replace("dataset: shapes", "dataset: mine").replace(" images: 64,", ""))
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 0
    found, problems = store.read_all(Path("results"))
    assert len(found) == 2 and not problems
    assert {r.recipe.dataset for r in found} == {"mine"}
    assert {r.content for r in found} == {card("mine").splits["train"]["content"]}
    kept = card_file("mine").read_text()
    shutil.rmtree("data")
    assert main(["list", "mini.yaml"]) == 2
    assert "mini.yaml:6:9: unknown dataset 'mine'" in (said := capsys.readouterr().err)
    assert "(one of your own: ganbench data add mine FOLDER --new; of others: their card is mine/ganbench" in said
    lay("data/mine", {"ganbench-card.yaml": kept.encode()})
    for words in (["compare", "mini.yaml"], ["report", "mini.yaml"], ["export", "mini.yaml", "--out", "m.zip"]):
        assert main(words) == 0
    assert "mine is not on this machine" in capsys.readouterr().out
    assert main(["list", "mini.yaml"]) == 0 and "missing here: mine" in capsys.readouterr().out
    new({f"{i}.png": picture(i + 100, grey=True) for i in range(16)}, "other")
    Path("mini.yaml").write_text(Path("mini.yaml").read_text().replace("dataset: mine", "dataset: other"))
    assert main(["plan", "mini.yaml"]) == 0 and "2 to do, 0 done" in capsys.readouterr().out


def test_what_may_be_changed_in_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    new(pictures("a.png", "b.png"))
    content = read("mine", "train", 28, 3).content
    said = yaml.safe_load(card_file("mine").read_text())
    card_file("mine").write_text(
        yaml.safe_dump(said | {"title": "Two <b>squares</b>", "home": "the cellar", "resolutions": [8, 512]})
    )
    assert main(["data", "list", "mine"]) == 0 and "mine: Two <b>squares</b>; train 2" in capsys.readouterr().out
    assert read("mine", "train", 512, 3, resize="bilinear").content == content
    shutil.rmtree("set")
    assert "get it from the cellar" not in (why := missing("mine", "train") or "") and "set is gone" in why


def _edit(name: str) -> None:
    Path(name).write_bytes(picture(77))


def _touch(name: str) -> None:
    """Other pixels in as many bytes, at the same second."""
    data, about = bytearray(Path(name).read_bytes()), os.stat(name)
    data[-20] ^= 1
    Path(name).write_bytes(data)
    os.utime(name, ns=(about.st_atime_ns, about.st_mtime_ns + 1))


CHANGES: dict[str, tuple[Callable[[], object], str | None]] = {
    "another picture": (lambda: _edit("set/train/b.png"), "train"),
    "as many bytes": (lambda: _touch("set/train/b.png"), "train"),
    "a picture less": (lambda: Path("set/train/b.png").unlink(), "train"),
    "a picture more": (lambda: shutil.copy("set/test/c.png", "set/test/d.png"), "test"),
    "renamed": (lambda: Path("set/test/c.png").rename("set/test/x.png"), "test"),
    "nothing": (lambda: None, None),
    "read": (lambda: Path("set/train/a.png").read_bytes(), None),
    "a text beside them": (lambda: Path("set/train/README.md").write_text("of whom"), None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_list_says_that_files_have_changed(change: str, capsys: pytest.CaptureFixture[str]) -> None:
    new(pictures("train/a.png", "train/b.png", "test/c.png"))
    do, split = CHANGES[change]
    do()
    capsys.readouterr()
    assert main(["data", "list", "mine"]) == 0
    said = capsys.readouterr().out
    assert ("; ready: train content" in said and "; ready in part" not in said) == (split is None)
    for one in ("train", "test"):
        assert (f"files of {one} have other names, sizes or times than when they were read" in said) == (one == split)
        assert (f" {one} content " in said) == (one != split)
    assert ("run: ganbench data verify mine" in said) == (split is not None)
    main(["doctor"])
    line = next(line for line in capsys.readouterr().out.splitlines() if "dataset mine" in line)
    assert line.startswith("ok" if split is None else "--")


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_what_was_copied_is_ready_again_once_it_is_verified(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = pictures("a.png", "b.png")
    with zipfile.ZipFile("set.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    source = lay("set", files) if form == "folder" else Path("set.zip")
    add_new("mine", source, lambda text: None)
    touched = source / "b.png" if form == "folder" else source
    os.utime(touched, (2_000_000_000, 2_000_000_000))
    main(["data", "list", "mine"])
    assert (
        f"than when they were read ({touched.name if form == 'folder' else touched.resolve()}); run: ganbench data"
        in (capsys.readouterr().out)
    )
    assert main(["data", "verify", "mine"]) == 0 and main(["data", "list", "mine"]) == 0
    assert "ready: train" in capsys.readouterr().out
    Path("data/mine/ganbench-train.seen").unlink()  # as an earlier version has left it
    assert main(["data", "list", "mine"]) == 0
    assert "ready: train" in (said := capsys.readouterr().out) and "whether train changed since is not known" in said
