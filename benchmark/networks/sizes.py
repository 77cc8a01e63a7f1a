"""What every image network asks of its arguments: scaled channel counts, a known resolution, and classes only where
they are used.
"""

from __future__ import annotations

from typing import TypeVar

from benchmark.errors import GanbenchError

Layout = TypeVar("Layout")


def scaled(channels: int, width: float) -> int:
    """A paper's channel count times ``width``, at least 1."""
    return max(1, round(channels * width))


def at_resolution(network: str, layouts: dict[int, Layout], image_shape: tuple[int, int, int]) -> Layout:
    """The layout for square images of ``image_shape`` (C, H, W), by pixels a side.

    Raises:
        GanbenchError: the images are not square, or the network is not defined at their size.
    """
    _, height, width = image_shape
    if height != width or height not in layouts:
        raise GanbenchError(
            f"{network} is not defined for images of {height}x{width} pixels: set resolution to one of "
            f"{', '.join(map(str, layouts))}",
            2,
        )
    return layouts[height]


def unconditional(network: str, classes: int | None) -> None:
    """Raises GanbenchError if there are classes, which this network would silently ignore."""
    if classes is not None:
        raise GanbenchError(
            f"{network} is unconditional, found classes {classes}: leave out 'classes', or take a "
            "class-conditional network",
            2,
        )
