"""What a file from outside states of an extractor or a dataset, read from its text: planning and judging import nothing
of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from benchmark.errors import GanbenchError, nearest

ROOMS = ("extractors", "datasets")
EXTRACTOR: dict[str, tuple[Callable[[Any], bool], str]] = {
    "DIMENSION": (lambda v: _whole(v, 100_000), "a whole number: of features"),
    "RESIZE": (lambda v: v in (None, "bilinear", "tf1-bilinear"), '"bilinear", "tf1-bilinear", or None: another'),
    "PROXY": (lambda v: isinstance(v, bool), "True, unless published numbers are on its scale"),
    "FLOPS": (lambda v: type(v) in (int, float) and 0 < v < 1e18, "a number: of one image"),
    "CPU_BATCH": (lambda v: _whole(v, 4_096), "a whole number: images at a time"),
    "PACKAGES": (lambda v: isinstance(v, tuple) and all(isinstance(p, str) for p in v), "a tuple of packages' names"),
    "WEIGHTS": (
        lambda v: v is None or isinstance(v, str) or _file(v),
        'None, a name of \'data list\', or {"file": "its-name.pth", "sha256": "…", "source": "where to get it"}',
    ),
}
DEFAULTS: dict[str, Any] = {"CPU_BATCH": 32, "PACKAGES": (), "WEIGHTS": None}
CARD_NEEDED = ("resolutions", "channels", "classes", "splits")
CARD_KEYS = (*CARD_NEEDED, "title", "size", "licence", "home")
FILES = ("images", "labels", "archive", "more")
SPLIT = re.compile("[a-z0-9][a-z0-9+-]{0,99}")
MOST = 10_000_000


def stated(room: str, text: str) -> dict[str, Any]:
    """What a file states by plain assignments.

    Raises:
        GanbenchError: something is missing, or is not as it must be.
        ValueError: a value is not plain.
    """
    found = _constants(text, (*EXTRACTOR,) if room == "extractors" else ("CARD",))
    if room == "datasets":
        _check_card(found.get("CARD"))
        return found
    for name, (fine, what) in EXTRACTOR.items():
        if name not in found and name not in DEFAULTS:
            raise GanbenchError(f"it states no {name} ({what})", 2)
        if not fine(found.setdefault(name, DEFAULTS.get(name))):
            raise GanbenchError(f"{name} must be {what}", 2)
    return found


def _constants(text: str, names: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for node in ast.parse(text).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id in names:
                found[target.id] = ast.literal_eval(node.value)
    return found


def _check_card(card: Any) -> None:
    """Raises GanbenchError where a card from outside is not as cards are."""
    if not isinstance(card, dict):
        raise GanbenchError(f"it states no CARD = {{…}} with {', '.join(CARD_NEEDED)}", 2)
    for key in card:
        if key not in CARD_KEYS:
            raise GanbenchError(f"CARD has an unknown key {key!r}{nearest(key, CARD_KEYS)}", 2)
    for key in CARD_NEEDED:
        if key not in card:
            raise GanbenchError(f"CARD lacks {key!r}", 2)
    sizes = card["resolutions"]
    faults = {
        "resolutions": not (isinstance(sizes, list) and len(sizes) == 2 and all(_whole(v, 8_192) for v in sizes)),
        "channels": not (isinstance(card["channels"], list) and card["channels"] in ([1], [3], [1, 3])),
        "classes": not _whole(card["classes"], MOST),
        "size": "size" in card and not _whole(card["size"], 8_192),
        "splits": not (isinstance(card["splits"], dict) and card["splits"]),
        **{key: not isinstance(card.get(key, ""), str) for key in ("title", "licence", "home")},
    }
    for key, wrong in faults.items():
        if wrong:
            raise GanbenchError(f"CARD: {key} is {card.get(key)!r:.100}, which is not as cards have it", 2)
    for split, inner in card["splits"].items():
        _check_split(split, inner)


def _check_split(split: Any, inner: Any) -> None:
    if not isinstance(split, str) or not SPLIT.fullmatch(split):
        raise GanbenchError(f"CARD: {split!r:.100} cannot be a split: lower-case letters, digits and dashes", 2)
    if not isinstance(inner, dict) or not _whole(inner.get("count"), MOST):
        raise GanbenchError(f'CARD: split {split} is written {{"count": 1000}}, with its files, if it has any', 2)
    for key, file in inner.items():
        if key == "count":
            continue
        if key not in FILES:
            raise GanbenchError(f"CARD: split {split} has an unknown key {key!r}{nearest(key, ('count', *FILES))}", 2)
        if not (_file(file, ("file", "sha256", "bytes")) and _whole(file["bytes"], 10**12)):
            wanted = '{"file": "its-name.bin", "bytes": 1000, "sha256": "…"}'
            raise GanbenchError(f"CARD: {key} of split {split} must be {wanted}", 2)


def _whole(value: Any, most: int) -> bool:
    return type(value) is int and 1 <= value <= most


def _file(value: Any, keys: tuple[str, ...] = ("file", "sha256", "source")) -> bool:
    """Whether it names one file, by a name that leads nowhere, with its hash."""
    return (
        isinstance(value, dict)
        and value.keys() == {*keys}
        and all(isinstance(value[key], str) for key in keys if key != "bytes")
        and PurePosixPath(value["file"]).name == value["file"] not in ("", "..")
        and "\\" not in value["file"]
        and re.fullmatch("[0-9a-f]{64}", value["sha256"]) is not None
    )
