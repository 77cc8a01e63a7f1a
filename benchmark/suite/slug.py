"""A name as one folder name."""

from __future__ import annotations

import re


def safe_name(name: str) -> str:
    """A name from a suite or a record as one folder name: no separators, no leading dot, nothing to escape."""
    return re.sub(r"[^\w.,+=^@%†‡()\[\]-]", "_", name.replace("/", "--")).lstrip(".") or "_"
