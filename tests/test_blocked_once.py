"""What blocks many cells is said once, with their number; archives cut short are seen before anything runs; and data
that are not here excuse no recipe that cannot be built.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.data import declared
from benchmark.data.absent import missing
from benchmark.data.cards import Card, FileCard, card
from benchmark.data.quick import damaged, not_added

SUITES = Path(__file__).parents[1] / "suites"
ARCHIVE = "lobehub-fluent-emoji-3d-1.1.0.tgz"
HELD = bytes(range(200)) * 50
FILE = FileCard("held.bin", len(HELD), sha256="0" * 64)


@pytest.fixture
def emoji(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive of the emoji would lie; every recipe counts as one that can be built."""
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    monkeypatch.setattr("benchmark.plan.built.refusals", lambda *_: [])
    return tmp_path / ARCHIVE


@pytest.mark.parametrize("there", [None, b"", b"cut short"])
def test_one_archive_for_a_whole_table_is_one_line(
    there: bytes | None, emoji: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if there is not None:
        emoji.write_bytes(there)
    words = ["chain", "--profile", "reduced", "--only", "table=fewshot", "--results", str(tmp_path / "results")]
    assert main(["plan", *words, "--seeds", "2"]) == 0
    planned = capsys.readouterr().out
    assert planned.count(ARCHIVE) == 1 and "28 cells (56 runs), the first chain/fewshot/FastGAN/shells: " in planned
    assert main(["run", *words, "--executor", "inline"]) == 1
    said = capsys.readouterr().err
    assert said.count(ARCHIVE) == 1 and "28 cells (28 runs)" in said and "28 missing here" in said
    assert main(["list", "chain", "--profile", "reduced"]) == 0
    listed = capsys.readouterr().out
    assert listed.count(ARCHIVE) == 1 and "missing here, 73 cells: dataset fluent-emoji: " in listed
    for text in (planned, said, listed):
        assert "ganbench data fetch fluent-emoji" in text and (there is None or f"{len(there)} of" in text)


def test_the_data_list_says_what_is_cut_short(emoji: Path, capsys: pytest.CaptureFixture[str]) -> None:
    emoji.write_bytes(b"cut short")
    main(["data", "list", "emoji-faces"])
    assert f"{ARCHIVE}: 9 of 15,792,027 bytes" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar10-jpeg", "stl10", "fluent-emoji"])
def test_files_of_every_reader_are_seen_when_cut_short(name: str, emoji: Path) -> None:
    for file in card(name).files("train"):
        (emoji.parent / file.file).write_bytes(b"short")
    assert "5 of" in (missing(name, "train") or "")


def _packed(data: bytes) -> bytes:
    return gzip.compress(data)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("held.bin", HELD, None),
        ("held.bin", HELD[:-1], "9,999 of 10,000 bytes"),
        ("held.bin", HELD + b"x", "more than 10,000 bytes"),
        ("held.bin.gz", _packed(HELD), None),
        ("held.bin.gz", _packed(HELD)[:-9], "truncated or damaged"),
        ("held.bin.gz", _packed(HELD[:5000]), "5,000 of 10,000 bytes"),
        ("held.bin.gz", b"", "0 of 10,000 bytes"),
    ],
)
def test_sizes_tell(name: str, content: bytes, why: str | None, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = damaged("mnist", [FILE], [path])
    assert found is None if why is None else why in (found or "")


def test_a_file_of_the_right_size_is_not_read_through_for_a_plan(tmp_path: Path) -> None:
    (tmp_path / "held.bin").write_bytes(b"\0" * len(HELD))
    assert damaged("mnist", [FILE], [tmp_path / "held.bin"]) is None  # another file; its run says so


@pytest.mark.parametrize("lost", [0, 1, 60])
def test_a_zip_that_was_added_and_is_cut_short_is_seen(lost: int, emoji: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", HELD)
    path = emoji.parent / "images.zip"
    path.write_bytes(packed.getvalue()[: len(packed.getvalue()) - lost])
    c: Card = card("obama")
    made = declared.Manifest(1, "obama", "train", str(path), "zip", 1, "", {"train": "x"}, None, "", [])
    monkeypatch.setattr("benchmark.data.quick.load", lambda *where: made)
    why = not_added(c, "train")
    assert why is None if not lost else "images.zip is truncated or no zip; put it back" in (why or "")


@pytest.mark.parametrize("lacking", ["data", "weights"])
@pytest.mark.parametrize("command", ["plan", "run --executor inline"])
def test_a_recipe_that_cannot_be_built_is_refused_also_where_something_else_is_missing(
    command: str, lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))  # there is no MNIST
    text = (SUITES / "theory.yaml").read_text(encoding="utf-8")
    given = "parts: [spectral-norm: {player: D}]"
    text = text.replace(given, "parts: [spectral-norm: {player: D}, dequantise: {scale: 0, width: 0.1}]", 1)
    if lacking == "weights":
        monkeypatch.setattr(
            "benchmark.plan.missing.missing_weights", lambda name: f"the weights of {name} are not here"
        )
        monkeypatch.setattr("benchmark.plan.missing.weights_of", lambda *run: ["inception-2015-12-05"])
    (tmp_path / "theory.yaml").write_text(text, encoding="utf-8")
    profile = "full" if lacking == "data" else "ci"
    words = [*command.split(), str(tmp_path / "theory.yaml"), "--profile", profile, "--results", str(tmp_path / "r")]
    assert main(words) == 2
    printed = "".join(capsys.readouterr())
    assert "dequantise: scale is of pixels, from 1 to 65,536, found 0" in printed and "Traceback" not in printed
    assert not (tmp_path / "r").exists()
