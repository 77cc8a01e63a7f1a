"""A number that a table quotes is another paper's: what is said of the table's own runs is not said of it."""

from __future__ import annotations

from pathlib import Path

from benchmark.suite.load import load

SUITES = Path(__file__).parent.parent / "suites"


def test_how_many_runs_a_quoted_number_is_of_is_not_inherited() -> None:
    cells = [c for c in load(SUITES / "chain.yaml").cells if c.table == "100shot"]
    quoted = {c.method: c.full_protocol.seeds for c in cells if c.published["FID"].origin == "quoted"}
    own = {c.method: c.full_protocol.seeds for c in cells if c.method not in quoted}
    assert len(quoted) == 7 and set(quoted.values()) == {None}
    assert own == {"StyleGAN2+CHAIN": 5, "DA+CHAIN": 5}


def test_rows_whose_code_is_in_half_precision_declare_what_is_not_done() -> None:
    cells = [c for c in load(SUITES / "chain.yaml").cells if c.method in ("InsGen", "FakeCLR", "AugSelfGAN")]
    assert len(cells) == 15
    for cell in cells:
        assert "float16" in cell.notes["precision"] and "clamp" in cell.notes["precision"], cell.id


def test_what_is_measured_with_50000_images_is_not_said_to_be_with_5000() -> None:
    for cell in load(SUITES / "chain.yaml").cells:
        if cell.table == "100shot" and cell.full_protocol.generated == 50000:
            said = " ".join(cell.notes[field] for field in ("real_split", "generated", "sample_batch"))
            assert "fid5k" not in said and "5,000" not in said, cell.id
