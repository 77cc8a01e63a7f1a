"""The manifest that ``ganbench data add`` writes beside a set of images: what it is, and reading it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import GanbenchError, plain
from benchmark.files import read_regular

VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """One split as it was added."""

    version: int
    dataset: str
    split: str
    source: str  # relative to the manifest's folder if inside it
    form: str  # "folder", "zip" or "lmdb"
    images: int
    names: str  # sha256 of the images' names, in the order of the card
    contents: dict[str, str]  # of this split and of those that are parts of it
    published: str | None  # the published checksum that the archive was held against; None: self-declared
    decoder: str
    sizes: list[list[int]]  # smallest and largest [width, height]

    def at(self, folder: Path) -> Path:
        """Where the images are, for the manifest's ``folder``."""
        return folder / self.source

    @property
    def standing(self) -> str:
        """Who says that these are the images."""
        content = f"content {self.contents[self.split][:12]}"
        published = plain(str(self.published)) if self.published else "self-declared: no checksum is published"
        return f"{content}, {published}"


def load(folder: Path, dataset: str, split: str) -> Manifest | None:
    """The manifest of a split that was added, in the dataset's ``folder`` of the data root; None if it was not.

    Raises:
        GanbenchError: it is damaged, of another version of this program, or may not be read.
    """
    path = folder / f"ganbench-{split}.json"
    try:
        found = Manifest(**json.loads(read_regular(path)))
        fine = (
            found.version == VERSION
            and (found.dataset, found.split) == (dataset, split)
            and isinstance(found.contents[split], str)
        )
        found.at(folder).exists()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise GanbenchError(
            f"cannot read {error.filename or path} ({error.strerror}); set GANBENCH_DATA to a folder that can be read"
        ) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        fine = False
    if not fine:
        raise GanbenchError(f"{path} is damaged, or of another version; run: ganbench data add {dataset} FOLDER")
    return found
