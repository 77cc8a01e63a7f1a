"""All faults of a suite in one go: what is wrong is left out, and the rest read again."""

from __future__ import annotations

import copy
import re
import time
from pathlib import Path

import yaml

from benchmark.errors import misspelt
from benchmark.suite.file import read
from benchmark.suite.load import NEEDED, load_node
from benchmark.suite.model import METRICS
from benchmark.suite.nodes import Node, SuiteError

MOST, LOOK_S = 50, 20.0  # faults that are looked for, and for how long

PLACE = re.compile(r":(\d+):(\d+): (.*)", re.DOTALL)
TOO_MANY = re.compile(r"[\d,]+ entries, and at most")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LACKS = re.compile(r"\b(needs|lacks|missing|without|there are no|nothing)\b")
"""What an error says where something is not there."""

ABOUT = {
    "resolution": re.compile(r"\bpixels\b"),
    "channels": re.compile(r"\bchannels\b"),
    "metrics": re.compile(r"does not measure it$"),
    "plugins": re.compile(r"^(features is|unknown dataset)"),
}
"""What an error says that is about a key, and does not name it."""

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
    tried = dict[Place, list[yaml.ScalarNode]]()  # what may yet stand where a value was wrong
    doubtful = set[str]()  # keys whose values are ours
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
        follows = (place in tried and _at(entries, place) is not None) or _follows(what, entries, gone, doubtful)
        again = message in found
        if not again and not follows:
            found.append(message)
            tried[place] = _meant(entries, place, what)
            if len(tried[place]) > 1:  # a number that nobody gave
                doubtful |= {_name(entries[-1])} - {*METRICS}
        if TOO_MANY.match(what) or time.monotonic() > until:  # taking one out of many mends nothing
            break
        if len(found) == MOST or not (_replaced(entries, place, tried) or _left_out(raw, entries, gone)):
            break
    return found


def _follows(what: str, entries: list[Entry], gone: dict[str, Place], doubtful: set[str]) -> bool:
    """Whether an error is about something that was left out, or made up, before."""
    what = re.sub(r"; (did you mean|known:) .*", "", what)
    words = set(re.findall(r"[^\s,'\"\]\[]+", what))
    words |= {name for word in words for name in word.split(".")}  # parts.gran.tau
    for name in {*gone, *doubtful}:
        if name in words or f"'{name}'" in what or (name in ABOUT and ABOUT[name].search(what)):
            return True
    if not LACKS.search(what) or not entries:
        return False
    node, i = entries[-1]
    first, last = node.value[i] if isinstance(node, yaml.MappingNode) else (node.value[i], node.value[i])
    start, end = first.start_mark, last.end_mark
    return any((start.line, start.column) <= at < (end.line, end.column) for at in gone.values())


def _meant(entries: list[Entry], place: Place, what: str) -> list[yaml.ScalarNode]:
    """What may stand in the place of a wrong word or number, the likeliest first; none where nothing is plain."""
    if (scalar := _at(entries, place)) is None:
        return []
    if meant := re.search(r"did you mean '([^']+)'\?$", what):
        suite, slash, name = scalar.value.rpartition("/")  # of base/recipe, the second half can be what is wrong
        word = f"{suite}/{meant[1]}" if slash and f"{name!r};" in what else meant[1]
        return [_scalar("str", word)] if misspelt(scalar.value, [word]) else []
    if what.startswith("expected true or false"):
        return [_scalar("bool", "true")]
    if re.search(r"^(expected an? (whole )?number|.* must be positive)", what):
        return [_scalar("float", number) for number in (*NUMBER.findall(scalar.value)[:1], "1", "0.5")]
    return []


def _replaced(entries: list[Entry], place: Place, tried: dict[Place, list[yaml.ScalarNode]]) -> bool:
    """Put the next of what may stand in its place there; whether there is one."""
    if not tried.get(place) or (scalar := _at(entries, place)) is None:
        return False
    new = tried[place].pop(0)
    scalar.value, scalar.tag, scalar.style = new.value, new.tag, None
    return True


def _at(entries: list[Entry], place: Place) -> yaml.ScalarNode | None:
    """The key, value or item that begins in a place."""
    node, i = entries[-1] if entries else (None, 0)
    for scalar in () if node is None else node.value[i] if isinstance(node, yaml.MappingNode) else [node.value[i]]:
        mark = scalar.start_mark
        if isinstance(scalar, yaml.ScalarNode) and (mark.line, mark.column) == place:
            return scalar
    return None


def _scalar(kind: str, value: str) -> yaml.ScalarNode:
    return yaml.ScalarNode(f"tag:yaml.org,2002:{kind}", value)


def _is_base(entries: list[Entry]) -> bool:
    """Whether it is the recipe that another inherits from."""
    return len(entries) == 3 and [_name(entries[0]), _name(entries[2])] == ["recipes", "from"]


def _left_out(raw: yaml.Node, entries: list[Entry], gone: dict[str, Place]) -> bool:
    """Take the entry of an error out of the tree; whether there is one that can be done without. A recipe whose base is
    wrong goes as a whole: what it lacks, or has too much, nobody can say.
    """
    entries = entries[:2] if _is_base(entries) else entries
    for depth, (node, i) in reversed(list(enumerate(entries))):
        name, mark = _name((node, i)), _first((node, i)).start_mark
        if node is raw and name in (*NEEDED, "suite", "include"):
            return False
        item = depth > 0 and isinstance(entries[depth - 1][0], yaml.SequenceNode)
        if len(node.value) > 1 or (isinstance(node, yaml.MappingNode) and not item):
            gone[name.rstrip("+-")] = (mark.line, mark.column)
            if depth > 0 and _name(entries[depth - 1]) == "metrics":
                gone["metrics"] = (mark.line, mark.column)
            del node.value[i]
            return True
    return False


def _name(entry: Entry) -> str:
    """What errors call an entry: its key; of a list a word, or the first key of what it holds."""
    first = _first(entry)
    if isinstance(first, yaml.MappingNode) and first.value:
        first = first.value[0][0]
    return (
        str(first.value) if isinstance(first, yaml.ScalarNode) else f"entry {entry[1]} of line {first.start_mark.line}"
    )


def _first(entry: Entry) -> yaml.Node:
    """A key, or an item."""
    node, i = entry
    found: yaml.Node = node.value[i][0] if isinstance(node, yaml.MappingNode) else node.value[i]
    return found


def _path(node: yaml.Node, place: Place) -> list[Entry]:
    """The entries, from the outside in, in which a place lies; the last is the one that begins there."""
    found: list[Entry] = []
    inner: yaml.Node | None = node
    while inner is not None:
        node, inner = inner, None
        for i, entry in enumerate(node.value if isinstance(node, yaml.CollectionNode) else []):
            first, last = entry if isinstance(entry, tuple) else (entry, entry)
            start, end, value = first.start_mark, last.end_mark, last.start_mark
            if (start.line, start.column) <= place < (end.line, end.column) or (value.line, value.column) == place:
                found.append((node, i))
                inner = last if (value.line, value.column) < place else None
                break
    return found
