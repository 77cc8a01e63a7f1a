"""The JSON Schema of suite files, made of the loader's own fields: for editors, which complete and check as one writes.

The loader says more: what one field asks of another, and what only the whole of a suite shows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from benchmark.metrics.names import BETTER
from benchmark.suite.claim_schema import REFERENCE, holds_schema
from benchmark.suite.claims import CLAIM_KEYS
from benchmark.suite.draft import COORDINATES
from benchmark.suite.fields import CHOICES, POSITIVE, PROTOCOL_TYPES, RECIPE_TYPES
from benchmark.suite.kinds import KINDS
from benchmark.suite.load import INCLUDE_KEYS, NAME, NEEDED, PAPER_KEYS, TOP_KEYS
from benchmark.suite.model import METRICS
from benchmark.suite.more_parts import ADDED, REMOVED
from benchmark.suite.profiles import PROFILE_KEYS
from benchmark.suite.recipes import SOURCES
from benchmark.suite.rows import ROW_KEYS, TABLE_KEYS
from benchmark.suite.tolerances import ALIVE_KEYS, TOLERANCE_KEYS, TOLERANCE_NEEDED

Schema = dict[str, Any]
ANY: Schema = {}
TEXT: Schema = {"type": "string"}
PRINTED: Schema = {"type": ["string", "number"]}
NUMBER: Schema = {"type": "number"}
NOTES: Schema = {"type": "object"}
NAMED: Schema = {"type": ["string", "object"]}
SCALARS = {"int": "integer", "float": "number", "str": "string", "bool": "boolean"}


def suite_schema() -> Schema:
    """Of a paper's suite, or of a selection from others."""
    top = _object(TOP_KEYS, ("suite",), _top())
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "ganbench suite",
        **top,
        "definitions": {"holds": holds_schema()},
        "if": {"required": ["include"]},
        "else": {"required": list(NEEDED)},
    }


def _top() -> dict[str, Schema]:
    recipe, protocol, of_profile = _recipe(), _protocol(_sources()), _protocol(_sources(SOURCES[:2]))
    on = {"on": {"type": "object", "additionalProperties": _fields(RECIPE_TYPES, _changes())}}
    profile = {"from": TEXT, "recipe": _fields(RECIPE_TYPES, {**on, **_changes()}), "protocol": of_profile}
    band = {"relative": NUMBER, "source": TEXT, "absolute": NUMBER, "absolute_source": TEXT}
    tolerance = _object(TOLERANCE_KEYS, TOLERANCE_NEEDED, band)
    alive = _object(ALIVE_KEYS, ALIVE_KEYS, {"least": NUMBER, "source": TEXT})
    paper = {"title": TEXT, "venue": TEXT, "notes": _list(TEXT)}
    claim = {"id": PRINTED, "quote": TEXT, "where": PRINTED, "holds": {"$ref": REFERENCE}, "note": TEXT}
    return {
        "suite": {"type": "string", "pattern": f"^{NAME.pattern}$"},
        "paper": _object(PAPER_KEYS, ("title", "venue"), paper),
        "protocol": protocol,
        "recipes": {"type": "object", "additionalProperties": recipe},
        "profiles": {"type": "object", "additionalProperties": _object(PROFILE_KEYS, (), profile)},
        "tables": {"type": "object", "minProperties": 1, "additionalProperties": _table(protocol)},
        "claims": _list(_object(CLAIM_KEYS, ("id", "quote", "where", "holds"), claim)),
        "tolerance": _object(METRICS, (), dict.fromkeys(METRICS, tolerance)),
        "alive": _object(METRICS, (), dict.fromkeys(METRICS, alive)),
        "include": _list(_object(INCLUDE_KEYS, ("suite",), {"suite": TEXT, "profile": TEXT, "only": TEXT})),
        "plugins": {"anyOf": [TEXT, _list(TEXT)]},
    }


def _recipe() -> Schema:
    block = _fields(RECIPE_TYPES, {**_sources(), **_changes()})
    on = {"type": "object", "additionalProperties": block}
    return _fields(RECIPE_TYPES, {**_sources(), **_changes(), "from": TEXT, "on": on})


def _sources(keys: Iterable[str] = SOURCES) -> dict[str, Schema]:
    kinds = _object(KINDS, (), dict.fromkeys(KINDS, _list(TEXT)))
    return {key: kinds if key == "kinds" else NOTES for key in keys}


def _protocol(sources: dict[str, Schema]) -> Schema:
    on = {"type": "object", "additionalProperties": _fields(PROTOCOL_TYPES, sources)}
    return _fields(PROTOCOL_TYPES, {**sources, "on": on})


def _table(protocol: Schema) -> Schema:
    row = {
        "type": "object",
        "properties": {key: protocol if key == "protocol" else ANY for key in (*METRICS, *ROW_KEYS)},
        "additionalProperties": False,
    }
    rows = {"type": "object", "additionalProperties": row}
    column = _object((*COORDINATES, "protocol"), (), {"protocol": protocol})
    known = {
        "caption": TEXT,
        "metrics": _object(
            METRICS, (), {key: {"enum": [BETTER[key]] if key in BETTER else ["lower", "higher"]} for key in METRICS}
        ),
        "columns": _list(column),
        "unranked": _list({"enum": list(METRICS)}),
        "protocol": protocol,
        "rows": rows,
        "transposed": {"type": "boolean"},
        "by_metric": {"type": "boolean"},
        "std_of": {"enum": list(CHOICES["std_of"])},
    }
    return _object(TABLE_KEYS, ("caption", "metrics"), known)


def _fields(types: dict[str, str], more: dict[str, Schema]) -> Schema:
    return _object((*types, *more), (), {key: _field(key, annotation) for key, annotation in types.items()} | more)


def _changes() -> dict[str, Schema]:
    return {ADDED: _list(NAMED), REMOVED: _list(TEXT)}


def _field(key: str, annotation: str) -> Schema:
    """As ``fields.scalar`` takes it; null takes an optional mechanism out."""
    plain = annotation.removesuffix(" | None")
    if key in ("network", "loss"):
        return NAMED
    if key == "parts":
        return {"anyOf": [_list(NAMED), {"type": "object"}]}
    if key == "metrics":
        return _list({"enum": list(METRICS)})
    optional = plain != annotation
    if key == "features":  # or one from outside
        return {"type": ["string", "null"], "examples": list(CHOICES[key])}
    if key in CHOICES:
        return {"enum": [*CHOICES[key], *([None] if optional else [])]}
    kind = SCALARS[plain]
    found: Schema = {"type": [kind, "null"] if optional else kind}
    return found | ({"exclusiveMinimum": 0} if key in POSITIVE else {})


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _object(keys: Iterable[str], required: Collection[str], known: dict[str, Schema]) -> Schema:
    found: Schema = {"type": "object", "properties": {key: known.get(key, ANY) for key in keys}}
    return found | {"additionalProperties": False} | ({"required": list(required)} if required else {})
