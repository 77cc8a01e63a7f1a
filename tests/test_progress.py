"""Progress: durations for people, and an ETA that follows from what was measured."""

from __future__ import annotations

import pytest

from benchmark.catalogue import plugin, plugins
from benchmark.errors import GanbenchError
from benchmark.schedule.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (95, "1 min 35 s"),
        (3600, "1 h"),
        (3700, "1 h 1 min"),
        (90000, "1 d 1 h"),
        (172800, "2 d"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Clock:
    """Seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_all_will_take_is_what_the_rows_will() -> None:
    """Ten seconds: one run of size 100 made whole; ten more: one of size 300 resumed at half and now at three quarters,
    with 600 to come.
    """
    clock = Clock()
    progress = Progress(total_size=1000, clock=clock)
    assert progress.eta_s() is None
    progress.update("a", "a", 100, 0, 50)
    clock.now += 10
    progress.end("a", 100)
    progress.update("b", "b", 300, 0, 0)
    progress.update("b", "b", 300, 50, 100)
    clock.now += 10
    progress.update("b", "b", 300, 75, 100)
    each = (10 + 10) / (100 + 300 / 4)
    assert progress.row("b")["eta_s"] == 10
    assert progress.eta_s() == pytest.approx(10 + 600 * each)
    progress.update("c", "c", 600, 0, 0)
    assert progress.row("c")["eta_s"] == pytest.approx(600 * each, abs=0.1)
    assert progress.eta_s() == pytest.approx(600 * each), "side by side, and no sooner than the longest of them"


def test_the_wait_for_the_first_report_does_not_count() -> None:
    clock = Clock()
    progress = Progress(total_size=10, clock=clock)
    clock.now += 1000
    progress.update("a", "a", 10, 0, 10)
    clock.now += 1
    progress.update("a", "a", 10, 5, 10)
    assert progress.eta_s() == pytest.approx(1)


def test_a_run_has_its_own_rate_and_time_left() -> None:
    """10 steps a second for 40 s after resuming at step 600 of 2,000; then 100 s of measuring; then a worker is
    lost.
    """
    clock = Clock()
    progress = Progress(total_size=1, clock=clock)
    progress.update("a", "a", 1, 0, 0)
    assert progress.row("a") == {"name": "a", "step": 0, "of": 0, "silent_s": 0, "ran_s": 0}
    for done in range(600, 1001, 10):
        progress.update("a", "a", 1, done, 2000, {"node": "n", "last": {"step": 600, "FID": 3.0}})
        clock.now += 1
    row = progress.row("a")
    assert (row["rate"], row["eta_s"], row["node"], row["last"]["FID"]) == (10, 99, "n", 3.0), (
        "a thousand steps at ten a second, one second ago"
    )
    clock.now += 99
    assert progress.row("a")["silent_s"] == 100 and "eta_s" not in progress.row("a"), "what was foreseen is over"
    progress.update("a", "a", 1, 1010, 2000)
    assert progress.row("a")["rate"] == pytest.approx(10 / 100) and progress.row("a")["node"] == "n"
    progress.update("a", "a", 1, 900, 2000)
    clock.now += 1
    progress.update("a", "a", 1, 920, 2000)
    assert progress.row("a")["rate"] == 20 and progress.row("a")["step"] == 920


def test_plugins_are_read_without_importing_them() -> None:
    found = plugins("methods")
    assert found["spectral-norm"].kind == "part" and found["non-saturating"].kind == "loss" and "part" not in found
    assert found["translations"].arguments == {
        "shift": "int",
        "copies": "int",
        "fill": "float",
        "of": "Literal['both', 'fake']",
    }
    for arguments, message in (
        ({"shift": 2.5, "copies": 1, "fill": 0.0}, "shift must be int"),
        ({"shift": True, "copies": 1, "fill": 0.0}, "shift must be int"),
        ({"shift": 2}, "needs copies, fill"),
    ):
        with pytest.raises(GanbenchError, match=message):
            found["translations"].check(arguments)
    with pytest.raises(GanbenchError, match="did you mean 'mlp'"):
        plugin("networks", "mpl")
