"""What rests on somebody's word is said beside every verdict, in the tables and on the pages."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmark.collate.judging.caveats import caveats
from benchmark.collate.judging.join import load_joined
from benchmark.collate.presenting.render import markdown
from benchmark.collate.presenting.report import write_report
from benchmark.collate.presenting.site.facts import differing
from benchmark.collate.presenting.table import view
from benchmark.data.cards import card
from benchmark.records.record import Record
from benchmark.suite.load import load
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells, record_for

SEGMENT = {"commit": "0" * 40}


def _said(record: Record, **provenance: object) -> Record:
    return dataclasses.replace(record, provenance={"segments": [SEGMENT], **provenance})


@pytest.mark.parametrize(
    ("provenance", "said"),
    [
        ({}, None),
        ({"real": "imported statistics"}, "were imported"),
        ({"segments": [SEGMENT, {"commit": "0" * 40 + "+changes"}]}, "in no commit"),
        ({"segments": [{"commit": "unknown"}]}, "no record of which commit"),
        ({"segments": []}, "no record of which commit"),
        ({"segments": ["none", 3]}, "no record of which commit"),
    ],
)
def test_each_caveat_is_said_of_its_seeds(provenance: dict[str, object], said: str | None) -> None:
    found = [_said(r) for r in _three_seeds(PUBLISHED) if r.cell == full_cells()[0].id]
    mixed = caveats([found[0], found[1], _said(found[2], **provenance)])
    one = [line for line in mixed if "different code" not in line]  # which test_mixed.py is about
    every = [line for line in caveats([_said(r, **provenance) for r in found]) if "different code" not in line]
    assert (
        (not one and not every)
        if said is None
        else (len(one) == 1 and said in one[0] and one[0].endswith("(seed 2)") and "(seed" not in every[0])
    )
    assert caveats([]) == ()


def test_a_verdict_its_footnote_and_its_page_say_so(tmp_path: Path) -> None:
    suite, joined = load_joined(THEORY, [_said(r, real="<b>imported") for r in _three_seeds(PUBLISHED)])
    cell = joined["theory/1"][0]
    entry = cell.entries["V_g"]
    assert (
        entry.verdict.name == "reproduced"
        and "to be believed: the statistics of the real images were imported" in entry.verdict.why
    )
    v = view(suite.tables[0], joined["theory/1"])
    assert v.rows[0][1][1].achieved_marks == ("a", "b") and "to be believed: the statistics" in markdown(v)
    write_report(suite, joined, "results", tmp_path)
    page = next(p for p in tmp_path.glob("cells/*.html") if cell.cell.id in p.read_text(encoding="utf-8")).read_text(
        encoding="utf-8"
    )
    assert page.count("To be believed: ") == 1 and "&lt;b&gt;imported" in page and "<b>imported" not in page


def test_self_declared_images_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    name = next(n for n in ("obama", "panda") if card(n).reader == "images")
    record = record_for(full_cells()[0], 0, {"L_Vg_Bz": 5.0, "V_g": -0.657, "D_G": -0.48})
    record = dataclasses.replace(record, recipe=dataclasses.replace(record.recipe, dataset=name, split="train"))
    assert [c for c in caveats([record]) if "is not on this machine" not in c] == []
    manifest = dict(
        version=1,
        dataset=name,
        split="train",
        source=".",
        form="folder",
        images=100,
        names="n",
        contents={"train": "c"},
        published=None,
        decoder="d",
        sizes=[],
    )
    for published, lines in ((None, 1), ("md5 of the archive", 0)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "ganbench-train.json").write_text(
            json.dumps(manifest | {"published": published}), encoding="utf-8"
        )
        found = caveats([record])
        assert len(found) == lines and all("self-declared" in line for line in found)


def test_the_cell_page_has_the_differing_fields_with_their_known_effects(tmp_path: Path) -> None:
    small = record_for(load(THEORY, "ci").cells[0], 0, {"L_Vg_Bz": 5.0, "V_g": -0.657, "D_G": -0.48})
    suite, joined = load_joined(THEORY, [small], "ci")
    cell = joined["theory/1"][0]
    rows = {d.name: d for d in differing(cell)}
    assert (
        set(rows) == {d.field for d in cell.tier.fields}
        and rows["dataset"].paper == "mnist"
        and rows["dataset"].ours == "shapes"
    )
    assert (
        rows["dataset"].effect.startswith("other images")
        and "JPEG" not in rows["dataset"].effect
        and rows["epochs"].effect == "not known"
    )
    write_report(suite, joined, "results", tmp_path)
    page = next(p for p in tmp_path.glob("cells/*.html") if cell.cell.id in p.read_text(encoding="utf-8")).read_text(
        encoding="utf-8"
    )
    table = page.split('<table class="effects">')[1].split("</table>")[0]
    assert (
        "clean-fid" not in table
        and "other images" in table
        and "mnist" in table
        and "shapes" in table
        and table.count("<tr>") == 1 + len(rows)
    )
