"""JSON as all of ganbench has it: one text for one value, what is hashed, and what records have on a line."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

import orjson


def content_hash(value: Any) -> str:
    """sha256 (hex) of a JSON value written canonically: sorted keys, no spaces, shortest floats."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def canonical_bytes(value: Any) -> bytes:
    """What ``content_hash`` hashes: the text of Python's json, made by orjson wherever both write the same."""
    try:
        text = orjson.dumps(value, option=_PLAIN)
    except TypeError:  # what only Python's json takes or explains
        return canonical_text(value).encode()
    same = (
        text.isascii()
        and b"\x7f" not in text
        and (isinstance(value, str) or not (b".0000" in text or b"null" in text or _EXPONENT.search(text)))
    )
    return text if same else canonical_text(value).encode()


_PLAIN = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)
_EXPONENT = re.compile(rb"e[-+]?[0-9]")
"""The two differ in the form of numbers with an exponent, in that of numbers below 0.0001, and in NaN, for which orjson
writes null.
"""


def canonical_text(value: Any) -> str:
    """A JSON value with sorted keys, no spaces and shortest floats; raises ValueError on NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def json_text(value: Any) -> bytes:
    """JSON as records have it: on one line, other alphabets as they are, no NaN."""
    kind = type(value)
    if kind is str or value is None:
        return orjson.dumps(value)  # the same, and faster
    if kind is int or (kind is float and math.isfinite(value)):
        return b"%r" % value
    return _ENCODER.encode(value).encode()


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def json_fields(thing: Any) -> dict[str, Any]:
    """A dataclass's fields that are not None, in order, as plain JSON types; nothing in it is shared with ``thing``."""
    return {name: _plain(value) for name in thing.__dataclass_fields__ if (value := getattr(thing, name)) is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
