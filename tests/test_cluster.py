"""Clusters: the Slurm script on a pretended Slurm, what Ray ships to nodes, what nodes must have, checkpoints at a
URL.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.records.provenance import code_version
from benchmark.records.store import read_all
from benchmark.schedule.job import Job, execute
from benchmark.schedule.mirror import RemoteMirror, mirror_of, workplace
from benchmark.train import checkpoint
from tests.conftest import ROOT, protocol, recipe
from tests.test_cli import _until, outcomes
from tests.test_working_directory import OURS, THEIRS, litter

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "scripts/slurm.sh"
SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do
  case $1 in --nodelist=*) SLURMD_NODENAME=${1#*=} ;; esac
  shift
done
export SLURMD_NODENAME SLURM_CPUS_ON_NODE=1
exec "$@"
"""
SCONTROL = """#!/usr/bin/env bash
case $1 in
  show) printf '%s\\n' node1 node2 ;;
  *) echo "$@" >> "$FAKE_LOG" ;;
esac
"""


def test_the_slurm_script_is_a_clean_shell_script() -> None:
    subprocess.run(["bash", "-n", SCRIPT], check=True)
    if not shutil.which("shellcheck"):
        pytest.skip("no shellcheck here")
    done = subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """An environment in which two nodes of a Slurm allocation are this machine, twice."""
    (tmp_path / "bin").mkdir()
    for name, text in (
        ("srun", SRUN),
        ("scontrol", SCONTROL),
        ("ganbench", f'#!/bin/sh\nexec {sys.executable} -m benchmark "$@"\n'),
    ):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "SLURM"))}
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return clean | {
        "PATH": path,
        "FAKE_LOG": str(tmp_path / "slurm.log"),
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURMD_NODENAME": "node1",
    }


def test_a_warning_from_slurm_checkpoints_and_the_job_goes_on_when_it_is_queued_again(
    slurm: dict[str, str], tmp_path: Path
) -> None:
    """Two allocations with disks of their own; checkpoints at a URL. The same bits as in this process, undisturbed."""
    text = (ROOT / "suites/theory.yaml").read_text(encoding="utf-8").replace("      epochs: 6\n", "      epochs: 40\n")
    (tmp_path / "theory.yaml").write_text(text, encoding="utf-8")
    words = [str(tmp_path / "theory.yaml"), "--profile", "ci", "--only", "table=Fig1 & method=SN-D"]
    assert main(["run", *words, "--results", str(tmp_path / "here"), "--executor", "inline"]) == 0

    url, results = tmp_path / "url", tmp_path / "results"
    more = ["--results", str(results), "--checkpoints", f"file://{url}", "--checkpoint-every", "0.2"]
    output = tmp_path / "slurm.out"
    with output.open("w") as out:
        job = subprocess.Popen(
            [SCRIPT, *words, *more],
            env=slurm | {"GANBENCH_CACHE": str(tmp_path / "disk1")},
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
        _until(lambda: list(url.glob("*/checkpoint.pt")) or job.poll() is not None, 150)
        job.send_signal(signal.SIGUSR1)
        assert job.wait(timeout=60) == 130, output.read_text()
        assert Path(slurm["FAKE_LOG"]).read_text().split() == ["requeue", slurm["SLURM_JOB_ID"]] and not outcomes(
            results
        )
        again = subprocess.run(
            [SCRIPT, *words, *more],
            env=slurm | {"GANBENCH_CACHE": str(tmp_path / "disk2")},
            cwd=ROOT,
            stdout=out,
            stderr=out,
            timeout=200,
        )
    assert again.returncode == 0, output.read_text()
    assert outcomes(results) == outcomes(tmp_path / "here") and len(outcomes(results)) == 1
    logs = [next(tmp_path.glob(f"disk{n}/runs/*/run.log")).read_text(encoding="utf-8") for n in (1, 2)]
    assert "started at step 0" in logs[0] and "resumed at step" in logs[1]
    assert not list(tmp_path.glob("disk2/runs/*/*.pt")), "what lies at the URL need not lie here as well"
    segments = read_all(results)[0][0].provenance["segments"]
    assert len(segments) == 2 and {s["commit"].removesuffix("+changes") for s in segments} == {
        code_version()["commit"].removesuffix("+changes")
    }
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert f"ray-{slurm['SLURM_JOB_ID']}" not in left and not Path("/tmp", f"ray-{slurm['SLURM_JOB_ID']}").exists()


NODES = """
import json, os, sys
from pathlib import Path
from ray.cluster_utils import Cluster
import ray

tmp, job = Path(sys.argv[1]), json.loads(sys.argv[2])
for key in ("PYTHONPATH", "GANBENCH_DATA", "GANBENCH_CACHE"):
    os.environ.pop(key, None)
cluster = Cluster()
cluster.add_node(num_cpus=0, include_dashboard=False)
cluster.add_node(num_cpus=1, node_name="whole")
cluster.add_node(num_cpus=1, node_name="bare", env_vars={"GANBENCH_DATA": str(tmp / "empty")})

os.environ["GANBENCH_DATA"] = str(tmp / "data")
from benchmark.errors import GanbenchError
from benchmark.schedule import nodes
from benchmark.schedule.job import Job

from benchmark.schedule.session import session

@ray.remote(num_cpus=1)
def look():
    import benchmark, scipy
    from benchmark.data.cards import cards
    folder = Path(benchmark.__file__).parent
    return str(folder), len(cards()), sorted(p.name for p in (folder / "collate/presenting/site/templates").iterdir())

found = {}
with session(cluster.address, None):
    (tmp / "src").rename(tmp / "hidden")  # the nodes' workers could read it there: it is one machine
    found["shipped"] = ray.get(look.remote())
    (tmp / "hidden").rename(tmp / "src")
    for step in ("lacking", "whole"):
        try:
            nodes.check(ray, [Job(**job)])
            found[step] = ""
        except GanbenchError as error:
            found[step] = str(error)
        for file in (tmp / "data").iterdir():
            (tmp / "empty" / file.name).touch()
            os.truncate(tmp / "empty" / file.name, file.stat().st_size)
print(json.dumps(found))
cluster.shutdown()
"""


def _job(place: Path, root: Path, **changes: object) -> dict:
    fields = dict(
        key="k",
        evaluation="e",
        seed=0,
        name="n",
        recipe=recipe(dataset="mnist").to_json(),
        protocol=protocol().to_json(),
        folder=str(place / "k"),
        data_root=str(root),
        weights="",
        cache=str(place / "cache"),
        device="cpu",
        threads=1,
        layout="auto",
        until_epoch=None,
        checkpoint_s=60.0,
        cluster=True,
    )
    return fields | changes


def test_nodes_get_the_package_and_one_without_the_data_is_named_before_anything_runs(tmp_path: Path) -> None:
    for name in ("data", "empty", "here"):
        (tmp_path / name).mkdir()
    for name, size in (("train-images-idx3-ubyte", 47_040_016), ("train-labels-idx1-ubyte", 60_008)):
        (tmp_path / "data" / name).touch()
        os.truncate(tmp_path / "data" / name, size)
    sprung = litter(tmp_path / "here", "clone", OURS + THEIRS)
    shutil.copytree(ROOT / "benchmark", tmp_path / "src/benchmark", ignore=shutil.ignore_patterns("__pycache__"))
    env = os.environ | {
        "PYTHONPATH": str(tmp_path / "src"),
        "RAY_AUTH_MODE": "disabled",
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", NODES, str(tmp_path), json.dumps(_job(tmp_path, tmp_path / "data"))],
        cwd=tmp_path / "here",
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0 and not sprung.exists(), done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    folder, cards, templates = found["shipped"]
    assert (
        "runtime_resources" in folder
        and cards > 10
        and templates == sorted(p.name for p in (ROOT / "benchmark/collate/presenting/site/templates").iterdir())
    )
    assert (
        "node bare (" in found["lacking"]
        and "node whole" not in found["lacking"]
        and "ganbench data fetch mnist" in found["lacking"]
    )
    assert str(tmp_path / "empty") in found["lacking"], "the node's own folder goes before the driver's"
    assert found["whole"] == ""


def test_other_data_on_a_node_is_refused_with_the_nodes_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GANBENCH_DATA", "GANBENCH_CACHE", "GANBENCH_WEIGHTS"):
        monkeypatch.setenv(name, "")
    (tmp_path / "data").mkdir()
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (tmp_path / "data" / name).write_bytes(b"other")
    job = Job(**_job(tmp_path, tmp_path / "data"))
    with pytest.raises(GanbenchError, match=rf"^on node {os.uname().nodename}: .*train-images-idx3-ubyte"):
        execute(job, lambda done, todo: False)
    assert "ERROR failed: " in (Path(job.folder) / "run.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("url", ["memory://runs/k", "file://{}/url/k"])
def test_a_url_keeps_two_checkpoints_and_what_is_there_counts(url: str, tmp_path: Path) -> None:
    import torch

    url = url.format(tmp_path)
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    for step in range(3):
        checkpoint.save(one, {"step": torch.tensor(step)})
        mirror_of(url).push(one)
    checkpoint.save(two, {"step": torch.tensor(99)})  # of an earlier stay on this node
    mirror_of(url).pull(two)
    assert checkpoint.load(two)["step"] == 2
    (two / "checkpoint.pt").write_bytes(b"damaged")
    assert checkpoint.load(two)["step"] == 1
    RemoteMirror(f"{url}-other").pull(two)
    assert checkpoint.load(two) is None


def test_a_url_that_takes_nothing_is_trouble_and_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GANBENCH_DATA", "GANBENCH_CACHE", "GANBENCH_WEIGHTS"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    (tmp_path / "url").write_text("a file where the folder should be")
    url = f"file://{tmp_path}/url/k"
    fields = _job(tmp_path, tmp_path, recipe=recipe(images=64, epochs=1).to_json(), folder=url, cluster=False)
    result = execute(Job(**fields), lambda done, todo: False)
    assert (
        result["status"] == "finished"
        and "checkpoints could not be written" in result["trouble"]
        and url in result["trouble"]
    )
    assert (workplace(url) / "checkpoint.pt").exists()


@pytest.mark.parametrize(("url", "message"), [("nowhere://x", "nowhere"), ("gs://bucket/x", "gcsfs")])
def test_a_url_that_cannot_be_opened_is_said_before_anything_runs(
    url: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if url.startswith("gs") and importlib.util.find_spec("gcsfs"):
        pytest.skip("gcsfs is installed")
    assert (
        main(
            [
                "run",
                "theory",
                "--profile",
                "ci",
                "--only",
                "method=SN-D",
                "--results",
                str(tmp_path),
                "--checkpoints",
                url,
            ]
        )
        == 2
    )
    assert message in capsys.readouterr().err
