"""Fields that need no source take no kind either, and that is what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.suite.draft import SOURCELESS
from benchmark.suite.faults import faults
from benchmark.suite.fields import PROTOCOL_TYPES
from tests.conftest import ROOT
from tests.test_working_directory import MINI


@pytest.mark.parametrize("field", SOURCELESS)
def test_a_field_without_a_source_needs_no_kind(field: str, tmp_path: Path) -> None:
    block = "protocol: {" if field in PROTOCOL_TYPES else "base: {"
    path = tmp_path / "x.yaml"
    path.write_text(text := MINI.replace(block, f"{block}kinds: {{inferred: [{field}, rest]}}, ", 1))
    line = next(n for n, words in enumerate(text.splitlines(), 1) if f"[{field}" in words)
    (said,) = faults(path)
    assert said.startswith(f"{path}:{line}:") and said.endswith(f": {field} needs no kind: leave it out here")


def test_the_format_says_so() -> None:
    (said,) = [line for line in (ROOT / "suites/README.md").read_text().splitlines() if line.startswith("- **Kinds.**")]
    assert all(f"`{field}`" in said.partition("which need none")[0] for field in SOURCELESS)
