"""Placing files in the data root: checked while they are written, whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from benchmark.data.cards import FileCard, data_root, folder_of
from benchmark.data.check import check_file
from benchmark.errors import GanbenchError
from benchmark.scratch import clear, scratch

SCRATCH = ".fetch-"
MOST_AT_ONCE = 2**24
MOST_UNPACKED = 2**34


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder on the disk of the data root, where there is room for what is fetched."""
    with contextlib.ExitStack() as stack:
        try:
            data_root().mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(scratch(data_root(), SCRATCH))
        except OSError as error:
            raise GanbenchError(
                f"cannot write to {data_root()} ({error.strerror}); set GANBENCH_DATA to a folder that can be written"
            ) from None
        yield folder


def clear_left(name: str) -> None:
    """Remove what was being fetched for a dataset when a command was killed."""
    for place in {data_root(), folder_of(name)}:
        clear(place, SCRATCH)


def store(name: str, file: FileCard, path: Path) -> None:
    """Check ``path`` and place it in the data root, compressed unless it is an archive or mapped, atomically."""
    as_it_is = file.file.endswith((".gz", ".tgz", ".zip", ".bin"))
    target = folder_of(name) / (file.file if as_it_is else f"{file.file}.gz")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch(target.parent, SCRATCH) as folder:
            temporary = folder / target.name
            with temporary.open("wb") if as_it_is else gzip.open(temporary, "wb", compresslevel=6) as stream:
                check_file(name, file, path, stream.write)
            os.replace(temporary, target)
    except OSError as error:
        raise GanbenchError(
            f"cannot write {target} ({error.strerror}); set GANBENCH_DATA to a folder that can be written, and has room"
        ) from None


def from_tar(archive: Path, pattern: str, file: FileCard, scratch: Path) -> Path:
    """One member of a tar archive, by name, to a path of ours in ``scratch``: no path of the archive reaches the
    disk.
    """
    target = scratch / file.file
    try:
        with _unpacked(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            member = tar_member(tar, pattern.format(file=file.file), str(archive))
            with target.open("wb") as out:
                shutil.copyfileobj(Bounded(member, file.bytes), out)
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


def _unpacked(archive: Path) -> IO[bytes]:
    """The archive, without its compression."""
    with archive.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], Sober(cast(IO[bytes], gzip.open(archive) if packed else archive.open("rb"))))


class Sober:
    """A file that gives little at a time, and has an end: of an archive's own tables tarfile reads as much as they
    say, and it goes past any number of bytes.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """As ``io.RawIOBase.read``; raises tarfile.ReadError where that is more than anybody needs."""
        if not 0 <= size <= MOST_AT_ONCE:
            raise tarfile.ReadError("a table of it says that it has many bytes")
        return self._stream.read(size)

    def seek(self, to: int, whence: int = os.SEEK_SET) -> int:
        """As ``io.RawIOBase.seek``."""
        if not 0 <= to <= MOST_UNPACKED:
            raise tarfile.ReadError(f"it unpacks to more than {MOST_UNPACKED:,} bytes")
        return self._stream.seek(to, whence)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> Sober:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()


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
