"""Messages quote what files hold, and are short all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.cli import main
from benchmark.errors import LONGEST_LINE, GanbenchError, short
from benchmark.metrics.imported import read

LONG = "x" * 900_000
SET = {"dataset": "shapes", "split": "train", "resolution": 28, "channels": 1, "crop": None, "resize": None}
SET |= {"count": 1, "after": 0}
GOOD: dict[str, Any] = {"set": SET, "images": 1, "extractor": "proxy", "identity": {}, "digests": {}}

FORGED: dict[str, dict[str, Any]] = {
    "a field": {"set": {LONG: 1}},
    "a dataset": {"set": SET | {"dataset": LONG}},
    "a split": {"set": SET | {"split": LONG}},
    "images": {"images": LONG},
    "an extractor": {"extractor": LONG},
}


@pytest.mark.parametrize("forged", FORGED)
def test_what_is_said_of_statistics(forged: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    about = np.array(json.dumps(GOOD | FORGED[forged]))
    np.savez(path := tmp_path / "s.npz", about=about, mu=np.zeros(3), sigma=np.eye(3), n=np.array(2))
    with pytest.raises(GanbenchError, match="names no set of images that is known here") as caught:
        read(path)
    assert len(str(caught.value)) < 2 * LONGEST_LINE
    assert main(["data", "stats", "--import", str(path)]) == 1
    assert len(capsys.readouterr().err) < 2 * LONGEST_LINE


def test_lines_are_cut_in_their_middle_and_none_is_lost() -> None:
    assert short("a\nb") == "a\nb"
    first, second, third = short(f"begin {LONG} end\n" + "y" * LONGEST_LINE + "\nz").split("\n")
    assert first.startswith("begin xxx") and first.endswith("xxx end") and len(first) < LONGEST_LINE + 10
    assert (second, third) == ("y" * LONGEST_LINE, "z")
