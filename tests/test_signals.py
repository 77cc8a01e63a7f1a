"""Signals at any moment of a command: a calm end, exit code 130, no traceback and no crash."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.process.leave import SIGNALS, Leave
from benchmark.schedule import inline, launch
from benchmark.schedule.stop import Stop, kept_signals
from tests.conftest import ROOT

RUN = ["run", "theory", "--profile", "ci", "--only", "table=2", "--executor", "inline", "--device", "cpu"]


def raised(number: int) -> None:
    """The signal comes now."""
    os.kill(os.getpid(), number)


# Within a process that ends: what is written, and its exit code

BEGIN = """
import atexit, os, signal, sys
from benchmark.process.leave import Leave, at_once
number = int(sys.argv[1])
def now(): os.kill(os.getpid(), number)
def say(word): os.write(1, word.encode())
"""
MOMENTS = {  # what the command does -> its exit code, what it writes, whether it says its word
    "amid plain code": ("""
with Leave(True) as leave:
    leave.word = "the word"
    try: now(); say("went on")
    finally: say("closed")
""", 130, "closed", True),
    "amid an import": ("""
with Leave(True) as leave:
    leave.word = "the word"
    try: import interrupted
    except BaseException: say("unwound")
""", 130, "", True),
    "where it cannot be gone on from": ("""
with Leave(True) as leave:
    leave.word = "the word"
    try:
        with at_once(): now(); say("went on")
    finally: say("unwound")
""", 130, "", True),
    "a second time": ("""
with Leave(True) as leave:
    leave.word = "the word"
    try: now()
    finally: say("closing"); now(); say("went on")
""", 130, "closing", True),
    "a second time, where the first was swallowed": ("""
with Leave(True):
    try: now()
    except BaseException: say("swallowed")
    now(); say("went on")
""", 130, "swallowed", False),
    "when it is over": ("""
with Leave(True) as leave:
    leave.word = "the word"
    sys.stdout.write("all"); leave.over(1); now()
""", 1, "all", False),
    "when an interruption is over": ("""
with Leave(True) as leave:
    leave.word = "the word"
    leave.over(130); now()
""", 130, "", False),
    "while nobody reads": ("""
class Full:
    def write(self, text): pass
    def flush(self): say("waits"); now(); say("went on")
with Leave(True) as leave:
    leave.over(0); sys.stdout = Full(); now()
""", 0, "waits", False),
    "on its way out": ("""
with Leave(True) as leave:
    atexit.register(now); leave.over(0)
""", 0, "", False),
    "on its way out, after all else": ("""
class Last:
    def __del__(self): now(); say("last")
last = Last()
with Leave(True) as leave: leave.over(0)
""", 0, "last", False),
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _no_nohup() -> Iterator[None]:
    """Also where whoever runs the tests has SIGHUP ignored, which children would inherit."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], tuple[int, str, str]]:
    """Exit code, output and errors by moment and signal; every signal comes amid plain code and amid an import."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "interrupted.py").write_text("from __main__ import now, say\nnow()\nsay('went on')\n")
    started = {
        (moment, number): subprocess.Popen(
            [sys.executable, "-c", f"{BEGIN}{MOMENTS[moment][0]}", str(int(number))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"},
        )
        for moment in MOMENTS
        for number in (SIGNALS if moment in ("amid plain code", "amid an import") else (signal.SIGTERM,))
    }
    written = {key: process.communicate(timeout=60) for key, process in started.items()}
    return {key: (process.returncode, *written[key]) for key, process in started.items()}


def test_a_process_ends_calmly_whenever_a_signal_comes(ended: dict[tuple[str, int], tuple[int, str, str]]) -> None:
    assert len(ended) == len(MOMENTS) + 2 * (len(SIGNALS) - 1)
    for (moment, number), found in ended.items():
        _, code, out, word = MOMENTS[moment]
        assert found == (code, out, "\nganbench: the word\n" if word else ""), f"{moment}: {number!r}"


AMID = """
import os, sys
_, module, number, *sys.argv[1:] = sys.argv
class Amid:
    def find_spec(self, name, *rest):
        if name == module: os.kill(os.getpid(), int(number))
sys.meta_path.insert(0, Amid())
from benchmark.cli import main
sys.exit(main())
"""
IMPORTS = [  # a module that is imported by a command
    ("yaml", ["list", "theory"]),
    ("orjson", ["claims", "theory"]),
    ("numpy", ["plan", "theory"]),
    ("pandas", ["compare", "theory"]),
    ("jinja2", ["report", "theory"]),
    ("numpy", ["data", "add", "mnist", "nowhere"]),
    ("torch", RUN),
    ("ray", [word for word in RUN if word not in ("--executor", "inline")]),
]


@pytest.mark.parametrize(("module", "words"), IMPORTS, ids=[f"{words[0]}: {module}" for module, words in IMPORTS])
def test_a_signal_amid_the_import_of_a_library(module: str, words: list[str], tmp_path: Path) -> None:
    """With the real command line, and the native modules that a KeyboardInterrupt would leave half set up."""
    number = signal.SIGTERM if words[0] == "run" else signal.SIGINT
    more = ["--results", str(tmp_path)] if words[0] in ("run", "report", "compare", "plan", "claims") else []
    if words[0] == "report":
        more += ["--out", str(tmp_path / "report")]
    done = subprocess.run(
        [sys.executable, "-c", AMID, module, str(int(number)), *words, *more],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 130, done.stderr
    said = done.stderr.splitlines()[-1:]
    assert said == (["ganbench: stopped; run the same command again to go on"] if words[0] == "run" else [])


# Within this process


@pytest.fixture
def handlers() -> Any:
    """What handles the signals, the same after the test."""
    before = {s: signal.getsignal(s) for s in SIGNALS}
    yield before
    after = {s: signal.getsignal(s) for s in SIGNALS}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert after == before


def before_a(function: Callable[..., Any], *numbers: int) -> Callable[..., Any]:
    """``function``, amid whose call the signals come."""

    def interrupted(*given: Any, **named: Any) -> Any:
        for number in numbers:
            raised(number)
        return function(*given, **named)

    return interrupted


COMMANDS = {  # words -> a function that is called on the way
    ("plan", "theory"): "benchmark.commands.lines.make_plan",
    ("report", "theory", "--out", "REPORT"): "benchmark.collate.judging.join.load_joined",
    ("status", "--watch"): "benchmark.schedule.state.watch",
    ("data", "add", "mnist", "nowhere"): "benchmark.data.add.add",
    ("list",): "benchmark.commands.listing.suites_of",
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_commands_end_without_a_word(
    words: tuple[str, ...],
    number: int,
    handlers: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    room, _, name = COMMANDS[words].rpartition(".")
    function = getattr(__import__(room, fromlist=[name]), name)
    monkeypatch.setattr(COMMANDS[words], before_a(function, number))
    given = [str(tmp_path / "report") if word == "REPORT" else word for word in words]
    results = ["--results", str(tmp_path)] if words[0] in ("plan", "report", "status") else []
    assert main([*given, *results]) == 130
    assert capfd.readouterr() == ("", "") and not list(tmp_path.iterdir())


def fails(*given: Any) -> None:
    """Stands for a run."""
    raise GanbenchError("it cannot be made")


def stops(job: Any, tick: Callable[[int, int], bool], about: dict[str, Any]) -> None:
    """Stands for a run that stops when it is asked to."""
    assert tick(1, 2), "it is not asked to"


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    ("place", "function", "code", "said"),
    [
        ("benchmark.commands.running.chosen_plan", None, 130, "ganbench: stopped; run the same command again to go on"),
        ("benchmark.schedule.launch.mirror_of", None, 130, "ganbench: stopped; run the same command again to go on"),
        ("benchmark.schedule.launch.Watch", None, 130, "ganbench: stopped; run the same command again to go on"),
        ("benchmark.schedule.inline.execute", stops, 130, "stopping: the runs under way write a checkpoint first"),
        ("benchmark.schedule.launch.tell", None, 1, "2 failed; 0 runs had a record already"),
    ],
    ids=["before the plan", "before the runs", "as they begin", "amid a run", "after a run has ended"],
)
def test_a_run_takes_leave_whenever_a_signal_comes(
    place: str,
    function: Callable[..., Any] | None,
    code: int,
    said: str,
    number: int,
    handlers: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(inline, "execute", fails)
    room, _, name = place.rpartition(".")
    there = function or getattr(__import__(room, fromlist=[name]), name)
    if name == "tell":  # of the last run
        ends = []

        def tell(event: Any, *given: Any) -> None:
            there(event, *given)
            ends.extend([event] if event.kind == "failed" else [])
            if len(ends) == 2:
                raised(number)

        monkeypatch.setattr(launch, "tell", tell)
    else:
        monkeypatch.setattr(place, before_a(there, number))
    assert main([*RUN, "--results", str(tmp_path)]) == code
    out, err = capfd.readouterr()
    assert said in err and "Traceback" not in out + err
    if code == 130:
        assert "run the same command again to go on" in err.splitlines()[-1]


@pytest.mark.parametrize("second", SIGNALS)
def test_the_second_signal_stops_at_once(
    second: int, handlers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inline, "execute", before_a(stops, signal.SIGTERM, second))
    assert main([*RUN, "--results", str(tmp_path)]) == 130
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err and err.count("write a checkpoint first") == 1
    assert err.splitlines()[-1] == "run the same command again to go on" and "stopped: theory" not in err


def test_without_a_command_line_a_signal_does_what_it_did_before_until_a_run_is_under_way(handlers: Any) -> None:
    heard: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, frame: heard.append(number))
    with Stop() as stop:
        raised(signal.SIGTERM)
        assert heard == [signal.SIGTERM] and not stop.asked
        stop.begun = True
        raised(signal.SIGUSR1)
        assert stop.asked and len(heard) == 1
        raised(signal.SIGINT)
        assert heard == [signal.SIGTERM, signal.SIGINT]
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_hangup_that_nohup_has_ignored_stays_ignored(handlers: Any) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Leave(False), Stop() as stop:
        stop.begun = True
        raised(signal.SIGHUP)
        assert not stop.asked and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    signal.signal(signal.SIGHUP, before)


def test_a_command_in_another_thread_leaves_signals_alone(handlers: Any, capfd: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["list", "theory"])))
    thread.start()
    thread.join(60)
    assert codes == [0]


def test_a_library_cannot_take_signals_over(handlers: Any) -> None:
    """As Ray does when it starts: first SIGTERM by Python, then again behind Python's back."""
    heard: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, frame: heard.append(number))
    with kept_signals():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
            raised(number)
        assert heard == list(SIGNALS)
        for number in (*SIGNALS, signal.SIGCHLD):
            ctypes.CDLL(None).signal(int(number), ctypes.c_void_p(1))  # SIG_IGN
    for number in SIGNALS:
        raised(number)
    assert heard == 2 * list(SIGNALS)
    assert subprocess.run([sys.executable, "-c", "raise SystemExit(3)"]).returncode == 3, "children's ends are learnt"
    for number, handler in handlers.items():
        signal.signal(number, handler)


STARTS = """
import os, signal, sys
from ray._private.node import Node
start = Node.start_ray_processes
def started(self):
    start(self)
    print("Ray's processes have started", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
Node.start_ray_processes = started
from benchmark.cli import main
sys.exit(main())
"""


@pytest.mark.slow
def test_a_signal_while_ray_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    words = [word for word in RUN if word not in ("--executor", "inline")]
    mark = f"GANBENCH_TEST={tmp_path}"
    done = subprocess.run(
        [sys.executable, "-c", STARTS, *words, "--results", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=ROOT,
        env={**os.environ, "GANBENCH_TEST": str(tmp_path)},
    )
    assert done.returncode == 130 and "Ray's processes have started" in done.stdout, done.stderr
    assert done.stderr.splitlines()[-1] == "ganbench: stopped; run the same command again to go on"
    deadline = time.monotonic() + 60
    while (left := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left


def _marked(mark: str) -> list[int]:
    """Processes with ``mark`` in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
        except OSError:  # it has ended
            continue
    return found
