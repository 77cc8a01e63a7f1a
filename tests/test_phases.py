"""What each run is at, from its first moment to its last, on the screen and in the status file; and what is said of the
time left meanwhile.
"""

from __future__ import annotations

import fcntl
import io
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmark import pulse
from benchmark.cli import main
from benchmark.data import prepared
from benchmark.metrics import store
from benchmark.schedule import job, worker
from benchmark.schedule.mirror import mirror_of
from benchmark.schedule.progress import Progress
from benchmark.schedule.screen import drawn, line
from benchmark.schedule.watch import Watch
from tests.test_cli import TINY
from tests.test_progress import Clock

SHOWN = 29  # characters of a long phase, at least

PHASES = [
    "waiting for features of mnist train at 32 px", "waiting for prepared images", "waiting for another process",
    "reading mnist", "building its networks", "features of mnist train at 32 px", "floor of mnist test at 32 px",
    "training", "measuring", "copying its checkpoint", "fetching its checkpoint",
]  # fmt: skip


@pytest.mark.parametrize("steps", [(0, 0), (5, 100)])
@pytest.mark.parametrize("phase", PHASES)
def test_a_row_says_its_phase(phase: str, steps: tuple[int, int]) -> None:
    progress = Progress(1, clock=Clock())
    progress.update("a", "gran/2/GraND-GAN/mnist seed 0", 1, *steps, {"phase": phase})
    from rich.console import Console

    for width in (60, 80, 120):
        console = Console(width=width, height=20, file=io.StringIO())
        console.print(drawn([progress.row("a")], "", width, 20))
        shown = console.file.getvalue()
        assert phase[:SHOWN] in shown and "seed 0" in shown and "starting" not in shown, shown
    assert (phase[:SHOWN] in line(progress.row("a"))) == (phase != "training" or steps == (0, 0))


def test_the_phases_of_a_run_are_heard_of_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[str] = []
    report = Watch.report
    monkeypatch.setattr(Watch, "report", lambda w, event, run: (heard.append(_phase(event)), report(w, event, run)))
    suite, results = tmp_path / "tiny.yaml", tmp_path / "results"
    suite.write_text(TINY, encoding="utf-8")
    assert main(["run", str(suite), "--executor", "inline", "--results", str(results)]) == 0
    found = [phase for phase, before in zip(heard, ["", *heard], strict=False) if phase != before]
    expected = ["starting", "reading shapes", "building its networks", "features of shapes", "training", "measuring"]
    places = iter(found)
    assert all(any(phase.startswith(word) for phase in places) for word in expected), found
    assert "starting" not in found[found.index("training") :], found
    said = [text for text in capsys.readouterr().err.splitlines() if text.startswith("finished: ")]
    pattern = r"finished: tiny/1/GAN/shapes\S* seed 0  \d+ s  \S+ [\d.e+-]+( \[(no )?floor.*\])?"
    assert len(said) == 1 and re.fullmatch(pattern, said[0]) and len(said[0]) < 100, said


def _phase(event: job.Event) -> str:
    return (event.about or {}).get("phase", "starting")


@pytest.fixture
def phases() -> Iterator[list[str]]:
    heard: list[str] = []
    with pulse.listening(lambda: heard.append(pulse.phase())):
        yield heard


@pytest.mark.parametrize(
    ("take", "lock", "said"),
    [
        (lambda path: store.alone(path / "x.npz", "features of X"), "x.lock", "waiting for features of X"),
        (lambda path: prepared._alone(path / "x.npy"), "x.lock", "waiting for prepared images"),
        (job._alone, ".lock", "waiting for another process"),
    ],
    ids=["features", "pixels", "run"],
)
def test_who_waits_for_another_process_says_so(
    take: Any, lock: str, said: str, tmp_path: Path, phases: list[str]
) -> None:
    with take(tmp_path):
        assert pulse.phase() == "starting" and said not in phases, "nobody is in the way"
    other = (tmp_path / lock).open("a")
    fcntl.flock(other, fcntl.LOCK_EX)
    threading.Timer(0.1, other.close).start()
    with take(tmp_path):
        assert said in phases and pulse.phase() == "starting"


@dataclass
class Board:
    """Stands in for the actor: keeps what is reported."""

    heard: list[tuple[str, int, int, Any, dict[str, Any]]] = field(default_factory=list)

    @property
    def report(self) -> Any:
        return self

    def remote(self, *told: Any) -> Any:
        self.heard.append(told)
        return self

    def future(self) -> Any:
        return self

    def done(self) -> bool:
        return False


def test_a_checkpoint_that_travels_is_a_phase(tmp_path: Path, phases: list[str]) -> None:
    mirror = mirror_of(f"file://{tmp_path}/there/key")
    (tmp_path / "checkpoint.pt").write_bytes(b"x")
    mirror.push(tmp_path)
    assert phases[:1] == ["copying its checkpoint"] and pulse.phase() == "starting"
    mirror.pull(tmp_path)
    assert "fetching its checkpoint" in phases and (tmp_path / "checkpoint.pt").read_bytes() == b"x"


def test_a_worker_says_a_phase_that_lasts_though_nothing_beats_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says it once; one that is over at once is not worth a word."""
    monkeypatch.setattr(worker, "REPORT_S", 0.1)
    worker._say_first_words.cache_clear()
    reporter, board = worker._Reporter.__new__(worker._Reporter), Board()
    reporter._board, reporter._key, reporter._place, reporter.about = board, "k", ("n", 1), {"node": "n"}
    reporter._steps, reporter._last, reporter._pending, reporter._phase = (0, 0), time.monotonic(), None, "starting"
    with pulse.listening(reporter.beat):
        with pulse.doing("reading mnist"):
            pass
        with pulse.doing("building its networks"):
            time.sleep(0.5)
    worker._unheard.discard(reporter)
    said = [told[-1] for told in board.heard]
    assert [about["phase"] for about in said][:1] == ["building its networks"] and said[0]["node"] == "n"
    assert len(said) <= 2


def test_the_time_that_all_takes_is_not_guessed_nor_said_when_it_is_over() -> None:
    """One run: two minutes of waiting, 100 s of training, two minutes of a last measurement that nobody foresees; then
    a second one like it, whose measurement is known.
    """
    clock, said = Clock(), dict[str, list[float | None]]()
    progress = Progress(total_size=20, clock=clock)

    def at(key: str, phase: str, seconds: int, steps: int = 0) -> None:
        """So many seconds of a phase, with a report each."""
        for second in range(seconds):
            done = second + 1 if phase == "training" else steps
            progress.update(key, key, 10, done, 100 if done else 0, {"phase": phase})
            clock.now += 1
            said.setdefault(f"{key} {phase}", []).append(progress.eta_s())
            row = progress.row(key).get("eta_s")
            assert row is None or progress.eta_s() is None or progress.eta_s() >= row - 0.1, "no sooner than its row"

    at("a", "waiting for features of mnist", 120)
    at("a", "training", 100)
    at("a", "measuring", 120, 100)
    progress.end("a", 10)
    at("b", "waiting for features of mnist", 120)
    at("b", "training", 100)
    at("b", "measuring", 119, 100)
    assert said["a waiting for features of mnist"] == [None] * 120
    assert said["a training"][:5] == [None] * 5 and None not in said["a training"][6:], "after 5 steps"
    assert said["a measuring"] == [None] * 120 or min(filter(None, said["a measuring"])) >= 100, "b is to come"
    whole = 340
    for second, left in enumerate(said["b training"][6:], 7):
        assert left is not None and abs(left - (whole - 120 - second)) < 2, second
    last = said["b measuring"]
    assert None not in last[:115] and abs(last[0] - 119) < 3 and 0 < last[110] < 12, last


@pytest.mark.parametrize("phase", ["waiting for features of mnist", "measuring"])
def test_a_second_is_never_left_for_two_minutes(phase: str) -> None:
    """Eight runs side by side; seven end, and the eighth stays where it is for two minutes."""
    clock = Clock()
    progress = Progress(total_size=80, clock=clock)
    for second in range(11):
        for run in range(8):
            stuck = run == 7 and phase != "measuring"
            progress.update(str(run), str(run), 10, 0 if stuck else second, 0 if stuck else 10, {"phase": "training"})
        clock.now += 1
    for run in range(7):
        progress.end(str(run), 10)
    shown = []
    for _ in range(120):
        progress.update("7", "7", 10, *((0, 0) if phase != "measuring" else (10, 10)), {"phase": phase})
        clock.now += 1
        shown.append(progress.eta_s())
        assert progress.row("7").get("eta_s", 9) > 0
    assert sum(left is not None and left < 2 for left in shown) <= 2, shown
    assert shown[-60:] == [None] * 60
