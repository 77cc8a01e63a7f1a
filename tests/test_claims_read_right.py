"""Claims on the rows, and by the margins, that their sentences are about: verdicts against numbers typed in from the
papers by hand, not read from the suites.
"""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import judged_claims
from benchmark.suite.load import load

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def judged(paper: str) -> dict[str, JudgedClaim]:
    """Every claim of a paper, by the published numbers alone."""
    suite = load(ROOT / f"suites/{paper}.yaml")
    return {c.claim.id: c for c in judged_claims(suite, join(suite, []))}


def counts(claim: JudgedClaim) -> tuple[str, int, int, int]:
    """Verdict, and comparisons for, against and left out."""
    p = claim.published
    return p.name, len(p.supports), len(p.contradicts), len(p.undecided)


def test_sdp_mitigates_collapse_is_about_the_aggressive_settings() -> None:
    claim = judged("sdp")["mitigates-collapse"]
    pairs = {"WGAN-GP-SDP (lr=0.001) 38.55, WGAN-GP (lr=0.001) 116.69", "WGAN-GP-SDP (No Norm) 34.76, WGAN-GP (No Norm) 49.74"}
    assert counts(claim) == ("holds", 2, 0, 0)
    assert set(claim.published.supports) == {f"FID cifar10: {pair}" for pair in pairs}
