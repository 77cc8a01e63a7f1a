"""What a visitor sees: names as the papers print them, one count of results, and claims that fold on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmark.collate.presenting.site.headline import headline
from benchmark.collate.presenting.site.summary import Report, summary
from benchmark.collate.presenting.site.symbols import DEFINITIONS, drawn, shortened
from benchmark.collate.presenting.table import UNTRIED
from tests.browser import Browser, found

RAW = re.compile(
    rf"(?<!\w)(?:{'|'.join(m for m in DEFINITIONS if '_' in m or m == 'KIDx1000')}|[A-Z]_[A-Za-z]{{1,4}})(?!\w)"
    r"|\w\^|_\{|sqrt\("
)
"""A metric or method as suites write it."""
AS_TYPED = {"style", "script", "title", "code", "pre"}
NEITHER_OPENS = {"meta", "link", "input", "br", "img"}


class Seen(HTMLParser):
    """The texts of a page that are not shown as something to type; folded ones too."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open += [tag] if tag not in NEITHER_OPENS else []

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, text: str) -> None:
        if not AS_TYPED & {*self.open}:
            self.texts.append(text)


PAGES = (
    "index.html",
    "claims.html",
    "cells.html",
    *(f"{name}.html" for name in ("theory", "gran", "chain", "pgn", "sdp")),
    "cells/theory-1-*.html",
    "cells/theory-2-*.html",
    "cells/theory-fig4-*.html",
    "cells/chain-analysis-*.html",
    "cells/chain-fewshot-fastgan-d-big-*.html",
    "cells/gran-2-nsgan-cifar10-*.html",
)


@pytest.mark.parametrize("pages", PAGES)
def test_no_name_is_seen_as_a_suite_writes_it(site: Path, pages: str) -> None:
    paths = sorted(site.glob(pages))
    assert paths
    for path in paths:
        seen = Seen()
        seen.feed(path.read_text(encoding="utf-8"))
        raw = [text.strip() for text in seen.texts if RAW.search(text)]
        assert raw == [], path.name


def test_a_figures_name_is_cut_between_words_and_by_what_is_drawn() -> None:
    name = "V_g mnist: sigma=sqrt(24)[MLP] close to sigma=sqrt(2)[MLP]"
    assert len(name) > 50 and shortened(name, 50) == name, "as drawn it is short"
    assert shortened("V_g of a method with sigma=sqrt(24) and more", 27) == "V_g of a method with …"
    assert "sqrt" not in drawn(shortened(name, 30))


def test_one_count_has_every_published_result_that_runs_can_decide(reports: list[Report]) -> None:
    targets = [
        e
        for r in reports
        for e in r.entries
        if e.published and (e.published.value is not None or e.published.text == "not-converged")
    ]
    total = summary(reports)
    assert total.numbers == len(targets) and total.unconverged == 15 == sum(
        e.published is not None and e.published.value is None for e in targets
    )
    unrun = [e for e in targets if e.verdict.name in UNTRIED and e.verdict.name]
    assert total.unrun == len(unrun)
    said = [int(n.replace(",", "")) for n in re.findall(r"\b[\d,]*\d\b", headline(total))]
    assert said[0] == sum(said[1:]) == len(targets), "what the sentence says adds up"
    assert (
        total.published == f"{len(targets)} published results: {len(targets) - 15} numbers, and 15 times that a model "
        "did not converge"
    )


needs_browser = pytest.mark.skipif(found() is None, reason="no Chromium is found; set GANBENCH_CHROMIUM to one")


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as b:
        b.size(420, 900, mobile=True)
        yield b
        assert b.errors == []


@needs_browser
def test_claims_fold_on_a_phone_and_unfold_for_keys_addresses_and_filters(site: Path, phone: Browser) -> None:
    shown = "[...document.querySelectorAll('.claim')].filter(c => c.checkVisibility()).length"
    height = "document.documentElement.scrollHeight"
    phone.open(site / "claims.html")
    assert phone.js(shown) == 0 and phone.js(height) < 4_000
    lines = phone.js("[...document.querySelectorAll('.group > summary')].map(s => s.innerText)")
    assert len(lines) == 5 and all("Paper’s numbers" in line and "Ours" in line for line in lines)
    phone.js("document.querySelector('.group > summary').focus()")
    phone.key("Enter", 13, "\r")
    theory = phone.js("document.querySelectorAll('.group')[0].querySelectorAll('.claim').length")
    assert phone.js(shown) == theory > 0 and phone.js(height) < 8_000
    first = "document.querySelector('.claim')"
    assert phone.js(f"{first}.querySelector('summary').innerText.includes('holds') && !{first}.open")
    phone.js(f"{first}.querySelector('summary').focus()")
    phone.key(" ", 32, " ")
    assert phone.js(f"{first}.open && {first}.querySelector('blockquote').checkVisibility()")
    phone.open(site / "claims.html", "claim-gran-top-two-cifar")
    assert phone.js(
        "(c => c.open && c.querySelector('blockquote').checkVisibility())"
        "(document.getElementById('claim-gran-top-two-cifar'))"
    )
    assert 0 < phone.js(shown) < 40
    phone.open(site / "claims.html")
    phone.js(
        "(s => { s.value = 'inconclusive'; s.dispatchEvent(new Event('change')); "
        "})(document.querySelector('[data-facet=achieved]'))"
    )
    assert phone.js(shown) == 14, "what is looked for is not folded away"


@needs_browser
def test_claims_are_open_where_there_is_room(site: Path, phone: Browser) -> None:
    phone.size(1400, 900)
    phone.open(site / "claims.html")
    assert phone.js("[...document.querySelectorAll('.claim')].every(c => c.open && c.checkVisibility())")
