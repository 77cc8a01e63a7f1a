"""A paper's page: little to read, nothing lost, symbols explained, and no rank of what cannot be compared."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmark.collate.judging.join import Joined, join, load_joined
from benchmark.collate.judging.tier import Tier
from benchmark.collate.presenting.fields import fields_of
from benchmark.collate.presenting.report import _write_texts, judged_claims, views_of, write_reports
from benchmark.collate.presenting.sentence import sentence
from benchmark.collate.presenting.site.folder import Folder
from benchmark.collate.presenting.site.pages import _Site
from benchmark.collate.presenting.site.slopes import slopes
from benchmark.collate.presenting.site.summary import Report, summary
from benchmark.collate.presenting.site.symbols import DEFINITIONS, drawn, head, label, typeset
from benchmark.collate.presenting.site.training import training
from benchmark.records import store
from benchmark.suite.load import load, load_all
from benchmark.suite.model import METRICS, Suite
from tests.test_collate import PUBLISHED, THEORY, _three_seeds

SUITES = ("chain", "gran", "pgn", "sdp", "theory")
MOST_WORDS = 1_500
Loaded = dict[str, tuple[Suite, dict[str, list[Joined]]]]


@pytest.fixture(scope="module")
def loaded(committed: Path) -> Loaded:
    """The five papers with the records of this repository."""
    found, _ = store.read_all(committed)
    return {s.name: load_joined(s.path, found) for s in load_all([])}


@pytest.fixture(scope="module")
def pages(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The papers' pages and tables; those of the cells take longest, and ``test_site.py`` has them."""
    reports = [
        Report(suite, joined, views_of(suite, joined), judged_claims(suite, joined))
        for suite, joined in loaded.values()
    ]
    with Folder(tmp_path_factory.mktemp("pages")) as out:
        site = _Site(reports, "results", out, (), False)
        for r in reports:
            site.paper(r, summary([r]))
            _write_texts(r, out)
    return out.path


class Visible(HTMLParser):
    """The words that nobody has to unfold anything for: each text between two tags counts by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open += [tag] if tag not in ("meta", "link", "input", "br", "img") else []

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass  # an element that has no text

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        folded = "details" in self.open and "summary" not in self.open
        if not folded and not {"style", "script", "head"} & {*self.open}:
            self.words += text.split()


def words(page: str) -> int:
    counted = Visible()
    counted.feed(page)
    assert not counted.open
    return len(counted.words)


def test_a_figure_without_numbers_is_drawn_and_its_numbers_are_folded(pages: Path) -> None:
    for figure in (pages / "gran.html").read_text(encoding="utf-8").split('<section class="of-paper"')[1:]:
        drawn, numbers = ("Bars only" in figure or "Plots only" in figure), figure.find('class="printed"')
        folded = "In numbers" in figure and figure.index("<svg") < figure.index("In numbers") < numbers
        assert folded == (drawn and numbers > 0), figure[:200]


def test_words_are_counted_outside_folds() -> None:
    page = (
        "<html><head><title>no</title></head><body><p>one <b>two</b></p><details><summary>three</summary>"
        "no <p>no</p></details><svg><text>four</text></svg><script>no</script></body></html>"
    )
    assert words(page) == 4


@pytest.mark.parametrize("name", SUITES)
def test_a_page_is_looked_at_and_not_read(pages: Path, name: str) -> None:
    text = (pages / f"{name}.html").read_text(encoding="utf-8")
    assert 300 < words(text) < MOST_WORDS
    assert text.count('<details class="fold">') == text.count('<section class="of-paper"') > 1, "one fold a table"


@pytest.mark.parametrize("name", SUITES)
def test_what_was_noted_is_still_there(loaded: Loaded, pages: Path, name: str) -> None:
    """In the fold: every note, remark, source of a value that differs, effect, caveat, ours and the paper's value."""
    suite, joined = loaded[name]
    html = (pages / f"{name}.html").read_text(encoding="utf-8")
    there = _plain(html)
    texts = [(pages / f"{name}{kind}").read_text(encoding="utf-8") for kind in (".fields.csv", ".csv", ".md")]
    table = "".join(map(_plain, texts))
    for j in (j for rows in joined.values() for j in rows):
        target = not j.cell.published or any(p.origin == "own" for p in j.cell.published.values())
        fields = j.tier.fields if j.tier else ()
        said = [*(j.cell.notes.values() if target else ()), *j.cell.remarks, *j.caveats]
        said += [d.effect.size for d in fields if d.effect and not d.harmless]
        said += [d.harmless for d in fields if d.harmless]
        for text in said:
            assert _plain(typeset(text)) in there, (j.cell.id, text)
            assert _plain(text) in table, (j.cell.id, text)
        names = {x.name.partition(".")[0] for x in fields_of([(("m", "p"), j)]).rows}
        parts = {part for part, _ in (*j.cell.full_recipe.parts, *(j.records[0].recipe.parts if j.records else ()))}
        for d in fields:
            assert d.field in names or (d.field == "parts" and parts & names), (j.cell.id, d.field)
    assert all(_plain(typeset(remark)) in there for remark in suite.remarks)
    assert all(f'claims.html#claim-{c.paper}-{c.id}"' in html for c in suite.claims)


def _plain(html: str) -> str:
    """What is read: without marks, quotes as one kind, and no spaces."""
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]*>", "", str(html))).replace('""', '"'))


@pytest.mark.parametrize("name", SUITES)
def test_no_page_and_no_table_prints_a_dictionary(pages: Path, name: str) -> None:
    for path in [pages / f"{name}{kind}" for kind in (".html", ".md", ".tex", ".csv", ".fields.csv")]:
        text = unescape(path.read_text(encoding="utf-8"))
        assert not re.search(r"\{'|\['|': [\d'\[{]", re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.S)), path


def test_a_strip_has_one_column_a_method(pages: Path) -> None:
    html = (pages / "gran.html").read_text(encoding="utf-8")
    first = html.split('<figure class="strip">')[1].split("</figure>")[0]
    assert "trained on cifar10-jpeg" in first
    assert re.findall(r'alt="Samples of ([^"]+)"', first) == list(
        dict.fromkeys(c.method for c in load(Path("suites/gran.yaml")).tables[0].cells)
    )
    assert all((pages / f"samples/{image}").is_file() for image in re.findall(r'src="samples/([^"]+)"', first))
    assert "on cifar10-jpeg</small>" in html, "the column says that its numbers are of other data"


def test_only_comparable_runs_of_the_columns_own_data_are_ranked(loaded: Loaded, pages: Path) -> None:
    for name, (suite, joined) in loaded.items():
        for table in suite.tables:
            drawn_of = [p.name for p in slopes(table, joined[table.key])]
            assert bool(drawn_of) == (table.key == "theory/1"), name
    assert ": ranks</text>" not in (pages / "gran.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["exact", "compatible", "proxy", "incomparable"])
def test_a_method_is_ranked_by_runs_that_may_be_judged(name: str) -> None:
    suite, joined = load_joined(THEORY, _three_seeds(PUBLISHED))
    first, *others = joined["theory/1"]
    rows = [dataclasses.replace(first, tier=Tier(name, ())), *others]
    shown = slopes(suite.tables[0], rows)
    assert len(shown) == 3 and all(("B_z=10^-2" in p.text) == (name in ("exact", "compatible")) for p in shown)


def test_methods_that_the_paper_measured_otherwise_are_not_ranked_together() -> None:
    suite, joined = load_joined(THEORY, _three_seeds(PUBLISHED))
    rows = joined["theory/1"]
    cell = dataclasses.replace(rows[0].cell, full_protocol=dataclasses.replace(rows[0].cell.full_protocol, generated=9))
    apart = dataclasses.replace(
        rows[0], cell=cell, entries={m: dataclasses.replace(e, cell=cell) for m, e in rows[0].entries.items()}
    )
    assert all("B_z=10^-2" not in p.text for p in slopes(suite.tables[0], [apart, *rows[1:]]))


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_is_explained_on_hover_and_in_the_glossary(metric: str) -> None:
    printed, meaning = DEFINITIONS[metric]
    shown = str(head(f"cifar10 {metric} ↓"))
    assert re.fullmatch(r'cifar10 <abbr title="[^"]{10,}">.+</abbr> ↓', shown) and meaning
    assert "_" not in re.sub(r'title="[^"]*"', "", shown) and "{" not in shown, printed


@pytest.mark.parametrize("name", SUITES)
def test_a_page_explains_the_symbols_that_it_uses(loaded: Loaded, pages: Path, name: str) -> None:
    html = (pages / f"{name}.html").read_text(encoding="utf-8")
    words_of = html.split('<h2 id="words">')[1]
    for metric in {m for t in loaded[name][0].tables for m in t.metrics}:
        assert f"<dt>{head(metric).split('>', 1)[1].removesuffix('</abbr>')}</dt>" in words_of, metric
    for verdict in set(re.findall(r'data-verdict="([^"]+)"', html)):
        assert f" {verdict}</dt>" in words_of, verdict


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "theory/1/B_z=10^-2[MLP]/mnist L_Vg_Bz: 3",
            "theory/1/B<sub>z</sub>=10<sup>−2</sup>[MLP]/mnist L<sub>V<sub>g</sub></sub>B<sub>z</sub>: 3",
        ),
        ("KIDx1000, D_real and gap_real_fake", "KID×1000, D(real) and |D(real)−D(fake)|"),
        ("FastGAN-D_big at 2^8, P_1, sigma=sqrt(2)", "FastGAN-D<sub>big</sub> at 2<sup>8</sup>, P<sub>1</sub>, σ=√2"),
        ("the loss $V_g$ falls", "the loss V<sub>g</sub> falls"),
        ("as $L_{Vg}B_z$ decreases", "as L<sub>Vg</sub>B<sub>z</sub> decreases"),
        ("the higher $\\sigma$ is", "the higher σ is"),
        ("As  $\\sigma \\rightarrow 0$ ,", "As  σ → 0 ,"),
        ("smaller $\\mathcal{K}$ generally", "smaller K generally"),
        ("max ‖∂V_g/∂z‖_F of 10^-2", "max ‖∂V<sub>g</sub>/∂z‖<sub>F</sub> of 10<sup>−2</sup>"),
        ("costs $5 and no more", "costs $5 and no more"),
        ("a file_name and lr_g", "a file_name and lr_g"),
        ("$<script>alert(1)</script>$", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('V_g" onload="x', "V<sub>g</sub>&quot; onload=&quot;x"),
    ],
)
def test_formulas_are_typeset_and_all_else_is_text(text: str, html: str) -> None:
    assert str(typeset(text)) == html


def test_method_names_are_typeset_and_stay_text() -> None:
    assert str(label("B_z=10^-2")) == "B<sub>z</sub>=10<sup>−2</sup>" and str(label("sigma=sqrt(2)")) == "σ=√2"
    assert str(label("FastGAN-D_big")) == "FastGAN-D<sub>big</sub>"
    assert str(label("<b>D_big</b>")) == "&lt;b&gt;D<sub>big</sub>&lt;/b&gt;"
    assert drawn("V_g: <b>") == 'V<tspan dy="3" font-size="80%">g</tspan><tspan dy="-3">: &lt;b&gt;</tspan>'


def test_no_dollar_of_a_formula_is_left(pages: Path) -> None:
    for name in SUITES:
        assert not re.search(r"\$\\?\w[^$<>\"]*\$", _without_titles((pages / f"{name}.html").read_text("utf-8")))


def _without_titles(html: str) -> str:
    return re.sub(r'\btitle="[^"]*"', "", re.sub(r"<script>.*?</script>", "", html, flags=re.S))


def test_two_tables_of_one_number_carry_their_papers_names(tmp_path: Path, loaded: Loaded) -> None:
    gran, theory = load(Path("suites/gran.yaml")), load(THEORY)
    both = dataclasses.replace(
        theory, name="pick", tables=(gran.tables[0], *theory.tables[:2]), claims=(), sources=theory.sources
    )
    joined = join(both, [])
    names = [v.name for v in views_of(both, joined).values()]
    assert names == ["Table 2 of gran", "Table 1", "Table 2 of theory"]
    write_reports([(both, joined)], "results", tmp_path)
    html, md, tex, rows = ((tmp_path / f"pick.{kind}").read_text("utf-8") for kind in ("html", "md", "tex", "csv"))
    for name in names:
        assert f">{name}</h2>" in html and f"**{name}.**" in md
    assert r"\caption{Table 2 of gran. " in tex and "\ngran/2," in rows and "\ntheory/2," in rows and "\n1," in rows
    assert {v.name for v in views_of(*loaded["gran"]).values()} >= {"Table 2", "Figure 1"}


def test_each_count_of_cells_says_of_which_cells_it_is(loaded: Loaded, pages: Path) -> None:
    for name, (suite, joined) in loaded.items():
        counted = summary([Report(suite, joined, {}, ())])
        cells = [j for rows in joined.values() for j in rows]
        printed, ours = [j for j in cells if j.cell.published], [j for j in cells if not j.cell.published]
        said = f"{sum(bool(j.records) for j in printed)} of {len(printed)} printed cells measured"
        said += f", and {sum(bool(j.records) for j in ours)} of {len(ours)} beyond those"
        assert counted.counted == said and said in (pages / f"{name}.html").read_text(encoding="utf-8")


def _sentences(loaded: Loaded) -> Iterator[tuple[str, str]]:
    for suite, joined in loaded.values():
        yield from ((t.key, sentence(joined[t.key])) for t in suite.tables)


def test_a_sentence_says_what_is_known(loaded: Loaded) -> None:
    said = dict(_sentences(loaded))
    assert all(re.fullmatch(r"[^.]+(\.\d[^.]*)*\.", text) for text in said.values()), "one sentence"
    assert said["gran/2"] == (
        "22 of 33 cells measured, 1 to 2 seeds each; none can be judged: cifar10-jpeg stands in for cifar10 and "
        "cifar100, efficientnet-lite0 measures in place of inception-2015-12-05, 300 steps for 100,000; 11 "
        "missing here."
    )
    assert said["theory/1"].endswith("1 number reproduced, 8 inconclusive.") and said["theory/2"].endswith(
        "37,520 steps for 187,600."
    )
    _, joined = load_joined(THEORY, _three_seeds(PUBLISHED))
    assert sentence(joined["theory/1"]) == "3 of 3 cells measured, 3 seeds each: 9 numbers reproduced."


def test_the_curves_of_a_table_name_every_method_apart(loaded: Loaded) -> None:
    _, joined = loaded["gran"]
    (plot,) = training("gran/2", joined["gran/2"])
    assert plot is not None and len(plot.marks) == len(plot.right) == 11 and "cifar10-jpeg" in plot.title
    heights = [plot.scale[1](value) for value, _ in plot.right]
    assert all(a - b > 12.9 for a, b in itertools.pairwise(heights)), "no name lies on another"
    ends = {m.label.partition(":")[0]: m.points[-1][1] for m in plot.marks}
    assert [name for _, name in plot.right] == sorted(ends, key=lambda name: ends[name])


def test_a_value_stands_once_beside_the_methods_that_have_it() -> None:
    suite = load(Path("suites/gran.yaml"))
    view = next(iter(views_of(suite, join(suite, [])).values()))
    of_tau = [x for x in view.fields.lines() if x.field == "gran.tau"]
    assert sorted((x.place, x.methods, x.value.paper, x.value.kind) for x in of_tau) == [
        ("cifar10", "GraND-GAN, GraNC-GAN", "1.2", "inferred"),
        ("cifar100", "GraND-GAN, GraNC-GAN", "1.2", "chosen"),
        ("stl10", "GraND-GAN, GraNC-GAN", "2", "chosen"),
    ]
    assert all(len(row.values) == len(view.fields.methods) == 11 for row in view.fields.rows)
