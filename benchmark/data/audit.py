"""What given images are, bit for bit, before they are measured: how many are equal, and how many are real ones."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmark.data.absent import missing
from benchmark.data.cards import card
from benchmark.data.given import Given
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.pulse import beat
from benchmark.recipe import Recipe

BATCH = 500  # real images at a time
SHOWN = 64


@dataclass
class Audit:
    """Of the first ``count`` images."""

    count: int
    sha256: str  # of all of them, in order
    copies: int  # images that are equal to one before
    shown: np.ndarray  # the first few, (n, C, H, W)
    real: dict[str, int] = field(default_factory=dict)  # split -> images that are in it, as they are or mirrored
    unread: list[str] = field(default_factory=list)  # splits that are not here
    in_order: str = ""  # in which parts are measured of images that come class by class

    @property
    def findings(self) -> list[str]:
        """What speaks against measuring them as samples of a generator; a line each."""
        of = f"of {self.count:,} images"
        found = [f"all {self.count:,} images are equal"] if self.copies == self.count - 1 else []
        found += [f"{self.copies:,} {of} are copies of others, bit for bit"] if self.copies and not found else []
        found += [f"they come class by class, and {self.in_order}: shuffle them first"] if self.in_order else []
        return found + [
            f"{n:,} {of} are {split} images, bit for bit or mirrored" for split, n in self.real.items() if n
        ]


def audit(given: Given, count: int, recipe: Recipe, splits: Iterable[str]) -> Audit:
    """Look at the first ``count`` images, and hold them against the real ones of ``splits``.

    Raises:
        GanbenchError: an image cannot be decoded, or has another size or colour.
    """
    whole, marks, shown = hashlib.sha256(), Counter[bytes](), list[np.ndarray]()
    for batch in first(given, count):
        beat()
        for image in batch:
            data = image.tobytes()
            whole.update(data)
            marks[_mark(data)] += 1
            if len(shown) < SHOWN:
                shown.append(image)
    found = Audit(count, whole.hexdigest(), count - len(marks), np.stack(shown))
    for split in dict.fromkeys(splits):
        if missing(recipe.dataset, split):
            found.unread.append(f"{recipe.dataset} {split}")
        else:
            found.real[f"{recipe.dataset} {split}"] = _real(marks, recipe, split)
    return found


def first(given: Given, count: int) -> Iterator[np.ndarray]:
    """Batches of the first ``count`` images; raises GanbenchError where there are fewer."""
    left = count
    for batch in given.batches():
        yield batch[:left]
        left -= len(batch)
        if left <= 0:
            return
    raise GanbenchError(f"{given.where}: {count - left:,} images, and {count:,} are asked for")


def _real(marks: Counter[bytes], recipe: Recipe, split: str) -> int:
    """How many of the marked images are of the split."""
    card(recipe.dataset).split(split)
    images = read(
        recipe.dataset, split, recipe.resolution, recipe.channels, crop=recipe.crop, resize=recipe.resize
    ).images
    there = set[bytes]()
    for start in range(0, len(images), BATCH):
        beat()
        for image in images[start : start + BATCH]:
            there |= {m for m in (_mark(image.tobytes()), _mark(image[..., ::-1].tobytes())) if m in marks}
    return sum(marks[mark] for mark in there)


def _mark(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
