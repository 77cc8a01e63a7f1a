"""Noise inside a network: from the run's streams, drawn where the network is."""

from __future__ import annotations

import torch


def generator(rng: torch.Generator, device: torch.device) -> torch.Generator:
    """A generator of ``device`` for one forward pass, seeded with one number of ``rng``, a CPU stream. So a pass takes
    one number of the stream whatever its size, and equal streams give equal images.
    """
    seed = int(torch.randint(2**62, (), generator=rng, device="cpu"))
    return torch.Generator("cpu" if device.type == "meta" else device).manual_seed(seed)
