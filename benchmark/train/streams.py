"""Separate random streams, so that drawing more from one never changes another."""

from __future__ import annotations

import hashlib

import torch

NAMES = ("noise", "labels", "augment")  # the data order needs no state: see sampler.py


def stream(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator for one purpose of one seed: ``stream(0, "noise")``, ``stream(0, "evaluation", 12)``.

    All draws are made on the CPU and copied, so that a GPU run sees the same noise as a CPU run.
    """
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def noise(count: int, z_dim: int, distribution: str, scale: float, rng: torch.Generator) -> torch.Tensor:
    """(count, z_dim) noises: normal with standard deviation ``scale``, or uniform on [-scale, scale]."""
    if distribution == "normal":
        return torch.randn(count, z_dim, generator=rng).mul_(scale)
    if distribution == "uniform":
        return torch.rand(count, z_dim, generator=rng).mul_(2 * scale).sub_(scale)
    raise ValueError(f"z_distribution must be 'normal' or 'uniform', found {distribution!r}")
