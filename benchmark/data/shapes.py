"""The embedded dataset: class-structured coloured shapes, deterministic, any size, no download.

A class is a shape (disc, square, triangle, ring, cross) and a hue; position, size, angle and
background vary from image to image. Image i of a split depends on the split, the resolution's
rendering and i alone, so that a smaller count is a prefix of a larger one.
"""

from __future__ import annotations

import colorsys

import numpy as np

VERSION = 1
SPLIT_SEEDS = {"train": 1, "test": 2}
CHUNK = 256  # images of one random stream; a change alters the pixels, so it raises VERSION
BLOCK_PIXELS = 2**18  # pixels rasterised at a time: what stays in the cache


def render(split: str, count: int, classes: int, resolution: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, channels, resolution, resolution) uint8 and labels (count,) int64."""
    images = np.empty((count, channels, resolution, resolution), np.uint8)
    labels = np.arange(count, dtype=np.int64) % classes
    for start in range(0, count, CHUNK):
        stop = min(start + CHUNK, count)
        rng = np.random.default_rng([SPLIT_SEEDS[split], start])
        u = rng.random((CHUNK, 5))
        block = max(1, BLOCK_PIXELS // resolution**2)
        for first in range(start, stop, block):
            last = min(first + block, stop)
            images[first:last] = _draw(
                u[first - start : last - start], labels[first:last], classes, resolution, channels
            )
    return images, labels


def _draw(u: np.ndarray, labels: np.ndarray, classes: int, resolution: int, channels: int) -> np.ndarray:
    """Rasterise n images from ``u`` (n, 5) uniforms: centre x and y, size, angle, background."""
    centre = 0.35 + 0.3 * u[:, :2]
    size = 0.16 + 0.14 * u[:, 2]
    angle = 2 * np.pi * u[:, 3]
    ticks = (np.arange(resolution) + 0.5) / resolution
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    dx, dy = x - centre[:, 0, None, None], y - centre[:, 1, None, None]
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    px, py = (cos * dx + sin * dy) / size[:, None, None], (cos * dy - sin * dx) / size[:, None, None]
    inside = np.empty_like(px)
    for shape, distance in enumerate(_DISTANCES):  # a class's shape is its number modulo five
        chosen = labels % len(_DISTANCES) == shape
        inside[chosen] = distance(px[chosen], py[chosen])
    alpha = np.clip(0.5 - inside * size[:, None, None] * resolution, 0, 1)[:, None]
    colours = np.array([colorsys.hsv_to_rgb(k / classes, 0.85, 0.95) for k in range(classes)])
    front = colours[labels] if channels == 3 else (0.55 + 0.45 * labels / max(classes - 1, 1))[:, None]
    back = 0.08 + 0.22 * u[:, 4:5] * (1 + 0 * front)
    picture = back[:, :, None, None] * (1 - alpha) + front[:, :, None, None] * alpha
    return np.rint(255 * picture).astype(np.uint8)


def _disc(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) - 1


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(abs(x), abs(y)) - 0.85


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(abs(x) * 0.8660254 + y * 0.5, -y) - 0.55


def _ring(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return abs(np.hypot(x, y) - 0.75) - 0.25


def _cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    long, short = np.maximum(abs(x), abs(y)), np.minimum(abs(x), abs(y))
    return np.maximum(long - 1, short - 0.3)


_DISTANCES = (_disc, _square, _triangle, _ring, _cross)
