"""Every timing says what it measures and against which peer, and can be asked for a short round."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.speed import __main__ as speed

FOLDER = Path(speed.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("__"))


def test_every_script_is_listed_with_what_it_measures_and_its_peer(capsys: pytest.CaptureFixture[str]) -> None:
    assert speed.main(["--list"]) == 0
    said = capsys.readouterr().out
    found = speed.scripts()
    assert [s.name for s in found] == NAMES and len(NAMES) >= 12
    for s in found:
        assert f"{s.name}\n    {s.measures}\n    peer: {s.peer}\n" in said + "\n"


@pytest.mark.parametrize(
    "lacks",
    [
        'PEER = "x"\nSHORT = ""',
        '"""Says."""\nSHORT = ""',
        '"""Says."""\nPEER = "x"',
        '"""Says."""\nPEER = 3\nSHORT = ""',
    ],
)
def test_a_script_that_does_not_say_is_named(lacks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new.py").write_text(lacks, encoding="utf-8")
    monkeypatch.setattr(speed, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"new\.py: needs a docstring, PEER and SHORT"):
        speed.scripts()


def test_a_round_ends_as_its_script_does_or_is_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = iter([0, 1, None])
    monkeypatch.setattr(speed, "run", lambda script, seconds: next(ends))
    assert speed.main(["step", "modes", "pages", "--seconds", "7"]) == 1
    said = capsys.readouterr().out
    assert (
        "modes      exit code 0," in said
        and "pages      exit code 1," in said
        and "step       not done after 7 s," in said
    )


def test_a_script_is_run_with_its_short_arguments_and_not_for_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    room = tmp_path / "tests" / "speed"
    room.mkdir(parents=True)
    for folder in (room, room.parent):
        (folder / "__init__.py").touch()
    (room / "quick.py").write_text("import sys\nprint(sys.argv[1:])\nsys.exit(3)", encoding="utf-8")
    (room / "long.py").write_text("import time\ntime.sleep(60)", encoding="utf-8")
    monkeypatch.setattr(speed, "ROOT", tmp_path)
    assert speed.run(speed.Script("quick", "", "", ("--only", "a b")), 20) == 3
    assert "['--only', 'a b']" in capfd.readouterr().out
    assert speed.run(speed.Script("long", "", "", ()), 0.2) is None


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        speed.main(["stepp"])
    assert "no script 'stepp'; there are: collate, cost" in capsys.readouterr().err
