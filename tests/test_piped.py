"""Text for people has 80 columns where it goes to no terminal, or those of ``COLUMNS``; nothing of it is lost."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from benchmark.arguments.examples import EXAMPLES
from benchmark.cli import main
from benchmark.commands import columns
from tests.test_working_directory import MINI

CELL = "theory/1/B_z=10^0[MLP]/mnist"
SAME = {
    "list": "list theory gran",
    "list of one": "list gran --profile reduced",
    "show": f"show {CELL}",
    "show of ci": "show 'gran/2/GraND-GAN/cifar10' --profile ci",
    "plan": "plan theory --only 'method~24'",
    "plan --explain": "plan theory --only 'table=2 & method~24' --explain --seeds 2",
    "plan --gpu": "plan theory --only 'table=2 & method~24' --gpu A100 --budget 1h",
    "status": "status",
    "claims": "claims theory",
    "claims, published": "claims gran --published-only",
    "doctor": "doctor",
    "data list": "data list",
    "data verify": "data verify shapes mnist inception-2015-12-05",
    "data stats": "data stats",
    "data stats of one": "data stats gran --only 'table=2 & dataset=cifar10'",
    "data add": "data add mine images --new",
    "enter": f"enter {CELL} V_g=1 --by '{'somebody, with something ' * 5}'",
}
LAID_OUT = {"compare": "compare sdp", "diff": f"diff {CELL} gran/2/GraND-GAN/cifar10 --all"}
FOR_PROGRAMS = (
    "list theory --json", "plan mini.yaml --json", "published theory", "published theory --format json",
    "compare theory --format csv", "compare theory --format json", "schema",
)  # fmt: skip
NO_TABLE = {"run", "calibrate", "report", "merge", "export", "measure", "new", "data", "data fetch"}
"""Paths of what was written, and lines of what goes on."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    Path("mini.yaml").write_text(MINI)
    Path("images").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save("images/a.png")


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, room: str | None, words: str) -> str:
    monkeypatch.setenv("COLUMNS", room) if room else monkeypatch.delenv("COLUMNS")
    assert main(shlex.split(words)) in (0, 1)
    return capsys.readouterr().out


def fits(line: str, room: int) -> bool:
    """A path or a name that is longer stays whole, for who copies it."""
    return len(line) <= room or len(line.split()) == 1


def test_all_commands_are_held_to_it() -> None:
    given = {words.partition(" --")[0] for words in [*SAME.values(), *LAID_OUT.values(), *FOR_PROGRAMS]}
    for command in {*EXAMPLES} - {"", *NO_TABLE}:
        assert any(words == command or words.startswith(f"{command} ") for words in given), command


@pytest.mark.parametrize("what", SAME)
def test_it_fits_and_nothing_is_lost(
    what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = said(capsys, monkeypatch, "100000", SAME[what])
    narrow = said(capsys, monkeypatch, None, SAME[what])
    assert narrow and all(fits(line, 80) for line in narrow.split("\n"))
    unlike = r"there already: |\S+ GiB free"
    assert re.sub(unlike, "", " ".join(narrow.split())) == re.sub(unlike, "", " ".join(whole.split()))


@pytest.mark.parametrize("what", LAID_OUT)
def test_what_is_laid_out_anew_keeps_its_words(
    what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide, narrow = (said(capsys, monkeypatch, room, LAID_OUT[what]) for room in ("300", None))
    assert all(fits(line, 80) for line in narrow.split("\n"))
    joined = "".join(narrow.split())
    assert max(map(len, wide.split("\n"))) > 80 and set("".join(wide.split())) - {"-"} <= set(joined)
    numbers = re.findall(r"\d+\.\d+", wide)
    assert numbers and set(numbers) == set(re.findall(r"\d+\.\d+", narrow))


@pytest.mark.parametrize("words", FOR_PROGRAMS)
def test_what_is_for_programs_is_as_it_was(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide, narrow = (said(capsys, monkeypatch, room, words) for room in ("100000", None))
    assert wide == narrow


@pytest.mark.parametrize(
    ("asked", "room"),
    [(None, 80), ("", 80), ("0", 80), ("x", 80), ("-5", 80), ("9" * 5000, 80), ("7", 40), ("132", 132)],
)
def test_columns_may_be_asked_for(asked: str | None, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS") if asked is None else monkeypatch.setenv("COLUMNS", asked)
    assert columns.width() == room


def test_a_terminal_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for has, room in ((100, 100), (10, 40), (None, 132)):
        monkeypatch.setenv("COLUMNS", "132")
        monkeypatch.setattr(columns, "terminal", lambda has=has: has)
        assert columns.width() == room
