"""Whatever lies in the working directory, workers and subprocesses run the driver's own package and import nothing from
there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.errors import GanbenchError
from benchmark.process import home
from benchmark.records import checking, provenance, store
from benchmark.schedule import cluster, surroundings, worker
from benchmark.suite.load import load
from tests.conftest import ROOT
from tests.test_cli import outcomes
from tests.test_collate import record_for

OURS = ("benchmark",)
THEIRS = ("scipy", "torch", "numpy", "yaml", "ray", "orjson", "pandas", "PIL", "fsspec", "tabulate", "torch_fidelity")
PYTHONS = ("typing", "random", "argparse", "json", "logging", "subprocess", "tempfile", "dataclasses")
KINDS = ("file", "package", "empty folder", "clone")
DRIVER = "import sys; from benchmark.cli import main; sys.exit(main())"
MINI = """
suite: mini
paper: {title: "Two small rows", venue: none}
protocol: {metrics: [V_g], generated: 8, bn_mode: eval, weights: raw, checkpoint: last, std_of: noises, seeds: 1}
recipes:
  base: {dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100, images: 64,
    network: {name: mlp, width: 0.1, bn_eps: 0.8}, z_dim: 20, z_distribution: normal, parts: [], z_scale: 1.0,
    loss: {name: non-saturating, d_scale: 0.5}, batch_d: 16, batch_g: 16, n_dis: 1, steps: 4, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate,
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}
  SN-D: {from: base, parts: [spectral-norm: {player: D}]}
tables:
  "1": {caption: "no paper's", std_of: noises, metrics: {V_g: lower},
    rows: {plain: {recipe: base, V_g: -0.5}, SN-D: {recipe: SN-D, V_g: -0.5}}}
"""


def litter(folder: Path, kind: str, names: tuple[str, ...]) -> Path:
    """Modules that say so when they are imported, and end that process; the file in which they do."""
    sprung = folder / "sprung.txt"
    body = f"import os, sys\nopen({str(sprung)!r}, 'a').write(f'{{__name__}} in {{sys.argv}}\\n')\nos._exit(9)\n"
    if kind == "clone":  # whose step is another
        shutil.copytree(ROOT / "benchmark", folder / "benchmark", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("__init__.py", "records/checking.py", "train/step.py"):
            (folder / "benchmark" / name).write_text(body)
        kind = "file"
        names = tuple(name for name in names if name != "benchmark")
    for name in names:
        if kind == "file":
            (folder / f"{name}.py").write_text(body)
        else:
            (folder / name).mkdir()
            if kind == "package":
                (folder / name / "__init__.py").write_text(body)
    return sprung


@pytest.mark.parametrize("kind", KINDS)
def test_processes_that_check_records_run_this_package(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_for(load(Path("suites/theory.yaml")).cells[0], 0, {"L_Vg_Bz": 5.0, "V_g": -0.657, "D_G": -0.48})
    path = store.write(tmp_path / "results", "theory/x", record)
    sprung = litter(tmp_path, kind, OURS + THEIRS + PYTHONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", "./", str(tmp_path / "nowhere")]))
    (answer,) = checking._ask([path]) or [None]
    assert isinstance(answer, list) and answer[1] == record.outcome and not sprung.exists()


def test_the_process_that_asks_a_head_imports_the_real_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sprung = litter(tmp_path, "file", OURS + THEIRS + PYTHONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep)
    monkeypatch.setattr(cluster, "ASK", "import sys, ray; print(sys.argv[1])")
    asking = SimpleNamespace(_address="here", _me="here")
    assert cluster.Cluster._is_the_same(asking) is True and not sprung.exists()


@pytest.mark.parametrize("kind", ["file", "package"])
@pytest.mark.parametrize("command", ["-m benchmark", "ganbench"])
def test_the_command_line_leaves_the_working_directory(kind: str, command: str, tmp_path: Path) -> None:
    """Python itself puts it first for ``-m``, and takes an empty entry of PYTHONPATH for it."""
    modules, entries = (THEIRS + PYTHONS, [str(ROOT)]) if command == "-m benchmark" else (THEIRS, ["", str(ROOT)])
    sprung = litter(tmp_path, kind, modules)
    (tmp_path / "mini.yaml").write_text(MINI)
    words = ["-m", "benchmark"] if command == "-m benchmark" else ["-P", "-c", DRIVER]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entries)}
    done = subprocess.run(
        [sys.executable, *words, "list", "mini.yaml"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and "2 cells" in done.stdout and not sprung.exists(), done.stderr


@pytest.mark.slow
def test_runs_through_ray_are_those_of_the_drivers_code(tmp_path: Path) -> None:
    """Also where Ray would not start: a TMPDIR too long for its sockets, and Python told to drop docstrings."""
    here, long = tmp_path / "here", tmp_path / ("long" * 30)
    here.mkdir()
    long.mkdir()
    (tmp_path / "mini.yaml").write_text(MINI)
    sprung = litter(here, "clone", OURS + THEIRS)
    litter(here, "package", THEIRS)
    more = {"PYTHONPATH": f"{ROOT}{os.pathsep}", "TMPDIR": str(long), "PYTHONOPTIMIZE": "2"}
    for name, options in (("ray", []), ("inline", ["--executor", "inline"])):
        done = subprocess.run(
            [sys.executable, "-P", "-c", DRIVER, "run", "../mini.yaml", "--results", f"../{name}", *options],
            cwd=here,
            env=os.environ | more | {"GANBENCH_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
    assert outcomes(tmp_path / "ray") == outcomes(tmp_path / "inline") and len(outcomes(tmp_path / "ray")) == 2
    assert not sprung.exists(), sprung.read_text()
    segments = [s for r in store.read_all(tmp_path / "ray")[0] for s in r.provenance["segments"]]
    assert {(s["commit"], s["package"]) for s in segments} == {
        (provenance.code_version()["commit"], provenance.package_hash(ROOT / "benchmark"))
    }
    assert not list(long.iterdir()) or not list(long.glob("**/ganbench-*")), "the copy of the code is not left behind"


def test_a_worker_with_other_code_does_not_train(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    ray = SimpleNamespace(
        remote=lambda **_: lambda f: SimpleNamespace(options=lambda **_: SimpleNamespace(remote=f)),
        exceptions=SimpleNamespace(RayActorError=RuntimeError),
    )
    monkeypatch.setattr(worker, "work", lambda job, board, make: made.append(job))
    monkeypatch.setattr(provenance, "_drivers", {})
    run = worker.tasks(ray, None, None, 0)("ab" * 28, 1, 0).remote
    run("a job")
    assert made == ["a job"]
    assert provenance.code_version() == provenance._drivers, "a worker's records say what the driver's would"
    monkeypatch.setattr(provenance, "package_hash", lambda folder: "another")
    with pytest.raises(GanbenchError, match="other code than the driver.*run the same command again"):
        run("another job")
    assert made == ["a job"]


def test_workers_get_a_copy_of_the_code_that_later_changes_do_not_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tmp_path / "original"
    shutil.copytree(ROOT / "benchmark", original)
    monkeypatch.setattr(home, "PACKAGE", str(original))
    wanted = provenance.package_hash(original)
    folder = surroundings.code(tmp_path / "ray")
    (original / "train/step.py").write_text("changed")
    assert [path.name for path in folder.iterdir()] == ["benchmark"]
    assert provenance.package_hash(folder / "benchmark") == wanted != provenance.package_hash(original)


def test_no_other_file_starts_a_python_of_its_own() -> None:
    found = {
        path.relative_to(ROOT / "benchmark").as_posix()
        for path in (ROOT / "benchmark").rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("sys.executable", "import multiprocessing"))
    }
    assert found == {"process/home.py", "process/console.py"}  # which starts this very process again
