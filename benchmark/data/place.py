"""Placing files in the data root: checked while they are written, whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from benchmark.data.cards import FileCard, data_root, folder_of
from benchmark.data.check import check_file
from benchmark.errors import GanbenchError
from benchmark.files import let_go


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder on the disk of the data root, where there is room for what is fetched."""
    try:
        data_root().mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=data_root(), prefix=".fetch-")
    except OSError as error:
        raise GanbenchError(
            f"cannot write to {data_root()} ({error.strerror}); set GANBENCH_DATA to a folder that can be written"
        ) from None
    with folder as scratch:
        yield Path(scratch)


def store(name: str, file: FileCard, path: Path) -> None:
    """Check ``path`` and place it in the data root, compressed unless it is an archive or mapped, atomically."""
    as_it_is = file.file.endswith((".gz", ".tgz", ".zip", ".bin"))
    target = folder_of(name) / (file.file if as_it_is else f"{file.file}.gz")
    temporary = target.with_suffix(".tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") if as_it_is else gzip.open(temporary, "wb", compresslevel=6) as stream:
            check_file(name, file, path, stream.write)
        os.replace(temporary, target)
    except OSError as error:
        raise GanbenchError(
            f"cannot write {target} ({error.strerror}); set GANBENCH_DATA to a folder that can be written, and has room"
        ) from None
    finally:
        let_go(temporary)


def from_tar(archive: Path, pattern: str, file: FileCard, scratch: Path) -> Path:
    """One member of a tar archive, by name, to a path of ours in ``scratch``: no path of the archive reaches the
    disk.
    """
    target = scratch / file.file
    try:
        with tarfile.open(archive) as tar:
            member = tar_member(tar, pattern.format(file=file.file), str(archive))
            with target.open("wb") as stream:
                shutil.copyfileobj(Bounded(member, file.bytes), stream)
    except KeyError:
        raise GanbenchError(f"{archive} holds no {pattern.format(file=file.file)}") from None
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise GanbenchError(f"{archive} is damaged ({error}): get it again") from None
    return target


def tar_member(tar: tarfile.TarFile, name: str, archive: str) -> IO[bytes]:
    """The member of that name; raises GanbenchError if it is a link, FIFO or device, KeyError if there is none."""
    info = tar.getmember(name)
    found = tar.extractfile(info) if info.isfile() else None
    if found is None:
        raise GanbenchError(f"{archive}: {name} is not a file")
    return found


class Bounded:
    """A stream that refuses to give more than ``limit`` bytes."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int = -1) -> bytes:
        """As ``io.RawIOBase.read``; raises GanbenchError beyond the limit."""
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise GanbenchError("more bytes than the file has")
        return data
