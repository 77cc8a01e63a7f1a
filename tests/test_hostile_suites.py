"""Suites from anyone: bounded in numbers, entries, includes and words; files of other folders are not included."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.presenting.render import plain_markdown
from benchmark.ranges import LARGEST, MOST_IMAGES, MOST_STEPS, SMALLEST
from benchmark.recipe import Protocol
from benchmark.spreadsheet import cell
from benchmark.suite.fields import PROTOCOL_TYPES, RECIPE_TYPES
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError
from tests.test_decide import write

NUMERIC = {
    name: kind.removesuffix(" | None")
    for name, kind in {**RECIPE_TYPES, **PROTOCOL_TYPES}.items()
    if kind.removesuffix(" | None") in ("int", "float")
}
BEYOND = ("1e308", "1e155", "5e-324", "-1e99", "1e31", "1" + "0" * 400)


def changed(path: Path, field: str, value: str) -> Path:
    """The small suite with another value of one field of its recipe or protocol."""
    text = write(path).read_text()
    text = re.sub(rf"(?<=[ {{]){field}: [^,}}\n]+", "IS_SET", text)
    there = "{metrics: [V_g, D_G]," if field in PROTOCOL_TYPES else "base: {"
    text = text.replace("IS_SET,", "").replace(", IS_SET", "").replace(there, f"{there} {field}: {value},")
    if field == "steps":
        text = text.replace(" epochs: 1,", "")
    path.write_text(text)
    return path


@pytest.mark.parametrize("field", NUMERIC)
def test_every_numeric_field_is_bounded(field: str, tmp_path: Path) -> None:
    for value in BEYOND:
        with pytest.raises(SuiteError, match=r"tiny.yaml:\d+:\d+: ") as error:
            load(changed(tmp_path / "tiny.yaml", field, value))
        assert len(str(error.value)) < 1_200


def test_the_bounds_leave_room(tmp_path: Path) -> None:
    for field, value in (("steps", MOST_STEPS), ("epochs", 10**5), ("z_dim", MOST_IMAGES), ("lr_g", 1e-12)):
        loaded = load(changed(tmp_path / "tiny.yaml", field, f"{value}"))
        assert getattr(loaded.cells[0].recipe, field) == value
    assert isinstance(loaded.cells[0].protocol, Protocol)


@pytest.mark.parametrize(("length", "every"), [("steps", "steps"), ("epochs", "epochs")])
def test_so_is_how_often_a_run_is_measured(length: str, every: str, tmp_path: Path) -> None:
    path = changed(tmp_path / "tiny.yaml", length, "100000000")
    path.write_text(path.read_text().replace("every_epochs: 1", f"every_{every}: 1"))
    with pytest.raises(SuiteError, match="100,000,000 measurements of one run"):
        load(path)


@pytest.mark.parametrize("value", ["1e308", "5e-324", "1e31", "1e-31"])
@pytest.mark.parametrize("old", ["width: 0.05", "d_scale: 1.0", "relative: 0.100000000", "V_g: 1.000000"])
def test_so_are_arguments_tolerances_and_published_numbers(old: str, value: str, tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.yaml")
    printed = f"{'1' + '0' * 40 if 'e-' not in value else '0.' + '0' * 40 + '1'}" if old[0] == "V" else value
    path.write_text(path.read_text().replace(old, f"{old.split(':')[0]}: {printed}", 1))
    with pytest.raises(SuiteError, match=r"tiny.yaml:\d+:\d+: (expected|a tolerance)"):
        load(path)
    assert SMALLEST < LARGEST


def test_a_tolerance_that_no_run_can_meet_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.yaml")
    path.write_text(path.read_text().replace("relative: 0.9", "relative: 1.0e-7"))
    with pytest.raises(SuiteError, match="a tolerance is at least 1e-06"):
        load(path)


def including(folder: Path, name: str, *entries: dict[str, str]) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"suite": name, "include": entries}))
    return path


def test_includes_doubled_many_times_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.suite import load as room

    write(tmp_path / "tiny.yaml")
    last, read = "tiny", []
    for i in range(9):
        last = including(tmp_path, f"s{i}", *({"suite": last, "only": f"method={m}"} for m in "AB")).stem
    real = room.read
    monkeypatch.setattr(room, "read", lambda path: (read.append(path), real(path))[1])
    with pytest.raises(SuiteError, match="included twice"):
        load(tmp_path / f"{last}.yaml")
    assert len(read) == len(set(read)) <= 10


@pytest.mark.parametrize("length", [12, 400])
def test_long_chains_of_includes_are_refused(length: int, tmp_path: Path) -> None:
    write(tmp_path / "tiny.yaml")
    last = "tiny"
    for i in range(length):
        last = including(tmp_path, f"s{i}", {"suite": last}).stem
    with pytest.raises(SuiteError, match="include each other over more than 10 steps"):
        load(tmp_path / f"{last}.yaml")
    assert len(load(tmp_path / "s8.yaml").cells) == 2


@pytest.mark.parametrize(
    "name", ["../tiny", "sub/../../tiny", "/etc/passwd", "sub/tiny", ".hidden", "..\\tiny", "{top}"]
)
def test_files_of_other_folders_are_not_included(name: str, tmp_path: Path) -> None:
    (tmp_path / "here/sub").mkdir(parents=True)
    for place in (tmp_path, tmp_path / "here/sub"):
        write(place / "tiny.yaml")
    path = including(tmp_path / "here", "top", {"suite": name.replace("{top}", str(tmp_path / "tiny"))})
    with pytest.raises(SuiteError, match="a suite includes files of its own folder, by their names"):
        load(path)


MANY = {
    "cells": {"tables": {"1": {"rows": {f"r{i}": {} for i in range(3000)}, "columns": [{}] * 3000}}},
    "profiles": {"profiles": {f"p{i}": {} for i in range(3000)}},
    "claims": {"claims": [{}] * 3000},
    "recipes": {"recipes": {f"r{i}": {} for i in range(3000)}},
    "columns of a recipe": {"recipes": {"base": {"on": {f"data_percent<{i}": {} for i in range(3000)}}}},
    "notes": {"tables": {"1": {"notes": {f"method=A | method=x{i}": "n" for i in range(3000)}}}},
    "parts": {"recipes": {"base": {"parts": ["spectral-norm"] * 3000}}},
    "comparisons": {
        "tables": {"1": {"rows": {f"r{i}": {"recipe": "base", "V_g": 1, "D_G": 1} for i in range(300)}}},
        "claims": [
            {"id": "a", "quote": "q", "where": "w", "holds": {"best": [f"r{i}" for i in range(300)], "table": "1"}}
        ],
    },
    "values": {"profiles": {"p": [[]] * 150_000}},
}


@pytest.mark.parametrize("what", MANY)
def test_small_files_that_mean_much_are_refused_at_once(what: str, tmp_path: Path) -> None:
    import yaml

    data = yaml.safe_load(write(tmp_path / "tiny.yaml").read_text())
    (tmp_path / "tiny.yaml").write_text(json.dumps(_over(data, MANY[what])))
    start = time.process_time()
    with pytest.raises(SuiteError, match=r"more than|at most [\d,]+ are read|compares too many"):
        load(tmp_path / "tiny.yaml")
    assert time.process_time() - start < 8


def _over(there: dict, more: dict) -> dict:
    both = {
        k: _over(there[k], v) if isinstance(v, dict) and isinstance(there.get(k), dict) else v for k, v in more.items()
    }
    return {**there, **both}


def test_a_fifo_as_a_suite_is_refused_and_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    assert main(["plan", str(tmp_path / "x.yaml")]) == 2
    assert "is a FIFO" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", ["suite: {}", "suite: x\nrecipes: {{? {} : 1}}", "suite: x\n{}: 1", "suite: x\npaper: {}"]
)
def test_messages_do_not_echo_the_file(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yaml").write_text(place.format("y" * 4_000_000))
    assert main(["plan", str(tmp_path / "x.yaml")]) == 2
    assert len(capsys.readouterr().err) < 2_000


HOSTILE = ("a\r=1+1", "=1+1", "+1+cmd", "-1+cmd|' /C calc'!A0", "@x", "\t=1", " =1", "\x0b=1", "a\u2028=1", "＝1")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_starts_a_row_or_a_formula(text: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(["x", cell(text), "y"])
    (row,) = re.split("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", out.getvalue().strip("\n"))
    assert len(next(csv.reader([row]))) == 3
    assert not re.match(r"\s*[=+@＝-]", next(csv.reader([row]))[1])


@pytest.mark.parametrize("text", ["-0.657 ± 0.065", "-1.5", "+2", "8.12(0.062)", "15.8*", "not-reported", "", "-2e-05"])
def test_numbers_stay_numbers(text: str) -> None:
    assert cell(text) == text and cell(-0.5) == -0.5 and cell(None) is None


def test_published_and_compare_write_no_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "tiny.yaml")
    path.write_text(path.read_text().replace("B: {recipe: wide,", "'=1+1': {recipe: wide, note: '@x',"))
    assert main(["published", str(path), "--format", "csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert {row[2] for row in rows[1:]} == {"A", "'=1+1"} and {row[-1] for row in rows[1:]} == {"", "'@x"}
    assert main(["compare", str(path), "--format", "csv", "--results", str(tmp_path)]) == 0
    assert not re.search(r"(^|,)[=@]", capsys.readouterr().out, re.M)


@pytest.mark.parametrize(
    "note", ["[a]: http://x", "[a]:http://x", "  [a]: <http://x>", "[^1]: x", "x\n\n[a]: http://x"]
)
def test_no_note_says_where_the_marks_lead(note: str) -> None:
    text = f"- {plain_markdown(note)}"
    assert not re.search(r"\[[^\]]*\]:", text) and "\n" not in text
