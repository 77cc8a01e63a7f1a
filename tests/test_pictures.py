"""Pictures first: the map of cells, samples beside real images, reasons once, claims as charts, what to do next."""

from __future__ import annotations

import base64
import dataclasses
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from benchmark.collate.judging import by_published
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined, join, load_joined
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import VERDICTS, Verdict
from benchmark.collate.presenting.report import write_report, write_reports
from benchmark.collate.presenting.site import claim_chart, matrix, reasons
from benchmark.collate.presenting.site.ahead import ahead
from benchmark.collate.presenting.site.folder import Folder
from benchmark.collate.presenting.site.headline import headline
from benchmark.collate.presenting.site.pictures import Pictures, strip
from benchmark.collate.presenting.site.real import GRID, RealImages
from benchmark.collate.presenting.site.summary import AMISS, Report, summary
from benchmark.collate.presenting.table import UNTRIED
from benchmark.data.few import few
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.plan.counted import Counts
from benchmark.recipe import Recipe
from benchmark.records.record import Record
from benchmark.suite.claim import Check, Number, Rank
from benchmark.suite.load import load
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells, record_for

CELL = "theory/1/B_z=10^-2[MLP]/mnist"


def png(value: int, side: int = 224) -> str:
    """A grey picture, as a record holds its samples."""
    drawn = io.BytesIO()
    Image.fromarray(np.full((side, side), value, np.uint8)).save(drawn, "PNG")
    return base64.b64encode(drawn.getvalue()).decode()


def numbers() -> Record:
    return dataclasses.replace(
        record_for(full_cells()[0], 0, {"V_g": -0.6, "L_Vg_Bz": 5.0, "D_G": -0.4}), samples=png(9)
    )


def test_the_map_has_every_cell_once_and_says_in_words_what_it_shows(reports: list[Report]) -> None:
    for report in reports:
        drawn = matrix.matrix(report)
        blocks = (*drawn.printed, *drawn.more)
        marks = [k for b in blocks for line in b.lines for square in line.squares for k in square]
        assert sorted(k.text.split(": ")[0] for k in marks) == sorted(j.cell.id for j in report.cells)
        assert len({k.page for k in marks}) == len(marks)
        assert all(k.symbol and k.verdict in k.text and k.tier in k.text for k in marks), "never by colour alone"
        for of in (drawn.printed, drawn.more):
            columns, labels = [c for b in of for c in b.columns], [line.label for b in of for line in b.lines]
            assert len(set(columns)) == len(columns) and len(set(labels)) == len(labels)
        assert all(any(squares) for b in blocks for squares in zip(*(line.squares for line in b.lines)))


@pytest.mark.parametrize("verdict", [*VERDICTS, ""])
def test_a_mark_is_of_what_is_wrong_or_open_before_what_is_not(reports: list[Report], verdict: str) -> None:
    (j,) = (j for r in reports for j in r.cells if j.cell.id == CELL)
    entry = next(iter(j.entries.values()))
    mixed = {
        name: dataclasses.replace(entry, verdict=Verdict(v, "")) for name, v in (("a", "reproduced"), ("b", verdict))
    }
    settled = ("better", "differs", "converged", "reproduced", "incomparable", *UNTRIED)
    assert matrix.worst(dataclasses.replace(j, entries=mixed)) == ("reproduced" if verdict in settled else verdict)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({}, "None of 9 published results is decided yet"),
        ({"inconclusive": 2}, "None of 9 published results is decided yet: 2 still open"),
        ({"reproduced": 3, "not reproduced": 1}, "Of 9 published results, 3 reproduced, 1 not reproduced"),
        (
            {"reproduced": 3, "failed": 2, "diverged": 1, "untrained": 1, "contested": 1, "incomparable": 4},
            "Of 9 published results, 3 reproduced; 2 failed, 1 diverged, 1 untrained, 1 contested, 4 measured in ways",
        ),
        ({"converged": 1, "incomparable": 4}, "Of 9 published results, 1 converged; 4 measured in ways"),
    ],
)
def test_the_headline_says_what_is_known(reports: list[Report], verdicts: dict[str, int], said: str) -> None:
    counts = {"verdicts": dict.fromkeys(VERDICTS, 0) | verdicts, "amiss": {n: verdicts.get(n, 0) for n in AMISS}}
    other = {"apart": verdicts.get("incomparable", 0), "unrun": 0}
    total = dataclasses.replace(summary(reports), numbers=9, **counts, **other)
    assert headline(total).startswith(said)
    nothing = headline(dataclasses.replace(total, records=0)).startswith("Nothing has been run yet")
    assert nothing == (not any(total.amiss.values())), "a run that failed was run"


def recipe(**changes: Any) -> Recipe:
    return dataclasses.replace(
        full_cells()[0].recipe, dataset="shapes", split="train", resolution=32, channels=3, **changes
    )


@pytest.mark.parametrize("part", [{}, {"images": 64}, {"data_percent": 10.0}, {"images": 3}])
def test_real_images_are_some_of_those_that_are_trained_on(part: dict[str, float]) -> None:
    r = recipe(**part)
    whole = read("shapes", "train", 32, 3, r.data_percent, r.images).images
    found = few(r, 64)
    known = {image.tobytes() for image in whole}
    assert len(found) == min(64, len(whole)) and {image.tobytes() for image in found} <= known
    if len(whole) > 64:
        assert not np.array_equal(found, whole[:64]), "spread over classes that lie one after the other"


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar10-jpeg", "stl10", "celeba", "fluent-emoji"])
def test_where_the_data_are_not_here_there_is_no_real_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("GANBENCH_DATA", "GANBENCH_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    elsewhere = dataclasses.replace(numbers(), recipe=dataclasses.replace(numbers().recipe, dataset=name))
    assert RealImages().grid(elsewhere) == ""
    with pytest.raises(GanbenchError):
        few(elsewhere.recipe, 64)


def test_a_grid_of_real_images_is_kept_and_is_of_the_records_own_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    r = recipe(images=60)
    record = dataclasses.replace(numbers(), recipe=r, content=read("shapes", "train", 32, 3).content)
    drawn = Image.open(io.BytesIO(base64.b64decode(RealImages().grid(record))))
    assert drawn.size == (GRID * 32, GRID * 32), "60 images: the last row is filled up"
    assert np.array_equal(np.asarray(drawn)[:32, :32], few(r, 64)[0].transpose(1, 2, 0))
    monkeypatch.setattr("benchmark.collate.presenting.site.real.few", lambda *_: pytest.fail("made again"))
    assert RealImages().grid(record), "a second report takes it from the cache"
    assert RealImages().grid(dataclasses.replace(record, content="0" * 64)) == "", "other images of the same name"


def test_a_run_that_was_stopped_on_its_way_shows_how_its_samples_came_about(tmp_path: Path) -> None:
    whole = numbers()
    stops = [dataclasses.replace(whole, status="partial", steps=s, samples=png(s)) for s in (90, 30)]
    other = dataclasses.replace(stops[0], evaluation="another")
    suite = load(THEORY)
    joined = join(suite, [whole])
    with Folder(tmp_path) as folder:
        found = Pictures([*stops, whole, other], folder).of(joined["theory/1"][0])
    assert [p.record.steps for p in found.before] == [30, 90] and [p.record for p in found.samples] == [whole]
    write_reports([(suite, joined)], "results", tmp_path, records=[*stops, whole])
    pages = [p.read_text(encoding="utf-8") for p in tmp_path.glob("cells/*.html")]
    assert sum("Along training, seed 0" in text and "step 30" in text for text in pages) == 1


def test_samples_on_the_start_page_are_of_every_paper_that_has_any(reports: list[Report], tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        shown = strip(reports, folder)
    assert {s.report.suite.name for s in shown} == {r.suite.name for r in reports} and len(shown) == 8
    assert shown[0].joined.tier and shown[0].joined.tier.name == "exact"
    assert len({s.grid[0] for s in shown}) == 8 == len(list(tmp_path.glob("samples/*.png")))


def test_no_reason_stands_twice_on_a_cells_page(reports: list[Report]) -> None:
    for j in (j for r in reports for j in r.cells):
        found = [r.whole for some in reasons.reasons(j) for r in some]
        assert len(found) == len(set(found))
        assert not any("to be believed" in text for text in found), "caveats have a place of their own"
        if j.tier and j.tier.differences:
            assert not any(j.tier.differences[-1] in text for text in found), "so have differences"


def test_what_calls_for_somebody_is_not_folded_away(reports: list[Report]) -> None:
    (j,) = (j for r in reports for j in r.cells if j.cell.id == CELL)
    for name in VERDICTS:
        mixed = {m: dataclasses.replace(e, verdict=Verdict(name, "why; and more")) for m, e in j.entries.items()}
        call, folded = reasons.reasons(dataclasses.replace(j, entries=mixed))
        assert bool(call) == (name in reasons.CALL) != bool(folded)
        assert (call or folded)[0].short == "why"


def _outcome(leaf: Check | Rank, found: dict[Number, Entry]) -> int:
    printed = {n: e.published for n, e in found.items()}
    if isinstance(leaf, Rank):
        return by_published._published_rank(leaf, printed).outcome
    return by_published._published(leaf, printed).outcome


def test_a_comparison_stands_on_the_side_that_it_was_decided_for(reports: list[Report]) -> None:
    compared = 0
    for report in reports:
        for c in report.claims:
            found = report.entries_of(c.claim)
            for leaf, row in zip(c.claim.leaves(), claim_chart.rows(c, found)):
                if row.published is not None:
                    compared += 1
                    assert (1 if row.published >= 0 else -1) == _outcome(leaf, found), (c.claim.id, row.name)
    assert compared > 500


def test_a_chart_is_drawn_of_numbers_and_ours_only_where_they_are_judged(reports: list[Report]) -> None:
    drawn = 0
    for report in reports:
        for c in report.claims:
            found = report.entries_of(c.claim)
            text = claim_chart.chart(c, found)
            rows = claim_chart.rows(c, found)
            if not text:
                assert not any(r.published is not None or r.achieved is not None for r in rows)
                continue
            drawn += 1
            assert "nan" not in text and "inf" not in text and ElementTree.fromstring(text) is not None
            assert ("ours" in text) == (c.achieved.name in claim_chart.JUDGED)
            kept = sum(r.published is not None or r.achieved is not None for r in rows)
            assert text.count("<title>") + len(claim_chart.left_out(c, found)) == kept
    assert drawn > 40


def test_a_chart_that_leaves_out_comparisons_hides_neither_side(reports: list[Report], tmp_path: Path) -> None:
    cut = 0
    for report in reports:
        for c in report.claims:
            found = report.entries_of(c.claim)
            rest = claim_chart.left_out(c, found)
            drawn = [r for r in claim_chart.rows(c, found) if r.published is not None or r.achieved is not None]
            shown = [r for r in drawn if r not in rest]
            assert {r.against for r in shown} == {r.against for r in drawn}, c.claim.id
            assert len(shown) == min(len(drawn), claim_chart.MOST_ROWS)
            cut += bool(rest)
    assert cut > 10
    gran = next(r for r in reports if r.suite.name == "gran")
    write_reports([(gran.suite, gran.joined)], "results", tmp_path)
    text = (tmp_path / "claims.html").read_text(encoding="utf-8")
    assert "<figcaption>and 42 more, 23 of them against</figcaption>" in text


def test_seed_noise_is_said_once_a_page_and_the_comparisons_are_all_there(
    reports: list[Report], tmp_path: Path
) -> None:
    chain = next(r for r in reports if r.suite.name == "chain")
    write_reports([(chain.suite, chain.joined)], "results", tmp_path)
    text = (tmp_path / "claims.html").read_text(encoding="utf-8")
    noise = {line for c in chain.claims for line in c.published.noise}
    assert noise
    for line in noise:
        assert text.count(line.replace("'", "&#39;")) == 1
    (claim,) = (c for c in chain.claims if c.claim.id == "bold-cifar")
    assert all(s.replace("'", "&#39;") in text for s in claim.published.supports) and len(claim.published.supports) > 8


def test_what_to_do_next_counts_nothing_and_names_commands_and_what_is_missing(
    reports: list[Report], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    monkeypatch.setattr(Counts, "count_all", lambda *_: pytest.fail("a page counts nothing"))
    found = ahead(reports, "my results")
    assert found.seeds and all(s.decides and s.hours and s.blocked for s in found.seeds)
    commands = [s.command for s in found.seeds if len(s.cells) == 1]
    assert all(c.startswith("ganbench run theory") and "'my results'" in c for c in commands)
    assert not found.first, "without data no run can be started"
    waiting = {lack.name: lack.cells for lack in found.lacks}
    assert waiting["dataset mnist"] == 2 and list(waiting.values()) == sorted(waiting.values(), reverse=True)
    assert all(lack.mend for lack in found.lacks)


def test_first_runs_are_of_cells_that_nothing_comparable_measures(mnist: None, reports: list[Report]) -> None:
    found = ahead(reports, "results")
    measured = {j.cell.id for r in reports for j in r.cells if j.tier and j.tier.judged}
    assert found.first and not {cell for s in found.first for _, cell in s.cells} & measured
    assert all("--seeds 1" in s.command for s in found.first)


def test_a_selection_that_leaves_out_a_claims_cells_draws_no_chart(tmp_path: Path) -> None:
    suite, joined = load_joined(THEORY, _three_seeds(PUBLISHED))
    few_cells = {"theory/1": joined["theory/1"][:1]}
    short = dataclasses.replace(suite, tables=(dataclasses.replace(suite.tables[0], cells=suite.tables[0].cells[:1]),))
    write_report(short, few_cells, "results", tmp_path)
    assert "this selection leaves out" in (tmp_path / "claims.html").read_text(encoding="utf-8")


def test_a_tier_that_differs_from_seed_to_seed_keeps_its_reason(reports: list[Report]) -> None:
    (j,) = (j for r in reports for j in r.cells if j.cell.id == CELL)
    entry = next(iter(j.entries.values()))
    other = dataclasses.replace(entry, verdict=Verdict("incomparable", "tier proxy: epochs: 200 -> 3"))
    j = dataclasses.replace(j, entries={"V_g": other}, tier=Tier("incomparable", ("dataset: mnist -> shapes",)))
    assert isinstance(j, Joined) and "epochs: 200 -> 3" in reasons.reasons(j)[1][0].whole
