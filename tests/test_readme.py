"""The README's commands are the ones that CI runs, and every command of the tool is a real one."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import parser
from tests.conftest import ROOT

BESIDE = (
    "#",
    "set -",
    "cd ",
    "rm -rf .venv",
    "export PIP_",
    "python3() ",
    ".ci/rules",
)  # lines of .ci/run that are no commands


def test_ci_runs_exactly_the_readmes_first_commands_in_its_order() -> None:
    install, tests, *_ = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    printed = [line.partition("  # ")[0] for line in (install + tests).splitlines()]
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in ci if not line.startswith(BESIDE)] == printed
    assert len(printed) >= 6 and printed[-1] == f"{printed[-2]} -m slow"


def test_every_command_in_the_readme_parses() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(?:\.venv/bin/)?ganbench (.*?)(?:\s+#.*)?$", text, re.M)
    assert len(lines) >= 8
    for line in lines:
        parser().parse_args(shlex.split(line))


def test_the_notebook_example_works_as_written(tmp_path) -> None:
    """The functions that the package's docstring names exist, and the example runs (planning only, to be quick)."""
    import benchmark as gb

    assert all(callable(getattr(gb, name)) for name in gb.__all__)
    suite = gb.load_all(["theory"], profile="ci")[0]
    records, problems = gb.read_all(tmp_path)
    plan = gb.make_plan(suite.cells, range(3), gb.by_evaluation(records), problems=problems)
    assert len(plan.of("to do")) == 54
    suite, joined = gb.load_joined(suite.path, records)
    assert len(list(gb.compared_rows(joined))) == 105


@pytest.mark.parametrize(("name", "least"), [("reduced", 60), ("figures", 40)])
def test_the_tables_of_reduced_runs_are_those_of_their_records(committed: Path, name: str, least: int) -> None:
    done = subprocess.run([sys.executable, f"results/{name}.py"], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") > least and done.stdout in (committed / f"{name}.md").read_text(encoding="utf-8")
