"""The JSON Schema of what a claim ``holds:``, made of the words of its forms (``claim_keys.py``)."""

from __future__ import annotations

from typing import Any

from benchmark.suite.claim_keys import COMMON, EXTRA, FORMS, NEEDED
from benchmark.suite.model import METRICS
from benchmark.suite.of_a_run import AWAY, OF_A_PAIR, WORDS
from benchmark.suite.words import AT_LEAST, AT_MOST, MARGINS

Schema = dict[str, Any]
REFERENCE = "#/definitions/holds"
PRINTED: Schema = {"type": ["string", "number"]}
NUMBER: Schema = {"type": "number"}
METHODS: Schema = {"anyOf": [PRINTED, {"type": "array", "items": PRINTED}]}
LIMITS: Schema = {"type": "object", "minProperties": 1, "additionalProperties": NUMBER}
PAIRS: Schema = {"type": "object", "minProperties": 1, "additionalProperties": METHODS}
VALUES = {"better": PAIRS, "close": PAIRS, "at-most": LIMITS, "at-least": LIMITS}
KEYS: dict[str, Schema] = {
    "table": PRINTED,
    "metrics": {"type": "array", "items": {"enum": list(METRICS)}},
    "cells": PRINTED,
    "against": PRINTED,
    "top": {"type": "integer", "minimum": 1},
    "among": PRINTED,
    "times": {"type": "object", "additionalProperties": NUMBER},
    "along": {"type": "array", "items": PRINTED},
    "from": NUMBER,
}


def holds_schema() -> Schema:
    """One comparison, a list of which all must hold, or ``{any: […]}`` or ``{most: […]}``."""
    several = {"type": "array", "minItems": 1, "items": {"$ref": REFERENCE}}
    words = [_exactly({word: several}, (word,)) for word in ("any", "most")]
    return {"anyOf": [several, *words, *map(_form, FORMS)]}


def _form(form: str) -> Schema:
    own = {
        "in": _share(["all", "any", "most"]),
        "by": _share(list(AT_LEAST if form == "diverges" else MARGINS)),
        "within": _share(list(AT_MOST)),
        "of": {"enum": [of for of in WORDS if (of != AWAY if form == "better" else of not in OF_A_PAIR)]},
    }
    known = {key: own.get(key) or KEYS[key] for key in (*COMMON, *EXTRA.get(form, ()))}
    return _exactly({form: VALUES.get(form, METHODS), **known}, ("table", form, *NEEDED.get(form, ())))


def _share(words: list[str]) -> Schema:
    return {"anyOf": [{"enum": words}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?\s*%"}]}


def _exactly(properties: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
