"""``ganbench data add|verify|list``: what a person has is taken in checked, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmark.data import manifest
from benchmark.data.cards import Card, FileCard, card, data_root, locate, mend, missing
from benchmark.data.check import check_file, read_file
from benchmark.data.declared import Manifest, load
from benchmark.data.place import from_tar, scratch_folder, store
from benchmark.data.read import read_cifar
from benchmark.data.streams import Added
from benchmark.errors import GanbenchError, plain, sure
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
    if path.is_dir() and not any(_here(c, split, path) for split in _whole(c)):
        names = [*known, *(Path(source["url"]).name for source in c.sources)]
        path = next((path / file for file in names if (path / file).is_file()), path)
    if path.is_file() and path.name in known:
        check_file(c.name, known[path.name], path)
        published = f"{'sha256' if known[path.name].sha256 else 'md5'} of {path.name} as published"
    made = [found for split in _whole(c) if (found := manifest.make(c, split, path, published, say))]
    if not made:
        looked = " or ".join(
            sorted({under or "images in it" for split in _whole(c) for under in c.split(split).get("under", [""])})
        )
        raise GanbenchError(f"{plain(str(path))} holds no images of {c.name} (looked for {looked})")
    return made


def write_all(made: Made, say: Say) -> None:
    """Keep what ``examine`` found."""
    for found, arrays in made:
        manifest.write(found, arrays)
        say(f"{found.dataset}: {found.split}: {found.images:,} images; {found.standing}")


def _here(c: Card, split: str, path: Path) -> bool:
    return any((path / under).is_dir() for under in c.split(split).get("under", [""]) if under)


def _whole(c: Card) -> list[str]:
    """The splits that have images of their own, and are not part of another."""
    return [split for split, s in c.splits.items() if "of" not in s]


def verify(name: str) -> Iterator[tuple[str, str | None]]:
    """Each file, or set of images, of a dataset with what is wrong with it, or None."""
    c = card(name)
    if c.reader == "images":
        for split in _whole(c):
            yield split, _wrong_images(c, split)
        return
    forms = [form for form in c.choices() if all(locate(name, f.file) for f in form)] or c.choices()[:1]
    for file in (f for form in forms for f in form):
        try:
            if (path := locate(name, file.file)) is None:
                read_file(name, file)
            else:
                check_file(name, file, path)
            yield file.file, None
        except GanbenchError as error:
            yield file.file, str(error)
    if len(forms) == 2:
        yield "both archives hold the same images", _differing(c)


def _wrong_images(c: Card, split: str) -> str | None:
    if why := missing(c.name, split):
        return why
    try:
        added = Added(c, split)
        picture = added.open()
        for i in range(len(added.labels)):
            picture(i)
    except GanbenchError as error:
        return str(error)
    return None


def _differing(c: Card) -> str | None:
    for split in c.splits:
        try:
            one, other = (read_cifar(c, split, form) for form in (0, 1))
        except GanbenchError as error:
            return str(error)
        if not all(map(np.array_equal, one, other)):
            return f"{split}: they differ, so that results would depend on which one is there; please report it"
    return None


def state(c: Card) -> str:
    """Says "ready", and for a set of images by whose word; else what is missing, and how to get it."""
    if c.reader != "images":
        absent = dict.fromkeys(filter(None, (missing(c.name, split) for split in c.splits)))
        if not absent:
            return "ready"
        if why := _out_of_reach(c):
            return f"missing: {why}"
        lists = [[f.file for f in form if locate(c.name, f.file) is None] for form in c.choices()]
        return f"missing {' (or '.join(', '.join(files) for files in lists)}{')' * (len(lists) - 1)}; {mend(c)}"
    there = {split: missing(c.name, split) for split in _whole(c)}
    ready = [split for split, why in there.items() if why is None]
    lacking = [f"missing {split}: {why.removeprefix(f'dataset {c.name}: ')}" for split, why in there.items() if why]
    if not ready:
        return f"missing; {mend(c)}" if all(manifest_absent(c, split) for split in there) else "; ".join(lacking)
    found = [f"{split} {sure(load(data_root() / c.name, c.name, split)).standing}" for split in ready]
    return "; ".join([f"ready{'' if not lacking else ' in part'}: {', '.join(found)}", *lacking])


def _out_of_reach(c: Card) -> str | None:
    """Why nobody can say which of its files are there."""
    try:
        for file in c.files():
            locate(c.name, file.file)
    except GanbenchError as error:
        return str(error)
    return None


def manifest_absent(c: Card, split: str) -> bool:
    """Whether a split has never been added (a damaged manifest is something else)."""
    try:
        return load(data_root() / c.name, c.name, split) is None
    except GanbenchError:
        return False
