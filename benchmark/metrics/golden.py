"""The golden check: CIFAR-10's own images under the Inception protocol give known numbers, if everything on the way is
right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmark.data.absent import missing
from benchmark.errors import sure
from benchmark.metrics import extractors

if TYPE_CHECKING:  # torch is imported late
    from benchmark.metrics.extract import Extracted

FEATURES = "inception-2015-12-05"
GOLDEN = {
    "IS of the training images": (11.2374, 0.02),
    "FID of the training images against the test images": (3.1508, 0.005),
}
"""What is measured -> (value, how far from it is right). Values: the docstring of CHAIN's evaluator; IS moves with the
order in which the images are split.
"""


def check() -> Iterator[tuple[str, bool, str]]:
    """Each number: name, whether it is right, text. Where weights or data are missing it says so, and is not right."""
    lacking = [p for p in (extractors.missing(FEATURES), missing("cifar10", "train")) if p]
    if lacking:
        for name in GOLDEN:
            yield name, False, f"cannot be checked: {'; '.join(lacking)}"
        return
    from benchmark.metrics.frechet import frechet_distance
    from benchmark.metrics.inception_score import inception_score

    extractor = extractors.load(FEATURES)
    train, test = (_features(extractor, split) for split in ("train", "test"))
    found = {
        "IS of the training images": inception_score(sure(train.logits), 10)[0],
        "FID of the training images against the test images": frechet_distance(train.moments, test.moments),
    }
    for name, value in found.items():
        golden, within = GOLDEN[name]
        yield name, abs(value - golden) <= within, f"{value:.4f}; golden {golden} ± {within}"


def _features(extractor: extractors.Extractor, split: str) -> Extracted:
    import torch

    from benchmark.data.read import read
    from benchmark.metrics.extract import extract

    images = torch.from_numpy(read("cifar10", split, 32, 3).images)
    return extract(lambda: iter(images.split(500)), extractor, None)
