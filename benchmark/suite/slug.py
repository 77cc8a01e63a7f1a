"""A name as one folder name, which every disk takes, whatever the locale."""

from __future__ import annotations

import hashlib
import os
import re

LONGEST = 140
"""Bytes of a folder name: most disks take 255, those that encrypt names 143. Longer ones end in a hash of the whole."""


def safe_name(name: str, longest: int = LONGEST) -> str:
    """A name from anywhere as one folder name: no separators, no leading dot, nothing to escape, not too long."""
    safe = re.sub(r"[^\w.,+=^@%†‡()\[\]-]", "_", name.replace("/", "--")).lstrip(".") or "_"
    if len(safe.encode()) <= longest:
        return safe
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{safe.encode()[: longest - len(mark) - 1].decode(errors='ignore')}-{mark}"


def on_disk(name: str) -> str:
    """The text by which Python gives a file the UTF-8 name ``name``; another one where the locale is not UTF-8."""
    return os.fsdecode(name.encode("utf-8", "surrogateescape"))
