"""``ganbench doctor``: what this machine has, and what is missing for what."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from benchmark.data.add import state
from benchmark.data.cards import cards, data_root
from benchmark.metrics import extractors

ROOM_BYTES = 5 * 2**30  # less free disk than this is worth a word


def examine(results: Path) -> Iterator[tuple[str, bool, str]]:
    """(what, is it fine, a sentence) for each thing looked at."""
    for package in ("torch", "ray", "torch-fidelity"):
        try:
            yield package, True, metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, False, f"not installed; run: pip install {package}"
    yield "processors", True, f"{os.cpu_count()} cores"
    yield "gpu", True, _gpu()
    place = results if results.exists() else Path(".")
    free = shutil.disk_usage(place).free
    yield "disk", free > ROOM_BYTES, f"{free / 2**30:.1f} GiB free for {results}"
    writable = os.access(place, os.W_OK)
    yield "results", writable, f"{results.resolve()} is {'' if writable else 'not '}writable"
    yield "data folder", True, f"{data_root()} (GANBENCH_DATA)"
    for name, card in cards().items():
        found = state(card)
        yield f"dataset {name}", found == "ready" or found.startswith("ready: "), found
    for name in extractors.names():
        problem = extractors.missing(name)
        yield f"weights of {name}", problem is None, problem or "here"


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        return "none: runs use the CPU"
    return ", ".join(
        f"{torch.cuda.get_device_name(i)} ({torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB)"
        for i in range(torch.cuda.device_count())
    )
