"""Texts from anyone as cells of a CSV: none starts a row, and none is taken for a formula."""

from __future__ import annotations

import re
from typing import Any

LINES = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
STARTS = re.compile("\\s*[=+\\-@\t|%\uff0b\uff0d\uff1d\uff20]")
NUMBER = re.compile(
    r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?(\s*(±\s*(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|\([\d.]+\)|\(n=\d+\)))*\*?", re.I
)


def cell(value: Any) -> Any:
    """A text on one line that no spreadsheet takes for a formula; numbers, and what else is no text, as they are."""
    if not isinstance(value, str):
        return value
    text = LINES.sub(" ", value)
    return f"'{text}" if STARTS.match(text) and not NUMBER.fullmatch(text.strip()) else text
