"""The file of a suite: read as untrusted, whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from benchmark.errors import plain
from benchmark.files import open_regular
from benchmark.suite.nodes import LONGEST_TEXT, MAX_BYTES, MAX_DEPTH, MOST_VALUES, STEERS, Loader, Node, SuiteError


def read(path: Path, what: str = "suite") -> Node:
    """The root node of a YAML file; ``what`` it should be, for messages.

    Raises:
        SuiteError: unreadable, too large, not YAML, empty, or it uses an anchor or a tag.
    """
    name = plain(str(path))
    try:
        with open_regular(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SuiteError(f"{name}: cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise SuiteError(f"{name}: larger than {MAX_BYTES:,} bytes: not a {what}")
    try:
        text = data.decode("utf-8")
        _check(name, text, what)
        root = yaml.compose(text, Loader)
    except UnicodeDecodeError as error:
        raise SuiteError(f"{name}: not UTF-8 text (byte {error.start})") from None
    except yaml.YAMLError as error:
        if isinstance(error, yaml.reader.ReaderError):
            before = text[: error.position]
            place = f"{name}:{before.count(chr(10)) + 1}:{error.position - before.rfind(chr(10))}"
            raise SuiteError(f"{place}: the character {chr(error.character)!r} has no place in a suite") from None
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise SuiteError(f"{place}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    if root is None:
        raise SuiteError(f"{name}: empty")
    return Node(root, name)


def _at(name: str, event: yaml.Event) -> str:
    mark: Any = event.start_mark
    return f"{name}:{mark.line + 1}:{mark.column + 1}"


def _check(name: str, text: str, what: str) -> None:
    """Raises SuiteError for what no suite needs, before anything is built of it."""
    depth = 0
    for n, event in enumerate(yaml.parse(text, Loader)):
        if n > MOST_VALUES:
            raise SuiteError(f"{_at(name, event)}: more than {MOST_VALUES:,} values: not a {what}")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise SuiteError(f"{_at(name, event)}: nested more than {MAX_DEPTH} deep: not a {what}")
        if (size := len(getattr(event, "value", ""))) > LONGEST_TEXT:
            raise SuiteError(f"{_at(name, event)}: a text of {size:,} characters: at most {LONGEST_TEXT:,} are read")
        if steers := STEERS.search(getattr(event, "value", "")):
            raise SuiteError(f"{_at(name, event)}: the character {steers[0]!r} has no place in a {what}")
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor or tag:
            found = f"anchors and aliases ({anchor!r})" if anchor else f"tags ({tag!r})"
            instead = "; use 'from:'" if what == "suite" else ""
            raise SuiteError(f"{_at(name, event)}: {found} are not used in {what}s{instead}")
