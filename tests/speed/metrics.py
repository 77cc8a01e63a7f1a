"""Our metrics against torch-fidelity's on the same images, as ratios in one run.

    python tests/speed/metrics.py [--rounds 3] [--images 2000] [--dimension 2048]

``metrics``  IS, FID and KID of generated images against real ones whose features are kept, against
             ``torch_fidelity.calculate_metrics`` (which extracts both sides), with the same extractor.
``frechet``  the distance from two pairs of moments, against torch-fidelity's ``fid_statistics_to_metric``.

CPU seconds of this process on one thread; one round times both, the ratio is taken round by round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from benchmark.metrics.extract import extract
from benchmark.metrics.extractors import load
from benchmark.metrics.fidelity import fidelity
from benchmark.metrics.frechet import MomentSum, frechet_distance
from benchmark.metrics.measure import measure
from benchmark.recipe import Protocol

PEER = "torch-fidelity, with the same extractor"
SHORT = "--rounds 1 --images 600 --dimension 512"

PROTOCOL = Protocol(
    metrics=("IS", "FID", "KIDx1000"),
    generated=1,
    is_splits=10,
    kid_subsets=10,
    kid_subset_size=500,
    bn_mode="eval",
    weights="raw",
    checkpoint="last",
    std_of="splits",
)


def timed(work: Callable[[], float]) -> tuple[float, float]:
    started = time.process_time()
    value = work()
    return time.process_time() - started, value


def report(name: str, rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> None:
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    ratios = [a[0] / b[0] for a, b in pairs]
    (seconds, value), (their_seconds, their_value) = pairs[-1]
    print(
        f"{name}: {seconds:.2f} s against {their_seconds:.2f} s; ratio median "
        f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}); values differ by "
        f"{abs(value / their_value - 1):.1e} relative"
    )


def whole(rounds: int, count: int) -> None:
    lite = load("efficientnet-lite0")
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.randint(0, 256, (count, 3, 32, 32), generator=rng, dtype=torch.uint8) for _ in range(2))
    base = fidelity("feature_extractor_base").FeatureExtractorBase

    class Peer(base):
        def __init__(self, name, features_list, **kwargs) -> None:
            super().__init__(name, features_list)
            self.module = lite.module

        def forward(self, x):
            f, p = self.module(x)
            return tuple({"f": f, "p": p}[k] for k in self.features_list)

        get_provided_features_list = staticmethod(lambda: ("f", "p"))
        get_default_feature_layer_for_metric = staticmethod(lambda metric: "p" if metric == "isc" else "f")
        can_be_compiled = staticmethod(lambda: False)
        get_dummy_input_for_compile = staticmethod(lambda: None)

    class Images(torch.utils.data.Dataset):
        def __init__(self, x: torch.Tensor) -> None:
            self.x = x

        def __len__(self) -> int:
            return len(self.x)

        def __getitem__(self, i: int) -> torch.Tensor:
            return self.x[i]

    fidelity("registry").register_feature_extractor("peer", Peer)
    settings = dict(
        isc=True,
        fid=True,
        kid=True,
        kid_subsets=10,
        kid_subset_size=500,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
        batch_size=64,
    )
    real = extract(lambda: iter(b.split(64)), lite, None)
    report(
        f"metrics of {count} images",
        rounds,
        lambda: measure(PROTOCOL, extract(lambda: iter(a.split(64)), lite, None), real)["FID"]["value"],
        lambda: fidelity("metrics").calculate_metrics(
            input1=Images(a), input2=Images(b), feature_extractor="peer", **settings
        )["frechet_inception_distance"],
    )


def frechet(rounds: int, d: int) -> None:
    rng = np.random.default_rng(0)
    moments = []
    for decay in (800, 700):
        sums = MomentSum()
        sums.add(rng.normal(size=(2 * d, d)) * np.exp(-np.arange(d) / decay))
        moments.append(sums.moments())
    stats = [{"mu": m.mean, "sigma": m.covariance} for m in moments]
    report(
        f"frechet at {d} dimensions",
        rounds,
        lambda: frechet_distance(*moments),
        lambda: fidelity("metric_fid").fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"],
    )


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--images", type=int, default=2000)
    p.add_argument("--dimension", type=int, default=2048)
    a = p.parse_args()
    torch.set_num_threads(1)
    frechet(a.rounds, a.dimension)
    whole(a.rounds, a.images)


if __name__ == "__main__":
    main()
