"""argparse that says in words what is wrong, with the nearest name, usage and an example; it takes no abbreviations."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from benchmark import door
from benchmark.arguments.examples import EXAMPLES
from benchmark.arguments.numbers import shown
from benchmark.errors import nearest, plain
from benchmark.process.terminal import painted

WORDS = (
    (r"^argument ", ""),
    (r"expected one argument$", "needs a value"),
    (r"expected at least one argument$", "needs at least one value"),
    (r"ignored explicit argument ", "takes no value, and was given "),
    (r"not allowed with argument ", "does not go with "),
    (r"^the following arguments are required: ", "needs "),
)
"""argparse's words, and ours."""


class Parser(argparse.ArgumentParser):
    """Of the tool, and of each of its commands. Bad usage ends the process with exit code 2."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more, allow_abbrev=False)  # --seed is not --seeds: a new option could change its meaning
        self.color = False  # of Python 3.14: nothing that argparse colours comes through the door
        self._given: Sequence[str] = ()

    @property
    def examples(self) -> list[str]:
        """Whole command lines."""
        program, _, command = self.prog.partition(" ")
        return [f"{program} {words}" for words in EXAMPLES.get(command, ())]

    # typeshed has an overload for each way to give a namespace; one signature takes them all
    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """As argparse's; but the command itself says what it does not know, and before what is missing."""
        words = self._given = self._joined(sys.argv[1:] if args is None else args)
        for word in self._own(words):
            if word.startswith("--") and self._named(word) is None:
                self.error(self._unknown(word))
        found, unknown = super().parse_known_args(words, namespace)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, how the command is used, and an example: one with the option that it is about."""
        for theirs, ours in WORDS:
            message = re.sub(theirs, ours, message)
        if message == "--profile: needs a value":
            message += _profiles(word for word in self._given if not word.startswith("-"))
        about = re.findall(r"--[a-z][a-z-]+", message)
        examples = sorted(self.examples, key=lambda line: -max([f"{line} ".count(f"{o} ") for o in about], default=0))
        door.show(f"{self.prog}:", "red", f" {plain(message)}", sys.stderr)
        print(f"usage: {self._short()}  (more: {self.prog} --help)", file=sys.stderr)
        for line in examples[:1]:
            print(f"example: {line}", file=sys.stderr, flush=True)
        self.exit(2)

    def format_help(self) -> str:
        """As argparse's, with a short usage, and examples at the end."""
        self.usage = self._short().replace("%", "%%")
        lines = "".join(f"  {line}\n" for line in self.examples)
        return super().format_help() + (f"\nexamples:\n{lines}" if lines else "")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Headings are bold where ``file`` is a terminal."""
        if message and file is not None:
            found = plain(message, lines=True)
            bold = re.sub(r"^[a-z ]+:", lambda head: painted(head[0], "bold", file), found, flags=re.MULTILINE)
            door.within(file).write(bold)

    def _short(self) -> str:
        """What must be given, and that there is more."""
        needed, options = list[str](), False
        for action in self._actions:
            name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
            if not action.option_strings:
                form = {"*": "[{} …]", "+": "{} …", argparse.PARSER: "{} …"}.get(str(action.nargs), "{}")
                needed.append(form.format(name))
            elif action.required:
                needed.append(f"{action.option_strings[-1]} {name}")
            else:
                options |= action.dest != "help"
        return " ".join([self.prog, *needed, *(["[options]"] if options else [])])

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            given, known = shown(str(value)), list(map(str, action.choices))
            if isinstance(action, argparse._SubParsersAction):  # its choices are many
                said = f"there is no {str(action.metavar).lower()} {given}{nearest(value, known)}"
                raise argparse.ArgumentError(None, said)
            close = nearest(value, known).partition("; known")[0]
            raise argparse.ArgumentError(action, f"{given} is none of {', '.join(known)}{close}")

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


def _profiles(names: Iterable[str]) -> str:
    """What the suites among these words have."""
    from benchmark.suite.apart import profiles_of

    found = {name: known for name in names if (known := profiles_of(name))}
    said = [f"{name} has {', '.join(known)}" for name, known in found.items()]
    return f"; {'; '.join(said)}" if said else ": 'ganbench list SUITE' says which there are"
