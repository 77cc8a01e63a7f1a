"""Damaged, enormous and odd files in the place of weights: none is taken but the one whose hash is known."""

import hashlib
import io
import os
import random
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch

from benchmark.errors import GanbenchError
from benchmark.weights import known
from benchmark.weights.place import missing
from benchmark.weights.read import state
from tests.faults.fuzz.damage import damaged, odd_file

NAME = "vgg16"


def prepare(folder: Path) -> bytes:
    """Weights of one layer, which count as VGG's."""
    out = io.BytesIO()
    torch.save(torch.nn.Linear(4, 4).state_dict(), out)
    return out.getvalue()


def case(good: bytes, rng: random.Random, folder: Path) -> str:
    """One file where ``GANBENCH_WEIGHTS`` names it; in a tenth of the cases, a damaged one is what is known."""
    weights, path = known.KNOWN[NAME], folder / known.KNOWN[NAME].file
    content = damaged(good, rng) if rng.random() < 0.9 else good
    if rng.random() < 0.4:
        odd_file(path, rng, content)
    else:
        path.write_bytes(content)
    sha256 = hashlib.sha256(content if rng.random() < 0.1 else good).hexdigest()
    given = rng.choice(
        (str(path), f"{path}:{folder}/nothing", f"{folder}", "\x1b\u202e\n", "~nobody/x", str(path) * 100)
    )
    with (
        patch.dict(known.KNOWN, {NAME: replace(weights, sha256=sha256)}),
        patch.dict(os.environ, {"GANBENCH_WEIGHTS": given, "TORCH_HOME": str(folder)}),
    ):
        try:
            missing(NAME)
            state(NAME, path if rng.random() < 0.3 else None)
        except GanbenchError as error:
            words = str(error).replace(str(folder), "").split()
            return f"refused: {' '.join(w for w in words if w.isalpha())[:40]}"
    return "accepted"
