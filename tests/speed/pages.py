"""What huge pages (THP_MEM_ALLOC_ENABLE, which ganbench sets) save on a CPU: seconds with them as ratios to seconds
without.

    python -m tests.speed.pages [--profile reduced] [--rounds 3] [--cells pgn/II/WGAN-GP[ResNet]/cifar10 …]

Torch reads the setting once, so that every timing is a process of its own; one with and one without make a round. Timed
are a training step, and G making a batch of the protocol's ``sample_batch``. CPU seconds of one thread. Where the
kernel's ``transparent_hugepage/enabled`` is "always" or "never", the setting changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PEER = "the same without huge pages"
SHORT = "--rounds 1 --cells gran/2/GraND-GAN/cifar10"

CELLS = (
    "pgn/II/WGAN-GP[ResNet]/cifar10",
    "gran/2/GraND-GAN/cifar10",
    "sdp/I/WGAN-GP-SDP/cifar10",
    "chain/cifar/BigGAN/cifar10@10%",
    "chain/imagenet/BigGAN+CHAIN/imagenet@2.5%",
)
BATCHES = 5  # of images that G makes


def timed(cell_id: str, profile: str) -> tuple[float, float]:
    """CPU seconds of a step, and of a batch of images."""
    import torch

    from benchmark.plan.calibrate import step_seconds
    from benchmark.suite.load import load
    from benchmark.train.gan import Gan

    torch.set_num_threads(1)
    (cell,) = [c for c in load(Path(f"suites/{cell_id.split('/')[0]}.yaml"), profile).cells if c.id == cell_id]
    step = step_seconds({cell_id: cell.recipe}, "cpu", 2.0)[cell_id]
    gan, count = Gan(cell.recipe, 0, total_steps=1), cell.protocol.sample_batch or cell.recipe.batch_g
    z, labels = gan.noise(count), gan.labels(count, torch.Generator())
    taken = []
    with torch.no_grad():
        for _ in range(BATCHES):
            began = time.process_time()
            gan.G(z, labels)
            taken.append(time.process_time() - began)
    return step, statistics.median(taken)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="reduced")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", nargs="+", default=CELLS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.one:
        print(json.dumps(timed(a.one, a.profile)))
        return
    print(
        f"transparent_hugepage: {Path('/sys/kernel/mm/transparent_hugepage/enabled').read_text().strip()}\n\n"
        "| | step | making images |\n|---|---|---|"
    )
    for cell in a.cells:
        rounds = []
        for _ in range(a.rounds):
            without, with_pages = (
                json.loads(
                    subprocess.check_output(
                        [sys.executable, "-m", "tests.speed.pages", "--profile", a.profile, "--one", cell],
                        env=os.environ | {"THP_MEM_ALLOC_ENABLE": on},
                    )
                )
                for on in "01"
            )
            rounds.append([b / w for w, b in zip(without, with_pages)])
        print(
            f"| {cell} | "
            f"{' | '.join(f'{statistics.median(r):.2f} ({min(r):.2f} to {max(r):.2f})' for r in zip(*rounds))} "
            "|",
            flush=True,
        )


if __name__ == "__main__":
    main()
