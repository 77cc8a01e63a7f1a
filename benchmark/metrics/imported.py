"""Statistics of real images from anyone: a file is believed only after every check."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.arrays import load_arrays, sizes
from benchmark.errors import GanbenchError
from benchmark.files import open_regular
from benchmark.metrics import extractors, store
from benchmark.metrics.extract import EVERY, Extracted
from benchmark.metrics.frechet import Moments, MomentSum
from benchmark.metrics.real import RealSet

ABOUT = ("set", "images", "extractor", "identity", "digests")
# the most negative eigenvalue of a covariance, as a share of the largest: other software writes single precision
NEGATIVE = 1e-6
CLOSE = 1e-4  # between statistics and the features they come with, as a share of the largest entry


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any], RealSet]:
    """Arrays, what the file says of itself, and the set of images that it names; no pickle is ever opened, and no more
    is read than their statistics can have.
    """
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as archive:
            names = sizes(archive).keys()
        said = load_arrays(path, store.MOST_ABOUT, ["about"])["about"] if "about" in names else None
    except Exception as error:  # zipfile, zlib and numpy have many kinds for what is no archive of plain arrays
        raise _unreadable(path, error) from None
    about = _about(path, set(names), said)
    real = real_set(path, about)
    most = store.most_bytes(real.size, extractors.dimension(about["extractor"]))
    try:
        arrays = load_arrays(path, most, names - {"about"})
    except Exception as error:
        raise _unreadable(path, error) from None
    if odd := [name for name, array in arrays.items() if array.dtype.kind not in "fiu"]:
        raise GanbenchError(f"{path}: values are not floating-point numbers: {', '.join(odd)}")
    if changed := [name for name, array in arrays.items() if about["digests"].get(name) != store.digest(array)]:
        raise GanbenchError(f"{path}: altered or damaged: {', '.join(changed)}")
    return arrays, about, real


def _unreadable(path: Path, error: Exception) -> GanbenchError:
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    return GanbenchError(f"{path} is not a file of plain arrays: {why}")


def _about(path: Path, names: set[str], said: np.ndarray | None) -> dict[str, Any]:
    """What a file that holds arrays of such names says of itself."""
    if said is None:
        has = "has statistics, but " if {"mu", "sigma"} <= names else ""
        raise GanbenchError(
            f"{path} {has}does not say of which images, cut how, by which weights: what ganbench data stats "
            "--export writes is needed"
        )
    try:
        about = json.loads(str(said))
    except (ValueError, RecursionError):  # no JSON, or nested without end
        about = None
    if (
        not isinstance(about, dict)
        or any(key not in about for key in ABOUT)
        or not isinstance(about["identity"], dict)
        or not isinstance(about["digests"], dict)
    ):
        raise GanbenchError(f"{path}: its identity is not complete: {', '.join(ABOUT)} are needed")
    arrays = names - {"about"}
    if unknown := sorted(arrays - {"mu", "sigma", "n", *EVERY}) or sorted({"mu", "sigma", "n"} - arrays):
        raise GanbenchError(
            f"{path} must hold mu, sigma and n, and may hold {' and '.join(EVERY)}: wrong or missing "
            f"{', '.join(unknown)}"
        )
    return about


def real_set(path: Path, about: dict[str, Any]) -> RealSet:
    """The set that the file names, if this ganbench knows the dataset, the split and the extractor."""
    try:
        real = RealSet(**about["set"])
        if (
            any(type(v) is not int for v in (real.resolution, real.channels, real.after))
            or type(real.count) not in (int, type(None))
            or not isinstance(about["extractor"], str)
        ):
            raise TypeError("a field has the wrong type")
        if about["images"] != real.size:
            raise TypeError(f"{about['images']} images, where it names {real.size:,}")
        extractors.weights_hash(about["extractor"])
    except (TypeError, ValueError, KeyError, AttributeError, GanbenchError) as error:
        raise GanbenchError(f"{path}: names no set of images that is known here: {error}") from None
    return real


def statistics(path: Path, arrays: dict[str, np.ndarray], n: int, dimension: int) -> Extracted:
    """The statistics, if they can be those of ``n`` features."""

    def refuse(why: str) -> None:
        """Raises GanbenchError with the file's name before the reason."""
        raise GanbenchError(f"{path}: {why}")

    mu, sigma = arrays["mu"], arrays["sigma"]
    if any(a.dtype not in (np.float64, np.float32) for name, a in arrays.items() if name != "n"):
        refuse("values are not floating-point numbers")
    if mu.shape != (dimension,) or sigma.shape != (dimension, dimension):
        refuse(f"mu {mu.shape} and sigma {sigma.shape} are not of {dimension} dimensions")
    if arrays["n"].shape != () or arrays["n"].dtype.kind not in "iu" or int(arrays["n"]) != n:
        refuse(f"n is {str(arrays['n'])[:40]}, not the {n:,} images of its identity")
    if not all(np.isfinite(a).all() for a in arrays.values()):
        refuse("values are not finite")
    sigma = sigma.astype(np.float64)
    largest = np.abs(sigma).max()
    if np.abs(sigma - sigma.T).max() > CLOSE * largest:
        refuse("sigma is not symmetric")
    sigma = (sigma + sigma.T) / 2
    values = np.linalg.eigvalsh(sigma)
    if values[0] < -NEGATIVE * max(values[-1], 0.0):
        refuse(f"sigma is no covariance: it has an eigenvalue of {values[0]:.3g}")
    held = {}
    for name in (name for name in EVERY if name in arrays):
        if arrays[name].ndim != 2 or len(arrays[name]) != n or arrays[name].dtype != np.float32:
            refuse(
                f"{name} are {arrays[name].dtype} {arrays[name].shape}, not one row of float32 for each of {n:,} images"
            )
        held[name] = torch.from_numpy(arrays[name])
    if "features" in held:
        if held["features"].shape[1] != dimension:
            refuse(f"features are not of {dimension} dimensions")
        sums = MomentSum()
        sums.add(arrays["features"])
        own = sums.moments()
        if (
            np.abs(own.mean - mu).max() > CLOSE * np.abs(mu).max()
            or np.abs(own.covariance - sigma).max() > CLOSE * largest
        ):
            refuse("mu and sigma are not those of its features")
    return Extracted(Moments(n, mu.astype(np.float64), sigma), held.get("features"), held.get("logits"))
