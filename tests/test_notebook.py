"""What a notebook types: text where a path is meant, a result that can be looked at, curves."""

from __future__ import annotations

from pathlib import Path

import pytest

import benchmark as gb
from benchmark.errors import GanbenchError
from benchmark.records import store
from tests.test_collate import full_cells, record_for


def test_a_suite_is_loaded_by_path_text_or_name() -> None:
    suites = [gb.load(what, "ci") for what in (Path("suites/theory.yaml"), "suites/theory.yaml", "theory")]
    suites += [gb.load_all("theory", "ci")[0], gb.load_joined("suites/theory.yaml", [], "ci")[0]]
    assert all(suite.cells == suites[0].cells for suite in suites)
    with pytest.raises(GanbenchError, match="did you mean 'theory'"):
        gb.load("theori")


def test_results_are_looked_at_by_text_in_few_words_and_as_curves(tmp_path: Path) -> None:
    record = record_for(full_cells()[0], 0, {"V_g": -0.6, "D_G": -0.4, "L_Vg_Bz": 5.0})
    store.write(tmp_path, "theory/x", record)
    assert len(gb.read_all(str(tmp_path))[0]) == 1
    found = gb.collate("theory", str(tmp_path))
    assert len(repr(found)) < 300 and "published 17" in repr(found) and "\n" not in repr(found)
    curves = found.history[found.history["metric"] == "V_g"]
    entries = [entry for entry in record.history if isinstance(entry.get("V_g"), dict)]
    assert list(curves["value"]) == [entry["V_g"]["value"] for entry in entries] and len(entries) > 0
    assert list(curves["step"]) == [entry["step"] for entry in entries] and set(curves["seed"]) == {0}
    assert found.history is found.history
