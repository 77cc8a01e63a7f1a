"""Kept features: one file a set of images, made by one process while others wait, checked when it is read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.arrays import load_arrays
from benchmark.canonical import content_hash
from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.files import let_go, open_lock, take
from benchmark.metrics.extract import EVERY, Extracted
from benchmark.metrics.frechet import Moments
from benchmark.pulse import beat, doing

log = logging.getLogger(__name__)

LOOK_S = 0.1  # seconds between looks at whether another process is done
MOST_ABOUT = 2**22  # bytes of what a file says of itself
MOST_LOGITS = 2048  # of an image
SAY_S = 2.0  # seconds of waiting after which it is said what for


class Interrupted(GanbenchError):
    """Asked to stop while waiting for what another process is making."""

    def __init__(self, what: str) -> None:
        super().__init__(f"stopped while waiting for another process to finish {what}", 130)


def folder() -> Path:
    """Where features are kept."""
    return cache_folder() / "features"


@contextlib.contextmanager
def alone(path: Path, what: str, stopping: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """One process at a time; the lock dies with its holder.

    Args:
        what: is made meanwhile, for messages.
        stopping: asked while another process holds the lock.

    Raises:
        Interrupted: it was to stop, or Ctrl-C came, before the other process was done.
        GanbenchError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open_lock(path.with_suffix(".lock"))
    except OSError as error:
        raise GanbenchError(
            f"cannot keep features in {path.parent} ({error.strerror}); set GANBENCH_CACHE to a folder that "
            "can be written"
        ) from None
    with lock:
        try:
            if not take(lock):
                with doing(f"waiting for {what}"):
                    _wait(lock, what, stopping)
        except KeyboardInterrupt:
            raise Interrupted(what) from None
        yield


def _wait(lock: Any, what: str, stopping: Callable[[], bool]) -> None:
    started, said = time.monotonic(), False
    while not take(lock):
        beat()
        if stopping():
            raise Interrupted(what)
        if not said and time.monotonic() - started > SAY_S:
            log.warning("waiting for another process to finish %s", what)
            said = True
        time.sleep(LOOK_S)


def save(path: Path, e: Extracted, about: dict[str, Any]) -> None:
    """Keep features at ``path``, whose lock is held."""
    put(path, "features", lambda stream: write(stream, e, about))


def put(path: Path, what: str, write_to: Callable[[Any], Any]) -> None:
    """Write atomically, the lock being held; where that fails (a full disk) it is said, and the numbers are right all
    the same.
    """
    temporary = path.with_suffix(
        ".tmp"
    )  # one name: under the lock there is one writer, and what a killed one left is written over
    let_go(temporary)  # opening what is no file might wait for ever
    try:
        with temporary.open("wb") as stream:
            write_to(stream)
        os.replace(temporary, path)
    except OSError as error:
        log.warning("%s: %s could not be kept: %s", path, what, error.strerror or error)
        let_go(temporary)


def write(stream: Any, e: Extracted, about: dict[str, Any]) -> None:
    """``mu`` (D,), ``sigma`` (D, D), ``n`` as others name them, features and logits if there are, and ``about`` with a
    digest of each.
    """
    arrays = {"mu": e.moments.mean, "sigma": e.moments.covariance, "n": np.array(e.n)}
    arrays |= {name: held.numpy() for name in EVERY if (held := getattr(e, name)) is not None}
    digests = {name: digest(array) for name, array in arrays.items()}
    arrays["about"] = np.array(json.dumps({**about, "digests": digests}))
    np.savez(stream, allow_pickle=False, **arrays)


def _usual(arrays: dict[str, np.ndarray], dimension: int) -> bool:
    """Whether they have the types and shapes that ``write`` gives them."""
    shapes = {"mu": (dimension,), "sigma": (dimension, dimension), "n": ()}
    return all(
        array.dtype.kind in ("iu" if name == "n" else "f")
        and array.dtype.isnative
        and (array.shape == shapes[name] if name in shapes else array.ndim == 2)
        for name, array in arrays.items()
    )


def most_bytes(images: int, dimension: int) -> int:
    """Of the arrays of so many images in a file."""
    return 8 * dimension * (dimension + 1) + 4 * images * (dimension + MOST_LOGITS) + MOST_ABOUT


def digest(array: np.ndarray) -> str:
    """sha256 of shape, type and values."""
    found = hashlib.sha256(f"{array.shape}{array.dtype}".encode())
    found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def about_file(path: Path) -> dict[str, Any] | None:
    """What a file says of itself; None if it cannot be read."""
    try:
        about: dict[str, Any] = json.loads(str(load_arrays(path, MOST_ABOUT, ["about"])["about"]))
        return about if isinstance(about, dict) and isinstance(about.get("digests"), dict) else None
    except Exception:  # zipfile, zlib, json and numpy have many kinds for a damaged archive
        return None


def load(path: Path, dimension: int, keep: Collection[str]) -> Extracted | None:
    """The kept features, with (at least) what ``keep`` names; None if they are not there, or not what was written.

    A file is named by the hash of its identity; one that lies under another's name is not believed.
    """
    try:
        about = json.loads(str(load_arrays(path, MOST_ABOUT, ["about"])["about"]))
        digests, named = about["digests"], content_hash(about["identity"]) == path.stem
        arrays = load_arrays(path, most_bytes(about["images"], dimension), ("mu", "sigma", "n", *keep)) if named else {}
    except Exception:  # absent or damaged, in one of many ways: whatever it is, it is made again
        return None
    if (
        not named
        or not isinstance(digests, dict)
        or not _usual(arrays, dimension)
        or any(digests.get(name) != digest(array) for name, array in arrays.items())
    ):
        return None
    held = {name: torch.from_numpy(arrays[name]) if name in arrays else None for name in EVERY}
    return Extracted(Moments(int(arrays["n"]), arrays["mu"], arrays["sigma"]), **held, imported="imported" in about)
