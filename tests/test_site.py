"""The site in headless Chromium, from disk: real clicks and keys, no error, no network, and names that would like to
run.
"""

from __future__ import annotations

import base64
import dataclasses
import re
import shlex
import struct
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli import parser
from benchmark.collate.judging.join import Joined, join, load_joined
from benchmark.collate.presenting.report import write_report, write_reports
from benchmark.collate.presenting.site import facts
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot, Scale
from benchmark.collate.presenting.site.summary import Report, summary
from benchmark.collate.presenting.site.svg import svg
from benchmark.records import store
from benchmark.records.bounds import MOST
from benchmark.records.merge import Conflict
from benchmark.suite.filter import Filter
from benchmark.suite.load import load, load_all
from tests.browser import Browser, found
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells, record_for

VOID = {"meta", "link", "input", "br", "img"}
needs_browser = pytest.mark.skipif(found() is None, reason="no Chromium is found; set GANBENCH_CHROMIUM to one")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as b:
        yield b


@pytest.fixture
def page(browser: Browser) -> Iterator[Browser]:
    """The browser at its usual size; whatever the test did, nothing may have gone wrong in the page."""
    browser.size(1280, 900)
    browser.dark(False)
    browser.errors.clear()
    browser.requests.clear()
    yield browser
    assert browser.errors == []
    assert all(r.startswith(("file:", "data:", "about:")) for r in browser.requests), (
        "the site asked for something from a network"
    )


def column(page: Browser, table: str, at: int) -> list[str]:
    return page.js(
        f"[...document.querySelectorAll('{table} tbody tr')].filter(r => !r.hidden).map(r => "
        f"r.cells[{at}].innerText.trim())"
    )


def test_every_printed_cell_of_the_five_papers_has_its_page_and_its_line(site: Path) -> None:
    text = (site / "cells.html").read_text(encoding="utf-8")
    printed = set(re.findall(r'<tr [^>]* data-printed><th scope="row"><a href="(cells/[^"]+)">', text))
    every = set(re.findall(r'<th scope="row"><a href="(cells/[^"]+)">', text))
    assert (len(printed), len(every)) == (261, 455)
    assert {p.relative_to(site).as_posix() for p in site.glob("cells/*.html")} == every
    assert "261 printed cells" in (site / "index.html").read_text(encoding="utf-8")
    rows = [
        row
        for suite in ("chain", "gran", "pgn", "sdp", "theory")
        for row in (site / f"{suite}.csv").read_text(encoding="utf-8").splitlines()[1:]
    ]
    assert (
        len(
            {c.id for s in load_all([]) for c in s.cells if c.published}
            - {cell for row in rows for cell in row.split(",")}
        )
        == 0
    )


def test_the_same_records_give_the_same_bytes(site: Path, committed: Path, tmp_path: Path) -> None:
    found_records, _ = store.read_all(committed)
    write_reports([load_joined(s.path, found_records) for s in load_all([])], "results", tmp_path)
    for path in site.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(site)).read_bytes(), path.name


class _Checked(HTMLParser):
    """Every element closed, every id once, every link with a target, every heading in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [known["id"]] if known.get("id") else []
        self.links += [v for k in ("href", "src") if (v := known.get(k))]
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.handlers += [k for k in known if k.startswith("on") or k == "style"]
        assert tag != "img" or known.get("alt")
        assert tag != "th" or known.get("scope") in ("row", "col", "colgroup")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass  # the figures' paths close themselves

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_are_well_formed_and_their_links_lead_somewhere(site: Path) -> None:
    for path in [*site.glob("*.html"), *list(site.glob("cells/*.html"))[::9]]:
        checked = _Checked()
        text = path.read_text(encoding="utf-8")
        checked.feed(text)
        assert not checked.open and len(checked.ids) == len(set(checked.ids)) and not checked.handlers, path.name
        assert (
            checked.levels[0] == 1
            and checked.levels.count(1) == 1
            and all(b - a <= 1 for a, b in zip(checked.levels, checked.levels[1:]))
        ), path.name
        assert text.count("<table") == text.count("<caption")
        for link in checked.links:
            target, _, fragment = link.partition("#")
            assert (
                link.startswith("data:") or (path.parent / target).is_file() or (not target and fragment in checked.ids)
            ), link


@pytest.mark.slow
def test_the_command_of_every_cell_chooses_that_cell_and_no_other() -> None:
    for suite in load_all([]):
        for cell in suite.cells:
            words = shlex.split(facts.command(Joined(cell, (), None, {}), "results"))
            arguments = parser().parse_args(words[1:])
            assert [c.id for c in suite.cells if Filter(arguments.only)(c)] == [cell.id] and arguments.suites == [
                suite.name
            ]
    partial = dataclasses.replace(record_for(full_cells()[0], 2, {"V_g": -0.6}), status="partial", epochs=40.0)
    assert (
        "--seeds 3 " in (said := facts.command(Joined(full_cells()[0], (partial,), None, {}), "r"))
        and "--until-epoch 40" in said
    )


def test_hours_count_a_shared_run_once_and_each_measurement() -> None:
    suite, cell = load(THEORY), full_cells()[0]
    record = dataclasses.replace(
        record_for(cell, 0, {"V_g": -0.6}),
        train_s=7200.0,
        eval_s=1800.0,
        provenance={"segments": [{"device": "A"}, {"device": "A"}, 7]},
    )
    again = dataclasses.replace(record, evaluation="another", eval_s=3600.0)
    joined = {"t": [Joined(cell, (record,), None, {}), Joined(cell, (record, again), None, {})]}
    counted = summary([Report(suite, joined, {}, ())])
    assert counted.devices == {"A": 3.5} and (counted.runs, counted.records, counted.measured) == (1, 2, 2)


def test_scales_have_round_ticks_inside_and_keep_what_lies_outside_at_the_edge() -> None:
    plain = Scale.of(Axis(), [0.0, 7.3], 0, 100)
    assert [name for _, name in plain.ticks()] == ["0", "2", "4", "6"] and plain(99) == 100 and plain(-99) == 0
    log = Scale.of(Axis(log=True), [1.0, 1e5], 0, 100)
    assert [name for _, name in log.ticks()] == ["1", "10", "100", "1000", "10000", "100000"]
    assert log(10) - log(1) == pytest.approx(log(1000) - log(100))
    same = Scale.of(Axis(), [2.0, 2.0], 0, 100)
    assert same(2.0) == pytest.approx(50)


@given(st.lists(st.floats(-MOST, MOST), min_size=1, max_size=6), st.booleans())
def test_whatever_can_be_measured_can_be_drawn(values: list[float], log: bool) -> None:
    log = log and min(values) > 0
    scale = Scale.of(Axis(log=log), values, 300, 10)
    assert all(10 <= scale(v) <= 300 for v in values)
    ticks = scale.ticks()
    assert len(ticks) <= 12 and all(10 <= scale(v) <= 300 for v, _ in ticks)
    points = tuple((float(i), v) for i, v in enumerate(values))
    drawn = svg(
        Plot(
            "p",
            "t",
            "x",
            Axis(),
            Axis(log=log),
            (Marks("line", points, "s0"), Marks("points", points, "better", halves=tuple(abs(v) for v in values))),
        )
    )
    assert "nan" not in drawn and "inf" not in drawn and ElementTree.fromstring(drawn) is not None


@pytest.mark.slow
def test_png_on_request(tmp_path: Path) -> None:
    suite, joined = load_joined(THEORY, _three_seeds(PUBLISHED))
    write_reports([(suite, joined)], "results", tmp_path / "a", png=True)
    write_reports([(suite, joined)], "results", tmp_path / "b", png=True)
    images = {p.name: p.read_bytes() for p in (tmp_path / "a/figures").iterdir()}
    assert len(images) == 3 + 3 + 2 + 9 + 3 and all(i.startswith(b"\x89PNG") for i in images.values()), (
        "scatters, ranks, the table's forest and the start page's, and curves and bands of three cells"
    )
    assert images == {p.name: p.read_bytes() for p in (tmp_path / "b/figures").iterdir()}


@needs_browser
def test_every_page_opens_without_an_error(site: Path, page: Browser) -> None:
    for path in [*site.glob("*.html"), *list(site.glob("cells/theory-*.html"))]:
        page.open(path)
        assert page.js(
            "document.querySelector('h1').innerText.length > 3 && getComputedStyle(document.body).marginTop === '0px'"
        ), "the style sheet is in force"
        assert page.js("document.documentElement.scrollWidth <= innerWidth"), f"{path.name} scrolls sideways as a whole"


@needs_browser
def test_a_click_sorts_by_number_both_ways_and_back_and_says_so(site: Path, page: Browser) -> None:
    page.open(site / "gran.html")
    head, values = "#table-1 thead tr:nth-child(2) th:nth-child(1)", "#table-1"
    printed = column(page, values, 1)
    numbers = [float(re.match(r"[\d.]+", v)[0]) for v in printed]
    page.click(f"{head} button")
    assert page.js(f"document.querySelector('{head}').ariaSort") == "ascending"
    assert [float(re.match(r"[\d.]+", v)[0]) for v in column(page, values, 1)] == sorted(numbers)
    page.js(f"document.querySelector('{head} button').focus()")
    page.key("Enter", 13, "\r")
    assert page.js(f"document.querySelector('{head}').ariaSort") == "descending"
    assert [float(re.match(r"[\d.]+", v)[0]) for v in column(page, values, 1)] == sorted(numbers, reverse=True)
    page.click(f"{head} button")
    assert column(page, values, 1) == printed and page.js(f"document.querySelector('{head}').ariaSort") == "none"
    empty = "#table-1 thead tr:nth-child(2) th:nth-child(3)"  # a column with not-converged in it
    for _ in range(2):
        page.click(f"{empty} button")
        assert column(page, values, 3)[-1] == "not-converged", "what has no number comes last, whichever way"
    page.click("#table-1 thead tr:first-child th button")
    assert column(page, values, 0) == sorted(column(page, values, 0), key=str.lower)


@needs_browser
def test_filters_search_and_addresses_choose_lines(site: Path, page: Browser) -> None:
    page.open(site / "cells.html", "paper=theory&verdict=inconclusive")
    lines = page.js("document.querySelectorAll('#all tbody tr').length")
    assert (
        lines > 500
        and len(column(page, "#all", 0)) == 8
        and page.js("document.querySelector('output').innerText") == f"8 of {lines} shown"
    )
    page.click("[data-filter]")
    page.type("10^2 v_g")
    assert column(page, "#all", 0) == ["theory/1/Bz=102[MLP]/mnist"] and column(page, "#all", 1) == ["Vg"], "as typed"
    page.open(site / "index.html")
    page.click("#papers summary")
    page.click("#papers-table td.v-inconclusive a")
    page.until(
        "location.pathname.endsWith('cells.html') && document.querySelector('output')?.innerText.startsWith('8 of')"
    )
    page.open(site / "claims.html")
    counted = page.js(
        "[...document.querySelectorAll('.matrix')].at(-1).querySelectorAll('tbody tr').values().map(r => "
        "[...r.cells].slice(1).map(c => Number(c.dataset.v ?? c.innerText))).toArray()"
    )
    claims = sum(len(s.claims) for s in load_all([]))
    assert sum(row[0] for row in counted) == claims and all(row[0] == sum(row[1:4]) == sum(row[4:]) for row in counted)
    every = page.js("document.querySelectorAll('.claim').length")
    page.js(
        "(s => { s.value = 'fails'; s.dispatchEvent(new Event('change')); "
        "})(document.querySelector('[data-facet=published]'))"
    )
    shown = page.js(
        "[...document.querySelectorAll('.claim')].filter(c => !c.hidden).map(c => c.querySelector('.c-fails') !== null)"
    )
    assert every == claims and 0 < len(shown) < claims and all(shown)
    page.open(site / "gran.html")
    assert page.js("document.querySelector('[data-for=table-1]')") is None, "eleven rows need no filter"
    page.js("document.querySelector('#table-4').closest('details').open = true")
    assert len(column(page, "#table-4", 0)) == 15
    page.click("[data-for=table-4] [data-filter]")
    page.type("wgan-gp")
    assert column(page, "#table-4", 0) == [f"WGAN-GP ({c})" for c in "ABCDE"]


@needs_browser
def test_a_click_on_a_cell_opens_its_page_with_curves_samples_and_command(site: Path, page: Browser) -> None:
    page.open(site / "theory.html")
    page.click(
        "#table-1 tbody tr:nth-child(3) td:nth-child(4)"
    )  # the published number: the click goes to the achieved one's link
    page.until("document.querySelector('.crumbs') !== null")
    assert page.js("document.querySelector('h1').innerText").startswith("Bz=102")
    seeds = len(list(Path("results/records/theory/1--B_z=10^2[MLP]--mnist").iterdir()))
    lines = page.js("[...document.querySelectorAll('.curves .plot')].map(p => p.querySelectorAll('.line').length)")
    assert lines == 6 * [seeds]
    assert page.until(
        "(i => i.complete && i.naturalWidth > 100)((i => (i.scrollIntoView(), "
        "i))(document.querySelector('.large img')))"
    )
    assert "ganbench run theory" in page.js("document.querySelector('.command').innerText")
    assert page.js("[...document.querySelectorAll('details')].every(d => !d.open)")
    page.click(".provenance summary")
    assert page.js("document.querySelector('.provenance').open") and "torch" in page.js(
        "document.querySelector('.provenance').innerText"
    )
    page.click(".crumbs a")
    page.until("document.querySelector('#table-1') !== null")


@needs_browser
def test_the_keyboard_alone_gets_everywhere_and_sees_where_it_is(site: Path, page: Browser) -> None:
    seen = []
    for path in (site / "cells.html", site / "theory.html"):
        page.open(path)
        page.key("Tab", 9)
        assert page.js("document.activeElement.className") == "skip"
        for _ in range(30):
            page.key("Tab", 9)
            seen.append(
                page.js("(e => [e.tagName, getComputedStyle(e).outlineStyle !== 'none'])(document.activeElement)")
            )
    assert all(visible for _, visible in seen) and {"A", "BUTTON", "INPUT", "SELECT"} <= {tag for tag, _ in seen}
    page.js("document.querySelector('.fold summary').focus()")
    page.key("Enter", 13, "\r")
    assert page.js("document.querySelector('.fold').open"), "and unfolds"
    page.js("document.querySelector('#table-1 td a').focus()")
    page.key("Enter", 13, "\r")
    page.until("document.querySelector('.crumbs') !== null")


CONTRAST = """(() => {
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const lum = c => { const [r, g, b] = rgb(c).slice(0, 3).map(linear); return .2126 * r + .7152 * g + .0722 * b; };
  const back = e => {
    for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; }
    return 'rgb(255, 255, 255)';
  };
  const written = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.offsetParent !== null;
  const texts = [...document.querySelectorAll('main *')].filter(written);
  const ratio = e => {
    const [a, b] = [lum(getComputedStyle(e).color), lum(back(e))];
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  };
  return [texts.length, Math.min(...texts.map(ratio)), getComputedStyle(document.body).backgroundColor];
})()"""


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_light_and_dark(site: Path, page: Browser, dark: bool) -> None:
    page.dark(dark)
    for path in (site / "index.html", site / "theory.html", site / "claims.html"):
        page.open(path)
        count, contrast, background = page.js(CONTRAST)
        assert count > 100 and contrast >= 4.5 and (background != "rgb(255, 255, 255)") == dark


@needs_browser
def test_a_phone_scrolls_tables_within_themselves(site: Path, page: Browser) -> None:
    page.size(390, 844, mobile=True)
    for path in [*site.glob("*.html"), next(site.glob("cells/theory-1-*.html"))]:
        page.open(path)
        assert page.js("document.documentElement.scrollWidth") <= 390, path.name
    page.open(site / "gran.html")
    assert page.js(
        "(s => { s.scrollLeft = 300; const r = s.querySelector('tbody th').getBoundingClientRect(); return "
        "[s.scrollLeft, Math.round(r.x - s.getBoundingClientRect().x)]; })(document.querySelector('.scroll'))"
    ) == [300, 1], "the row's name stays in sight"


@needs_browser
def test_without_scripts_everything_is_still_there(site: Path, page: Browser) -> None:
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.send("Page.navigate", url=(site / "gran.html").resolve().as_uri())
        page.until("document.readyState === 'complete' && document.querySelectorAll('#table-1 tbody tr').length === 11")
        assert page.js("[...document.querySelectorAll('.tools')].every(t => t.hidden)"), (
            "controls that would do nothing are not shown"
        )
    finally:
        page.send("Emulation.setScriptExecutionDisabled", value=False)


HOSTILE = (
    "<script>window.owned=1</script>",
    '"><img src=x onerror=window.owned=1>',
    "javascript:window.owned=1",
    "'-window.owned=1-'",
    "</style><script>window.owned=1</script>",
    "</title></svg><svg onload=window.owned=1>",
    "{{ 7*7 }}{% include '/etc/passwd' %}",
    '<a href="javascript:window.owned=1">x</a>',
    "\u202egnp.exe",
    "<!--",
    "]]>",
)


def _png(width: int, height: int) -> str:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + bytes(width) for _ in range(min(height, 64)))
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    ).decode()


def _hostile_site(out: Path) -> int:
    """Every text that a suite or a record can bring, hostile in turn; returns the number of cells."""
    suite = load(THEORY)
    original = full_cells()[0]
    cells, found_records = [], []
    for text in HOSTILE:
        cell = dataclasses.replace(
            original,
            method=text,
            backbone=text,
            group=text,
            remarks=(text,),
            notes={"network": text},
            stated={"loss": text},
        )
        cells.append(cell)
    segment = {
        "from_step": HOSTILE[0],
        "to_step": HOSTILE[1],
        "ganbench": HOSTILE[2],
        "commit": HOSTILE[1],
        "torch": HOSTILE[5],
        "threads": [],
        "device": HOSTILE[1],
    }
    record = record_for(original, 0, {"V_g": -0.6, "L_Vg_Bz": 5.0, "D_G": -0.4}, segments=[segment, HOSTILE[0]])
    final = {**record.final, **{text: {"value": 1.0} for text in HOSTILE}}
    record = dataclasses.replace(
        record,
        samples=_png(8, 8),
        final=final,
        history=[{**final, "epoch": e} for e in (1, 2)],
        provenance={**record.provenance, "libraries": {text: text for text in HOSTILE}},
    )
    found_records.append(record)
    table = dataclasses.replace(suite.tables[0], id=HOSTILE[1], caption=HOSTILE[0], cells=tuple(cells))
    claim = dataclasses.replace(suite.claims[0], id=HOSTILE[1], quote=HOSTILE[0], where=HOSTILE[2], note=HOSTILE[5])
    hostile = dataclasses.replace(
        suite, title=HOSTILE[5], venue=HOSTILE[1], tables=(table, suite.tables[0]), claims=(claim,), remarks=HOSTILE
    )
    other = dataclasses.replace(record, final={**final, "V_g": {"value": 9.0}})
    write_reports(
        [(hostile, join(hostile, found_records))], HOSTILE[1], out, HOSTILE, [Conflict(record, other)], png=False
    )
    return len(cells) + len(suite.tables[0].cells)


@needs_browser
def test_hostile_names_run_nothing_and_show_as_they_are(tmp_path: Path, page: Browser) -> None:
    cells = _hostile_site(tmp_path)
    pages = [*tmp_path.glob("*.html"), *tmp_path.glob("cells/*.html")]
    assert len(pages) == 4 + cells
    for path in pages:
        page.open(path)
        assert page.js("window.owned === undefined && document.scripts.length === 1"), path.name
        assert page.js(
            "[...document.querySelectorAll('*')].every(e => [...e.attributes].every(a => "
            "!a.name.startsWith('on')) && !(e.getAttribute('href') ?? '').startsWith('javascript'))"
        ), path.name
    page.open(tmp_path / "theory.html")
    for i, text in enumerate(HOSTILE):
        assert page.js(f"document.querySelectorAll('#table-1 tbody th')[{i}].textContent") == f"{text} ({text})"
    page.click("#table-1 tbody tr:nth-child(2) td:nth-child(3)")
    page.until("document.querySelector('.crumbs') !== null")
    assert page.js("window.owned === undefined")


@needs_browser
def test_the_policy_lets_no_other_script_run(site: Path, page: Browser) -> None:
    page.open(site / "index.html")
    page.js("(s => { s.textContent = 'window.owned = 1'; document.body.append(s); })(document.createElement('script'))")
    page.js(
        "(i => { i.setAttribute('onclick', 'window.owned = 1'); document.body.append(i); i.click(); "
        "})(document.createElement('p'))"
    )
    assert page.js("window.owned") is None
    assert page.errors and all("Content Security Policy" in e for e in page.errors)
    page.errors.clear()


@pytest.mark.parametrize(
    "samples",
    [
        "",
        "no base64!",
        base64.b64encode(b"<svg onload=alert(1)>").decode(),
        base64.b64encode(b"GIF89a" + bytes(40)).decode(),
        _png(100_000, 1),
    ],
)
def test_what_is_no_png_of_a_sensible_size_becomes_no_file(tmp_path: Path, samples: str) -> None:
    suite, cell = load(THEORY), full_cells()[0]
    record = dataclasses.replace(record_for(cell, 0, {"V_g": -0.6}), samples=samples)
    write_report(suite, join(suite, [record]), "results", tmp_path)
    assert not (tmp_path / "samples").exists()


def test_a_suite_cannot_take_the_place_of_a_page(tmp_path: Path) -> None:
    suite, joined = load_joined(THEORY, [])
    with pytest.raises(Exception, match="a page has that name"):
        write_report(dataclasses.replace(suite, name="index"), joined, "results", tmp_path)


@needs_browser
def test_no_title_of_a_figure_is_cut_off(site: Path, page: Browser) -> None:
    page.open(site / "theory.html")
    widths = page.js(
        "[...document.querySelectorAll('svg text.title')].map(t => "
        "t.getBBox().x + t.getBBox().width - t.ownerSVGElement.viewBox.baseVal.width)"
    )
    assert len(widths) > 5 and max(widths) <= 0
