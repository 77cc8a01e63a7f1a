"""The members of a bundle from anyone: nothing is read unless all are as a bundle is written."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import Path

from benchmark.errors import GanbenchError
from benchmark.records.store import MAX_BYTES

UNREADABLE = (OSError, zipfile.BadZipFile, EOFError, RuntimeError, ValueError, RecursionError, KeyError, zlib.error)
"""What a damaged or hostile archive raises while it is read."""
MEMBER = re.compile(
    r"(?:records|external)/[^/\\\x00-\x1f]{1,255}/[^/\\\x00-\x1f]{1,255}/(?:planned-[0-9]{1,19}/)?[0-9a-f]{16}-s[0-9]{1,19}(\.step[0-9]{1,19})?\.json"
)
MOST_MEMBERS = 200_000
MOST_BYTES = 1_000_000_000
"""Bytes of all members, unpacked: more would take minutes to check; ``--only`` makes smaller bundles."""

MOST_RATIO = 100
"""Unpacked bytes for each byte of the file, beyond ``SMALL``: records of real runs pack to a third up to a tenth, a
bomb to a thousandth.
"""

SMALL = 20_000_000


def checked(path: Path, infos: list[zipfile.ZipInfo], packed: int) -> list[zipfile.ZipInfo]:
    """The members, if all are as ``export`` writes them; ``packed`` bytes are the file's own, whatever the members say
    of theirs.
    """
    unpacked = sum(i.file_size for i in infos)
    if len(infos) > MOST_MEMBERS or unpacked > MOST_BYTES:
        raise GanbenchError(
            f"{path}: larger than any bundle should be ({len(infos):,} members, {unpacked:,} bytes); nothing "
            "of it was used"
        )
    if unpacked > max(SMALL, MOST_RATIO * packed):
        raise GanbenchError(
            f"{path}: {packed:,} bytes that unpack to {unpacked:,} are no records; nothing of it was used"
        )
    if len({i.filename for i in infos}) < len(infos):
        raise GanbenchError(f"{path}: it holds one name twice; nothing of it was used")
    for info in infos:
        name, mode = info.filename, info.external_attr >> 16
        if name not in ("bundle.json", "plan.json") and (not MEMBER.fullmatch(name) or ".." in name.split("/")):
            raise GanbenchError(f"{path}: member {name[:200]!r} has no place in a bundle; nothing of it was used")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise GanbenchError(f"{path}: member {name[:200]!r} is a link or no file; nothing of it was used")
        if info.flag_bits & 1:
            raise GanbenchError(f"{path}: member {name[:200]!r} is encrypted; nothing of it was used")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise GanbenchError(
                f"{path}: member {name[:200]!r} is packed in another way than bundles are; nothing of it was used"
            )
        if info.file_size > MAX_BYTES:
            raise GanbenchError(
                f"{path}: member {name[:200]!r} is larger than {MAX_BYTES:,} bytes; nothing of it was used"
            )
    return infos


def content_of(bundle: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    """One member's bytes, never more than it says that it has."""
    with bundle.open(infos[name]) as stream:
        content = stream.read(infos[name].file_size + 1)
    if len(content) != infos[name].file_size:
        raise ValueError(f"{name} is not as long as it says")
    return content
