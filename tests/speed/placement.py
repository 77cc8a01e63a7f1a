"""How long a lab waits: makespans of realistic bags, as multiples of the bound that no placement beats.

Bags of 261 cells and 3 seeds; true lengths 1 to 100, log-uniform, or 1 to 3 with 5 % a hundred times as long;
estimates up to twice too long or short. Columns: the worst of the bags in order of submission; longest first on the
fastest free worker; placed by ``benchmark.plan.placement.Placer``, the class that the executor asks; placed by it with
true lengths for estimates; in how many bags the placed one took longer than that in order of submission, and how much
at most, or how much less at least. Some four minutes on one core; prints Markdown.

What is promised: of log-uniform bags none takes longer than in order of submission, nor over 1.05 times the bound on up
to 32 workers; with giants at most one bag in 20 does, and the worst of the bags and their mean are no longer. That none
ever does cannot be promised: ``test_no_other_order_is_never_longer_than_that_of_submission``.

    python -m tests.speed.placement [BAGS]
"""

from __future__ import annotations

import random
import sys

from benchmark.plan.simulate import as_submitted, longest_first, lower_bound, placed
from tests.test_placement import CLUSTERS, bag

PEER = "runs in order of submission, longest first, and the bound that no placement beats"
SHORT = "1"

SAME = 1.001  # within a thousandth


def main(bags: int) -> None:
    """The table; exit code 1 if a promise is broken."""
    print(
        "| workers | lengths | as submitted | longest first | placed | placed, lengths known | longer than "
        "as submitted | placed : as submitted |"
    )
    print("|---|---|---|---|---|---|---|---|")
    kept = True
    for cluster, speeds in CLUSTERS.items():
        for giants in (False, True):
            columns = list(zip(*(_ratios(speeds, giants, seed) for seed in range(bags))))
            submitted, _, last, _ = columns
            ratios = [p / s for s, p in zip(submitted, last)]
            longer = sum(ratio > SAME for ratio in ratios)
            cells = [
                cluster,
                "giants" if giants else "log-uniform",
                *(f"{max(column):.3f}" for column in columns),
                f"{longer} of {bags}",
                f"{max(ratios):.3f}",
            ]
            print("| " + " | ".join(cells) + " |", flush=True)
            kept &= (
                longer <= (bags / 20 if giants else 0)
                and max(last) <= max(submitted) * SAME
                and sum(ratios) <= bags * SAME
            )
            kept &= giants or len(speeds) > 32 or max(last) <= 1.05
    sys.exit(not kept)


def _ratios(speeds: list[float], giants: bool, seed: int) -> tuple[float, ...]:
    lengths, estimates = bag(random.Random(seed), giants)
    spans = (
        as_submitted(lengths, speeds),
        as_submitted(lengths, speeds, longest_first(estimates)),
        placed(lengths, speeds, estimates),
        placed(lengths, speeds),
    )
    return tuple(span / lower_bound(lengths, speeds) for span in spans)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
