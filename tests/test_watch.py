"""Watching: the table and the lines, the status file, one log a run, the command that makes a run again,
TensorBoard.
"""

from __future__ import annotations

import io
import json
import logging
import os
import shlex
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from benchmark.cli import main, parser
from benchmark.errors import GanbenchError, plain
from benchmark.plan.plan import make_plan
from benchmark.schedule import runlog
from benchmark.schedule.again import again
from benchmark.schedule.endings import tell
from benchmark.schedule.job import Event
from benchmark.schedule.progress import Progress
from benchmark.schedule.runlog import logged
from benchmark.schedule.screen import drawn, line, screen, shorten
from benchmark.schedule.state import StatusFile, describe, driver_alive
from benchmark.schedule.summary import Summary
from benchmark.schedule.watch import Watch
from benchmark.suite.filter import Filter
from benchmark.suite.load import load_all
from tests.conftest import ROOT
from tests.test_cli import GANBENCH, TINY, _until
from tests.test_progress import Clock

ROW = {
    "name": "gran/2/GraND-GAN/cifar10 seed 0",
    "step": 5000,
    "of": 100000,
    "rate": 12.34,
    "eta_s": 7698.0,
    "silent_s": 1.0,
    "node": "lab7",
    "device": "H100",
    "last": {"step": 5000, "IS": 2.0, "FID": 87.654},
}


def _text(rows: list[dict], width: int, height: int = 20) -> str:
    from rich.console import Console

    console = Console(width=width, height=height, file=io.StringIO(), markup=False, force_terminal=False)
    console.print(drawn(rows, "2 running", width, height))
    return console.file.getvalue()


def test_the_table_says_what_runs_where_how_fast_and_how_well() -> None:
    shown = _text([ROW, ROW | {"silent_s": 125.0, "name": "b"}], 140)
    for part in (
        "2 running",
        "gran/2/GraND-GAN/cifar10 seed 0",
        "5,000 / 100,000",
        "12.3",
        "2 h 8 min",
        "FID 87.65 at 5,000",
        "lab7, H100",
        "(silent 2 min 5 s)",
    ):
        assert part in shown, shown


@pytest.mark.parametrize("width", [20, 30, 50, 64, 80, 99, 120])
def test_a_narrow_terminal_gets_fewer_columns_and_no_wrapped_line(width: int) -> None:
    lines = _text([ROW], width).rstrip("\n").split("\n")
    assert len(lines) == 4 and all(len(text) <= width for text in lines), lines
    assert width < 40 or "seed 0" in lines[3], "the end of the name tells the seeds apart"


def test_more_runs_than_lines_are_counted() -> None:
    shown = _text([ROW | {"name": f"run {i}"} for i in range(50)], 100, 12)
    assert "… and 43 more" in shown and len(shown.rstrip("\n").split("\n")) <= 11


def test_names_are_shown_as_they_are() -> None:
    name = "[bold red]a[/] [link=file:///x]y[/link] :smile: \x1b[2J\u202e"
    shown = _text([ROW | {"name": name}], 200)
    assert "[bold red]a[/] [link=file:///x]y[/link] :smile: \\x1b[2J\\u202e" in shown and "\x1b" not in shown
    assert plain(name) in line(ROW | {"name": name})
    out = io.StringIO()
    screen(Progress(1), "", out).say(f"FAILED: {name}\n  second line")
    assert out.getvalue() == f"FAILED: {plain(name)}\n  second line\n"
    assert shorten("abcdefghij", 5) == "ab…ij" and shorten("abc", 3) == "abc"


def test_plain_lines_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of a minute and a half has one line beside its last; one of less than a minute none."""
    monkeypatch.setattr("benchmark.schedule.screen.time.monotonic", clock := Clock())
    progress, out = Progress(total_size=20, clock=clock), io.StringIO()
    lines = screen(progress, "", out)
    for name, steps in (("cell a", 90), ("cell b", 59)):
        for step in range(steps):
            progress.update(name, name, 10, step, steps)
            lines.update(name, "")
            clock.now += 1
        progress.end(name, 10)
        lines.say(f"finished: {name}")
    first, *others = out.getvalue().splitlines()
    assert first.startswith("cell a  66.7 %  step 60 of 90  1 it/s  30 s left") and "(all: " in first
    assert others == ["finished: cell a", "finished: cell b"]


def _plan(seeds: int = 1):
    return make_plan(load_all(["theory"], profile="ci")[0].cells, range(seeds), {})


def test_status_has_the_same_figures_later_and_from_elsewhere(tmp_path: Path) -> None:
    plan = _plan()
    status, progress, (first, second) = StatusFile(tmp_path, plan), Progress(1), plan.runs[:2]
    progress.update(
        first.evaluation, first.name, 1, 10, 100, {"node": "lab7", "device": "cpu", "last": {"step": 10, "FID": 5.0}}
    )
    status.move(first.evaluation, "running")
    status.move(second.evaluation, "failed")
    status.fail(second.name, "[bold]no \x1b room")
    status.write(progress, force=True)
    content = json.loads(status.path.read_text(encoding="utf-8"))
    assert content["counts"] == {"running": 1, "failed": 1, "to do": len(plan.runs) - 2} and len(content["runs"]) == 2
    said = describe(tmp_path)
    assert "no driver is at work" in said and f"was running: {first.name}  10.0 %  step 10 of 100  FID 5 at 10" in said
    assert f"failed: {second.name}: [bold]no \\x1b room" in said
    import fcntl

    with (tmp_path / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert driver_alive(tmp_path) and "since" in describe(tmp_path)
        for shift, message in (
            (-90, "a driver is at work, last heard 1 min 30 s ago"),
            (+90, "its clock is 1 min 30 s ahead of this one"),
        ):
            status.path.write_text(json.dumps(content | {"time": time.time() + shift}), encoding="utf-8")
            assert message in describe(tmp_path)
    for damage in (
        "{",
        "[]",
        json.dumps(content | {"runs": [{"state": "running", "name": 3}]}),
        json.dumps(content | {"eta_s": "soon"}),
    ):
        status.path.write_text(damage, encoding="utf-8")
        with (tmp_path / ".lock").open("a") as lock, pytest.raises(GanbenchError, match="is damaged"):
            fcntl.flock(lock, fcntl.LOCK_EX)
            describe(tmp_path)


def test_only_a_run_that_was_at_work_is_said_to_be_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, summary = _plan(), Summary()
    watch, (queued, waking, working) = Watch(plan, tmp_path, None), plan.runs[:3]
    watch.report(Event("progress", None), waking)
    watch.report(Event("progress", None, 5, 96), working)
    for run in (queued, waking, working):
        tell(Event("interrupted", None), run, tmp_path, watch, summary, ())
    assert (
        capsys.readouterr().err.count("stopped: ") == 1
        and summary.counts["interrupted"] == 3
        and not watch.progress.running
    )


def test_the_status_file_does_not_grow_with_what_is_done(tmp_path: Path) -> None:
    plan = _plan(seeds=50)
    watch = Watch(plan, tmp_path, None)
    sizes = []
    for run in plan.runs:
        watch.report(Event("progress", None, 1, 2, None), run)
        watch.end(run, "done", "", [])
        watch.status.write(watch.progress, force=True)
        sizes.append(watch.status.path.stat().st_size)
    assert len(plan.runs) >= 600 and max(sizes) < min(sizes) + 50 and not watch.progress.running


def test_a_log_is_appended_to_and_bounded(tmp_path: Path) -> None:
    log = logging.getLogger("benchmark.test")
    for start in range(2):
        with logged(tmp_path):
            log.info("start %d", start)
            log.warning("a warning")
    log.info("not under way")
    text = (tmp_path / runlog.NAME).read_text(encoding="utf-8")
    assert text.count("INFO start") == 2 and text.count("WARNING a warning") == 2 and "not under way" not in text
    with logged(tmp_path):
        for _ in range(3000):
            log.info("x" * 1000)
        log.info("y" * 10**6)
    assert (
        sum(p.stat().st_size for p in tmp_path.iterdir()) <= 2 * runlog.MOST_BYTES + 2 * runlog.LONGEST
        and len(list(tmp_path.iterdir())) == 2
    )
    with logged(tmp_path / "not there"):
        log.info("lost, and no error")


@pytest.mark.parametrize("given", [["--only", "table=1"], ["--only=table=1"], []])
def test_the_line_that_makes_a_run_again_names_its_cell_and_keeps_the_options(given: list[str]) -> None:
    cells = load_all(["theory"], profile="ci")[0].cells
    for cell in cells:
        run = replace(_plan().runs[0], cells=(cell,))
        said = shlex.split(again(["run", "my suites/theory.yaml", *given, "--seeds", "3", "--gpu-share", "0.5"], run))
        assert said[:6] == ["ganbench", "run", "my suites/theory.yaml", "--seeds", "3", "--gpu-share"]
        a = parser().parse_args(said[1:])
        assert a.gpu_share == 0.5 and [c.id for c in cells if Filter(a.only)(c)] == [cell.id]


def test_failures_are_summarised_with_a_line_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run's folder is in the way; once it is moved, the printed line makes the run."""
    results = tmp_path / "my results"
    options = [
        "run",
        "theory",
        "--profile",
        "ci",
        "--only",
        "method=SN-D",
        "--results",
        str(results),
        "--executor",
        "inline",
    ]
    run = next(r for r in _plan().runs if r.cells[0].method == "SN-D")
    (results / "runs").mkdir(parents=True)
    (results / "runs" / run.key).write_text("a file")
    assert main(options) == 1
    words = shlex.split(next(t for t in capsys.readouterr().err.splitlines() if "again:" in t).split("again:")[1])
    assert words[0] == "ganbench" and "failed:" in describe(results)
    (results / "runs" / run.key).unlink()
    assert main(words[1:]) == 0 and "1 done" in capsys.readouterr().err
    log = (results / "runs" / run.key / runlog.NAME).read_text(encoding="utf-8")
    assert all(
        part in log for part in (run.key, "started at step 0 of 96", "INFO step 16: L_Vg_Bz ", "finished at step 96")
    )


def test_tensorboard_gets_each_measurement_once(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plan = _plan()
    watch, run = Watch(plan, tmp_path / "results", tmp_path / "board"), plan.runs[0]
    watch.report(Event("progress", None, 20, 96, {"last": {"step": 16, "V_g": 0.5}}), run)
    watch.report(Event("progress", None, 21, 96, {"last": {"step": 16, "V_g": 0.5}}), run)
    watch.end(
        run,
        "done",
        "",
        [
            {"step": 16, "epoch": 1, "V_g": {"value": 0.5}},
            {"step": 32, "epoch": 2, "V_g": {"value": None}},
            {"step": 48, "epoch": 3, "V_g": {"value": 0.25}},
        ],
    )
    watch.close()
    (folder,) = {p.parent for p in (tmp_path / "board").rglob("events*")}
    found = EventAccumulator(str(folder)).Reload()
    assert found.Tags()["scalars"] == ["V_g"] and [(e.step, e.value) for e in found.Scalars("V_g")] == [
        (16, 0.5),
        (48, 0.25),
    ]


@pytest.fixture
def marked(tmp_path: Path) -> list[str]:
    """The command for a run of a few seconds whose name looks like markup."""
    text = (
        TINY.replace("rows: {GAN:", 'rows: {"[bold]GAN":')
        .replace("steps: 6,", "steps: 4000,")
        .replace("every_steps: 3,", "every_steps: 1000,")
    )
    assert "[bold]" in text and "4000" in text
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    return [
        *GANBENCH,
        "run",
        str(tmp_path / "tiny.yaml"),
        "--results",
        str(tmp_path / "results"),
        "--checkpoint-every",
        "0.5",
    ]


def _spawn(words: list[str], cache: Path, **more: object) -> pexpect.spawn:
    env = {**os.environ, "GANBENCH_CACHE": str(cache), "TERM": "xterm"}
    return pexpect.spawn(
        words[0],
        words[1:],
        cwd=str(ROOT),
        timeout=90,
        encoding="utf-8",
        codec_errors="replace",  # Ctrl-C empties the terminal's queue, in the middle of a character
        dimensions=(24, 100),
        env=env,
        preexec_fn=_heed_hangups,
        **more,
    )


def _heed_hangups() -> None:
    """Also where the tests themselves are under nohup, and so all that they start."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.slow
def test_the_live_table_on_a_terminal_ctrl_c_and_a_terminal_that_hangs_up(marked: list[str], tmp_path: Path) -> None:
    results, cache, suite = tmp_path / "results", tmp_path / "cache", tmp_path / "tiny.yaml"
    suite.write_text(
        suite.read_text(encoding="utf-8").replace("steps: 4000,", "steps: 400000,"), encoding="utf-8"
    )  # it must not end before it is told to
    terminal = _spawn(marked, cache)
    terminal.expect(r"tiny/1/\[bold\]GAN/shapes\S* seed 0 +training +[\d,]+ / 400,000")
    terminal.expect(r"FID [\d.e+]+ at 0")
    watched = subprocess.run([*GANBENCH, "status", "--results", str(results)], capture_output=True, text=True, cwd=ROOT)
    assert (
        "running: tiny/1/[bold]GAN/shapes" in watched.stdout and "FID" in watched.stdout and "since" in watched.stdout
    ), watched.stdout
    terminal.sendintr()
    terminal.expect("write a checkpoint first")
    terminal.expect("its checkpoint is kept")
    terminal.expect("run the same command again")
    rest = terminal.before + terminal.after
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130 and "\x1b[?25h" in rest, "the cursor is shown again"

    terminal = _spawn([*marked, "--executor", "inline"], cache)
    terminal.expect("starting")
    _until(lambda: "resumed" in next(results.glob("runs/*/run.log")).read_text(encoding="utf-8"))
    driver = terminal.pid
    os.close(terminal.child_fd)  # the terminal goes: SIGHUP, and every write to it fails from now on
    _until(
        lambda: (
            subprocess.run(["ps", "-o", "stat=", "-p", str(driver)], capture_output=True, text=True).stdout.strip()[:1]
            in ("", "Z")
        )
    )
    assert not driver_alive(results) and "1 interrupted" in describe(results)
    logs = [p.read_text(encoding="utf-8") for p in results.glob("runs/*/run.log")]
    assert len(logs) == 1 and logs[0].count("stopped at step") == 2 and "resumed at step" in logs[0]


@pytest.mark.slow
def test_status_watch_follows_a_driver_to_its_end(marked: list[str], tmp_path: Path) -> None:
    driver = subprocess.Popen(
        [*marked, "--executor", "inline"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GANBENCH_CACHE": str(tmp_path / "cache")},
    )
    _until(lambda: driver_alive(tmp_path / "results") and (tmp_path / "results/runs/status.json").exists())
    terminal = _spawn([*GANBENCH, "status", "--watch", "--results", str(tmp_path / "results")], tmp_path / "cache")
    terminal.expect(r"tiny/1/\[bold\]GAN")
    driver.terminate()
    terminal.expect("no driver is at work")
    terminal.expect("1 interrupted")
    terminal.expect(pexpect.EOF)
    assert driver.wait(timeout=60) == 130
