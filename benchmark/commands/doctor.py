"""``ganbench doctor``: what this machine has, and what is missing for what."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from benchmark.data.cards import card, data_root, known_datasets
from benchmark.data.home import cache_folder, full_path
from benchmark.data.verify import state
from benchmark.errors import GanbenchError
from benchmark.weights.known import KNOWN
from benchmark.weights.read import verified

ROOM_BYTES = 5 * 2**30  # less free disk than this is worth a word


def examine(results: Path) -> Iterator[tuple[str, bool, str]]:
    """(what, is it fine, a sentence) for each thing looked at."""
    for package in ("torch", "ray", "torch-fidelity"):
        try:
            yield package, True, metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, False, f"not installed; run: pip install {package}"
    yield "processors", True, f"{os.cpu_count()} cores"
    yield "gpu", True, _gpu()
    place = results if os.path.exists(results) else Path(".")
    free = shutil.disk_usage(place).free
    yield "disk", free > ROOM_BYTES, f"{free / 2**30:.1f} GiB free for {results}"
    writable = os.access(place, os.W_OK)
    yield "results", writable, f"{full_path(results)} is {'' if writable else 'not '}writable"
    yield _folder("data folder", data_root, "GANBENCH_DATA", os.R_OK)
    yield _folder("cache", cache_folder, "GANBENCH_CACHE", os.W_OK)
    for name in known_datasets():
        try:
            if (c := card(name)).part_of:  # there as soon as that one is
                continue
            found = state(c)
        except GanbenchError as error:  # a card of the user's own
            found = str(error)
        yield f"dataset {name}", found == "ready" or found.startswith("ready: "), found
    for name in KNOWN:
        yield f"weights of {name}", *_weights(name)


def _weights(name: str) -> tuple[bool, str]:
    """Whether they are here, and the right ones."""
    try:
        verified(name)
    except GanbenchError as error:
        return False, str(error)
    return True, "here"


def _folder(what: str, find: Callable[[], Path], variable: str, need: int) -> tuple[str, bool, str]:
    """One of the user's folders: what is there of it must be of use; what is not is made, or not needed."""
    try:
        folder = find()
    except GanbenchError as error:
        return what, False, str(error)
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    fine = os.access(there, need | os.X_OK) and there.is_dir()
    return what, fine, f"{folder} ({variable})" + ("" if fine else f": {there} is no folder that this user may use")


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        return "none: runs use the CPU"
    return ", ".join(
        f"{torch.cuda.get_device_name(i)} ({torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB)"
        for i in range(torch.cuda.device_count())
    )
