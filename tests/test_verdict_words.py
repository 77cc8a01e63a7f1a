"""Every word that a number can get is explained where verdicts are explained, and has its symbol and colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.collate.judging.verdict import VERDICTS
from benchmark.collate.presenting.notes import SYMBOLS
from benchmark.collate.presenting.site.matrix import BY_WEIGHT
from benchmark.collate.presenting.site.reading import MEANINGS

ROOT = Path(__file__).parents[1]
SITE = ROOT / "benchmark/collate/presenting/site/templates"


@pytest.mark.parametrize("name", VERDICTS)
def test_it_is_in_the_documentation_and_the_site(name: str) -> None:
    words = (ROOT / "docs/verdicts.md").read_text(encoding="utf-8").partition("## Words")[2].partition("## Tier")[0]
    assert f"`{name}`" in words
    overview = (SITE / "overview.html.j2").read_text(encoding="utf-8")
    assert f'<dt>{{{{ m.verdict("{name}") }}}}</dt><dd>' in overview
    assert name in SYMBOLS and name in BY_WEIGHT and name in MEANINGS
    assert f".v-{name.replace(' ', '-')}" in (SITE / "site.css").read_text(encoding="utf-8")


def test_no_two_words_share_a_symbol() -> None:
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)
