"""What is said of several seeds, cells or lines: once, and with the seed that it is about."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.plan.plan import make_plan
from benchmark.schedule.progress import Progress
from benchmark.schedule.state import StatusFile, describe
from benchmark.suite.load import load_all
from tests.test_outside import CELL, _external, _judged, _suite

EQUAL = "all 50,000 images are equal"


@pytest.mark.parametrize(
    ("seeds", "said"), [((1,), f"seed 1: {EQUAL}"), ((0, 2), f"seeds 0, 2: {EQUAL}"), ((0, 1, 2), EQUAL), ((), None)]
)
def test_a_finding_is_of_the_seeds_that_have_it(seeds: tuple[int, ...], said: str | None) -> None:
    cell = next(c for c in _suite().cells if c.id == CELL)
    records = [_external(cell, seed, 23.7 + seed / 100) for seed in range(3)]
    for field in ("findings", "remarks"):
        found = _judged(*(dataclasses.replace(r, **({field: [EQUAL]} if r.seed in seeds else {})) for r in records))
        assert found.tier is not None
        lines = found.tier.differences if field == "findings" else found.remarks
        assert [line for line in lines if EQUAL in line] == ([said] if said else [])


def test_a_run_that_failed_is_named_once(tmp_path: Path) -> None:
    plan = make_plan(load_all(["theory"], profile="ci")[0].cells, range(1), {})
    status, name = StatusFile(tmp_path, plan), plan.runs[0].name
    status.fail(name, f"FAILED: {name}: no room (details: run.log)")
    status.write(Progress(1), force=True)
    assert f"failed: {name}: no room (details: run.log)" in describe(tmp_path)


def test_what_is_to_be_believed_names_a_cell_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for fid in ("23.1", "23.4"):
        assert main(["enter", CELL, f"FID={fid}", "--by", "me", "--results", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["compare", "gran", "--only", "table=2", "--results", str(tmp_path)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "measured by me: declared" in line]
    assert max(Counter(line.partition("not checked: ")[2].split(", ")).values()) == 1
