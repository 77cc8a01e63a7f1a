"""How the command line explains itself: examples, usage, profiles, colours, and what a shell completes."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from benchmark import door
from benchmark.arguments import completing
from benchmark.arguments.examples import EXAMPLES
from benchmark.arguments.parser import Parser
from benchmark.cli import main, parser
from benchmark.process import terminal
from benchmark.schedule.progress import Progress
from benchmark.schedule.screen import screen
from benchmark.suite.apart import profiles_of
from benchmark.suite.find import find
from benchmark.suite.load import load
from tests.conftest import ROOT


def parsers(of: ArgumentParser | None = None) -> Iterator[Parser]:
    """The tool's, of every command, and of every action of one."""
    of = of or parser()
    assert isinstance(of, Parser)
    yield of
    for action in of._actions:
        for one in action.choices.values() if isinstance(action.choices, dict) else ():
            yield from parsers(one)


ALL = {p.prog: p for p in parsers()}
ACTIONS = ["list", "fetch", "add", "verify", "stats"]


@pytest.mark.parametrize("program", ALL)
def test_every_command_has_two_or_three_examples_that_hold(program: str) -> None:
    """They parse, are of this command, stand in its help, and name suites, cells and profiles that there are."""
    found = ALL[program]
    assert 2 <= len(found.examples) <= 3
    for line in found.examples:
        given = parser().parse_args(shlex.split(line.partition(" > ")[0].partition(" | ")[0])[1:])
        assert line.startswith(f"{program} ") or line == program
        assert line in found.format_help().partition("\nexamples:\n")[2]
        _holds(given)
    assert {p.removeprefix("ganbench").strip() for p in ALL} == set(EXAMPLES)


def _holds(given: Namespace) -> None:
    for name in getattr(given, "suites", None) or ():
        assert name == "suites" or find(name)
    for name in [given.cell] if hasattr(given, "cell") else ():
        assert name in {cell.id for cell in load(find(name.split("/")[0])).cells}
    for name in getattr(given, "suites", None) or () if getattr(given, "profile", None) else ():
        assert given.profile in profiles_of(name)


@pytest.mark.parametrize("program", ALL)
def test_help_fits_a_page_of_usage(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its usage is one line, and has all that must be given."""
    monkeypatch.setenv("COLUMNS", "80")
    usage, empty, *_ = ALL[program].format_help().split("\n")
    assert usage.startswith(f"usage: {program}") and not empty and len(usage) <= 80
    for action in ALL[program]._actions:
        if action.required:
            assert str(action.metavar) in usage, action


def test_the_example_is_one_of_the_option_that_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    for words, shown in (
        (["run", "theory", "--budget", "x"], "run theory --until-decided --budget 20h"),
        (["run", "theory", "--seed", "3"], "run theory --seeds 3"),
        (["data", "fetch", "mnist", "--forc"], "data fetch fluent-emoji --force"),
        (["plan", "theory", "--explian"], "plan theory --seeds 3 --explain"),
    ):
        with pytest.raises(SystemExit):
            main(words)
        assert f"example: ganbench {shown}\n" in capsys.readouterr().err


@pytest.mark.parametrize("suite", ["theory", "gran", "pgn", "sdp", "chain", "ci", "suites/chain.yaml"])
def test_a_profile_that_is_none_or_missing_lists_what_the_suite_has(
    suite: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = find(suite)
    known = list(load(path).profiles) if suite != "ci" else ["full", "mixed", "reduced", "ci"]
    assert profiles_of(suite) == known
    with pytest.raises(SystemExit):
        main(["run", suite, "--seeds", "3", "--profile"])
    assert f"--profile: needs a value; {suite} has {', '.join(known)}\n" in capsys.readouterr().err
    for given, close in (("reducde", "; did you mean 'reduced'? It has "), ("x", "; it has ")):
        assert main(["plan", suite, "--profile", given]) == 2
        assert f"no profile {given!r}{close}full, " in capsys.readouterr().err


def test_without_a_suite_it_says_where_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["list", "--profile"], ["run", "nothing", "--profile"], ["data", "stats", "--profile"]):
        with pytest.raises(SystemExit):
            main(words)
        assert "'ganbench list SUITE' says which there are" in capsys.readouterr().err


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_of_data_takes_what_it_needs(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = ALL[f"ganbench data {action}"]
    options = {
        "add": ["--new"],
        "fetch": ["--for", "--force", "--only", "--profile"],
        "stats": ["--export", "--import", "--only", "--profile"],
    }
    own = sorted(o for o in found._option_string_actions if o.startswith("--") and o != "--help")
    assert own == options.get(action, [])
    for option in {o for some in options.values() for o in some} - set(own):
        with pytest.raises(SystemExit):
            main(["data", action, "mnist", option])
        assert f"ganbench data {action}: there is no option {option!r}" in capsys.readouterr().err
    if action in ("add", "verify"):
        with pytest.raises(SystemExit):
            main(["data", action])
        assert f"ganbench data {action}: needs NAME" in capsys.readouterr().err


def on_terminal(action: Callable[[TextIO], None]) -> str:
    """What a terminal gets of what ``action`` writes to it."""
    ours, theirs = pty.openpty()
    said = b""
    with os.fdopen(theirs, "w") as out, os.fdopen(ours, "rb", buffering=0) as shown:
        action(out)
        print("THE END", file=out, flush=True)
        while b"THE END" not in said:
            said += shown.read(10_000)
    return said.decode()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({}, False),
    ],
)  # fmt: skip
def test_colours_are_for_terminals_that_want_them(
    environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that is printed in colour steers the terminal otherwise."""
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def action(out: TextIO) -> None:
        door.show("ganbench:", "red", " no \x1b[2J such thing\nhere", out)
        parser()._print_message("usage: ganbench COMMAND\n", out)

    said = on_terminal(action)
    assert (said.startswith("\x1b[31mganbench:\x1b[0m no \\x1b[2J such")) is coloured
    assert ("\x1b[1musage:\x1b[0m ganbench" in said) is coloured
    assert not re.sub(r"\x1b\[(31|1|0)m", "", said).count("\x1b") and ("\x1b" in said) is coloured


@pytest.mark.parametrize("coloured", [True, False])
def test_how_a_run_ended_has_a_colour_on_a_terminal(coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "" if coloured else "1")

    def action(out: TextIO) -> None:
        table = screen(Progress(1), "", out)
        for line in ("finished: a  1 s", "FAILED: b: no room", "joining: finished: c"):
            table.say(line)
        table.close()

    said = on_terminal(action)
    ends = ("\x1b[32mfinished\x1b[0m: a", "\x1b[31mFAILED\x1b[0m: b") if coloured else ("finished: a", "FAILED: b")
    assert all(end in said for end in (*ends, "joining: finished: c")), said
    assert coloured or "\x1b[3" not in said


def test_what_is_no_terminal_gets_no_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with (tmp_path / "out").open("w") as out:
        assert terminal.painted("a", "red", out) == "a" and terminal.painted("a", "red", None) == "a"


COMPLETED = {
    "ganbench ": {"run", "data", "doctor"},
    "ganbench ru": {"run"},
    "ganbench run the": {"theory"},
    "ganbench run suites/the": {"suites/theory.yaml"},
    "ganbench run theory --prof": {"--profile"},
    "ganbench run theory --seeds 3 --profile ": {"full", "mixed", "reduced", "ci"},
    "ganbench show gr": {"gran/"},
    "ganbench show theory/2/": {"theory/2/sigma"},
    "ganbench data ": set(ACTIONS),
    "ganbench data fetch mn": {"mnist"},
    "ganbench data stats gr": {"gran"},
}


@pytest.mark.parametrize("line", COMPLETED)
def test_a_shell_completes(line: str, tmp_path: Path) -> None:
    pytest.importorskip("argcomplete", reason="the extra 'completion' is not installed")
    asked = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "zsh", "COMP_LINE": line, "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "words"),
    }  # fmt: skip
    code = "import sys; from benchmark.cli import main; sys.argv[0] = 'ganbench'; main()"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **asked}, cwd=ROOT, check=True, timeout=60)
    words = {word.partition(":")[0].strip() for word in (tmp_path / "words").read_text().splitlines()}
    for expected in COMPLETED[line]:
        assert any(word == expected or word.startswith(expected + "=") for word in words), words


def test_what_is_completed_is_what_there_is() -> None:
    """Without argcomplete: the words themselves."""
    assert "theory" in completing._suites("") and "suites/" in completing._suites("sui")
    assert completing._profiles("", Namespace(suites=["gran"])) == profiles_of("gran")
    assert completing._profiles("", Namespace(cell="gran/2/")) == profiles_of("gran")
    assert "mnist" in completing._names("", Namespace(action="fetch"))
    assert "gran" in completing._names("", Namespace(action="stats")) and "gran/" in completing._cells("g")
    assert all(cell.startswith("gran/") for cell in completing._cells("gran/2")) and not completing._cells("no/2")
    for given in completing._actions(parser()):
        assert given.dest != "cell" or given.dest in completing.WORDS
