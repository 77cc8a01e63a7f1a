"""The start page, cells and claims in headless Chromium: three widths, light and dark, keys, and many records."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import write_reports
from benchmark.errors import sure
from benchmark.records.record import Record
from benchmark.suite.load import load
from tests.browser import Browser, found
from tests.test_collate import THEORY, full_cells, record_for
from tests.test_pictures import png
from tests.test_site import CONTRAST, page

__all__ = ["page"]  # a fixture
pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium is found; set GANBENCH_CHROMIUM to one")
SECONDS = 2.0
PAGES = ("index.html", "claims.html", "cells/theory-1-*", "cells/gran-2-grand-gan-cifar10-*", "cells/chain-cifar-*")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as b:
        yield b


@pytest.mark.parametrize("width", [420, 768, 1400])
def test_pages_fit_their_width_folded_and_unfolded_and_can_be_read_light_and_dark(
    site: Path, page: Browser, width: int
) -> None:
    page.size(width, 900, mobile=width == 420)
    for name in PAGES:
        page.open(next(site.glob(name)))
        for unfolded in (False, True):
            if unfolded:
                page.js("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.js("document.documentElement.scrollWidth") <= width, name
            outside = page.js(
                "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, .gallery, .row, .hidden, "
                "svg, .wide, pre, .quarter') "
                "&& e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)"
                ".map(e => e.outerHTML.slice(0, 90))"
            )
            assert outside == [], name
        for dark in (False, True):
            page.dark(dark)
            count, contrast, _ = page.js(CONTRAST)
            assert count > 30 and contrast >= 4.5, (name, dark)


@pytest.mark.parametrize("width", [420, 768, 1400])
def test_a_picture_is_in_sight_before_anything_is_scrolled(site: Path, page: Browser, width: int) -> None:
    page.size(width, 900)
    for name, selector in (
        ("index.html", ".gallery img"),
        ("cells/theory-1-b*", ".large img"),
        ("claims.html", ".claim-map .pair"),
    ):
        page.open(next(site.glob(name)))
        assert page.js(
            f"(r => r.top > 0 && r.bottom < innerHeight)(document.querySelector('{selector}').getBoundingClientRect())"
        ), name


def test_the_map_is_one_stop_of_the_tab_key_and_arrows_go_through_it(site: Path, page: Browser) -> None:
    page.open(site / "index.html")
    maps = page.js(
        "[...document.querySelectorAll('[data-map]')].map(m => [...m.querySelectorAll('a')].filter(a => a.tabIndex === "
        "0).length)"
    )
    assert len(maps) > 5 and set(maps) == {1}
    at = "[document.activeElement.closest('tr').rowIndex, document.activeElement.title]"
    page.js("document.querySelector('[data-map] a').focus()")
    row, first = page.js(at)
    page.key("ArrowRight", 39)
    assert page.js(at)[0] == row and page.js(at)[1] != first
    page.key("ArrowDown", 40)
    assert page.js(at)[0] == row + 1
    page.key("ArrowUp", 38)
    page.key("ArrowLeft", 37)
    assert page.js(at) == [row, first]
    page.key("End", 35)
    last = page.js(at)
    page.key("ArrowRight", 39)
    assert page.js(at) == last and last[0] > row, "it ends there"
    assert page.js("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.key("Home", 36)
    page.key("Enter", 13, "\r")
    page.until("document.querySelector('.crumbs') !== null")
    assert page.js("document.querySelector('.lede code').innerText") == first.split(": ")[0]


def test_a_mark_of_a_claim_leads_to_its_card(site: Path, page: Browser) -> None:
    page.open(site / "claims.html")
    page.click(".claim-map p a:last-child")
    card = page.until("document.querySelector('.card:target')?.id")
    assert page.js(f"document.getElementById('{card}').getBoundingClientRect().top") < 900
    page.open(site / "claims.html", card)
    assert page.js("document.querySelector('.card:target details').open") is False
    page.click(".card:target details summary")
    assert page.js("document.querySelector('.card:target details').innerText.includes('By ours')")


def _many(seeds: int) -> list[Record]:
    made, pictures = [], [png(value) for value in range(50)]
    for cell in full_cells():
        one = record_for(cell, 0, {"V_g": -0.6, "L_Vg_Bz": 5.0, "D_G": -0.4})
        for seed in range(seeds):
            final = {
                k: {"value": v["value"] + 1e-5 * seed} if isinstance(v, dict) else v for k, v in sure(one.final).items()
            }
            made.append(
                dataclasses.replace(
                    one,
                    seed=seed,
                    evaluation=f"{seed:016x}",
                    run=f"{seed:016x}",
                    final=final,
                    samples=pictures[seed % 50],
                )
            )
    return made


@pytest.mark.slow
def test_with_ten_thousand_records_every_page_opens_at_once(tmp_path: Path, page: Browser) -> None:
    suite, cells = load(THEORY), len(full_cells())
    records = _many(-(-10_000 // cells))
    write_reports([(suite, join(suite, records))], "results", tmp_path)
    assert len(records) >= 10_000
    for path in [*tmp_path.glob("*.html"), *tmp_path.glob("cells/theory-1-b*")]:
        assert any(page.open(path) < SECONDS for _ in range(5)), path.name  # a busy machine has its moments
    page.open(next(p for p in tmp_path.glob("cells/*.html") if "3334 records" in p.read_text(encoding="utf-8")))
    assert page.js("document.querySelectorAll('.row img').length") > 3000
