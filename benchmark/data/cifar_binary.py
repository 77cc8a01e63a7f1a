"""CIFAR-10 and CIFAR-100 from their binary archives: a record is one or two label bytes, then 3 x 32 x 32 bytes of
pixels.
"""

from __future__ import annotations

import io
import tarfile
import zlib

import numpy as np

from benchmark.errors import GanbenchError, sure

PIXELS = 3 * 32 * 32
MOST_BYTES = 200_000_000  # of one member


def read(archive: bytes, members: list[str], label_bytes: int, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, 32, 32) uint8 and labels (N,) int64 of the members, in their order.

    Args:
        archive: the .tar.gz.
        label_bytes: 1 (CIFAR-10) or 2 (CIFAR-100: coarse, then fine, which is the one returned).
        path: its name, for messages.

    Raises:
        GanbenchError: a member is missing, too large, or not a whole number of records.
    """
    images, labels = [], []
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in members:
                info = tar.getmember(member)
                if not info.isfile() or not 0 < info.size <= MOST_BYTES or info.size % (label_bytes + PIXELS):
                    raise GanbenchError(
                        f"{path}: {member} is not a CIFAR file: {info.size:,} bytes are no whole number of records"
                    )
                records = np.frombuffer(sure(tar.extractfile(info)).read(), np.uint8).reshape(-1, label_bytes + PIXELS)
                images.append(records[:, label_bytes:].reshape(-1, 3, 32, 32))
                labels.append(records[:, label_bytes - 1].astype(np.int64))
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError, TypeError, AttributeError, zlib.error) as error:
        raise GanbenchError(f"{path} is not a CIFAR archive: {error}") from None
    return np.concatenate(images), np.concatenate(labels)
