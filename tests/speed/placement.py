"""How long a lab waits: makespans of realistic bags, as multiples of the bound that no placement beats.

Bags of 261 cells and 3 seeds; true lengths 1 to 100, log-uniform, or 1 to 3 with 5 % a hundred times as long;
estimates up to twice too long or short. Columns: the worst of the bags in order of submission; longest first on the
fastest free worker; placed by ``benchmark.plan.placement.Placer``, the class that the executor asks; and the largest
ratio of the last to the first in one bag, which must not be above 1. Some two minutes on one core; prints Markdown.

    python -m tests.speed.placement [BAGS]
"""

from __future__ import annotations

import random
import sys

from benchmark.plan.simulate import as_submitted, longest_first, lower_bound, placed
from tests.test_placement import CLUSTERS, bag


def main(bags: int) -> None:
    """The table; exit code 1 if a promise is broken."""
    print("| workers | lengths | as submitted | longest first | placed | placed : as submitted |\n|---|---|---|---|---|---|")
    kept = True
    for cluster, speeds in CLUSTERS.items():
        for giants in (False, True):
            found = [_ratios(speeds, giants, seed) for seed in range(bags)]
            submitted, first, last = (max(column) for column in zip(*found))
            worst = max(p / s for s, _, p in found)
            print(f"| {cluster} | {'giants' if giants else 'log-uniform'} | {submitted:.3f} | {first:.3f} | {last:.3f} | {worst:.3f} |", flush=True)
            kept &= worst <= 1.001 and (giants or len(speeds) > 32 or last <= 1.05)
    sys.exit(not kept)


def _ratios(speeds: list[float], giants: bool, seed: int) -> tuple[float, float, float]:
    lengths, estimates = bag(random.Random(seed), giants)
    bound = lower_bound(lengths, speeds)
    return as_submitted(lengths, speeds) / bound, as_submitted(lengths, speeds, longest_first(estimates)) / bound, placed(lengths, speeds, estimates) / bound


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
