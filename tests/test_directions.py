"""The better direction of a metric: a suite may not turn the one that a metric has of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.metrics.names import BETTER, IMAGE
from benchmark.suite.load import load
from benchmark.suite.model import METRICS
from benchmark.suite.nodes import SuiteError
from tests.test_working_directory import MINI

OTHER = {"lower": "higher", "higher": "lower"}


def written(folder: Path, **metrics: str) -> Path:
    """The small suite with one more table metric; of ``V_g`` there are numbers, the others are measured only."""
    printed = {"V_g": "lower", **metrics}
    text = re.sub(r"metrics: \[V_g\]", f"metrics: [{', '.join(printed)}]", MINI)
    table = ", ".join(f"{name}: {side}" for name, side in printed.items())
    assert "metrics: {V_g: lower}" in text
    path = folder / "mini.yaml"
    path.write_text(text.replace("metrics: {V_g: lower}", f"metrics: {{{table}}}"), encoding="utf-8")
    return path


@pytest.mark.parametrize("metric", IMAGE)
def test_the_wrong_direction_of_a_known_metric_is_refused_at_its_line(metric: str, tmp_path: Path) -> None:
    own = BETTER[metric]
    assert own == ("higher" if metric in ("IS", "precision", "recall") else "lower")
    with pytest.raises(SuiteError, match=rf"mini.yaml:[0-9]+:[0-9]+: {metric} is the better the {own}"):
        load(written(tmp_path, **{metric: OTHER[own]}))
    assert load(written(tmp_path, **{metric: own})).tables[0].metrics[metric] == own


def test_that_of_a_probe_is_the_suite_s_to_say(tmp_path: Path) -> None:
    for metric in set(METRICS) - set(IMAGE) - {"V_g"}:
        for side in OTHER:
            assert load(written(tmp_path, **{metric: side})).tables[0].metrics[metric] == side
    assert load(written(tmp_path, V_g="higher")).tables[0].metrics["V_g"] == "higher"


def test_the_check_of_suite_files_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--check", str(written(tmp_path, FID="higher"))]) == 2
    assert "FID is the better the lower: write 'FID: lower'" in "".join(capsys.readouterr())
