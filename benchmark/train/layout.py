"""How maps and weights lie in memory: channel by channel (contiguous), or pixel by pixel (channels last).

The numbers are the same but for their last bits; the time of a step is not. So a run takes what was measured to be
faster for its network on its device (``results/layout.md``, made by ``python -m tests.speed.layout``). On a CPU, an
EPYC with AVX-512, channels last took a step of every convolutional network, with penalties or without, to 0.75 to 0.99
of its time at the papers' width and 32 images or more, and to 0.56 to 0.93 at an eighth of the width. With a handful of
images arranging the weights weighs more: 0.79 to 1.09 with 8 to 21 at the papers' width, 0.47 to 1.12 in the ci
profile, where two lines of 32 are above 1. An MLP has no maps: 1.00. No GPU was tried.
"""

from __future__ import annotations

AUTO, CHANNELS_LAST, CONTIGUOUS = "auto", "channels-last", "contiguous"
LAYOUTS = (AUTO, CHANNELS_LAST, CONTIGUOUS)

FASTER_LAST = frozenset(
    (
        "autogan",
        "biggan",
        "dcgan",
        "e2gan",
        "fastgan",
        "fregan",
        "gn-cnn",
        "gn-resnet",
        "mimicry-wgan-gp",
        "sngan-cnn",
        "sngan-resnet",
        "stylegan2",
        "wgan-gp-resnet",
    )
)
"""Networks that were measured to be faster with channels last on a CPU; a new one joins them when it is measured."""

RULE = 2
"""Raised when ``auto`` chooses otherwise: what was calibrated before says nothing of steps from then on."""


def is_channels_last(layout: str, network: str, device: str) -> bool:
    """Whether a run's maps and weights lie channels last.

    Args:
        layout: one of ``LAYOUTS``; "auto" is the rule, which always says the same of a network on a device.
        network: its name in suites.
        device: "cpu", or what begins with "cuda".
    """
    if layout == AUTO:
        return device == "cpu" and network in FASTER_LAST
    return layout == CHANNELS_LAST


def in_words(channels_last: bool) -> str:
    """For a person."""
    return "channels last" if channels_last else "contiguous"
