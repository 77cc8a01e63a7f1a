"""What a run and its evaluation are called: hashes of what they compute."""

from __future__ import annotations

import hashlib
from typing import Any

from benchmark.canonical import canonical_text, content_hash
from benchmark.recipe import Protocol, Recipe


def run_key(recipe: Recipe, content: str, subset: str, seed: int, versions: dict[str, Any]) -> str:
    """A run is what it computes: 16 hex digits of the sha256 over recipe, data, seed and algorithm versions."""
    # as content_hash of these five would be: keys in order, with the recipe's text made once for all its seeds
    text = (
        f'{{"content":{canonical_text(content)},"recipe":{recipe.canonical},"seed":{canonical_text(seed)},'
        f'"subset":{canonical_text(subset)},"versions":{canonical_text(versions)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def evaluation_key(run: str, protocol: Protocol, measure_version: int, real: str | None) -> str:
    """16 hex digits that stand for a run measured under a protocol by one version of the measuring code.

    Args:
        real: sha256 of the real images that it is compared with; None where the metrics need none.
    """
    return content_hash([run, protocol.fingerprint(), measure_version, *([real] if real else [])])[:16]
