"""Whether two of our numbers were measured alike: only then does a difference between them say something about the
methods.

A table that copies rows measures each as its own source did: SN-GAN's FID over 5,000 images against the test images,
PGN-GAN's over 50,000 against the training images, which alone is worth several points (``effects.py``). The model that
is sampled (averaged or raw weights, BatchNorm's mode and batches) is the method's own and may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchmark.metrics.names import PROBES
from benchmark.recipe import Protocol
from benchmark.suite.claim import Number
from benchmark.suite.model import Cell

EVERYWHERE = ("features", "input_resize", "quantise", "checkpoint", "best_by")
REAL = ("real_split", "real")
OF_METRIC = {"IS": ("is_splits",), "KIDx1000": (*REAL, "kid_subsets", "kid_subset_size")}

OF_COURSE = ("every_steps", "every_epochs")


def protocol_of(cell: Cell) -> Protocol:
    """As the paper's numbers of a cell and ours are measured, and as often as ours are under its profile."""
    return replace(cell.full_protocol, **{f: getattr(cell.protocol, f) for f in OF_COURSE})


def unlike_numbers(a: Number, b: Number, protocols: Mapping[str, Protocol]) -> str:
    """As ``unlike``, for two numbers of a claim: courses must have been measured as often, seconds are measured by no
    protocol.

    Args:
        protocols: by cell.
    """
    x, y = protocols[a.cell], protocols[b.cell]
    if a.of == "seconds":
        return ""
    often = [f"{f} {_said(p)} / {_said(q)}" for f in OF_COURSE if a.of and (p := getattr(x, f)) != (q := getattr(y, f))]
    return ", ".join(filter(None, (unlike(a.metric, x, y), *often)))


def unlike(metric: str, a: Protocol, b: Protocol) -> str:
    """How the measuring of two numbers differs, "generated 5,000 / 50,000, …"; "" if it does not."""
    fields = [*EVERYWHERE, *OF_METRIC.get(metric, REAL), *(("probe_images",) if metric in PROBES else ())]
    found = [(field, getattr(a, field), getattr(b, field)) for field in fields] + [
        ("generated", _generated(metric, a), _generated(metric, b))
    ]
    return ", ".join(f"{field} {_said(x)} / {_said(y)}" for field, x, y in found if x != y)


def _generated(metric: str, p: Protocol) -> int:
    return p.is_generated or p.generated if metric == "IS" else p.generated


def _said(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
