"""What a paper's word for a difference means, as a share of the number that is compared with: one rule for all papers.

No paper tests what it calls significant. Each word's share is chosen, and none was chosen by results: 5 % is the band
within which the suites call two FIDs the same number, so that less is no difference and more is one; ``much`` is half.
"""

from __future__ import annotations

from fractions import Fraction

AT_LEAST = {
    "significantly": Fraction(5, 100),  # "significant", "significantly"
    "much": Fraction(50, 100),  # "much smaller", "substantially larger"
}
"""Better by at least that much."""

AT_MOST = {
    "equally": Fraction(
        5, 100
    ),  # "the same", "equal quality", "almost as good", "little impact", "no clear difference"
    "slightly": Fraction(5, 100),  # "slightly behind", "slightly worse"
    "competitively": Fraction(10, 100),  # "competitive", "comparable", "by a small margin"
    "robustly": Fraction(20, 100),  # "quite robust", "can still be well trained"
}
"""Worse, or different, by at most that much."""

MARGINS = AT_LEAST | {word: -share for word, share in AT_MOST.items()}
"""As ``by:`` takes them: the share by which the one is better at least, negative where it may be worse."""
