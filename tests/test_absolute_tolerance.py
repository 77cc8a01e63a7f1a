"""A share of a number near zero is no band: an absolute floor, with its source, where the suite states one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.statistics.interval import estimate
from benchmark.suite.load import load
from benchmark.suite.model import Published, Tolerance
from benchmark.suite.nodes import SuiteError
from tests.test_decide import write

KID = next(t for t in load(Path("suites/gran.yaml")).tables if t.id == "2").tolerance["KIDx1000"]


def verdict(published: float, ours: float, band: Tolerance = KID, seeds: int = 3) -> Verdict:
    p = Published(f"{published}", published, None, None, "own")
    values = [ours + 0.001 * k for k in range(-1, seeds - 1)]
    return judge(p, estimate(values), 0, [Tier("exact", ())], "lower", band, "")


@pytest.mark.parametrize(
    ("published", "ours", "name"),
    [
        (0.1, 0.13, "reproduced"),
        (0.1, 0.05, "reproduced"),
        (0.1, 0.3, "not reproduced"),
        (0.0, 0.05, "reproduced"),
        (0.0, 0.5, "not reproduced"),
        (0.0, -0.5, "better"),
        (-0.1, -0.05, "reproduced"),
        (20.0, 21.5, "reproduced"),
        (20.0, 30.0, "not reproduced"),
    ],
)
def test_kid_near_zero_is_judged_by_the_floor_and_elsewhere_by_the_share(
    published: float, ours: float, name: str
) -> None:
    found = verdict(published, ours)
    assert found.name == name
    assert ("at least 0.1: " if abs(published) < 1 else "10 %: ") in found.why
    assert verdict(published, ours, seeds=1).name == "inconclusive"


def test_without_a_floor_it_is_a_share() -> None:
    assert verdict(0.1, 0.13, Tolerance(0.1, "a test")).name == "not reproduced"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("absolute: 0.1", "go together"),
        ("absolute_source: x", "go together"),
        ("absolute: 0, absolute_source: x", "must be positive"),
        ("absolute: -1, absolute_source: x", "must be positive"),
        ("absolut: 1", "absolute"),
    ],
)
def test_a_floor_has_a_source_and_a_width(tmp_path: Path, more: str, said: str) -> None:
    path = write(tmp_path / "tiny.yaml")
    path.write_text(path.read_text().replace("source: a test}, D_G", f"source: a test, {more}}}, D_G"))
    with pytest.raises(SuiteError, match=rf"tiny.yaml:\d+:\d+: .*{said}"):
        load(path)
