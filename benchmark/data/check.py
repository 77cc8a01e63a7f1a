"""Files that a card pins: read through, piece by piece, and believed only when size and checksum are right."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.data.absent import mend
from benchmark.data.cards import FileCard, card, locate
from benchmark.errors import GanbenchError

BLOCK = 2**22  # bytes read at a time


def read_file(name: str, file: FileCard) -> bytes:
    """The decompressed bytes of one file, checked for size and checksum.

    Raises:
        GanbenchError: the file is missing, truncated, no valid gzip, or differs from the card.
    """
    path = locate(name, file.file)
    if path is None:
        raise GanbenchError(f"dataset {name}: {file.file} not found; {mend(card(name))}")
    return check_bytes(name, file, path)


def check_bytes(name: str, file: FileCard, path: Path) -> bytes:
    """Read ``path`` as ``file`` of dataset ``name``; raises GanbenchError unless it is exactly that file."""
    data = bytearray()
    check_file(name, file, path, data.extend)
    return bytes(data)


def check_file(name: str, file: FileCard, path: Path, take: Callable[[bytes], object] = len) -> None:
    """Read ``path`` as ``file`` of dataset ``name``, giving ``take`` its decompressed bytes piece by piece.

    Raises:
        GanbenchError: it is not exactly that file; what ``take`` was given is then not to be used.
    """
    c = card(name)
    again = f"run: ganbench data fetch {name} --force" if c.sources else f"get it again from {c.home}"
    digest, size = hashlib.sha256() if file.sha256 else hashlib.md5(usedforsecurity=False), 0
    for block in _blocks(path, file, again):
        size += len(block)
        digest.update(block)
        take(block)
    if size != file.bytes:
        found = "more than" if size > file.bytes else f"{size:,} of"
        raise GanbenchError(f"{path}: {found} {file.bytes:,} bytes: not the file of the {name} card; {again}")
    if (found := digest.hexdigest()) != (wanted := file.sha256 or file.md5):
        raise GanbenchError(f"{path}: {digest.name} {found[:12]}… is not {wanted[:12]}… of the {name} card; {again}")


def _blocks(path: Path, file: FileCard, again: str) -> Iterator[bytes]:
    """The decompressed bytes, at most one more than there should be: a hostile gzip cannot fill the memory."""
    packed = path.name != file.file and path.suffix == ".gz"  # an archive of the card's own name is checked as it is
    left = file.bytes + 1
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            while left and (block := stream.read(min(BLOCK, left))):
                left -= len(block)
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise GanbenchError(f"{path}: truncated or damaged ({error}); {again}") from None
    except PermissionError as error:
        raise GanbenchError(f"{path}: cannot be read ({error.strerror})") from None
    except OSError as error:
        raise GanbenchError(f"{path}: cannot be read ({error.strerror or error}); {again}") from None
