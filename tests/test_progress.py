"""Progress: durations for people, and an ETA that follows from what was measured."""

from __future__ import annotations

import io
import time

import pytest

from benchmark.catalogue import plugin, plugins
from benchmark.errors import GanbenchError
from benchmark.schedule.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (95, "1 min 35 s"), (3600, "1 h"), (3700, "1 h 1 min"), (90000, "1 d 1 h"), (172800, "2 d")],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_eta_is_work_left_over_the_rate_so_far() -> None:
    """Ten seconds: one run of size 100 made whole, one of size 300 resumed at half and now at three quarters."""
    progress = Progress(total_size=1000, out=io.StringIO(), began=time.monotonic() - 10)
    progress.update("a", "a", 100, 0, 50)
    progress.end("a", 100, "a is done")
    progress.update("b", "b", 300, 0, 0)
    progress.update("b", "b", 300, 50, 100)
    progress.update("b", "b", 300, 75, 100)
    rate, left = (100 + 300 / 4) / 10, 1000 - 100 - 300 * 3 / 4
    assert progress.eta_s() == pytest.approx(left / rate, rel=0.02)
    assert Progress(total_size=5, out=io.StringIO()).eta_s() is None


def test_plain_lines_are_few_and_the_end_is_said() -> None:
    out = io.StringIO()
    progress = Progress(total_size=10, out=out)
    for step in range(100):
        progress.update("a", "cell a", 10, step, 100)
    progress.end("a", 10, "finished: cell a")
    lines = out.getvalue().splitlines()
    assert len(lines) == 2 and "cell a" in lines[0] and lines[1] == "finished: cell a"


def test_plugins_are_read_without_importing_them() -> None:
    found = plugins("methods")
    assert found["spectral-norm"].kind == "part" and found["non-saturating"].kind == "loss" and "part" not in found
    assert found["translations"].arguments == {"shift": "int", "copies": "int", "fill": "float"}
    for arguments, message in (({"shift": 2.5, "copies": 1, "fill": 0.0}, "shift must be int"), ({"shift": True, "copies": 1, "fill": 0.0}, "shift must be int"), ({"shift": 2}, "needs copies, fill")):
        with pytest.raises(GanbenchError, match=message):
            found["translations"].check(arguments)
    with pytest.raises(GanbenchError, match="did you mean 'mlp'"):
        plugin("networks", "mpl")
