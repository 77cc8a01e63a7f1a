"""What the proxy extractor's numbers can and cannot say, on real images: writes proxy.md and proxy.svg beside this
file.

    GANBENCH_DATA=… python results/metrics/proxy.py

Floor: the FID of real images against other real images, which no generator can beat, by how many there are.
Noise and blur: does the FID rise with them. Missing classes: does it notice that some are gone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from tabulate import tabulate

from benchmark.data.read import read
from benchmark.metrics.extract import Extracted, extract
from benchmark.metrics.extractors import Extractor, load
from benchmark.metrics.frechet import frechet_distance
from benchmark.metrics.precision_recall import precision_recall

SETS = {"cifar10-jpeg": (32, 3), "mnist": (28, 1)}
COUNTS = (250, 500, 1000, 2000, 5000)
N = 2000  # images a side, for everything but the floor
NOISE = (4, 8, 16, 32, 64)  # standard deviation in grey levels
BLUR = (0.4, 0.8, 1.5, 3.0)  # radius in pixels
KEPT = (9, 7, 5, 2, 1)  # classes


def features(pixels: np.ndarray, extractor: Extractor) -> Extracted:
    x = torch.from_numpy(np.ascontiguousarray(pixels))
    return extract(lambda: iter(x.split(250)), extractor, None)


def blurred(pixels: np.ndarray, radius: float) -> np.ndarray:
    pictures = [
        Image.fromarray(p.transpose(1, 2, 0).squeeze()).filter(ImageFilter.GaussianBlur(radius)) for p in pixels
    ]
    return np.stack([np.asarray(p).reshape(p.height, p.width, -1).transpose(2, 0, 1) for p in pictures])


def study(name: str, extractor: Extractor) -> list[tuple[str, object, float, float, float]]:
    """Rows (what, how much, FID, precision, recall)."""
    found = read(name, "train", *SETS[name])
    order = np.random.default_rng(0).permutation(len(found.images))
    images, labels = found.images[order], found.labels[order]
    rows: list[tuple[str, object, float, float, float]] = []

    def add(what: str, how_much: object, a: Extracted, b: Extracted) -> None:
        rows.append((what, how_much, frechet_distance(a.moments, b.moments), *precision_recall(a.features, b.features)))
        print(name, *rows[-1], flush=True)

    for n in COUNTS:
        add(
            "floor: real against other real images, n =",
            n,
            features(images[:n], extractor),
            features(images[n : 2 * n], extractor),
        )
    clean, real = images[:N], features(images[N : 2 * N], extractor)
    rng = np.random.default_rng(1)
    for sigma in NOISE:
        noisy = np.clip(clean + rng.normal(0, sigma, clean.shape), 0, 255).astype(np.uint8)
        add("noise, standard deviation", sigma, features(noisy, extractor), real)
    for radius in BLUR:
        add("blur, radius", radius, features(blurred(clean, radius), extractor), real)
    rest, rest_labels = images[2 * N :], labels[2 * N :]
    for k in KEPT:
        add("classes left of 10", k, features(rest[rest_labels < k][:N], extractor), real)
    return rows


def main() -> None:
    torch.set_num_threads(1)
    extractor = load("efficientnet-lite0")
    here = Path(__file__).parent
    found = {name: study(name, extractor) for name in SETS}
    rows = [
        (what, how, *(f"{v:.{d}f}" for name in SETS for v, d in zip(found[name][i][2:], (1, 3, 3))))
        for i, (what, how, *_) in enumerate(found["mnist"])
    ]
    heads = ["", "", *(f"{name}: {m}" for name in SETS for m in ("FID", "precision", "recall"))]
    table = tabulate(rows, heads, tablefmt="github", disable_numparse=True)
    title = (
        f"# The proxy's numbers on real images\n\nEfficientNet-Lite0 at 64 pixels; {N:,} images a side unless "
        "said. Made by `proxy.py` beside this file, from the training images.\n\n"
    )
    (here / "proxy.md").write_text(f"{title}{table}\n\n{READING}", encoding="utf-8")
    plot(found, here / "proxy.svg")


READING = """## Reading

- **The floor is high and falls with the number of images**: a generator that were perfect would get 361 on CIFAR with 2,000 images a side, 145 with 5,000. A proxy FID means something only beside the floor at the same number, and never beside one at another.
- **It rises with noise and with blur**, at every step on both sets; the slightest blur on CIFAR (radius 0.4) is barely above the floor.
- **It hardly sees that classes are missing**: with half of CIFAR's classes gone it is 410 against a floor of 361, less than faint noise costs, and it does not even rise steadily (7 classes left: 427). Recall falls more clearly (0.72 to 0.66, and 0.37 with one class).
- **Precision alone misleads**: heavily blurred or noisy CIFAR images have a precision above 0.9.
- None of these numbers is on the scale of the papers' FID.
"""


def plot(found: dict[str, list[tuple[str, object, float, float, float]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    kinds = list(dict.fromkeys(what for what, *_ in found["mnist"]))
    with plt.rc_context({"svg.hashsalt": "proxy", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(1, len(kinds), figsize=(3.2 * len(kinds), 2.8), layout="constrained")
        for axis, kind in zip(axes, kinds):
            for name, rows in found.items():
                points = [(how, fid) for what, how, fid, *_ in rows if what == kind]
                axis.plot(*zip(*points), marker=".", label=name)
            axis.set_yscale("log")
            axis.set_xlabel(kind.removesuffix(" n ="), fontsize=8)
            axis.set_ylabel("FID (proxy)", fontsize=8)
        axes[0].set_xscale("log")
        axes[0].legend(fontsize=8)
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
