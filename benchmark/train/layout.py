"""How maps and weights lie in memory: channel by channel (contiguous), or pixel by pixel (channels last).

The numbers are the same but for their last bits; the time of a step is not. TODO
"""

from __future__ import annotations

AUTO, CHANNELS_LAST, CONTIGUOUS = "auto", "channels-last", "contiguous"
LAYOUTS = (AUTO, CHANNELS_LAST, CONTIGUOUS)

RULE = 1
"""Raised when ``auto`` chooses otherwise: what was calibrated before says nothing of steps from then on."""


def is_channels_last(layout: str, network: str, device: str) -> bool:
    """Whether a run's maps and weights lie channels last.

    Args:
        layout: one of ``LAYOUTS``; "auto" is the rule, which always says the same of a network on a device.
        device: "cpu", or what begins with "cuda".
    """
    if layout == AUTO:
        return device == "cpu" and network not in ("mlp",)
    return layout == CHANNELS_LAST


def in_words(channels_last: bool) -> str:
    """For a person."""
    return "channels last" if channels_last else "contiguous"
