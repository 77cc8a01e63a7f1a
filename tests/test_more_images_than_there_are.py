"""A recipe that asks for more training images than its split holds: blocked, and never trained on fewer unsaid."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.judging.tier import tier_of
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.plan.blocks import BLOCKED, hindrance
from benchmark.suite.load import load
from tests.test_tier import CELLS, whole
from tests.test_working_directory import MINI

SAID = "the recipe trains on 100,000 images; shapes train has 8,192"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """One row asks for more than there are, by its recipe, and both by profile ``more``."""
    more = "profiles: {more: {recipe: {images: 100000}}}\ntables:"
    text = MINI.replace("{from: base, parts", "{from: base, images: 100000, parts").replace("tables:", more)
    path = tmp_path / "mini.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "words", ["plan {} --explain", "list {}", "show mini/1/SN-D/shapes", "run {} --executor inline"]
)
def test_it_is_blocked_wherever_one_looks(
    words: str, suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(suite.parent)
    (suite.parent / "suites").mkdir()
    suite.rename(suite.parent / "suites/mini.yaml")
    code = main(words.format("suites/mini.yaml").split())
    printed = " ".join("".join(capsys.readouterr()).split())
    assert SAID in printed and "blocked" in printed
    if words.startswith("run"):
        assert code == 1 and "1 done" in printed and len(list(Path("results/records").rglob("*.json"))) == 1


def test_by_a_profile_too(suite: Path) -> None:
    for cell in load(suite, "more").cells:
        found = hindrance(cell.recipe, cell.protocol)
        assert found is not None and (found.word, found.why) == (BLOCKED, SAID)
    plain = load(suite).cells[0]
    assert hindrance(dataclasses.replace(plain.recipe, images=8192), plain.protocol) is None


def test_it_is_refused_where_the_images_are_read() -> None:
    with pytest.raises(GanbenchError, match=SAID):
        read("shapes", "train", 28, 1, images=100_000)
    with pytest.raises(GanbenchError, match="trains on 8,193 images"):
        read("shapes", "train", 28, 1, images=8193, subset="first")


def test_a_record_of_fewer_images_than_its_recipe_says_is_a_proxy() -> None:
    cell = CELLS["theory"]
    for images, name in ((60_000, "exact"), (60_001, "proxy")):
        full = dataclasses.replace(cell.full_recipe, images=images)
        found = tier_of(dataclasses.replace(cell, full_recipe=full), whole(cell, recipe=full))
        assert found.name == name and (name == "exact" or "mnist train has 60,000" in found.differences[0])
