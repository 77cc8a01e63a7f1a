"""Feature extractors, one file each: the file's name with dashes is the name in a protocol.

A file states ``DIMENSION`` (of its features), ``RESIZE`` (to its input, as a protocol names it),
``PROXY`` (whether its numbers are on another scale than the
papers'), ``FLOPS`` (of one image, a multiplication and an addition as two), ``CPU_BATCH`` (images at a time on a CPU),
``PACKAGES`` (whose versions have a say in the features, beyond torch's rounding) and ``build(state)``: a module from
(N, 3, H, W) floats in [0, 255] to features (N, DIMENSION) and logits (N, classes). Its weights are those of its name in
``weights/known.py``. One from outside the package states more, read from its text (``outside/stated.py``).
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmark.canonical import content_hash
from benchmark.catalogue import plugins
from benchmark.errors import GanbenchError, nearest, said
from benchmark.outside.exits import failure
from benchmark.process.installed import installed
from benchmark.weights.known import known
from benchmark.weights.place import missing as missing_weights
from benchmark.weights.read import state

BATCH = 64  # images at a time on a GPU: torch-fidelity's own


@dataclass(frozen=True)
class Extractor:
    """A feature extractor ready for use."""

    name: str
    sha256: str  # of the weights file
    dimension: int
    module: Any  # torch.nn.Module: (N, 3, H, W) floats in [0, 255] -> features, logits
    batch: int = BATCH  # images at a time


def names() -> list[str]:
    """Every extractor that there is a file for."""
    return sorted(p.stem.replace("_", "-") for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def missing(name: str, weights: Path | None = None) -> str | None:
    """Why the extractor cannot be used, and what to do; None if it can. Imports no torch."""
    if weights is not None:
        return None if os.path.isfile(weights) else f"no weights file {weights}"
    return missing_weights(taken) if (taken := weights_name(name)) else None


def load(name: str, weights: Path | None = None, device: str = "cpu") -> Extractor:
    """An extractor with its weights, checked against their hash and read without executing anything in them.

    Raises:
        GanbenchError: there is no such extractor, its weights are absent, or the file is not the one it should be.
    """
    import torch

    if problem := missing(name, weights):
        raise GanbenchError(problem)
    file = _file(name)
    taken = weights_name(name)
    try:
        module = file.build(state(taken, weights) if taken else {}).to(device).eval().requires_grad_(False)
    except (GanbenchError, KeyboardInterrupt):
        raise
    except Exception as error:  # in code of others
        if name in names():
            raise
        raise GanbenchError(f"extractor {name}: build failed: {type(error).__name__}: {said(error)}") from error
    except BaseException as error:
        raise failure(error) from error
    batch = file.CPU_BATCH if torch.device(device).type == "cpu" else BATCH
    return Extractor(name, weights_hash(name), file.DIMENSION, module, batch)


def weights_hash(name: str) -> str:
    """sha256 of the only weights file that the extractor takes; of one from outside, of its code, too."""
    taken = weights_name(name)
    own = known(taken).sha256 if taken else ""
    return own if name in names() else content_hash([name, own])


def weights_name(name: str) -> str | None:
    """What its weights are called in ``weights/known.py``, None where it takes none; raises GanbenchError if there is
    no such extractor.
    """
    file = _file(name)
    if name in names():
        return name
    return name if isinstance(file.WEIGHTS, dict) else file.WEIGHTS


def dimension(name: str) -> int:
    """Of the features."""
    found: int = _file(name).DIMENSION
    return found


def flops(name: str) -> float:
    """Of one image, of convolutions and matrix products."""
    found: float = _file(name).FLOPS
    return found


def packages(name: str) -> dict[str, str]:
    """Version of each package that has a say in the features; "absent" where it is not installed."""
    return {package: installed(package) for package in _file(name).PACKAGES}


def resize(name: str) -> str | None:
    """How the extractor resizes images to its input; None where no word of a protocol says it."""
    found: str | None = _file(name).RESIZE
    return found


def proxy(name: str) -> bool:
    """Whether the extractor's numbers are on another scale than the papers'; one that is not known here counts as
    such.
    """
    return name not in {*names(), *plugins("extractors")} or _file(name).PROXY


def _file(name: str) -> Any:
    """The module; of one from outside what it states, and its build, which imports it."""
    if (outside := plugins("extractors").get(name)) is not None:
        return SimpleNamespace(**outside.states, build=lambda state: outside.load().build(state))
    if name not in names():
        raise GanbenchError(f"no feature extractor {name!r}{nearest(name, names())}", 2)
    return importlib.import_module(f"benchmark.metrics.extractors.{name.replace('-', '_')}")
