"""Encoded images where they lie (a folder, a zip archive, an LMDB database), listed in a fixed order and read one at a
time.
"""

from __future__ import annotations

import fnmatch
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from benchmark.data.image import MOST_BYTES, SUFFIXES
from benchmark.errors import GanbenchError, plain
from benchmark.files import kind, open_regular

JUNK = (".DS_Store", "._*", "Thumbs.db", "desktop.ini", ".directory", ".gitkeep", "ganbench-*")
"""Files that systems (and this program) leave in folders; they are passed over."""
JUNK_FOLDERS = ("__MACOSX", "@eaDir", ".ipynb_checkpoints")
MOST_FILES = 10_000_000
OTHER_METHODS = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma"}
DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, MemoryError, struct.error)
"""What zipfile raises for archives that are damaged, encrypted or packed in an unknown way."""


@dataclass(frozen=True)
class Pictures:
    """Encoded images by number: ``names`` in their order, ``load(i)`` the bytes of image i, ``text(name)`` a small file
    beside them.
    """

    where: str  # for messages
    names: Sequence[str]
    load: Callable[[int], bytes]
    form: str  # "folder", "zip" or "lmdb"
    text: Callable[[str], str] | None = None
    at: str = ""  # the folder that they are in, of a "folder"

    def arranged(self, order: Sequence[int]) -> Pictures:
        """The same in another order."""
        load, order = self.load, [int(i) for i in order]
        return Pictures(
            self.where, [self.names[i] for i in order], lambda k: load(order[k]), self.form, self.text, self.at
        )


def from_folder(folder: Path, skip: Iterable[str] = ()) -> Pictures:
    """Every image below ``folder``, by relative name.

    Args:
        skip: patterns of names of other files that belong to the dataset's distribution.

    Raises:
        GanbenchError: a file is neither an image nor known junk, or it cannot be read.
    """
    names: list[str] = []
    seen: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True, onerror=_unreadable):
        if root.lower().endswith(SUFFIXES) and not (folders or files):
            raise GanbenchError(f"{plain(root)} is an empty folder, not an image: take it away")
        real = os.path.realpath(root)
        if real in seen:  # a link to a folder above it
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [f for f in folders if f not in JUNK_FOLDERS]
        inner = os.path.relpath(root, folder).replace(os.sep, "/")
        names += [name if inner == "." else f"{inner}/{name}" for name in files]
    where = plain(str(folder))
    images = _images_only(names, where, skip)
    return Pictures(
        where,
        images,
        lambda i: _file(folder / images[i]),
        "folder",
        lambda name: _file(folder / name).decode("utf-8", "replace"),
        str(folder),
    )


def from_zip(archive: BinaryIO | Path, path: str, skip: Iterable[str] = (), under: str = "") -> Pictures:
    """Every image of a zip archive below its folder ``under``, by its name from there; nothing is unpacked.

    Args:
        path: the archive's name, for messages.
        skip: as in ``from_folder``.

    Raises:
        GanbenchError: it is no zip archive, a name climbs out or comes twice, a member is too large, or is neither an
            image nor known junk.
    """
    path = plain(path)
    try:
        zipped = zipfile.ZipFile(open_regular(archive) if isinstance(archive, Path) else archive)
        files = [i for i in zipped.infolist() if not i.filename.endswith("/")]
        infos = {i.filename: i for i in files}
        if len(infos) < len(files):
            raise GanbenchError(f"{path} holds two files of one name: it is not an archive to be trusted")
        if sum(i.compress_size for i in infos.values()) > _size(archive):
            raise GanbenchError(f"{path} holds files within one another: it is not an archive to be trusted")
    except DAMAGED as error:
        raise GanbenchError(f"{path} is not a zip archive that can be read: {error}") from None
    for name in infos:
        if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
            raise GanbenchError(
                f"{path}: {name!r} climbs out of the archive, or is no proper path: it is not an archive to be trusted"
            )
    top = f"{under}/" if under else ""
    images = _images_only(
        (name[len(top) :] for name in infos if name.startswith(top)), f"{path}: {under}" if under else path, skip
    )
    for name in images:
        _check_member(infos[top + name], path)
    return Pictures(
        path,
        images,
        lambda i: _member(zipped, infos[top + images[i]], path),
        "zip",
        lambda name: _text_member(zipped, top + name, path),
    )


def _size(archive: BinaryIO | Path) -> int:
    return archive.stat().st_size if isinstance(archive, Path) else archive.seek(0, os.SEEK_END)


def _images_only(names: Iterable[str], where: str, skip: Iterable[str]) -> list[str]:
    skip, images = tuple(skip), []
    for name in names:
        *folders, last = name.split("/")
        image = last.lower().endswith(SUFFIXES) and not last.startswith("._")  # however it and its folders are called
        if any(f in JUNK_FOLDERS for f in folders) or (
            not image
            and (any(fnmatch.fnmatchcase(last, p) for p in JUNK) or any(fnmatch.fnmatchcase(name, p) for p in skip))
        ):
            continue
        if last.endswith(".mdb"):
            raise GanbenchError(f"{where} holds a database, {plain(name)}: unpack it, and add the folder")
        if not image:
            raise GanbenchError(f"{where}: {plain(name)} is not an image (none of {', '.join(SUFFIXES)}): take it away")
        images.append(name)
    if len(images) > MOST_FILES:
        raise GanbenchError(f"{where} holds more than {MOST_FILES:,} images")
    return sorted(images)


def _file(path: Path) -> bytes:
    try:
        with open_regular(path) as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise GanbenchError(f"{plain(str(path))} cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise GanbenchError(f"{plain(str(path))} has more than {MOST_BYTES:,} bytes: too many for one file")
    return data


def _check_member(info: zipfile.ZipInfo, path: str) -> None:
    """Raises GanbenchError on a member that is too large, packed otherwise than by deflate (LZMA takes gigabytes where
    its header says so), or no file (``external_attr`` holds the mode, if any).
    """
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        name = OTHER_METHODS.get(info.compress_type, f"method {info.compress_type}")
        raise GanbenchError(f"{path}: {plain(info.filename)} is packed by {name}; pack the archive by deflate")
    if info.file_size > MOST_BYTES:
        size = f"{info.file_size:,} bytes; an image has at most {MOST_BYTES:,}"
        raise GanbenchError(f"{path}: {plain(info.filename)} unpacks to {size}")
    if what := kind(info.external_attr >> 16):
        raise GanbenchError(f"{path}: {plain(info.filename)} is {what}, not a file")


def _member(zipped: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> bytes:
    try:
        with zipped.open(info) as stream:
            return stream.read(MOST_BYTES)
    except DAMAGED as error:
        raise GanbenchError(f"{path} is not a zip archive that can be read: {plain(info.filename)}: {error}") from None


def _text_member(zipped: zipfile.ZipFile, name: str, path: str) -> str:
    try:
        info = zipped.getinfo(name)
    except KeyError:
        raise GanbenchError(f"{path} holds no {name}") from None
    _check_member(info, path)
    return _member(zipped, info, path).decode("utf-8", "replace")


def _unreadable(error: OSError) -> None:
    raise GanbenchError(f"{plain(str(error.filename))} cannot be read: {error.strerror}")
