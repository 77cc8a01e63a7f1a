"""What this machine lacks and what is not built are two words; a plan for another machine counts what is missing here
as got; and each thing that is missing is said once, at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.plan.blocks import hindrance
from benchmark.plan.plan import make_plan
from benchmark.suite.load import load
from tests.test_weights_of_parts import SUITE

UNBUILT = "parts: [no-such-part: {}]"
WHERE = ["GANBENCH_DATA", "GANBENCH_WEIGHTS", "TORCH_HOME", "GANBENCH_CACHE"]


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without data and weights; of its suite, one row is ready, one lacks MNIST, and one is not built."""
    for name in WHERE:
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setattr("benchmark.plan.built.refusals", lambda *_: [])
    monkeypatch.chdir(tmp_path)
    text = SUITE.replace("parts: [frozen: {features: vgg16}]", "dataset: mnist, images: null")
    text = text.replace("tables:", f"  unbuilt: {{from: base, {UNBUILT}}}\ntables:")
    text = text.replace("seen: {recipe: seen, V_g: -0.5}", "seen: {recipe: seen, V_g: -0.5}, unbuilt: {V_g: -0.5}")
    Path("suites").mkdir()
    Path("suites/mini.yaml").write_text(text, encoding="utf-8")
    yield tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, *([] if words[0] == "list" else ["--results", "results"])]) == 0
    return capsys.readouterr().out


MISSING, NOT_BUILT = "missing here", "blocked"


def test_list(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = said(capsys, "list", "mini")
    assert "mini/1/plain/shapes  ready\n" in listed and f"mini/1/seen/mnist  {MISSING}: mnist\n" in listed
    assert f"mini/1/unbuilt/shapes  {NOT_BUILT}: part no-such-part is not implemented\n" in listed
    assert listed.count("ganbench data fetch mnist") == 1
    assert listed.splitlines()[-1].startswith(f"{MISSING}, 1 cell: dataset mnist: ")
    rows = {row["method"]: row for row in json.loads(said(capsys, "list", "mini", "--json"))}
    assert [rows[name]["missing"] for name in ("plain", "seen", "unbuilt")] == [[], ["mnist"], []]
    assert rows["plain"]["needs"] is None and "data fetch mnist" in rows["seen"]["needs"]


@pytest.mark.parametrize("explained", [False, True])
def test_plan(explained: bool, laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned = said(capsys, "plan", "mini", *(["--explain"] if explained else []))
    assert f"1 to do, 0 done, 1 {NOT_BUILT}, 1 {MISSING}" in planned and "is not implemented" in planned
    assert planned.count("ganbench data fetch mnist") == 1 and "ganbench data fetch mnist" in planned.splitlines()[-1]
    assert (f"{MISSING}: mini/1/seen/mnist seed 0: mnist\n" in planned) == explained


@pytest.mark.parametrize(
    "asked", [["--gpu", "A100"], ["--gpu", "A100:4,V100:8"], ["--gpu", "cpu"], ["--gpus", "2"], ["--budget", "500h"]]
)
def test_a_plan_with_prices_counts_it_as_got(
    asked: list[str], laptop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(laptop / "cache"))
    planned = said(capsys, "plan", "mini", *asked)
    assert f"2 to do, 0 done, 1 {NOT_BUILT}\n" in planned and re.search("on .*: 2 trainings to do, ", planned)
    assert "--budget" not in asked or "500 h buy 2 cells for " in planned
    last = planned.splitlines()[-1]
    assert f": {MISSING}, and taken as got: dataset mnist: " in last and "ganbench data fetch mnist" in last
    rows = {row["cells"][0]: row for row in json.loads(said(capsys, "plan", "mini", *asked, "--json"))}
    seen = rows["mini/1/seen/mnist"]
    assert (seen["state"], seen["missing"]) == ("to do", ["mnist"]) and "cost" in seen


@pytest.mark.parametrize("table", ["2", "3"])
@pytest.mark.parametrize("profile", ["full", "reduced"])
def test_data_that_must_be_added_by_hand_and_weights_are_fetched_for_another_machine_too(
    table: str, profile: str, laptop: Path
) -> None:
    cells = [c for c in load("gran", profile).cells if c.table == table]
    runs = make_plan(cells, [0], {}, elsewhere=True).runs
    assert {run.state for run in runs} == {"to do"} and all(run.missing for run in runs)
    assert {run.state for run in make_plan(cells, [0], {}).runs} == {MISSING}


def test_all_that_a_cell_lacks_is_said_and_each_thing_once(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights hid data before."""
    listed = said(capsys, "list", "gran")
    assert f"gran/2/NSGAN/cifar10  {MISSING}: inception-2015-12-05, cifar10\n" in listed
    lacking = {line.split(": ")[1] for line in listed.splitlines() if line.startswith(MISSING)}
    assert len(lacking) == 6 and "dataset lsun-bedroom" in lacking
    for file in ("weights-inception", "cifar-100-python", "CelebA.html", "bedroom_train_lmdb.zip"):
        assert listed.count(file) == 1
    assert max(map(len, listed.splitlines()[1:-7])) < 120


def test_not_built_is_said_before_what_is_missing(laptop: Path) -> None:
    """An unbuilt cell can run nowhere, whatever is fetched."""
    cells = {c.method: c for c in load(Path("suites/mini.yaml")).cells}
    found = hindrance(cells["unbuilt"].recipe, cells["seen"].protocol)
    assert found and found.word == NOT_BUILT and not found.missing


def test_run_compare_show_and_tables(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "mini", "--executor", "inline", "--only", "method!=plain", "--results", "results"]
    assert main(words) == 1
    err = capsys.readouterr().err
    assert f"1 {MISSING}" in err and f"1 {NOT_BUILT}" in err and err.count("ganbench data fetch mnist") == 1
    compared = said(capsys, "compare", "mini")
    assert re.search(rf"seen/mnist .* {MISSING} .* {MISSING}\n", compared)
    assert re.search(rf"unbuilt/shapes .* {NOT_BUILT} .* {NOT_BUILT}\n", compared)
    assert compared.count("ganbench data fetch mnist") == 1
    rows = {row["cell"]: row for row in json.loads(said(capsys, "compare", "mini", "--format", "json"))}
    assert rows["mini/1/seen/mnist"]["why"].startswith(f"{MISSING}: dataset mnist: ")
    assert said(capsys, "show", "mini/1/seen/mnist").count(f"{MISSING}: dataset mnist: ") == 1
    said(capsys, "report", "mini", "--out", "report")
    table = Path("report/mini.md").read_text(encoding="utf-8")
    assert f"⊖ {MISSING}" in table and f"⊘ {NOT_BUILT}" in table
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert f"verdict={MISSING.replace(' ', '%20')}" in page
