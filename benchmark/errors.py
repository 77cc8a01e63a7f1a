"""The one exception that a person is meant to read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeVar
from unicodedata import category, normalize

T = TypeVar("T")
LONGEST_LINE = 10_000
"""Characters of a line of a message: two paths of the longest, and what is said of them."""

SHORTEST = 3
"""Letters by which a longer name is known."""


class GanbenchError(Exception):
    """Something the user can mend: the message says where, what is wrong, and what to do; no name in it steers a
    terminal.

    ``exit_code`` is what the command line returns: 2 for bad usage or a bad suite, 1 for the rest.
    ``at_once``: the command line ends there and then, since a library would crash the process on its way out.
    """

    at_once = False

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(plain(short(message), lines=True))
        self.exit_code = exit_code


def sure(value: T | None) -> T:
    """``value``, of which the code around has made sure that it is there."""
    if value is None:
        raise TypeError("a value that must be there is None")
    return value


def nearest(name: object, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the closest known name, or the list of names when none is close."""
    names = sorted(known)
    if close := closest(str(name), names):
        return f"; did you mean {close!r}?"
    return f"; known: {', '.join(names)}" if names else ""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` may stand for: misspelt, cut short, or at least somewhat alike."""
    names = sorted(known)
    begun = [k for k in names if len(bare := _bare(name)) >= SHORTEST and _bare(k).startswith(bare)]
    return misspelt(name, names) or min(begun, key=len, default=None) or _alike(name, names, 0.5)


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """The known name that is surely meant: the same but for case, accents and punctuation, or a slip or two away, which
    are not in its number (stylegan3 is not stylegan2).
    """
    names, bare = sorted(known), _bare(name)
    if same := [k for k in names if bare and _bare(k) == bare]:
        return _alike(name, same, 0.0)
    numbers = re.findall(r"\d+", name)
    return _alike(name, [k for k in names if not numbers or re.findall(r"\d+", k) == numbers], 0.75)


def _alike(name: str, known: Iterable[str], cutoff: float) -> str | None:
    folded = {k.casefold(): k for k in known}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def _bare(name: str) -> str:
    """Its letters and digits alone: ``CIFAR-10`` and ``cifar_10`` are ``cifar10``."""
    return "".join(c for c in normalize("NFKD", name.casefold()) if c.isalnum())


def plain(text: str, lines: bool = False) -> str:
    """Text from others, in which nothing steers a terminal or turns the direction of writing; ``lines`` may end in
    it.
    """
    return text if text.isprintable() else text.translate(_LINES if lines else _WORDS)


def short(text: str) -> str:
    """Text in which no line is longer than a person's longest: it may quote what a file holds."""
    if len(text) <= LONGEST_LINE:
        return text
    lines = text.split("\n")
    return "\n".join(x if len(x) <= LONGEST_LINE else f"{x[: LONGEST_LINE - 500]} … {x[-500:]}" for x in lines)


def continued(text: str) -> str:
    """Text of several lines, of which none but the first begins where lines of ours do."""
    return re.sub(r"\n(?=\S)", "\n  ", text)


def few(parts: Iterable[str], most: int = 20, longest: int = 100) -> list[str]:
    """The first of what others say, each cut where it is endless, and how many more there are."""
    parts = list(parts)
    shown = [part if len(part) <= longest else f"{part[:longest]}…" for part in parts[:most]]
    return shown + [f"and {len(parts) - most:,} more"] * (len(parts) > most)


class _Escapes(dict[int, str]):
    """What stands for a character, by its number: worked out once for each that is met."""

    def __missing__(self, number: int) -> str:
        c = chr(number)
        self[number] = c if c.isprintable() or category(c) == "Zs" else repr(c)[1:-1]
        return self[number]


_WORDS, _LINES = _Escapes(), _Escapes({ord("\n"): "\n"})


UNSAID = "its own code cannot say why"


def said(error: BaseException) -> str:
    """What an exception of others says, or ``UNSAID``."""
    try:
        return str(error)
    except Exception:
        return UNSAID
