"""``ganbench data add``: what a person has is taken in checked, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmark.data import manifest
from benchmark.data.cards import Card, FileCard, card
from benchmark.data.check import check_file
from benchmark.data.declared import Manifest
from benchmark.data.place import from_tar, scratch_folder, store
from benchmark.data.touched import look, remember
from benchmark.errors import GanbenchError, plain
from benchmark.files import kind

Say = Callable[[str], None]


def add(name: str, path: Path, say: Say = print) -> None:
    """Take in a dataset from ``path``, a folder or an archive.

    Files that the card pins are checked against it and copied, compressed, to the data root. A set of images is
    decoded whole and stays where it is: only its manifest is written.

    Raises:
        GanbenchError: what is wanted is not there, damaged, or not what the card says. Nothing is written then.
    """
    c = card(name)
    if not path.exists():
        raise GanbenchError(f"{plain(str(path))} does not exist")
    if not (path.is_dir() or path.is_file()):
        raise GanbenchError(f"{plain(str(path))} is {kind(path.stat().st_mode)}, not a folder or an archive")
    if c.reader == "images":
        write_all(examine(c, path, say), say)
        return
    files = next((found for form in c.choices() if (found := _files(c, form, path))), None)
    if files is None:
        wanted = " or ".join(", ".join(f.file for f in form) for form in c.choices())
        files = _from_archive(c, path, say) if c.files() else []
        if files is None:
            raise GanbenchError(
                f"{plain(str(path))} holds no "
                f"{_absent(c, path) or wanted}{' (plain or .gz)' if c.reader == 'idx' else ''}"
            )
    for file, at in files:
        check_file(name, file, at)
    for file, at in files:
        store(name, file, at)
        say(f"{name}: {file.file}: checksum right")


def _files(c: Card, form: list[FileCard], path: Path) -> list[tuple[FileCard, Path]] | None:
    """The files of one form of the dataset in ``path``, plain or .gz, or in the folder that its archive makes; None if
    any is missing.
    """
    inner = {str(Path(s["member"]).parent) for s in c.sources if "tar" in s}
    places = [path, *(path / i for i in inner)] if path.is_dir() else []
    found = []
    for file in form:
        here = [p for place in places for p in (place / file.file, place / f"{file.file}.gz")] or [path] * (
            path.name in (file.file, f"{file.file}.gz") or (c.reader == "tar" and path.suffix == ".tgz")
        )
        if (chosen := next((p for p in here if p.is_file()), None)) is None:
            return None
        found.append((file, chosen))
    return found or None


def _absent(c: Card, path: Path) -> str:
    return ", ".join(f.file for f in c.files() if not _files(c, [f], path)) if len(c.choices()) == 1 else ""


def _from_archive(c: Card, path: Path, say: Say) -> list[tuple[FileCard, Path]] | None:
    """Take the card's files out of the archive in which they are distributed, straight into the data root; None if it
    is not there.
    """
    for source in (s for s in c.sources if "tar" in s):
        archive = path / Path(source["tar"]).name if path.is_dir() else path
        if archive.is_file() and archive.name == Path(source["tar"]).name:
            with scratch_folder() as scratch:
                found = [(file, from_tar(archive, source["member"], file, scratch)) for file in c.files()]
                for file, member in found:
                    check_file(c.name, file, member)
                for file, member in found:
                    store(c.name, file, member)
                    say(f"{c.name}: {file.file}: checksum right")
            return []
    return None


Made = list[tuple[Manifest, dict[str, np.ndarray]]]


def examine(c: Card, path: Path, say: Say) -> Made:
    """Decode every image of a dataset in ``path``; the manifests of the splits that are there. Nothing is written.

    Raises:
        GanbenchError: there is none, one is damaged, or an archive of a known name has not its published checksum.
    """
    published, known = None, {a.file: a for a in c.archives}
    if path.is_dir() and not any(_here(c, split, path) for split in whole_splits(c)):
        names = [*known, *(Path(source["url"]).name for source in c.sources)]
        path = next((path / file for file in names if (path / file).is_file()), path)
    if path.is_file() and path.name in known:
        check_file(c.name, known[path.name], path)
        published = f"{'sha256' if known[path.name].sha256 else 'md5'} of {path.name} as published"
    made = [found for split in whole_splits(c) if (found := manifest.make(c, split, path, published, say))]
    if not made:
        folders = {under for split in whole_splits(c) for under in c.split(split).get("under", [""])}
        looked = " or ".join(sorted(under or "images in it" for under in folders))
        raise GanbenchError(f"{plain(str(path))} holds no images of {c.name} (looked for {looked})")
    return made


def write_all(made: Made, say: Say) -> None:
    """Keep what ``examine`` found."""
    for found, arrays in made:
        manifest.write(found, arrays)
        remember(found, look(card(found.dataset), found))
        say(f"{found.dataset}: {found.split}: {found.images:,} images; {found.standing}")


def _here(c: Card, split: str, path: Path) -> bool:
    return any((path / under).is_dir() for under in c.split(split).get("under", [""]) if under)


def whole_splits(c: Card) -> list[str]:
    """The splits that have images of their own, and are not part of another."""
    return [split for split, s in c.splits.items() if "of" not in s]
