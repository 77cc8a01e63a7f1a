"""The fast texts of JSON values are those of Python's json, letter for letter: keys and checksums of every record hang
on them.
"""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.canonical import canonical_bytes, canonical_text, content_hash, json_text
from tests.conftest import recipe

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-2e-4, 2e-4),
    st.floats(1e15, 1e17),
    st.sampled_from([-0.0, 1e-5, 1e16, 5e-324]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**63, 2**65),
    FLOATS,
    st.text(),
    st.sampled_from(["\x7f", "é", "e+5", "null", "†‡", "\ud800", "1e5"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_hashed_is_the_text_of_pythons_json(value: object) -> None:
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"))
    assert canonical_bytes(value) == expected.encode() and canonical_text(value) == expected


@given(VALUES)
def test_a_line_of_a_record_is_the_text_of_pythons_json(value: object) -> None:
    try:
        expected = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, which UTF-8 has no form for
        with pytest.raises((UnicodeEncodeError, TypeError)):
            json_text(value)
    else:
        assert json_text(value) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_text_says_not_a_number(value: float) -> None:
    for told in (value, [value], {"a": [1, value]}):
        for text in (canonical_bytes, canonical_text, json_text):
            with pytest.raises(ValueError, match="JSON compliant"):
                text(told)


def test_a_recipes_fingerprint_is_its_contents_hash() -> None:
    assert recipe().fingerprint() == content_hash(recipe().to_json()) != recipe(z_dim=11).fingerprint()
