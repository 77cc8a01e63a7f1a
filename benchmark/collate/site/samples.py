"""The records' sample grids as files. A record is untrusted: only what is a PNG of a sensible size becomes one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from pathlib import Path

from benchmark.files import write_whole

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST = 8192  # pixels a side


def write_samples(text: str, folder: Path) -> tuple[str, int, int] | None:
    """Write base64 ``text`` to ``folder`` under the hash of its content.

    Returns:
        File name, width and height in pixels; None if it is no PNG.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not content.startswith(SIGNATURE) or content[12:16] != b"IHDR" or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        return None
    name = f"{hashlib.sha256(content).hexdigest()[:20]}.png"
    path = folder / name
    if not path.exists():
        write_whole(path, content)
    return name, width, height
