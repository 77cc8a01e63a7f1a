"""A program, run as a file and of no package: reads one LMDB database for its parent, and crashes in its place.

LMDB maps the file and follows the offsets in it unchecked, so that a damaged database may end the process
that reads it. Arguments: the folder; the largest value and the most keys wanted. It writes frames (a letter,
4 bytes of length, content): ``k`` keys, each after 2 bytes of length; ``e`` no more keys; then, for each key
(after 4 bytes of length) on standard input, ``v`` its value; ``x`` what is wrong, whereupon it ends.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import lmdb

LONGEST_KEY = 511  # LMDB's own
CHUNK = 4096  # keys in a frame
LONGEST_S = 4.0  # of computing from frame to frame: a circle of pages, which LMDB walks for ever


class Damaged(Exception):
    """The database is not what LMDB writes."""


def frame(letter: bytes, content: bytes | memoryview = b"") -> None:
    """Write one frame."""
    sys.stdout.buffer.write(letter + struct.pack(">I", len(content)))
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_S)  # ends the process, also within a call of LMDB's


def keys(store: lmdb.Environment, transaction: lmdb.Transaction, most: int) -> Iterator[bytes]:
    """All keys, which must ascend and be as many as the database says; a circle of pages ends here, too."""
    count, last = 0, b""
    for view in transaction.cursor().iternext(keys=True, values=False):
        if not 0 < len(view) <= LONGEST_KEY or (key := bytes(view)) <= last:
            raise Damaged("its keys are out of order")
        count, last = count + 1, key
        if count > most:
            raise Damaged(f"it has more than {most:,} keys")
        yield key
    if count != (said := store.stat()["entries"]):
        raise Damaged(f"it has {count:,} keys, and says {said:,}")


def send_keys(found: Iterator[bytes]) -> None:
    """All keys in frames, and the frame that ends them."""
    some: list[bytes] = []
    for key in found:
        some.append(struct.pack(">H", len(key)) + key)
        if len(some) == CHUNK:
            frame(b"k", b"".join(some))
            some.clear()
    frame(b"k", b"".join(some))
    frame(b"e")


def serve(folder: str, largest: int, most: int) -> None:
    """Send all keys, then values until standard input ends."""
    import lmdb

    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_S)
    store = lmdb.open(folder, readonly=True, lock=False, readahead=False, create=False)
    with store.begin(buffers=True) as transaction:
        send_keys(keys(store, transaction, most))
        while head := sys.stdin.buffer.read(4):
            key = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
            value = transaction.get(key)
            if value is None or len(value) > largest:  # looked at before it is copied
                raise Damaged(f"{key!r} holds no image of at most {largest:,} bytes")
            frame(b"v", value)


def main() -> None:
    """Serve, and say what is wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: standard input ends with it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(BrokenPipeError):  # the parent has gone
        try:
            serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
        except Exception as error:
            frame(b"x", (str(error) or type(error).__name__).encode("utf-8", "replace"))


if __name__ == "__main__":
    main()
