"""What a release hands out: the archives that ``python -m build`` makes, installed and used away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import benchmark
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def run(command: list[str | Path], cwd: Path) -> str:
    """Standard output; the test fails with what the command said where its exit code is not 0."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GANBENCH"))}
    done = subprocess.run(
        command, cwd=cwd, env=kept | {"GANBENCH_CACHE": str(cwd / "cache")}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel, built of a copy of the checkout, without a network."""
    pytest.importorskip("build", reason="no package build; run: pip install 'ganbench[test]'")
    if int(metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("setuptools is older than 77; run: pip install 'ganbench[test]'")
    source, out = tmp_path_factory.mktemp("source") / "ganbench", tmp_path_factory.mktemp("dist")
    left = shutil.ignore_patterns(".*", "venv", "results", "report", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, source, ignore=left)
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source], source)
    return out


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a virtual environment with the wheel; what it depends on is this environment's."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    wheel = next(dist.glob("*.whl"))
    run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel], home)
    site = next(home.glob("lib/python*/site-packages"))
    ours = [folder for folder in sys.path if Path(folder).name == "site-packages"]
    (site / "dependencies.pth").write_text("\n".join(ours), encoding="utf-8")
    return python.parent


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(dist: Path) -> None:
    files = {name for name in zipfile.ZipFile(next(dist.glob("*.whl"))).namelist() if ".dist-info/" not in name}
    package = [path for path in (ROOT / "benchmark").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    suites = {f"benchmark/suites/{path.name}" for path in (ROOT / "suites").glob("*.yaml")}
    assert files == {path.relative_to(ROOT).as_posix() for path in package} | suites and len(suites) == 6
    assert {"benchmark/py.typed", "benchmark/data/cards.yaml"} <= files


def test_the_source_archive_holds_the_suites_and_the_documentation(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = archive.getnames()
    files = {name.partition("/")[2] for name in names}
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "suites").glob("*")} <= files
    assert {"docs/conf.py", "CHANGELOG.md", "LICENSE", "constraints.txt", "benchmark/py.typed"} <= files
    assert not [name for name in files if name.startswith(("tests/", "results/", "docs/api/"))]


def test_an_installed_wheel_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    where = run([installed / "python", "-c", "import benchmark; print(benchmark.__file__)"], tmp_path)
    assert Path(where).is_relative_to(installed.parent)
    ganbench = installed / "ganbench"
    assert run([ganbench, "--version"], tmp_path) == f"ganbench {benchmark.__version__}\n"
    assert "cifar10" in run([ganbench, "data", "list"], tmp_path)
    assert "theory/1/" in run([ganbench, "list"], tmp_path)
    few = ["ci", "--only", "table=1 & method~10^0"]
    run([ganbench, "run", *few, "--seeds", "1", "--executor", "inline"], tmp_path)
    assert "incomparable" in run([ganbench, "compare", "ci"], tmp_path)
    run([ganbench, "report", "ci", "--out", "out"], tmp_path)
    assert (tmp_path / "out/index.html").stat().st_size > 10_000
