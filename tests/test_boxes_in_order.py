"""Boxes and largest values of records that cannot be: a forged one would decide a claim about single images."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.records.bounds import BOUNDS, MOST
from benchmark.records.boxes import disordered
from tests.test_claims_at_limits import as_the_paper_says, judged

BOX = {"value": 3.0, "std": 1.0, "least": 1.0, "q25": 2.0, "median": 3.0, "q75": 4.0, "most": 5.0}
AT = {"value": 3.0} | {f"{name}_at_{d}": v for name, v in BOX.items() for d in ("0.1", "10")}
NORM = BOUNDS["grad_real"]


@pytest.mark.parametrize(
    ("measured", "why"),
    [
        (BOX, None),
        (AT, None),
        ({**BOX, "value": 5.0 + 1e-7}, None),  # rounding
        (dict.fromkeys(BOX, None), None),
        (dict.fromkeys(BOX, 0.0), None),
        ({"value": 3.0, "std": 9.0}, None),
        ({"value": 3.0, "largest": 3.0}, None),
        ({**BOX, "most": 3.5}, "out of order"),
        ({**BOX, "least": 2.5}, "out of order"),
        ({**BOX, "median": None, "q25": 4.5}, "out of order"),
        ({**AT, "most_at_10": 0.5}, "out of order"),
        ({**BOX, "value": 6.0}, "mean of 6"),
        ({**BOX, "value": 0.5}, "mean of 0.5"),
        ({**AT, "value_at_0.1": 9.0}, "mean of 9"),
        ({**BOX, "least": -1.0}, "-1 of an image"),
        ({"value": 3.0, "largest": 2.0}, "mean of 3"),
        ({"value": 3.0, "std": 1.0, "max": 2.0}, "mean of 3"),
    ],
)
def test_what_cannot_be(measured: dict[str, float | None], why: str | None) -> None:
    found = disordered(measured, *NORM)
    assert (found is None) if why is None else (found is not None and why in found)


def test_metrics_below_zero_may_have_boxes_there() -> None:
    assert disordered({"value": -1.0, "std": 0.1, "max": -0.5}, -MOST, MOST) is None


def test_a_box_of_which_the_largest_lies_below_its_mean_is_no_record() -> None:
    def change(cell: Any, seed: int, result: dict[str, Any]) -> None:
        for entry in result["history"]:
            entry["grad_real"] |= {"most": 1e-3}

    with pytest.raises(AssertionError, match="grad_real has a box out of order"):
        judged("gran", as_the_paper_says, seeds=1, change=change)
