"""One version, one list of Pythons, and a change log in the form that readers of change logs know."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

import benchmark
from tests.conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PROJECT["dynamic"] and "version" not in PROJECT
    places = [*ROOT.glob("benchmark/**/*.py"), *ROOT.glob("*.toml"), *ROOT.glob("docs/*")]
    files = [path for path in places if path.is_file() and benchmark.__version__ in path.read_text(encoding="utf-8")]
    assert files == [ROOT / "benchmark/__init__.py"]


def test_the_version_is_the_change_logs_newest_or_on_its_way_to_the_next() -> None:
    newest = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", LOG, re.M)[0]
    base = benchmark.__version__.removesuffix(".dev0")
    assert numbers(base) > numbers(newest) if base != benchmark.__version__ else base == newest


def test_the_change_log_keeps_its_form() -> None:
    first, *heads = re.findall(r"^## (.*)$", LOG, re.M)
    assert first == "[Unreleased]"
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", LOG, re.M)
    assert len(releases) == len(heads) > 0
    assert releases == sorted(releases, key=lambda release: numbers(release[0]), reverse=True)
    assert set(re.findall(r"^### (.*)$", LOG, re.M)) <= KINDS


def test_the_workflow_tries_every_python_that_the_package_promises() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    tried = jobs["test"]["strategy"]["matrix"]["python"]
    promised = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r"Python :: \d\.\d", c)]
    assert tried == promised and PROJECT["requires-python"] == f">={promised[0]}"
    assert any(step.get("run") == ".ci/run" and "PYTHON" in step["env"] for step in jobs["test"]["steps"])


@pytest.mark.parametrize("name", ["ci.yml", "nightly.yml"])
def test_workflows_name_only_files_and_extras_that_exist(name: str) -> None:
    text = (ROOT / ".github/workflows" / name).read_text(encoding="utf-8")
    extras = {extra for group in re.findall(r"\.\[([\w,]+)\]", text) for extra in group.split(",")}
    assert extras <= PROJECT["optional-dependencies"].keys()
    modules = [module for module in re.findall(r"python -m ([\w.]+)", text) if module.startswith("tests.")]
    assert all((ROOT / f"{module.replace('.', '/')}.py").is_file() for module in modules)
