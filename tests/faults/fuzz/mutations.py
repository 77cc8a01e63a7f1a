"""Values that nobody writes, and what is done with them to a tree of JSON or to bytes: for all kinds of case."""

from __future__ import annotations

import copy
import random
from typing import Any

NUMBERS = (0, -1, 1, 2, 1e-320, 5e-324, -5e-324, 1e-60, 1e-100, 1e30, 1e60, 1e61, 1e99, 1e100, 1e155, 1e308, -1e308)
WHOLE = (3, 7, 10**6, 10**9, 10**12, 10**15, 2**53, 2**63 - 1, 2**64 - 1, -(2**63))
TEXTS: tuple[str, ...] = (
    "",
    "x",
    "=1+1",
    "a\rb",
    "a\0b",
    "\x1b[2J",
    "\u202ex",
    "../../x",
    "/etc/passwd",
    "a/b",
    "é" * 300,
    "[a]: http://x",
)
TEXTS += ("NaN", "1e999", "<script>", "]](", "{{x}}", "%n", " ", "\ud7ff", "\U0010ffff", "__class__", "FID", "step")
LONG = 200_000


def odd(rng: random.Random, depth: int = 0) -> Any:
    """A value of any type."""
    match rng.randrange(9 if depth < 3 else 6):
        case 0:
            return rng.choice(NUMBERS)
        case 1:
            return rng.choice(WHOLE)
        case 2:
            return rng.choice(TEXTS)
        case 3:
            return rng.choice((None, True, False, [], {}))
        case 4:
            return rng.uniform(-10, 10) * 10.0 ** rng.randrange(-80, 80)
        case 5:
            return "x" * rng.choice((100, 1_500, LONG)) if rng.random() < 0.2 else rng.choice(TEXTS)
        case 6:
            return [odd(rng, depth + 1) for _ in range(rng.randrange(4))]
        case 7:
            return {str(odd(rng, 3))[:40]: odd(rng, depth + 1) for _ in range(rng.randrange(4))}
    return nested(rng.choice((5, 18, 30, 200)), rng)


def nested(depth: int, rng: random.Random) -> Any:
    """Lists or mappings within each other."""
    value: Any = 1
    for _ in range(depth):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree of JSON, as the keys on the way there."""
    found = [path] if path else []
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in parts:
        found += places(part, (*path, key))
    return found


def mutated(tree: Any, rng: random.Random, times: int = 1) -> Any:
    """A copy in which some values are others, gone, doubled, or under another name."""
    tree = copy.deepcopy(tree)
    for _ in range(times):
        *way, last = rng.choice(places(tree))
        there = tree
        for key in way:
            there = there[key]
        match rng.randrange(6):
            case 0:
                del there[last]
            case 1 if isinstance(there, dict):
                there[str(odd(rng, 3))[:2000]] = there.pop(last)
            case 2 if isinstance(there, list):
                there += there[:20] * rng.choice((1, 3, 100))
            case 3 if isinstance(there[last], (int, float)):
                there[last] = there[last] * 10.0 ** rng.randrange(-70, 70) if abs(there[last]) < 1e200 else 0.0
            case _:
                there[last] = odd(rng)
    return tree


def mildly(tree: Any, rng: random.Random, times: int = 1) -> Any:
    """A copy in which some numbers and texts are other numbers and texts: what passes most checks."""
    tree = copy.deepcopy(tree)
    for _ in range(times):
        *way, last = rng.choice([p for p in places(tree) if not isinstance(_at(tree, p), (dict, list))])
        there = _at(tree, tuple(way))
        value = there[last]
        if isinstance(value, str):
            there[last] = rng.choice(TEXTS)
        elif isinstance(value, (int, float)):
            there[last] = rng.choice((*NUMBERS, *WHOLE, -value, value * 1e-50, value * 1e50, value + 1, value * 1.5))
    return tree


def _at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bits turned, pieces cut out, doubled, or put in."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at, size = rng.randrange(len(out) + 1), rng.choice((1, 4, 60))
        match rng.randrange(4):
            case 0:
                del out[at : at + size]
            case 1:
                out[at:at] = rng.randbytes(size)
            case 2:
                out[at:at] = out[at : at + size] * rng.choice((1, 50))
            case 3 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
    return bytes(out)


def check(message: str) -> str:
    """The message's kind: its first words without what it quotes. Fails on one that no person is to see."""
    assert len(message) < 4_000, f"a message of {len(message):,} characters: {message[:200]}"
    assert " at 0x" not in message, f"an address: {message[:300]}"
    assert all(c.isprintable() or c == "\n" for c in message), f"not printable: {message[:300]!r}"
    words = message.rsplit(".json: ", 1)[-1].rsplit(".yaml:", 1)[-1].lstrip("0123456789: ").split()
    return " ".join(word for word in words[:4] if word.isalpha())
