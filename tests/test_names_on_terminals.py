"""Names that others chose (files, members, classes, keys, suites, records) steer no terminal that they reach."""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.commands import machine
from benchmark.data.add import add
from benchmark.errors import GanbenchError, plain
from benchmark.suite.load import load_all
from benchmark.suite.nodes import SuiteError
from tests.test_image_sets import QUIET, lay, picture, zipped

EVIL = "\x1b]0;owned\x07\x9b2J\u202e\nganbench: all fine\r"
"""A title, a cleared screen, writing from right to left, a forged line, and a line begun anew."""


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What the command prints, all of it harmless."""
    assert main([str(word) for word in words]) in (0, 1, 2)
    out, err = capsys.readouterr()
    for line in (out + err).splitlines():
        assert line.isprintable() and not line.startswith("ganbench: all fine"), line
    assert "owned" in out + err, "the name is there, escaped"
    return out + err


@pytest.fixture
def tiny(small) -> None:
    small("obama", train={"count": 2, "size": [8, 8]})
    small("tiny-imagenet", 2, train={"count": 2, "size": [8, 8]}, val={"count": 1})


BAD = {
    "no image": (f"{EVIL}.txt", b""),
    "junk": (f"{EVIL}.png", b"junk"),
    "nothing": (f"{EVIL}.png", b""),
    "another size": (f"{EVIL}.png", picture((9, 8))),
    "in a folder": (f"{EVIL}/1.png", b"junk"),
    "a database": (f"{EVIL}/data.mdb", b"junk"),
    "climbs out": (f"../{EVIL}.png", b"junk"),
}


@pytest.mark.parametrize("bad", BAD)
def test_members_of_zips_and_files_of_folders(bad: str, tiny: None, tmp_path: Path, capsys) -> None:
    name, data = BAD[bad]
    files = {"0.png": picture(), name: data}
    said(capsys, "data", "add", "obama", zipped(tmp_path / "set.zip", files))
    if bad != "climbs out":
        said(capsys, "data", "add", "obama", lay(tmp_path / "set", files))


def test_members_that_are_too_large_encrypted_or_links(tiny: None, tmp_path: Path, capsys) -> None:
    for change in ({"external_attr": 0o120777 << 16}, {"file_size": 10**9}, {"flag_bits": 1}, {"CRC": 1}):
        path = zipped(tmp_path / "set.zip", {"0.png": picture(), f"{EVIL}.png": picture()})
        with zipfile.ZipFile(path, "a") as z:
            for key, value in change.items():
                setattr(z.infolist()[1], key, value)
            z._didModify = True  # the directory is written anew
        said(capsys, "data", "add", "obama", path)


def test_classes(tiny: None, tmp_path: Path, capsys) -> None:
    train, table = {f"train/n0{i}/images/{i}.JPEG": picture(form="JPEG") for i in (0, 1)}, {}
    table["val/images/" + EVIL + ".JPEG"] = picture(form="JPEG")
    table["val/val_annotations.txt"] = f"other\t{EVIL}\n".encode()
    said(capsys, "data", "add", "tiny-imagenet", lay(tmp_path / "set", train | table))
    train[f"train/{EVIL}/images/1.JPEG"] = train.pop("train/n01/images/1.JPEG")[:200]
    said(capsys, "data", "add", "tiny-imagenet", lay(tmp_path / "other", train))


def test_keys_of_a_database(small, tmp_path: Path, capsys) -> None:
    lmdb = pytest.importorskip("lmdb", reason="pip install 'ganbench[lsun]'")
    small("lsun-bedroom", train={"count": 1}, val={"count": 1})
    (tmp_path / "lsun").mkdir()
    with lmdb.open(str(tmp_path / "lsun/bedroom_train_lmdb")) as database, database.begin(write=True) as transaction:
        transaction.put(EVIL.encode("utf-8"), b"junk")
    said(capsys, "data", "add", "lsun-bedroom", tmp_path / "lsun")


def test_what_was_added_and_changed(tiny: None, tmp_path: Path, capsys) -> None:
    where = lay(tmp_path / EVIL, {"0.png": picture(), f"{EVIL}.png": picture()})
    add("obama", where, **QUIET)
    (where / f"{EVIL}.png").write_bytes(picture())
    said(capsys, "data", "verify", "obama")
    manifest = tmp_path / "data/obama/ganbench-train.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "published": EVIL}))
    said(capsys, "data", "list", "obama")
    os.rename(where, tmp_path / "gone")
    said(capsys, "data", "list", "obama")


ESCAPES = ["\\e[2Jowned", "\\x9b2Jowned", "\\u202eowned", "owned\\r", "\\u2066owned", "owned\\0", "owned\\u2028x"]


@pytest.mark.parametrize("text", ESCAPES)
def test_texts_of_suites(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f'suite: a\npaper: {{title: "{text}"}}\n')
    with pytest.raises(SuiteError, match=r"a\.yaml:2:16: the character '\\\S+' has no place in a suite") as caught:
        load_all([str(tmp_path / "a.yaml")])
    assert caught.value.exit_code == 2 and str(caught.value).isprintable()


def test_files_of_suites_and_records(tmp_path: Path, capsys) -> None:
    for text in (b"a: [", b"a: 1"):
        said(capsys, "list", lay(tmp_path, {f"{EVIL}.yaml": text}) / f"{EVIL}.yaml")
    lay(tmp_path / "results/records", {f"{EVIL}/{EVIL}.json": b"{}"})
    said(capsys, "compare", "suites/ci.yaml", "--results", tmp_path / "results")
    said(capsys, "merge", tmp_path / "results", "--results", tmp_path / "ours")
    said(capsys, "merge", zipped(tmp_path / "a.zip", {EVIL: b""}), "--results", tmp_path / "ours")
    said(capsys, "list", EVIL)
    said(capsys, "show", EVIL)


@pytest.mark.parametrize("kind", [RuntimeError, sqlite3.Error, GanbenchError])
def test_errors_of_other_libraries(kind: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def broken(arguments: object) -> int:
        raise kind(EVIL.replace("\n", " "))

    monkeypatch.setattr(machine, "doctor", broken)
    monkeypatch.delenv("GANBENCH_DEBUG", raising=False)
    said(capsys, "doctor")


def test_spaces_and_letters_of_all_languages_stay() -> None:
    text = "Größe 8\u00a0px · 日本語\u3000é\u2009!"
    assert plain(text) == text and plain("a\tb\x7f\ud800") == "a\\tb\\x7f\\ud800"
    assert plain("a\nb") == "a\\nb" and plain("a\nb\x1b", lines=True) == "a\nb\\x1b"
