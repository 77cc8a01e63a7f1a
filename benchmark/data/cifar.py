"""CIFAR-10 and CIFAR-100 from their Python archives, whose pickles are read by name and may build nothing but
arrays.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from typing import Any

import numpy as np

from benchmark.errors import GanbenchError, sure

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
MOST_BYTES = 200_000_000  # of one member
SIDE = 32


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What an array is built of; raises UnpicklingError for any other name."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a CIFAR file")
        return super().find_class(module, name)


def read(archive: bytes, members: list[str], labels: str, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, 32, 32) uint8 and labels (N,) int64 of the members, in their order.

    Args:
        archive: the .tar.gz.
        labels: the key of the labels: ``labels`` (CIFAR-10) or ``fine_labels`` (CIFAR-100).
        path: its name, for messages.

    Raises:
        GanbenchError: a member is missing, too large, or not what a CIFAR file holds.
    """
    images, found = [], []
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in members:
                info = tar.getmember(member)
                if not info.isfile() or info.size > MOST_BYTES:
                    raise GanbenchError(f"{path}: {member} is not a CIFAR file")
                batch = _ArraysOnly(sure(tar.extractfile(info)), encoding="bytes").load()
                pixels = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, SIDE, SIDE)
                classes = np.asarray(batch[labels.encode()], np.int64)
                if classes.shape != (len(pixels),):
                    raise GanbenchError(f"{path}: {member} has {len(pixels)} images and {classes.size} labels")
                images.append(pixels)
                found.append(classes)
    except GanbenchError:
        raise
    except (
        tarfile.TarError,
        OSError,
        EOFError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        MemoryError,
        OverflowError,
        zlib.error,
        pickle.UnpicklingError,
    ) as error:
        raise GanbenchError(f"{path} is not a CIFAR archive: {error}") from None
    return np.concatenate(images), np.concatenate(found)
