"""Markdown, LaTeX and CSV: the printed table with few notes, and what differs and is assumed as a table of its own."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmark.collate.judging.join import Joined, load_joined
from benchmark.collate.presenting.assumed import assumed
from benchmark.collate.presenting.claim_lines import claims_markdown
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.render import (
    FIELDS,
    FLOOR,
    assumed_markdown,
    fields_csv,
    markdown,
    plain_markdown,
    to_csv,
)
from benchmark.collate.presenting.report import judged_claims, views_of
from benchmark.collate.presenting.table import View
from benchmark.records import store
from benchmark.suite.load import load_all
from benchmark.suite.model import Suite

Loaded = dict[str, tuple[Suite, dict[str, list[Joined]]]]
SUITES = ("chain", "gran", "pgn", "sdp", "theory")
TABLE = re.compile(r"\\begin\{table\}.*?\\end\{table\}\n|\\par\\medskip.*?\\end\{minipage\}\\par\n", re.DOTALL)


@pytest.fixture(scope="module")
def loaded(committed: Path) -> Loaded:
    """The five papers with the records of this repository."""
    found, _ = store.read_all(committed)
    return {s.name: load_joined(s.path, found) for s in load_all([])}


@pytest.fixture(scope="module")
def views(loaded: Loaded) -> dict[str, list[View]]:
    """Every table of them."""
    return {name: [*views_of(*one).values()] for name, one in loaded.items()}


def tables(v: View) -> list[str]:
    """The LaTeX tables of a view, and nothing else is in it."""
    assert TABLE.sub("", latex(v)) == ""
    return TABLE.findall(latex(v))


@pytest.mark.parametrize("name", SUITES)
def test_latex_is_the_table_and_the_assumptions_are_a_second_one(views: dict[str, list[View]], name: str) -> None:
    for v in views[name]:
        first, *others = tables(v)
        assert first.startswith("\\begin{table}\n") and FIELDS not in first and "assumed" not in first
        assert (
            first.count("\n\\par ") == len(v.footnotes) <= 24
            and "textcolor" not in first.split("\\caption")[0].split("\\providecommand")[0]
        ), "its notes stand in it, and so does what it needs"
        assert bool(v.fields.rows) == any(FIELDS in t for t in others)
        assert sum("Measured besides" in t for t in others) == (v.beside is not None)


@pytest.mark.parametrize("name", SUITES)
def test_every_line_of_a_latex_table_has_its_columns(views: dict[str, list[View]], name: str) -> None:
    for text in (t for v in views[name] for t in tables(v) if "\\begin{tabular}" in t):
        columns = re.search(r"\\begin\{tabular\}\{(.*)\}\n\\toprule", text)
        assert columns
        wide = len(re.sub(r"p\{[^}]*\}", "p", columns[1]))
        body = text.split("\\midrule\n", 1)[1].split("\\bottomrule")[0].replace("\\midrule\n", "")
        for line in body.splitlines():
            assert line.endswith(" \\\\") and len(re.findall(r"(?<!\\)&", line)) == wide - 1, line


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("packages", ["booktabs", "booktabs,xcolor,graphicx"])
def test_each_latex_table_compiles_alone(views: dict[str, list[View]], tmp_path: Path, packages: str) -> None:
    texts = [tables(v)[0] for name in SUITES for v in views[name]]
    alone, whole = "\n\\clearpage\n".join(texts), "".join(latex(v) for v in views["gran"])
    start = f"\\documentclass{{article}}\\usepackage{{{packages}}}\\begin{{document}}"
    for path, text in (("alone.tex", alone), ("gran.tex", whole)):
        (tmp_path / path).write_text(f"{start}{text}\\end{{document}}", encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0 and "Float too large" not in done.stdout, done.stdout[-2000:]


@pytest.mark.parametrize("name", SUITES)
def test_markdown_folds_what_differs(views: dict[str, list[View]], name: str) -> None:
    for v in views[name]:
        shown, fold, rest = markdown(v).partition("<details>")
        assert len(re.findall(r"[^\s|]+", shown)) < 1_000 and "the paper does not state" not in shown
        assert bool(fold) == bool(v.beside) == rest.endswith("</details>\n")


@pytest.mark.parametrize("name", SUITES)
def test_what_is_assumed_stands_once_for_all_tables(views: dict[str, list[View]], name: str) -> None:
    values, reasons = assumed(views[name])
    lines = {(x.field, x.value) for v in views[name] for x in v.fields.lines()}
    assert {(x.field, x.value) for x in values} == lines and len(set(values)) == len(values)
    whys = [text for v in views[name] for row in v.fields.rows for why in row.whys for text in why]
    assert len(set(reasons)) == len(reasons) and {*reasons} == {*whys}
    assert {i for x in values for i in x.why} == {*range(1, len(reasons) + 1)}
    text = assumed_markdown(views[name])
    rows = re.split(r"\| field +\|", text)[1].split("\n\n")[0].splitlines()[2:]
    assert len(rows) == len(values) and all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
    assert all(f"\n{i}. {plain_markdown(reason)}\n" in text for i, reason in enumerate(reasons, 1))


def test_where_something_is_assumed_names_tables_columns_and_methods(views: dict[str, list[View]]) -> None:
    told = {(x.field, x.value.paper): x.where for x in assumed(views["gran"])[0]}
    assert told["z_dim", "128"] == "all" and told["batch_g", "64"].startswith("3, Figure 1")
    assert told["gran.tau", "2"] in ("2 (stl10: GraND-GAN, GraNC-GAN)", "K (GraND-GAN (τ=2))")
    assert "all but WGAN-GP, WGAN-GP†" in told["network", "sngan-resnet"]


@pytest.mark.parametrize("name", SUITES)
def test_a_claim_that_ours_do_not_judge_is_one_line(loaded: Loaded, name: str) -> None:
    claims = judged_claims(*loaded[name])
    text = claims_markdown(claims)
    for c in claims:
        below = text.split(f"\n- **{c.claim.id}** ")[1].split("\n- **")[0]
        assert ("\n  - " in below) == (c.achieved.name != "not judged"), c.claim.id
        assert f"**{c.published.name}**" in below
    noise = {line for c in claims for line in c.published.noise}
    assert all(text.count(plain_markdown(line)) == 1 for line in noise), "seed noise once"
    assert len(text.split()) < 110 * len(claims)


@pytest.mark.parametrize("name", SUITES)
def test_csv_has_a_line_a_square_and_the_fields_in_a_file_of_their_own(views: dict[str, list[View]], name: str) -> None:
    for v in views[name]:
        rows = list(csv.DictReader(io.StringIO(to_csv(v))))
        parts = [part for part in (v, v.beside) if part]
        squares = sum(len(part.rows) * len(part.columns) + len(part.floors) for part in parts)
        assert len(rows) == squares
        assert not any("[known: " in row["why"] or " -> " in row["notes"] for row in rows)
        found = list(csv.DictReader(io.StringIO(fields_csv([v]))))
        assert [(r["field"], r["paper"], r["kind"]) for r in found] == [
            (x.field, _cell(x.value.paper), x.value.kind) for x in v.fields.lines()
        ]


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@|%" and text and not re.fullmatch(r"-?[\d.e-]+", text) else text


def test_the_floor_is_one_row_where_a_column_has_one(views: dict[str, list[View]]) -> None:
    first = views["gran"][0]
    assert first.floors[3:5] == ("145.3", "145.3") and first.floors[5] == "", "nothing is measured on STL-10"
    assert "[floor " not in markdown(first) and markdown(first).count(FLOOR) == 2, "of the table, and of its second"
    assert (
        [c for c in first.columns if "precision" in c] == []
        and first.beside
        and "cifar10 recall ↑" in first.beside.columns
    )
