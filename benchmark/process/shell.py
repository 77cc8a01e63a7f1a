"""Commands that are printed to be pasted into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

SURROGATE = 0xDC00  # where Python keeps a byte of a file's name that is not UTF-8


def command(*words: object) -> str:
    """``ganbench`` and ``words`` as a line for a shell: quoted, printable, and without a line break."""
    return " ".join(["ganbench", *(quoted(str(word)) for word in words)])


def option(name: str, value: object) -> tuple[str, ...]:
    """An option with its value, as words; one word where the value begins like an option."""
    return (f"{name}={value}",) if str(value).startswith("-") else (name, str(value))


def file(path: object) -> str:
    """A file or folder as a word that is not taken for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def quoted(word: str) -> str:
    """A word for a shell; with ``$'…'``, which bash, zsh and ksh read, where it holds what cannot be seen."""
    return shlex.quote(word) if word.isprintable() else f"$'{''.join(map(_escaped, word))}'"


def without(words: Iterable[str], options: Mapping[str, bool]) -> list[str]:
    """The words of a command line without some options.

    Args:
        options: each with whether it takes a value.
    """
    kept: list[str] = []
    given = iter(words)
    for word in given:
        if word == "--":
            return [*kept, word, *given]
        name, equals, _ = word.partition("=")
        if name not in options:
            kept.append(word)
        elif options[name] and not equals:
            next(given, None)
    return kept


def _escaped(c: str) -> str:
    if c in "'\\":
        return f"\\{c}"
    if c.isprintable():
        return c
    if SURROGATE + 0x80 <= ord(c) <= SURROGATE + 0xFF:
        return f"\\x{ord(c) - SURROGATE:02x}"
    return f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
