"""The real command line, in processes of its own: start-up, exit codes, end to end through Ray, and every
interruption.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from benchmark.records.store import read_all
from tests.conftest import ROOT

GANBENCH = [sys.executable, "-m", "benchmark"]


def ganbench(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GANBENCH, *map(str, arguments)], capture_output=True, text=True, timeout=240, **more)


def outcomes(results: Path) -> dict[str, str]:
    found, problems = read_all(results)
    assert not problems
    return {f"{r.evaluation}-{r.seed}": r.outcome for r in found}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from benchmark.cli import main
try:
    main({arguments!r})
except SystemExit as stop:
    assert stop.code == 0, stop.code
heavy = {{'torch', 'ray', 'pandas', 'numpy', 'yaml', 'matplotlib', 'scipy', 'rich'}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_published_prints_the_seventeen_numbers_in_the_contracts_columns() -> None:
    done = ganbench("published", "theory", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0 and len(rows) == 17
    assert list(rows[0]) == [
        "paper",
        "table",
        "method",
        "backbone",
        "dataset",
        "data_percent",
        "resolution",
        "metric",
        "value",
        "std",
        "origin",
        "note",
    ]
    row = next(r for r in rows if r["method"] == "sigma=sqrt(24)" and r["metric"] == "jac_G")
    assert (row["table"], row["value"], row["std"], row["dataset"], row["data_percent"], row["origin"]) == (
        "2",
        "76.422",
        "35.867",
        "mnist",
        "100",
        "own",
    )
    assert {r["metric"] for r in rows} == {"L_Vg_Bz", "V_g", "D_G", "jac_D", "jac_G"}
    assert len(json.loads(ganbench("published", "theory", "--format", "json").stdout)) == 17


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "theroy"], 2, "did you mean 'theory'"),
        (["plan", "theory", "--profile", "cii"], 2, "no profile 'cii'; did you mean 'ci'"),
        (["plan", "theory", "--only", "tabel=1"], 2, "unknown field 'tabel'; did you mean 'table'"),
        (["plan", "theory", "--only", "table=9"], 2, "leaves no cell"),
        (["show", "theory/1/B_z=10^1[MLP]/mnist"], 2, "did you mean 'theory/1/B_z=10^"),
        (["data", "verify", "mnits"], 2, "unknown dataset 'mnits'; did you mean 'mnist'"),
        (["run", "theory", "--seeds", "0"], 2, "must be at least 1"),
        (["run", "theory", "--gpu-share", "1.5"], 2, "at least 0.0001 and at most 1"),
        (["run", "theory", "--priority", "theory"], 2, "no priority such as gran=2"),
        (["reprot", "theory"], 2, "there is no command 'reprot'"),
    ],
)
def test_bad_usage_exits_with_two_and_one_message(arguments: list[str], code: int, message: str) -> None:
    done = ganbench(*arguments)
    assert done.returncode == code and message in done.stderr and "Traceback" not in done.stderr


def test_missing_data_blocks_with_the_mend_and_exit_code_one(tmp_path: Path) -> None:
    done = ganbench(
        "run", "theory", "--only", "table=1", "--results", tmp_path, env={**os.environ, "GANBENCH_DATA": str(tmp_path)}
    )
    assert done.returncode == 1 and "3 missing here" in done.stderr and "ganbench data fetch mnist" in done.stderr


@pytest.mark.slow
def test_a_run_that_no_node_can_take_is_refused_at_once(tmp_path: Path) -> None:
    done = ganbench(
        "run", "theory", "--profile", "ci", "--only", "table=2", "--results", tmp_path, "--cpus", "1", "--threads", "3"
    )
    assert done.returncode == 1 and re.search(
        r"asks for 3 CPU, which no node has \([^ ]+: 1 CPU, no GPU\)", done.stderr
    )


def test_a_results_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("a file")
    for command in (("compare", "theory"), ("run", "theory", "--profile", "ci", "--only", "table=2")):
        done = ganbench(*command, "--results", tmp_path)
        assert done.returncode == 1 and "cannot read" in done.stderr and "Traceback" not in done.stderr


TINY = """suite: tiny
paper: {title: Tiny, venue: here}
protocol: {metrics: [IS, FID, KIDx1000, precision, recall], features: efficientnet-lite0, quantise: round,
  real_split: test, real: 100, generated: 90, sample_batch: 32, is_splits: 3, kid_subsets: 3, kid_subset_size: 40,
  bn_mode: eval, weights: raw, checkpoint: best, best_by: FID, every_steps: 3, std_of: splits}
tolerance: {FID: {relative: 0.05, source: x}, IS: {relative: 0.05, source: x}, KIDx1000: {relative: 0.05, source: x}}
recipes:
  base: {dataset: shapes, split: train, resolution: 32, channels: 3, data_percent: 10, subset: numpy-choice-0,
    network: {name: mlp, width: 0.1, bn_eps: 0.8}, z_dim: 8, z_distribution: normal, z_scale: 1.0,
    loss: {name: non-saturating, d_scale: 1.0}, batch_d: 32, batch_g: 32, n_dis: 1, steps: 6, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate,
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}
tables:
  "1": {caption: c, std_of: splits, metrics: {IS: higher, FID: lower, KIDx1000: lower},
    rows: {GAN: {recipe: base, IS: 2.5(0.1), FID: 300.0, KIDx1000: 12.5}}}
"""


@pytest.mark.slow
def test_images_are_measured_through_ray_and_the_command_line(tmp_path: Path) -> None:
    suite, results = tmp_path / "tiny.yaml", tmp_path / "results"
    suite.write_text(TINY, encoding="utf-8")
    env = {**os.environ, "GANBENCH_CACHE": str(tmp_path / "cache")}
    done = ganbench("run", suite, "--results", results, "--seeds", "2", env=env)
    assert done.returncode == 0 and "2 done" in done.stderr, done.stderr
    found, problems = read_all(results)
    assert not problems and len(found) == 2 and len(list((tmp_path / "cache" / "features").glob("*.npz"))) == 2, (
        "the real images, and those that the floor is drawn from"
    )
    for record in found:
        assert [e["step"] for e in record.history] == [0, 3, 6] and record.final == min(
            record.history[1:], key=lambda e: e["FID"]["value"]
        )
    listed = ganbench("data", "stats", env=env)
    assert "shapes test at 32 px, 100 images, efficientnet-lite0" in listed.stdout and listed.returncode == 0
    made = ganbench("data", "stats", suite, env=env)
    assert "ok  shapes test at 32 px, 100 images, efficientnet-lite0: ready" in made.stdout and made.returncode == 0
    shown = ganbench("compare", suite, "--results", results)
    assert "2.5(0.1)" in shown.stdout and "proxy" in shown.stdout and "exact" not in shown.stdout
    assert ganbench("report", suite, "--results", results, "--out", tmp_path / "report").returncode == 0
    assert "over splits" in (tmp_path / "report" / "tiny.html").read_text(encoding="utf-8")


def test_the_main_job_end_to_end_through_ray(tmp_path: Path) -> None:
    """``run`` and ``report``, twice: the second time nothing runs, and it says why, quickly."""
    results, out = tmp_path / "results", tmp_path / "report"
    first = ganbench("run", "theory", "--profile", "ci", "--results", results)
    assert first.returncode == 0, first.stderr
    assert len(outcomes(results)) == 18 and "18 done" in first.stderr
    began = time.monotonic()
    second = ganbench("run", "theory", "--profile", "ci", "--results", results)
    assert time.monotonic() - began < 15  # 0.3 s on a quiet machine; Ray alone would take longer
    assert (
        second.returncode == 0
        and "18 done, 0 blocked" in second.stderr
        and "nothing to do" in second.stderr
        and "record" in second.stderr
    )
    for suite in ("suites/ci.yaml", "suites/theory.yaml"):  # the second takes away what only the first wrote
        done = ganbench("report", suite, "--profile", "ci", "--results", results, "--out", out)
        assert done.returncode == 0, done.stderr
    site = {"index.html", "cells.html", "claims.html", "cells", "samples", ".ganbench-report.json"}
    assert {p.name for p in out.iterdir()} == {f"theory.{k}" for k in ("md", "tex", "csv", "fields.csv", "html")} | site
    assert (out / "theory.html").read_text(encoding="utf-8").count('data-verdict="incomparable"') == 17, (
        "a ci run must never be judged"
    )
    asked = ("theory", "--profile", "ci", "--results", results)
    compared = json.loads(ganbench("compare", *asked, "--format", "json").stdout)
    assert {r["verdict"] for r in compared if r["published"]} == {"incomparable"} and {r["tier"] for r in compared} == {
        "incomparable"
    }
    assert "not judged" in ganbench("claims", *asked).stdout
    assert "18 done" in ganbench("status", "--results", results).stdout
    shown = ganbench("show", "theory/1/B_z=10^0[MLP]/mnist", "--profile", "ci", "--results", results)
    assert "finished at step 96 of 96" in shown.stdout and "2.738" in shown.stdout


@pytest.fixture(scope="module")
def slow_suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of several seconds each, with the paper's suite as a base."""
    text = (ROOT / "suites/theory.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("images: 1024", "images: 2048"),
        ("      epochs: 6\n", "      epochs: 20\n"),
        ("{width: 0.25}", "{width: 0.4}"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("suite") / "theory.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(slow_suite: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    results = tmp_path_factory.mktemp("undisturbed")
    assert ganbench(*command(slow_suite, results), "--executor", "inline").returncode == 0
    return outcomes(results)


def command(suite: Path, results: Path) -> list[str]:
    only = "table=Fig1 & (method=SN-D | method=SN-both)"
    return [
        "run",
        str(suite),
        "--profile",
        "ci",
        "--only",
        only,
        "--results",
        str(results),
        "--checkpoint-every",
        "0.3",
    ]


def _until(condition, seconds: float = 90.0):
    """Wait for a condition to give something true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def _checkpoints(results: Path) -> list[Path]:
    return list(results.glob("runs/*/checkpoint.pt"))


def _workers(driver: int) -> list[int]:
    """Ray worker processes that make a run, started after this driver."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    return [
        int(line.split()[0])
        for line in listed.splitlines()
        if line.split(None, 1)[1].startswith("ray::work") and int(line.split()[0]) > driver
    ]


def _written(checkpoint: Path) -> int | None:
    """When it was written, ns; None where its run has ended and taken it away."""
    try:
        return checkpoint.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _kill_a_worker(driver: subprocess.Popen[bytes]) -> int | None:
    """SIGKILL one of the driver's workers and return its process; None where the one seen had just left."""
    assert driver.poll() is None, "the suite ended before a worker could be killed: make it longer"
    for worker in _workers(driver.pid):
        try:
            os.kill(worker, signal.SIGKILL)
        except ProcessLookupError:
            continue
        return worker
    return None


@pytest.mark.slow
def test_every_interruption_ends_with_the_same_bits(
    slow_suite: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    """Ctrl-C in a terminal, then kill -9 of a worker, then of the driver, then the same command to the end."""
    terminal = pexpect.spawn(
        GANBENCH[0],
        [*GANBENCH[1:], *command(slow_suite, tmp_path)],
        cwd=str(ROOT),
        timeout=90,
        encoding="utf-8",
        codec_errors="replace",  # Ctrl-C empties the terminal's queue, in the middle of a character
    )
    _until(lambda: _checkpoints(tmp_path))
    terminal.sendintr()
    terminal.expect("write a checkpoint first")
    terminal.expect("run the same command again")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130 and not outcomes(tmp_path)

    before = {p: _written(p) for p in _checkpoints(tmp_path)}
    driver = subprocess.Popen(
        [*GANBENCH, *command(slow_suite, tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _until(lambda: any(_written(p) != t for p, t in before.items()))
    victim = _until(lambda: _kill_a_worker(driver))
    _until(lambda: [p for p in _workers(driver.pid) if p > victim] or driver.poll() is not None)
    driver.kill()
    driver.wait()

    done = ganbench(*command(slow_suite, tmp_path))
    assert done.returncode == 0, done.stderr
    assert outcomes(tmp_path) == undisturbed and len(undisturbed) == 2
    assert any(len(r.provenance["segments"]) > 1 for r in read_all(tmp_path)[0])


@pytest.mark.slow
def test_over_time_runs_stop_like_an_interruption_and_go_on(
    slow_suite: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    began = time.monotonic()
    stopped = ganbench(*command(slow_suite, tmp_path), "--executor", "inline", "--time-limit", "0.0002h")
    assert (
        stopped.returncode == 130
        and "the time limit is over: the runs under way write a checkpoint" in stopped.stderr
        and "run the same command again" in stopped.stderr
    )
    assert time.monotonic() - began < 60 and not outcomes(
        tmp_path
    )  # on a busy machine the limit may end before the first step
    assert ganbench(*command(slow_suite, tmp_path), "--executor", "inline", "--time-limit", "1h").returncode == 0
    assert outcomes(tmp_path) == undisturbed


@pytest.mark.slow
def test_a_second_driver_on_the_same_results_is_refused(slow_suite: Path, tmp_path: Path) -> None:
    first = subprocess.Popen(
        [*GANBENCH, *command(slow_suite, tmp_path), "--executor", "inline"], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    _until(lambda: _checkpoints(tmp_path))
    second = ganbench(*command(slow_suite, tmp_path))
    assert second.returncode == 1 and "another 'ganbench run' works on" in second.stderr
    assert "a driver is at work" in ganbench("status", "--results", tmp_path).stdout
    first.send_signal(signal.SIGINT)
    assert first.wait(timeout=60) == 130
    assert "no driver is at work" in ganbench("status", "--results", tmp_path).stdout


@pytest.mark.slow
def test_one_failing_run_does_not_end_the_suite(tmp_path: Path) -> None:
    """A run whose checkpoint folder belongs to another run fails with one line; the other is made."""
    planned = json.loads(
        ganbench("plan", "theory", "--profile", "ci", "--only", "table=2", "--results", tmp_path, "--json").stdout
    )
    blocked = tmp_path / "runs" / planned[0]["run"]
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the run's folder should be")
    done = ganbench(
        "run", "theory", "--profile", "ci", "--only", "table=2", "--results", tmp_path, "--executor", "inline"
    )
    assert (
        done.returncode == 1
        and "FAILED: theory/2" in done.stderr
        and "1 failed" in done.stderr
        and "1 done" in done.stderr
    )
    assert "Traceback" not in done.stderr and len(outcomes(tmp_path)) == 1


@pytest.mark.slow
def test_a_record_that_finds_no_room_is_rescued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place cannot be written (a file stands where the folder should be); the record is kept and can be merged."""
    results, elsewhere = tmp_path / "results", tmp_path / "tmp"
    elsewhere.mkdir()
    (results / "records").mkdir(parents=True)
    (results / "records/theory").write_text("a file where the paper's folder should be")
    only = ("--profile", "ci", "--only", "method=SN-D", "--results", results)
    done = ganbench("run", "theory", *only, "--executor", "inline", env={**os.environ, "TMPDIR": str(elsewhere)})
    assert done.returncode == 1 and "cannot write" in done.stderr
    merge = re.search(r"run: ganbench (merge \S+ --results \S+)", done.stderr)[1]
    assert ganbench(*merge.split()).returncode == 0 and len(outcomes(results)) == 1
    assert "1 done" in ganbench("run", "theory", *only).stderr


@pytest.mark.slow
def test_the_golden_check_says_what_it_lacks_or_passes(tmp_path: Path) -> None:
    done = ganbench(
        "doctor", "--golden", env={**os.environ, "GANBENCH_DATA": str(tmp_path), "TORCH_HOME": str(tmp_path)}
    )
    lines = [line for line in done.stdout.splitlines() if "of the training images" in line]
    assert (
        len(lines) == 2
        and all(
            "cannot be checked" in line and "--weights" in line and "cifar-10-python.tar.gz" in line for line in lines
        )
        and done.returncode == 1
    )


def test_doctor_names_what_is_missing(tmp_path: Path) -> None:
    done = ganbench("doctor", env={**os.environ, "GANBENCH_DATA": str(tmp_path)})
    assert done.returncode == 1 and re.search(r"-- +dataset mnist: missing .*ganbench data fetch mnist", done.stdout)
    assert re.search(r"ok +torch: ", done.stdout) and "gpu" in done.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m benchmark published theory | head -1", shell=True, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr and done.stdout.startswith("paper,")
