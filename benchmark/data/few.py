"""A few real images of a split, to look at: only as many are decoded, from files that are held against the card."""

from __future__ import annotations

import io

import numpy as np

from benchmark.data.absent import missing
from benchmark.data.cards import Card, card
from benchmark.data.check import read_file
from benchmark.data.image import decode, pixels
from benchmark.data.pictures import from_zip
from benchmark.data.read import STREAMED, read
from benchmark.data.streams import stream
from benchmark.data.subsets import subset_indices
from benchmark.errors import GanbenchError
from benchmark.recipe import Recipe


def few(recipe: Recipe, count: int) -> np.ndarray:
    """At most ``count`` of the images (N, C, H, W) uint8 that a recipe trains on, evenly chosen over their order.

    Raises:
        GanbenchError: a file is missing, truncated, or not the one of the card.
    """
    c = card(recipe.dataset)
    c.check(recipe.split, recipe.resolution, recipe.channels, recipe.resize)
    if problem := missing(recipe.dataset, recipe.split):
        raise GanbenchError(problem)
    if c.reader == "outside":
        raise GanbenchError(f"{c.name} is read by code from outside, which runs for no picture")
    total = c.split(recipe.split)["count"]
    drawn = subset_indices(total, recipe.data_percent, recipe.images, recipe.subset)
    there = np.arange(total) if drawn is None else drawn
    chosen = there[np.linspace(0, len(there) - 1, min(count, len(there))).astype(int)]
    if c.reader in STREAMED:
        picture = stream(c, recipe.split).open()
        found = [pixels(picture(int(i)), *_shape(recipe), f"{c.name} {recipe.split}, image {i}") for i in chosen]
        return np.stack(found)[:, : recipe.channels]
    if c.reader == "folders":
        return _of_zip(c, recipe, chosen)
    whole = read(
        c.name, recipe.split, recipe.resolution, recipe.channels, crop=recipe.crop, resize=recipe.resize
    ).images
    return np.asarray(whole[chosen])


def _of_zip(c: Card, recipe: Recipe, chosen: np.ndarray) -> np.ndarray:
    file = c.files(recipe.split)[0]
    found = from_zip(io.BytesIO(read_file(c.name, file)), file.file)
    names = [f"{file.file}: {found.names[i]}" for i in chosen]
    images = [decode(found.load(int(i)), name) for i, name in zip(chosen, names)]
    return np.stack([pixels(image, *_shape(recipe), name) for image, name in zip(images, names)])


def _shape(recipe: Recipe) -> tuple[int, str | None, str | None]:
    return recipe.resolution, recipe.crop, recipe.resize
