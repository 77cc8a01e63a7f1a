"""Real images beside generated ones: a grid as large as a record's, of the very images that its run trained on.

They are shown where the dataset is on the machine that makes the report, and is the one that the record names by its
content; a grid is made once and kept in the user's cache folder.
"""

from __future__ import annotations

import base64
import io
from contextlib import suppress

import numpy as np

from benchmark.canonical import content_hash
from benchmark.data.cards import cache_folder, card
from benchmark.data.few import few
from benchmark.errors import GanbenchError
from benchmark.files import read_regular, write_whole
from benchmark.recipe import Recipe
from benchmark.records.record import Record

GRID = 8  # images a side, as in a record's samples
SHAPES = ("dataset", "split", "resolution", "channels", "data_percent", "images", "subset", "crop", "resize")


class RealImages:
    """Grids of real images, each made once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def grid(self, record: Record) -> str:
        """A PNG in base64; "" where the images are not here, or are not those that the record was made from."""
        key = content_hash([record.content, *(getattr(record.recipe, name) for name in SHAPES)])
        if key not in self._known:
            self._known[key] = ""
            with suppress(GanbenchError):  # not here, or damaged: the runs' own commands say so
                self._known[key] = _kept(record.recipe, record.content, key)
        return self._known[key]


def _kept(recipe: Recipe, content: str, key: str) -> str:
    if card(recipe.dataset).content(recipe.split, recipe.resolution, recipe.channels) != content:
        return ""
    path = cache_folder() / "real" / f"{key[:32]}.png"
    with suppress(OSError):
        return base64.b64encode(read_regular(path)).decode()
    drawn = _png(few(recipe, GRID * GRID))
    with suppress(OSError):  # a cache folder that cannot be written costs time, nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, drawn)
    return base64.b64encode(drawn).decode()


def _png(images: np.ndarray) -> bytes:
    """Images (N, C, H, W) row by row; what is left of the last row is black."""
    from PIL import Image

    count, channels, height, width = images.shape
    rows = -(-count // GRID)
    whole = np.zeros((rows * GRID, channels, height, width), np.uint8)
    whole[:count] = images
    grid = whole.reshape(rows, GRID, channels, height, width).transpose(0, 3, 1, 4, 2)
    drawn = io.BytesIO()
    Image.fromarray(
        grid.reshape(rows * height, GRID * width, channels).squeeze(2)
        if channels == 1
        else grid.reshape(rows * height, GRID * width, channels)
    ).save(drawn, "PNG", optimize=True)
    return drawn.getvalue()
