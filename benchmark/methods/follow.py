"""Layers after each convolution of D's residual blocks, for the methods that normalise there (CHAIN, BatchNorm).

Of the blocks described in ``networks/__init__.py``: after conv1, conv2 and the skip's convolution. An identity skip
gets none.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from benchmark.errors import GanbenchError


def follow_convolutions(D: nn.Module, blocks: str, layer: Callable[[int], nn.Module], method: str) -> None:
    """Puts ``layer(channels)`` after them, in place.

    Args:
        blocks: "all", "down" (those that halve the image), or numbers from 1 with commas, in the order of D.
        method: whose layers they are.

    Raises:
        GanbenchError: D has no residual blocks, not those that are asked for, or unknown modules in them.
    """
    for block in _chosen(D, blocks, method):
        for name in ("conv1", "conv2", "skip"):
            conv = getattr(block, name)
            if name == "skip" and (conv is None or isinstance(conv, nn.Identity)):
                continue
            if not isinstance(conv, nn.Conv2d):
                raise GanbenchError(
                    f"{method} follows convolutions, and {name} of D's {type(block).__name__} is {type(conv).__name__}"
                )
            setattr(block, name, nn.Sequential(conv, layer(conv.out_channels)))


def _chosen(D: nn.Module, blocks: str, method: str) -> list[nn.Module]:
    """D's residual blocks that ``blocks`` names: of those that D counts as its blocks, where it does."""
    counted = getattr(D, "blocks", None) or D.modules()
    found = [m for m in counted if all(hasattr(m, name) for name in ("conv1", "conv2", "skip"))]
    if not found:
        raise GanbenchError(f"{method} acts in residual blocks (conv1, conv2, skip), and this network's D has none", 2)
    if blocks in ("all", "down"):
        return [block for block in found if blocks == "all" or block.halve]
    names = [name.strip() for name in blocks.split(",")]
    if unknown := [name for name in names if name not in map(str, range(1, len(found) + 1))]:
        raise GanbenchError(
            f"{method}: blocks is {blocks!r}: {unknown[0]!r} is none of 'all', 'down' and 1 to {len(found)}", 2
        )
    return [found[n] for n in sorted({int(name) - 1 for name in names})]
