"""Whether two of our numbers were measured alike: only then does a difference between them say something about the
methods.

A table that copies rows measures each as its own source did: SN-GAN's FID over 5,000 images against the test images,
PGN-GAN's over 50,000 against the training images, which alone is worth several points (``effects.py``). The model that
is sampled (averaged or raw weights, BatchNorm's mode and batches) is the method's own and may differ.
"""

from __future__ import annotations

from typing import Any

from benchmark.recipe import Protocol

EVERYWHERE = ("features", "input_resize", "quantise", "checkpoint", "best_by")
REAL = ("real_split", "real")
OF_METRIC = {"IS": ("is_splits",), "KIDx1000": (*REAL, "kid_subsets", "kid_subset_size")}


def unlike(metric: str, a: Protocol, b: Protocol) -> str:
    """How the measuring of two numbers differs, "generated 5,000 / 50,000, …"; "" if it does not."""
    fields = [*EVERYWHERE, *OF_METRIC.get(metric, REAL)]
    found = [(field, getattr(a, field), getattr(b, field)) for field in fields] + [
        ("generated", _generated(metric, a), _generated(metric, b))
    ]
    return ", ".join(f"{field} {_said(x)} / {_said(y)}" for field, x, y in found if x != y)


def _generated(metric: str, p: Protocol) -> int:
    return p.is_generated or p.generated if metric == "IS" else p.generated


def _said(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
