"""A run on the device from its checkpoint, beside one that nothing disturbed: loop, file and state of ``ganbench run``.

torch is asked for deterministic operations. Where the resumed run has other bits, the undisturbed one is made again: a
device that does not repeat itself cannot be resumed exactly, and then the resumed run may be ``AS_FAR`` times as far
off as that.
"""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from benchmark.data.read import ImageSet
from benchmark.plan.count import under_way
from benchmark.recipe import Protocol, Recipe
from benchmark.train.run import train
from benchmark.train.session import Session
from tests.gpu.machine import release
from tests.gpu.pair import distance, smaller
from tests.gpu.recipes import Entry

CELLS = (
    "theory/2/sigma=sqrt(2)[MLP]/mnist",
    "pgn/II/GN-GAN-CR[CNN]/cifar10",
    "gran/2/NSGAN-SN/cifar10",
    "sdp/I/SN-GAN-SDP/cifar10",
    "pgn/V/aw-SN-GAN/cifar10",
    "chain/cifar/LeCam+DA+CHAIN/cifar10@10%",
    "chain/imagenet/ADA+CHAIN/imagenet@2.5%",
)
"""Every kind of state that a run has: moments, averages, running statistics, adaptive strengths, streams."""
STEPS, IMAGES, AS_FAR = 2, 4, 10.0
PROTOCOL = Protocol(metrics=("V_g",), generated=64, bn_mode="eval", weights="raw", checkpoint="last", std_of="none")


def resume(entry: Entry, device: str) -> dict[str, Any]:
    """Whether the run ends with the same bits; else how far apart they are, and two undisturbed ones."""
    recipe = smaller(entry.recipe, IMAGES, entry.recipe.n_dis, epochs=None, steps=2 * STEPS)
    with tempfile.TemporaryDirectory() as folder, _deterministic():
        undisturbed = _run(recipe, Path(folder) / "undisturbed", device, 2 * STEPS)
        _run(recipe, Path(folder) / "resumed", device, STEPS)
        resumed = _run(recipe, Path(folder) / "resumed", device, 2 * STEPS)
        if len(undisturbed) == len(resumed) and all(map(torch.equal, undisturbed, resumed)):
            return {"state": "ok", "why": "", "bits": "the same"}
        apart = distance(resumed, undisturbed)
        again = distance(_run(recipe, Path(folder) / "again", device, 2 * STEPS), undisturbed)
    release()
    why = "" if apart <= AS_FAR * again else f"resumed {apart:.2g} off; undisturbed again {again:.2g} off"
    return {
        "state": "failed" if why else "ok",
        "why": why,
        "bits": "others",
        "resumed": apart,
        "undisturbed again": again,
    }


def _run(recipe: Recipe, folder: Path, device: str, goal: int) -> list[Tensor]:
    """The state after so many steps, from the folder's checkpoint if there is one; a checkpoint is left."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8 * IMAGES, recipe.channels, recipe.resolution, recipe.resolution), dtype=np.uint8)
    data = ImageSet(images, rng.integers(0, recipe.classes or 1, len(images)), "random", "random")
    session = Session(recipe, PROTOCOL, 0, data, folder, device, channels_last=False)
    if session.gan.step == 0:
        for part in session.gan.parts:
            under_way(part, 0)
    session.segments.append({"from_step": session.gan.step, "to_step": goal})  # who made it: nobody reads it here
    train(session, goal, 1e9, lambda done, todo: False)
    session.save()
    return [leaf.cpu().float() for leaf in tree_leaves(session.gan.state_dict()) if isinstance(leaf, Tensor)]


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # which operations have no such form
            yield
    finally:
        torch.use_deterministic_algorithms(False)
