"""All faults of a suite in one go: what is wrong is left out, and the rest read again."""

from __future__ import annotations

import copy
import re
import time
from pathlib import Path

import yaml

from benchmark.suite.file import read
from benchmark.suite.load import NEEDED, load_node
from benchmark.suite.nodes import Node, SuiteError

MOST, LOOK_S = 50, 20.0  # faults that are looked for, and for how long

PLACE = re.compile(r":(\d+):(\d+): (.*)", re.DOTALL)
TOO_MANY = re.compile(r"[\d,]+ entries, and at most")
LACKS = re.compile(r"\b(needs|lacks|missing|without|there are no|nothing)\b")
"""What an error says where something is not there."""

Entry = tuple[yaml.Node, int]
"""A mapping or sequence, and which of its entries."""
Place = tuple[int, int]
"""Line and column, from 0."""


def faults(path: Path) -> list[str]:
    """Each as ``file:line:column: what is wrong``, in the order in which they are met; none if the suite loads.

    What was meant, where that is plain, takes the place of a fault; else it is left out, and what follows from that is
    no fault of its own.
    """
    try:
        root = read(path)
    except SuiteError as error:
        return [str(error)]
    raw, found, gone = copy.deepcopy(root.raw), list[str](), dict[str, Place]()
    until = time.monotonic() + LOOK_S
    for _ in range(2 * MOST):
        try:
            load_node(Node(raw, root.file), path)
            break
        except SuiteError as error:
            message = str(error)
        where = PLACE.match(message.removeprefix(root.file))
        if where is None:
            return list(dict.fromkeys([*found, message]))
        place, what = (int(where[1]) - 1, int(where[2]) - 1), where[3]
        entries = _path(raw, place)
        again = message in found
        if not again and not _follows(what, entries, gone):
            found.append(message)
        if TOO_MANY.match(what) or time.monotonic() > until:  # taking one out of many mends nothing
            break
        if len(found) == MOST or not ((not again and _mended(entries, place, what)) or _left_out(raw, entries, gone)):
            break
    return found


def _follows(what: str, entries: list[Entry], gone: dict[str, Place]) -> bool:
    """Whether an error is about something that was left out before."""
    words = set(re.findall(r"[^\s,'\"\]\[]+", what))
    if any(name in words or f"'{name}'" in what for name in gone):
        return True
    if not LACKS.search(what) or not entries:
        return False
    node, i = entries[-1]
    first, last = node.value[i] if isinstance(node, yaml.MappingNode) else (node.value[i], node.value[i])
    start, end = first.start_mark, last.end_mark
    return any((start.line, start.column) <= at < (end.line, end.column) for at in gone.values())


def _mended(entries: list[Entry], place: Place, what: str) -> bool:
    """Put what was meant in the place of a word or number that is wrong; whether that is plain."""
    meant = re.search(r"did you mean '([^']+)'\?$", what)
    number = re.search(r"^(expected an? (whole )?number|.* must be positive)", what)
    if not entries or not (meant or number):
        return False
    node, i = entries[-1]
    for scalar in node.value[i] if isinstance(node, yaml.MappingNode) else [node.value[i]]:
        mark = scalar.start_mark
        if isinstance(scalar, yaml.ScalarNode) and (mark.line, mark.column) == place:
            scalar.value = _meant(scalar.value, meant[1], what) if meant else "1"
            scalar.tag = f"tag:yaml.org,2002:{'str' if meant else 'int'}"
            return True
    return False


def _meant(word: str, meant: str, what: str) -> str:
    """The word with what was meant in it: of ``base/recipe`` that can be the second half."""
    suite, slash, name = word.rpartition("/")
    return f"{suite}/{meant}" if slash and f"{name!r};" in what else meant


def _left_out(raw: yaml.Node, entries: list[Entry], gone: dict[str, Place]) -> bool:
    """Take the entry of an error out of the tree; whether there is one that can be done without."""
    for node, i in reversed(entries):
        key = node.value[i][0] if isinstance(node, yaml.MappingNode) else node.value[i]
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else f"entry {i} of line {key.start_mark.line}"
        if node is raw and name in (*NEEDED, "suite", "include"):
            return False
        if isinstance(node, yaml.MappingNode) or len(node.value) > 1:
            gone[name] = (key.start_mark.line, key.start_mark.column)
            del node.value[i]
            return True
    return False


def _path(node: yaml.Node, place: Place) -> list[Entry]:
    """The entries, from the outside in, in which a place lies; the last is the one that begins there."""
    found: list[Entry] = []
    inner: yaml.Node | None = node
    while inner is not None:
        node, inner = inner, None
        for i, entry in enumerate(node.value if isinstance(node, yaml.CollectionNode) else []):
            first, last = entry if isinstance(entry, tuple) else (entry, entry)
            start, end, value = first.start_mark, last.end_mark, last.start_mark
            if (start.line, start.column) <= place < (end.line, end.column):
                found.append((node, i))
                inner = last if (value.line, value.column) < place else None
                break
    return found
