"""YAML as nodes that know where they stand, so that every error names its file, line and column.

Only what a suite needs of YAML is accepted: plain mappings, sequences and scalars. No tags, no
anchors (a suite says ``from:``), no duplicate keys, no files beyond ``MAX_BYTES``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NoReturn

import yaml

from benchmark.errors import GanbenchError, nearest
from benchmark.ranges import LARGEST, SMALLEST, sane

MAX_BYTES = 5_000_000
MOST_VALUES = 200_000  # of a file, keys and brackets counted too; that of the largest paper has 4,100
LONGEST_MESSAGE = 1_000
LONGEST_TEXT = 10_000  # of one value; that of the papers has 517 characters, and a note comes on every cell
MAX_DEPTH = 20
LONGEST_NUMBER = 40
LARGEST_WHOLE = 2**53 - 1
INTEGER = re.compile(r"[-+]?\d+")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""What steers a terminal, ends a line unseen, or turns the direction of writing."""
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SuiteError(GanbenchError):
    """A suite file that cannot be used; the message begins with ``file:line:column:``."""

    def __init__(self, message: str) -> None:
        if len(message) > LONGEST_MESSAGE:  # it may quote the file
            message = f"{message[: LONGEST_MESSAGE - 200]} … {message[-200:]}"
        super().__init__(message, exit_code=2)


class Node:
    """One YAML node with its place."""

    def __init__(self, raw: yaml.Node, file: str) -> None:
        self.raw, self.file = raw, file

    @property
    def place(self) -> str:
        """``file:line:column``."""
        mark = self.raw.start_mark
        return f"{self.file}:{mark.line + 1}:{mark.column + 1}"

    def fail(self, message: str) -> NoReturn:
        """Raise a SuiteError at this node."""
        raise SuiteError(f"{self.place}: {message}")

    def mapping(self, known: Collection[str] | None = None, required: Collection[str] = ()) -> dict[str, Node]:
        """Keys and values; fails on an unknown, missing or repeated key."""
        if not isinstance(self.raw, yaml.MappingNode):
            self.fail(f"expected a mapping, found {self._kind()}")
        found: dict[str, Node] = {}
        for key_raw, value in self.raw.value:
            key_node = Node(key_raw, self.file)
            key = key_node.text()
            if known is not None and key not in known:
                key_node.fail(f"unknown key {key!r}{nearest(key, known)}")
            if key in found:
                first = found[key].raw.start_mark
                key_node.fail(f"{key!r} stands twice; it is first given in line {first.line + 1}")
            found[key] = Node(value, self.file)
        for key in required:
            if key not in found:
                self.fail(f"missing key {key!r}")
        return found

    def at_most(self, most: int) -> Node:
        """The node itself; fails if it holds more than so many entries."""
        if not isinstance(self.raw, yaml.ScalarNode) and len(self.raw.value) > most:
            self.fail(f"{len(self.raw.value):,} entries, and at most {most:,} are read")
        return self

    def items(self) -> list[Node]:
        """The entries of a sequence."""
        if not isinstance(self.raw, yaml.SequenceNode):
            self.fail(f"expected a list, found {self._kind()}")
        return [Node(raw, self.file) for raw in self.raw.value]

    def is_mapping(self) -> bool:
        """Whether it holds keys."""
        return isinstance(self.raw, yaml.MappingNode)

    def is_list(self) -> bool:
        """Whether it is a sequence, in either way of writing it."""
        return isinstance(self.raw, yaml.SequenceNode)

    def is_null(self) -> bool:
        """Whether it is empty, ``~`` or ``null``, without quotes."""
        return isinstance(self.raw, yaml.ScalarNode) and not self.raw.style and self.raw.value in ("", "~", "null")

    def text(self) -> str:
        """The scalar as written; lines, of which a text may have several, become one."""
        if not isinstance(self.raw, yaml.ScalarNode):
            self.fail(f"expected a single value, found {self._kind()}")
        value: str = self.raw.value
        return " ".join(value.split()) if "\n" in value else value

    def one_of(self, known: Collection[str], what: str) -> str:
        """The scalar, which must be one of the known names."""
        if (value := self.text()) not in known:
            self.fail(f"unknown {what} {value!r}{nearest(value, known)}")
        return value

    def number(self) -> float:
        """A float of a size with which one can compute; an integer is one too (``0`` for Adam's beta)."""
        value = self._finite()
        if not sane(value):
            self.fail(
                f"expected 0 or a number between {SMALLEST:g} and {LARGEST:g} in size, found {self.text()[:80]!r}"
            )
        return value

    def integer(self) -> int:
        """A whole number, of a size at which it is told from its neighbours."""
        value = self._finite()
        if abs(value) > LARGEST_WHOLE:
            self.fail(f"expected a whole number of at most {LARGEST_WHOLE:,}, found {self.text()[:80]!r}")
        if value != int(value):
            self.fail(f"expected a whole number, found {self.text()[:80]!r}")
        return int(value)

    def boolean(self) -> bool:
        """``true`` or ``false``."""
        if self.text() not in ("true", "false"):
            self.fail(f"expected true or false, found {self.text()[:80]!r}")
        return self.text() == "true"

    def typed(self, annotation: str) -> Any:
        """The scalar as ``int``, ``float``, ``bool`` or ``str``, by the name of the type; ``… | None`` may be
        ``null``.
        """
        if annotation.endswith(" | None"):
            if self.is_null():
                return None
            annotation = annotation.removesuffix(" | None")
        readers = {"int": self.integer, "float": self.number, "bool": self.boolean, "str": self.text}
        return readers[annotation]() if annotation in readers else self.plain()

    def plain(self) -> Any:
        """The node as YAML itself would read it, lists and mappings included."""
        if self.is_mapping():
            return {key: value.plain() for key, value in self.mapping().items()}
        if self.is_list():
            return [item.plain() for item in self.items()]
        text = self.text()
        if isinstance(self.raw, yaml.ScalarNode) and self.raw.style:
            return text
        if text in ("true", "false"):
            return text == "true"
        if self.is_null():
            return None
        if len(text) <= LONGEST_NUMBER and INTEGER.fullmatch(text):
            return self.integer()
        if len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text):
            return self.number()
        return text

    def _finite(self) -> float:
        try:
            value = float(self.text())
        except ValueError:
            self.fail(f"expected a number, found {self.text()[:80]!r}")
        if value - value != 0:
            self.fail(f"expected a finite number, found {self.text()[:80]!r}")
        return value

    def _kind(self) -> str:
        if isinstance(self.raw, yaml.ScalarNode):
            return repr(self.raw.value[:80])
        return "a list" if self.is_list() else "a mapping"
