"""argparse that says in one line what is wrong, with the nearest name, and takes no abbreviations."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from benchmark.arguments.numbers import shown
from benchmark.errors import nearest, plain

WORDS = (
    (r"^argument ", ""),
    (r"expected one argument$", "needs a value"),
    (r"expected at least one argument$", "needs at least one value"),
    (r"ignored explicit argument ", "takes no value, and was given "),
    (r"^the following arguments are required: ", "needs "),
)
"""argparse's words, and ours."""


class Parser(argparse.ArgumentParser):
    """Of the tool, and of each of its commands. Bad usage ends the process with exit code 2."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more, allow_abbrev=False)  # --seed is not --seeds: a new option could change its meaning

    # typeshed has an overload for each way to give a namespace; one signature takes them all
    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """As argparse's; but the command itself says what it does not know, and before what is missing."""
        words = self._joined(sys.argv[1:] if args is None else args)
        for word in self._own(words):
            if word.startswith("--") and self._named(word) is None:
                self.error(self._unknown(word))
        found, unknown = super().parse_known_args(words, namespace)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """End with one line, and where to read more."""
        for theirs, ours in WORDS:
            message = re.sub(theirs, ours, message)
        self.exit(2, f"{self.prog}: {plain(message)} (see: {self.prog} --help)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = nearest(value, map(str, action.choices))
            raise argparse.ArgumentError(action, f"invalid choice: {shown(str(value))}{known}")

    def _own(self, words: Sequence[str]) -> Iterator[str]:
        """The words that this parser's options are among: up to a command, or to ``--``."""
        for word in words:
            if word == "--" or (self._subparsers is not None and not word.startswith("-")):
                return
            yield word

    def _joined(self, words: Sequence[str]) -> list[str]:
        """A value that begins with ``-`` stays with its option: what is wrong with -5h is not that it is missing."""
        found: list[str] = []
        for word in words:
            option = self._option_string_actions.get(found[-1]) if found else None
            value = re.match(r"-[^-]", word) and self._named(word) is None
            if option is not None and option.nargs is None and value:
                found[-1] += f"={word}"
            else:
                found.append(word)
        return found

    def _named(self, word: str) -> argparse.Action | None:
        return self._option_string_actions.get(word.partition("=")[0])

    def _unknown(self, word: str) -> str:
        name = word.partition("=")[0]
        if not name.startswith("-"):
            return f"{shown(word)} does not belong here: names stand together, options before or after them"
        options = [option for option in self._option_string_actions if option.startswith("--")]
        close = [option for option in options if len(name) > 3 and option.startswith(name)] or [
            f"--{found}" for found in get_close_matches(name.lstrip("-"), [o[2:] for o in options], n=1, cutoff=0.5)
        ]
        return f"there is no option {shown(name)}" + f"; did you mean {' or '.join(close)}?" * bool(close)
