"""Layers after each convolution of D's residual blocks, for the methods that normalise there (CHAIN, BatchNorm).

Of the blocks described in ``networks/__init__.py``: after conv1, conv2 and the skip's convolution. An identity skip, or
none, gets no layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from benchmark.errors import GanbenchError


def follow_convolutions(
    D: nn.Module, blocks: str, layer: Callable[[int], nn.Module], method: str, skips: Sequence[str] = ("skip",)
) -> None:
    """Puts ``layer(channels)`` after them, in place.

    Args:
        blocks: "all", "down" (those that halve the image), or numbers from 1 with commas, in the order of D.
        method: whose layers they are.
        skips: what the blocks may call their skip.

    Raises:
        GanbenchError: D has no residual blocks, not those that are asked for, or unknown modules in them.
    """
    for block in _chosen(D, blocks, method, skips):
        for name in ("conv1", "conv2", next(s for s in skips if hasattr(block, s))):
            conv = getattr(block, name)
            if name in skips and (conv is None or isinstance(conv, nn.Identity)):
                continue
            if not isinstance(conv, nn.Conv2d):
                raise GanbenchError(
                    f"{method} follows convolutions, and {name} of D's {type(block).__name__} is {type(conv).__name__}"
                )
            setattr(block, name, nn.Sequential(conv, layer(conv.out_channels)))


def _chosen(D: nn.Module, blocks: str, method: str, skips: Sequence[str]) -> list[nn.Module]:
    """D's residual blocks that ``blocks`` names: of those that D counts as its blocks, where it does, whatever other
    parts have put around it.
    """
    while not hasattr(D, "blocks") and isinstance(inner := getattr(D, "net", None), nn.Module):
        D = inner
    counted = getattr(D, "blocks", None) or D.modules()
    known = [m for m in counted if hasattr(m, "conv1") and hasattr(m, "conv2")]
    found = [m for m in known if any(hasattr(m, name) for name in skips)]
    if not found:
        raise GanbenchError(f"{method} acts in residual blocks (conv1, conv2, skip), and this network's D has none", 2)
    if blocks == "down" and not all(hasattr(block, "halve") for block in found):
        raise GanbenchError(
            f"{method}: this network's D does not say which of its blocks halve: take 'all' or numbers", 2
        )
    if blocks in ("all", "down"):
        return [block for block in found if blocks == "all" or block.halve]
    names = [name.strip() for name in blocks.split(",")]
    if unknown := [name for name in names if name not in map(str, range(1, len(found) + 1))]:
        raise GanbenchError(
            f"{method}: blocks is {blocks!r}: {unknown[0]!r} is none of 'all', 'down' and 1 to {len(found)}", 2
        )
    return [found[n] for n in sorted({int(name) - 1 for name in names})]
