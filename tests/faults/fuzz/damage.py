"""What happens to bytes, typed values and files, for the kinds that share it."""

import copy
import os
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOUR = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\x01\0\0\0")
ODD_VALUES: tuple[Any, ...] = (
    None, True, "x", "", "\x1b[2J\u202e", "9" * 5000, [], {}, [1, [2, [3]]], {"a": {"b": 1}}, b"\0", -1, 0, 1, 2**31,
    2**63, 2**64, 10**400, -(10**30), 0.5, -0.0, 5e-324, 1e308, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bits turned, bytes set, lengths blown up, parts taken out, doubled or put in, the end cut off."""
    out = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(out))
        match rng.randrange(7):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at % 200 % len(out)] = rng.choice((0, 127, 128, 255))
            case 2:
                out[at : at + 4] = rng.choice(FOUR)
            case 3:
                out[at:at] = rng.randbytes(rng.choice((1, 4, 64)))
            case 4:
                out[at:at] = out[at : at + rng.choice((8, 100, 1000))]
            case 5:
                del out[at : at + rng.choice((1, 4, 64))]
            case 6 if rng.random() < 0.3:
                del out[max(4, at) :]
        out = out or bytearray(b"\0")
    return bytes(out)


def value(rng: random.Random) -> Any:
    """A value of a wrong type or size, or nested."""
    if rng.random() < 0.05:
        found: Any = 1
        for _ in range(rng.choice((30, 300, 900))):
            found = [found] if rng.random() < 0.5 else {"a": found}
        return found
    return copy.deepcopy(rng.choice(ODD_VALUES))  # the next change may be inside it


def change(tree: Any, rng: random.Random, make: Any = value) -> None:
    """Changes one value somewhere in nested dicts and lists, takes it out, or adds one."""
    places = list(_places(tree))
    if not places:
        return
    holder, key = rng.choice(places)
    match rng.randrange(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(("extra", "", "\x1b[2J", 5, None))] = make(rng)
        case _:
            holder[key] = make(rng)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    left = [tree]  # no recursion: two values of ``value`` inside each other are nested more deeply than Python calls
    while left:
        match left.pop():
            case dict() as holder:
                left += holder.values()
                yield from ((holder, key) for key in holder)
            case list() as holder:
                left += holder
                yield from ((holder, at) for at in range(len(holder)))


def odd_file(path: Path, rng: random.Random, head: bytes = b"") -> str:
    """Something else in a file's place; says what."""
    what = rng.choice(("fifo", "folder", "sparse", "endless", "dangling", "circle", "empty", "zeros"))
    match what:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "sparse":
            path.write_bytes(head)
            os.truncate(path, rng.choice((3 << 30, 50 << 30)))
        case "endless":
            path.symlink_to("/dev/zero")
        case "dangling":
            path.symlink_to(path.parent / "nothing")
        case "circle":
            path.symlink_to(path)
        case "empty":
            path.write_bytes(b"")
        case "zeros":
            path.write_bytes(head + bytes(1000))
    return what


def bomb(size: int) -> bytes:
    """``size`` zero bytes, deflated."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join([*(packer.compress(block) for _ in range(size >> 20)), packer.flush()])
