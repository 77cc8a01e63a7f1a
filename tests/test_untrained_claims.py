"""A dead GAN bears out no claim, on tables without printed numbers too; but where its paper says that it dies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.join import load_joined
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError
from tests.test_collate import THEORY, record_for

GOOD = {"jac_D": 0.1, "jac_V": 0.2, "jac_G": 26.0, "V_g": -0.6, "D_G": -0.45, "L_Vg_Bz": 3.0}


def runs(table: str, values: dict[str, dict[str, float]], seeds: int = 3) -> list[Record]:
    """Records of a table's cells, method by method, of seeds that differ by a per cent."""
    (found,) = [t for t in load(THEORY).tables if t.id == table]
    return [
        record_for(c, seed, {m: v * (1 + 0.01 * seed) for m, v in (GOOD | values.get(c.method, {})).items()})
        for c in found.cells
        for seed in range(seeds)
    ]


def achieved(claim: str, records: list[Record]) -> Any:
    suite, joined = load_joined(THEORY, records)
    (one,) = [c for c in suite.claims if c.id == claim]
    return judge_claim(one, [j for rows in joined.values() for j in rows]).achieved


DEAD = {"L_Vg_Bz": 1e-5, "jac_D": 1e-6, "jac_G": 0.0, "V_g": -0.693, "D_G": -0.5}


def test_none_of_a_table_without_printed_numbers() -> None:
    live = {"sigma=0": {"jac_D": 0.3, "jac_G": 50.0}, "sigma=sqrt(2)": {"jac_D": 0.2, "jac_G": 40.0}}
    assert achieved("augmentation-regularises", runs("augmented", live)).name == "holds"
    dead = achieved("augmentation-regularises", runs("augmented", live | {"sigma=sqrt(24)": DEAD}))
    assert dead.name == "not judged" and "sigma=sqrt(24)[MLP]/mnist did not train" in dead.why


def test_but_where_the_paper_says_so() -> None:
    vanished = {"L_Vg_Bz": 1e-5, "jac_D": 1e-5, "jac_V": 1e-5, "V_g": -0.1, "D_G": -0.1}
    assert achieved("sn-on-g-learns-nothing", runs("Fig1", {"SN-G": vanished})).name == "holds"
    for other in ("none", "SN-D", "SN-both"):
        found = achieved("sn-on-g-learns-nothing", runs("Fig1", {"SN-G": vanished, other: DEAD}))
        assert found.name == "not judged" and f"{other}[MLP]/mnist did not train" in found.why


def test_a_caption_that_repeats_a_row_says_nothing_of_its_own(tmp_path: Path) -> None:
    path, text = tmp_path / "gran.yaml", (THEORY.parent / "gran.yaml").read_text(encoding="utf-8")
    at = text.index("restates:")
    row = text.index("{", text.index("rows:", at))
    path.write_text(f'{text[:row]}{{untrained: "caption", {text[row + 1 :]}', encoding="utf-8")
    with pytest.raises(SuiteError, match="takes its untrained from there"):
        load(path)
    assert replace(load(THEORY).tables[2].cells[1], untrained="").untrained == ""
