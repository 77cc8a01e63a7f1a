"""Huge pages for tensors: asked for by importing ganbench, and no bit depends on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")

SCRIPT = """
import hashlib, json, re
from pathlib import Path
from benchmark.train.gan import Gan
import torch
from benchmark.suite.load import load
from benchmark.train.step import train_step

torch.set_num_threads(1)
(cell,) = [c for c in load(Path("suites/gran.yaml"), "reduced").cells if c.id == "gran/2/GraND-GAN/cifar10"]
gan = Gan(cell.recipe, 0, total_steps=3)
images = torch.rand((cell.recipe.batch_d, 3, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
for _ in range(3):
    train_step(gan, lambda: (images, None))
large = torch.ones(64 * 2**20)
huge = re.search(r"AnonHugePages: *(\\d+) kB", Path("/proc/self/smaps_rollup").read_text())
weights = hashlib.sha256()
for player in (gan.G, gan.D):
    for value in player.state_dict().values():
        weights.update(value.numpy().tobytes())
print(json.dumps([int(huge.group(1)), weights.hexdigest()]))
"""


def trained(**environment: str) -> tuple[int, str]:
    """KiB in huge pages, and a hash of the weights after three steps."""
    plain = {k: v for k, v in os.environ.items() if k != "THP_MEM_ALLOC_ENABLE"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=plain | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    huge, weights = json.loads(done.stdout)
    return huge, weights


@pytest.mark.skipif(
    not ENABLED.exists() or "[madvise]" not in ENABLED.read_text(),
    reason="this kernel gives huge pages to all, or to none",
)
@pytest.mark.slow
def test_tensors_lie_in_huge_pages_unless_told_otherwise_and_train_to_the_same_bits() -> None:
    (without, plain), (with_pages, same) = trained(THP_MEM_ALLOC_ENABLE="0"), trained()
    assert with_pages > 128 * 1024 > without
    assert same == plain
