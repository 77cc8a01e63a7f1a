"""A mean over runs of different code, or of different versions of a library, says so beside the number."""

from __future__ import annotations

import dataclasses
import json
from importlib import metadata
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.judging.caveats import LIBRARIES, caveats
from benchmark.collate.judging.join import load_joined
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.render import markdown, to_csv
from benchmark.collate.presenting.table import view
from benchmark.records import store
from benchmark.records.provenance import PACKAGES, libraries
from benchmark.records.record import Record
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells

OLD, NEW = {"commit": "0" * 40, "torch": "2.6.0"}, {"commit": "1" * 40, "torch": "2.6.0"}
WHEEL = {"commit": "unknown", "ganbench": "0.1.0", "package": "a" * 64}


def seeds(*provenances: dict[str, object]) -> list[Record]:
    """Records of one cell, seed after seed."""
    found = [r for r in _three_seeds(PUBLISHED) if r.cell == full_cells()[0].id]
    return [dataclasses.replace(r, provenance=p) for r, p in zip(found, provenances)]


def made(libraries: dict[str, object], *segments: dict[str, object]) -> dict[str, object]:
    return {"segments": list(segments or [OLD]), "libraries": libraries}


@pytest.mark.parametrize(
    ("provenances", "lines"),
    [
        ([made({"torch": "2.6.0"})] * 3, []),
        ([made({}), made({"torch-fidelity": "0.4.0"}), made({"torch-fidelity": "0.4.0"})], []),
        ([made({}), made({"ray": "2.40"}), made({"ray": "2.60"})], []),
        (
            [made({"torch-fidelity": "0.3.0"}), made({"torch-fidelity": "0.4.0"}), made({"torch-fidelity": "0.4.0"})],
            ["different versions of torch-fidelity: 0.3.0 (seed 0), 0.4.0 (seed 1, 2)"],
        ),
        (
            [made({}, OLD, {**OLD, "torch": "2.13.0"}), made({}), made({})],
            ["different versions of torch: 2.6.0 (seed 0, 1, 2), 2.13.0 (seed 0)"],
        ),
        (
            [made({"numpy": "2"}, OLD | {"libraries": {"numpy": "1"}}), made({"numpy": "2"})],
            ["different versions of numpy: 1 (seed 0), 2 (seed 0, 1)"],
        ),
        ([made({}, OLD), made({}, NEW)], [f"different code: {'0' * 12} (seed 0), {'1' * 12} (seed 1)"]),
        ([made({}, OLD, NEW)], [f"different code: {'0' * 12} (seed 0), {'1' * 12} (seed 0)"]),
        ([made({}, WHEEL), made({}, WHEEL)], []),
        (
            [made({}, WHEEL), made({}, WHEEL | {"package": "b" * 64})],
            [
                f"different code: unknown (ganbench 0.1.0, package {'a' * 12}) (seed 0), unknown (ganbench "
                f"0.1.0, package {'b' * 12}) (seed 1)"
            ],
        ),
        ([made({}, {"commit": "unknown"}), made({}, OLD)], []),
        ([{"segments": ["none", 3], "libraries": 7}, made({"torch": 7, "numpy": None})], []),
        (
            [made({"torch": "\x1b[31m" + "x" * 999}), made({})],
            ["different versions of torch: 2.6.0 (seed 0, 1), \\x1b[31m" + "x" * 52 + " (seed 0)"],
        ),
    ],
)
def test_what_differs_is_named_with_its_seeds(provenances: list[dict[str, object]], lines: list[str]) -> None:
    said = [line for line in caveats(seeds(*provenances)) if "different" in line]
    assert len(said) == len(lines) and all(line.endswith(end) for line, end in zip(said, lines)), said


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_that_decides_a_number_counts(library: str) -> None:
    bare = {"commit": "0" * 40}
    (line,) = caveats(seeds(made({library: "1"}, bare), made({library: "2"}, bare)))
    assert line.endswith(f"different versions of {library}: 1 (seed 0), 2 (seed 1)")


def test_records_name_every_package_that_decides_a_number() -> None:
    found = libraries()
    assert found["torch-fidelity"] == metadata.version("torch-fidelity") and set(found) == {"python", *PACKAGES}
    assert {"torchvision", "scipy", "pillow", "efficientnet-lite-pytorch"} <= found.keys()


def test_it_is_said_beside_the_number_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixed = seeds(made({"torch": "2.6.0"}), made({"torch": "2.6.0"}), made({"torch": "2.13.0"}, {**OLD, "torch": None}))
    said = "to be believed: its runs were made with different versions of torch: 2.6.0 (seed 0, 1), 2.13.0 (seed 2)"
    suite, joined = load_joined(THEORY, mixed)
    v = view(suite.tables[0], joined["theory/1"])
    for text in (markdown(v), to_csv(v), latex(v)):
        assert said in text
    for record in mixed:
        store.write(tmp_path / "results", record.cell, record)
    outputs = {}
    for form in ("table", "csv", "json"):
        assert main(["compare", "theory", "--results", str(tmp_path / "results"), "--format", form]) == 0
        outputs[form] = capsys.readouterr().out
    assert f"{said}: {mixed[0].cell}" in outputs["table"] and said in outputs["csv"]
    assert any(said in row["why"] for row in json.loads(outputs["json"]))
    assert main(["report", "theory", "--results", str(tmp_path / "results"), "--out", str(tmp_path / "report")]) == 0
    assert any(said.partition(": ")[2] in p.read_text(encoding="utf-8") for p in tmp_path.glob("report/cells/*.html"))


def test_an_open_verdict_says_it_too() -> None:
    """Not only one that is decided."""
    two = seeds(made({}, OLD), made({}, NEW))[:2]
    _, joined = load_joined(THEORY, two)
    whys = [e.verdict for j in joined["theory/1"] for e in j.entries.values() if e.achieved]
    assert whys and all("different code" in verdict.why for verdict in whys)


def test_a_record_that_names_no_version_beside_one_that_does_is_said() -> None:
    (line,) = (x for x in caveats(seeds(made({"scipy": "1.17.1"}), made({}))) if "on record" in x)
    assert line == "no version of scipy is on record for seed 1, and one is for the others"
    assert not [x for x in caveats(seeds(made({}), made({}))) if "on record" in x]
