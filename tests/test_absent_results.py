"""A folder of records that is not there: said in one line by every command that reads it, and by none that makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from tests.test_working_directory import MINI

READING = {
    "compare": ["x.yaml"],
    "claims": ["x.yaml"],
    "report": ["x.yaml", "--out", "made"],
    "export": ["x.yaml", "--out", "made.zip"],
    "show": ["./x.yaml/1/plain/shapes"],
}
SAID = "ganbench: nulle-part does not exist: nothing has been run there\n"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    return main(list(words)), capsys.readouterr().err


@pytest.mark.parametrize("command", READING)
def test_it_is_said_once(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(MINI)
    code, err = said(capsys, command, *READING[command], "--results", "nulle-part")
    assert code == int(command == "export") and err.count(SAID) == 1 and not Path("nulle-part").exists()
    assert SAID not in said(capsys, command, *READING[command])[1], "the default, which a new user has not either"
    Path("nulle-part").mkdir()
    assert SAID not in said(capsys, command, *READING[command], "--results", "nulle-part")[1]


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "x.yaml"],
        ["claims", "x.yaml", "--published-only"],
        ["enter", "./x.yaml/1/plain/shapes", "V_g=-0.4", "--by", "me"],
    ],
)
def test_it_is_not_said_where_it_is_not_read(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(MINI)
    code, err = said(capsys, *words, "--results", "nulle-part")
    assert code == 0 and "does not exist" not in err
