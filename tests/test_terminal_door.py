"""One door for all that is printed: whatever it is, and by whom, nothing in it steers a terminal."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from benchmark import door
from benchmark.cli import main
from benchmark.commands import listing, machine
from benchmark.commands.lines import out_for_programs, print_json
from benchmark.errors import GanbenchError
from benchmark.schedule import runlog
from benchmark.schedule.progress import Progress
from benchmark.schedule.screen import Table
from benchmark.suite.load import load
from tests.conftest import ROOT
from tests.faults.fuzz.terminal import DRAWN, Screen, streams
from tests.test_decide import write

EVIL = {
    "title": "\x1b]0;owned\x07",
    "screen": "\x1b[2Jowned",
    "bell": "owned\x07",
    "C1": "\x9b31mowned",
    "string": "\x90owned\x9c",
    "right to left": "\u202eowned",
    "isolate": "\u2066owned",
    "return": "owned\r",
    "back": "owned\x08\x7f",
    "unseen": "\u200bowned\u061c",
    "tag": "\U000e0041owned",
}
WRITERS = {
    "print": lambda text: print(text),
    "error": lambda text: print(text, file=sys.stderr),
    "lines": lambda text: sys.stdout.writelines([text, "\n"]),
    "warning": lambda text: warnings.warn(text, stacklevel=1),
    "logging": lambda text: logging.getLogger("of.a.library").warning("%s", text),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", EVIL)
def test_whoever_prints_is_escaped(name: str, writer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("of.a.library"), "propagate", False)  # pytest's own handler
    monkeypatch.setattr(machine, "doctor", lambda a: WRITERS[writer](EVIL[name]) or 0)
    with streams(terminal=True) as (out, err), warnings.catch_warnings():
        monkeypatch.setattr(warnings, "showwarning", lambda text, *_: print(text, file=sys.stderr))
        warnings.simplefilter("always")
        assert main(["doctor"]) == 0
        assert sys.stdout is out and sys.stderr is err, "they are as before"
    said = out.getvalue() + err.getvalue()
    assert "owned" in said and all(line.isprintable() for line in said.splitlines())


@pytest.mark.parametrize("debug", [False, True])
def test_a_traceback_too(debug: bool, tmp_path: Path) -> None:
    """Of a bug of ours, in a process of its own, which Python itself ends with it."""
    code = (
        "from benchmark.commands import machine\ndef broken(a): raise RuntimeError('\\x1b[2Jowned\\x9b')\n"
        "machine.doctor = broken\nfrom benchmark.cli import main\nimport sys\n"
        "sys.argv = ['ganbench', 'doctor']\nsys.exit(main())"
    )
    env = os.environ | ({"GANBENCH_DEBUG": "1"} if debug else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=env)
    assert done.returncode == 1 and ("Traceback" in done.stderr) == debug
    assert "\\x1b[2Jowned" in done.stderr and "\x1b" not in done.stderr and "\x9b" not in done.stderr


@pytest.mark.parametrize("terminal", [False, True])
def test_what_is_for_programs_stays_whole_in_a_pipe_and_is_escaped_on_a_terminal(terminal: bool) -> None:
    rows = [[text, f'{text},\n"{text}"'] for name, text in EVIL.items() if name != "return"]
    with streams(terminal) as (out, _), door.closed(for_good=False):
        csv.writer(out_for_programs(), lineterminator="\n").writerows(rows)
    if not terminal:
        assert list(csv.reader(io.StringIO(out.getvalue(), newline=""))) == rows
    else:
        assert all(line.isprintable() for line in out.getvalue().split("\n"))


@pytest.mark.parametrize("terminal", [False, True])
def test_json_is_the_same_data_everywhere_and_never_steers(terminal: bool) -> None:
    rows = [{text: text} for text in (*EVIL.values(), "é 日本語 \u2003\u00a0 😀", 'a\\u202e\n\t"')]
    with streams(terminal) as (out, _), door.closed(for_good=False):
        print_json(json.dumps(rows, ensure_ascii=False, indent=1))
    assert json.loads(out.getvalue()) == rows and "日本語" in out.getvalue()
    assert all(c.isprintable() or c in "\u2003\u00a0" for line in out.getvalue().split("\n") for c in line)


@pytest.mark.parametrize("name", EVIL)
def test_what_is_printed_above_a_table_and_in_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with streams(terminal=True) as (_, err), door.closed(for_good=False):
        progress = Progress(total_size=1.0)
        table = Table(progress, EVIL[name], sys.stderr)
        about = {"node": EVIL[name], "device": EVIL[name], "last": {"step": 1, EVIL[name]: 1.0}}
        progress.update("a", EVIL[name], 1.0, 1, 2, about)
        table.update("a", EVIL[name])
        print(EVIL[name], file=sys.stderr)  # the table has standard error now
        table.say(EVIL[name])
        table.close()
    drawn = err.getvalue()
    assert "\x1b[" in drawn, "the table itself may draw"
    assert "owned" in drawn and all(line.isprintable() for line in DRAWN.sub("", drawn).split("\n"))


@pytest.mark.parametrize("name", EVIL)
def test_a_runs_log(name: str, tmp_path: Path) -> None:
    with runlog.logged(tmp_path):
        logging.getLogger("benchmark").info("started: %s\n2026-01-01T00:00:00Z INFO forged", EVIL[name])
    lines = (tmp_path / runlog.NAME).read_text(encoding="utf-8").splitlines()
    assert "owned" in lines[0] and all(line.isprintable() for line in lines)
    assert lines[1].startswith("  2026"), "a line of theirs does not begin as ours do"


def test_no_text_of_others_begins_a_line_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = "x\nganbench: all fine\n\nganbench: done"
    suite = write(tmp_path / "tiny.yaml")
    text = (
        suite.read_text()
        .replace("title: Tiny", f"title: {json.dumps(forged)}")
        .replace("rows: {A:", f"rows: {{{json.dumps(forged)}:")
    )
    suite.write_text(text)
    cell = load(suite).cells[0]
    assert load(suite).title == "x ganbench: all fine ganbench: done" and "\n" not in cell.id

    def broken(a: object) -> int:
        raise GanbenchError(forged)

    monkeypatch.setattr(machine, "doctor", broken)
    with streams(terminal=False) as (out, err):
        assert main(["list", str(suite)]) == 0 and main(["doctor"]) == 1
        assert main(["list", str(tmp_path / forged)]) == 2
        (folder := tmp_path / forged.replace("/", "")).mkdir()
        assert main(["list", str(folder)]) == 2
    said = [line for line in (out.getvalue() + err.getvalue()).splitlines() if line.startswith("ganbench: ")]
    assert not [line for line in said if re.match("ganbench: (all fine|done)", line)], said


def test_a_door_is_otherwise_the_stream_behind_it() -> None:
    stream = Screen(terminal=True)
    one = door.through(stream)
    assert door.through(one) is one and door.within(one) is stream and one.isatty()
    assert one.write("a\x1b") == 2 and stream.getvalue() == "a\\x1b" and door.through(None) is None
    assert listing is not None
