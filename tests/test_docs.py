"""The pages people read: every link leads somewhere, every command parses, and the API page names what there is."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import benchmark
from benchmark.cli import parser
from tests.conftest import ROOT

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "suites/*.md", "results/*.md", "results/*/*.md")
    for path in ROOT.glob(pattern)
)
MARKDOWN = MarkdownIt("commonmark").enable("table")


def links(page: Path) -> list[str]:
    """Targets of all links and images."""
    spans = [span for token in MARKDOWN.parse(page.read_text(encoding="utf-8")) for span in token.children or ()]
    return [str(target) for span in spans if (target := span.attrGet("href") or span.attrGet("src"))]


def anchors(page: Path) -> set[str]:
    """What ``#…`` may name in a page: its headings, as GitHub and MyST write them."""
    tokens = MARKDOWN.parse(page.read_text(encoding="utf-8"))
    heads = [tokens[i + 1].children or [] for i, token in enumerate(tokens) if token.type == "heading_open"]
    names = ["".join(s.content for s in spans if s.type in ("text", "code_inline")) for spans in heads]
    slugs = [re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in names]
    seen: Counter[str] = Counter()
    found = set()
    for slug in slugs:
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def dead(page: Path) -> list[str]:
    """Relative links of a page whose file or heading is not there."""
    found = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not re.match(r"\w+:", link) and not (target.exists() and (not anchor or anchor in anchors(target))):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    assert not dead(ROOT / page)


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# One, `two`: three\n\n## Same\n\n## Same\n")
    good = (
        "[x](b.md) [x](b.md#one-two-three) [x](b.md#same-1) [x](#here) [x](https://a.b/c#d) <mailto:a@b.c> `[x](no.md)`"
    )
    bad = "[x](c.md) [x](b.md#same-2) ![x](c.png) [x](#there)\n\n| [x](../d.md) |\n|---|\n| [x](#one) |"
    (tmp_path / "a.md").write_text(f"# Here\n\n{good}\n\n{bad}\n\n```\n[x](no.md)\n```\n")
    assert dead(tmp_path / "a.md") == ["c.md", "b.md#same-2", "c.png", "#there", "../d.md", "#one"]


def test_every_command_of_a_page_parses() -> None:
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES if page != "README.md"]
    blocks = [block for text in texts for block in re.findall(r"```sh\n(.*?)```", text, re.S)]
    lines = re.findall(r"^(?:\.venv/bin/)?ganbench (.*?)(?:\s+#.*)?$", "\n".join(blocks), re.M)
    assert lines
    for line in lines:
        parser().parse_args(shlex.split(line))


def test_the_api_page_names_the_public_api() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)$", page, re.M)) == benchmark.__all__
