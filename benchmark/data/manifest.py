"""What ``ganbench data add`` found in a set of images whose checksum nobody has published: its content, declared by the user's own machine.

The content of a split is a hash over the decoded RGB pixels and the class of every image, in order. It
does not depend on where the images lie, on how they are packed, or (for the few-shot sets, ordered by
content) on their names: two labs with the same images agree. Every image that is read later is held
against its own hash, kept in an ``.npz`` beside the manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, features

from benchmark.data.cards import Card, data_root
from benchmark.data.image import decode
from benchmark.data.layout import arrange, find
from benchmark.data.pictures import Pictures
from benchmark.data.threads import mapped
from benchmark.errors import GanbenchError

VERSION = 1
TELL_EVERY = 50_000  # images


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

    @property
    def path(self) -> Path:
        """The images."""
        return _folder(self.dataset) / self.source

    @property
    def standing(self) -> str:
        """Who says that these are the images."""
        content = f"content {self.contents[self.split][:12]}"
        return f"{content}, {self.published}" if self.published else f"{content}, self-declared: no checksum is published"


def decoder() -> str:
    """What decodes JPEG here: another may give other pixels."""
    return f"Pillow {PIL.__version__}, libjpeg-turbo {features.version_feature('libjpeg_turbo') or 'absent'}"


def load(dataset: str, split: str) -> Manifest | None:
    """The manifest of a split that was added; None if it was not.

    Raises:
        GanbenchError: it is damaged, or of another version of this program.
    """
    path = _folder(dataset) / f"ganbench-{split}.json"
    try:
        found = Manifest(**json.loads(path.read_text(encoding="utf-8")))
        fine = found.version == VERSION and (found.dataset, found.split) == (dataset, split) and isinstance(found.contents[split], str)
        found.path.exists()
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        fine = False
    if not fine:
        raise GanbenchError(f"{path} is damaged, or of another version; run: ganbench data add {dataset} FOLDER")
    return found


def make(c: Card, split: str, path: Path, published: str | None, say: Callable[[str], None]) -> tuple[Manifest, dict[str, np.ndarray]] | None:
    """Decode every image of a split in ``path`` and hash it; None if the split is not there. Nothing is written.

    Raises:
        GanbenchError: an image is damaged or of another size than the card's, there are too few, or the content is not the card's.
    """
    card = c.split(split)
    if (found := find(card, path)) is None:
        return None
    found, labels = arrange(found, card, c.classes)
    digests, sizes, wanted = np.empty((len(labels), 32), np.uint8), set(), card.get("size")
    for start, block in mapped(lambda i: _measure(found, i), len(labels)):
        for i, (digest, size) in enumerate(block, start):
            if wanted and list(size) != wanted:
                raise GanbenchError(f"{found.where}: {found.names[i]} has {size[0]} x {size[1]} pixels; the images of {c.name} have {wanted[0]} x {wanted[1]}")
            digests[i] = np.frombuffer(digest, np.uint8)
            sizes.add(size)
        if (done := start + len(block)) // TELL_EVERY > start // TELL_EVERY:
            say(f"{c.name}: {split}: {done:,} of {len(labels):,} images")
    order = np.arange(len(labels))
    if card.get("order") == "content":
        order = np.array(sorted(range(len(labels)), key=lambda i: (labels[i], digests[i].tobytes())), np.int64)
    digests, labels = digests[order], labels[order]
    contents = {name: _content(digests[part], labels[part]) for name, part in _parts(c, split).items()}
    for name, content in contents.items():
        if c.split(name).get("content", content) != content:
            raise GanbenchError(f"{path}: {name} has the content {content[:12]}…, the card says {c.split(name)['content'][:12]}…: these are other images, or another JPEG decoder ({decoder()})")
    manifest = Manifest(VERSION, c.name, split, _source(c.name, path), found.form, len(labels), _names(found), contents, published, decoder(), [list(min(sizes)), list(max(sizes))])
    return manifest, {"digests": digests, "labels": labels, "order": order}


def write(manifest: Manifest, arrays: dict[str, np.ndarray]) -> None:
    """Keep a manifest and its arrays, each whole or not at all; the manifest comes last."""
    folder = _folder(manifest.dataset)
    scratch = folder / f"ganbench-{manifest.split}.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as stream:
            np.savez(stream, **arrays)
        os.replace(scratch, _arrays(manifest))
        scratch.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        os.replace(scratch, folder / f"ganbench-{manifest.split}.json")
    except OSError as error:
        raise GanbenchError(f"cannot write to {folder} ({error.strerror or error}); set GANBENCH_DATA to a folder that can be written") from None
    finally:
        with contextlib.suppress(OSError):  # the folder itself may not be there
            scratch.unlink(missing_ok=True)


class Added:
    """A split that was added: its classes, and its images, each held against its hash when it is read."""

    def __init__(self, c: Card, split: str) -> None:
        base = c.split(split).get("of", split)
        manifest = load(c.name, base)
        if manifest is None:
            raise GanbenchError(f"dataset {c.name} has not been added; run: ganbench data add {c.name} FOLDER")
        self.manifest, self._card, self._base, self._part = manifest, c, base, _parts(c, base)[split]
        try:
            with np.load(_arrays(manifest), allow_pickle=False) as file:
                digests, labels, self._order = (file[name] for name in ("digests", "labels", "order"))
            self._digests, self.labels = digests[self._part], labels[self._part]
            fine = _content(self._digests, self.labels) == manifest.contents[split] and np.array_equal(np.sort(self._order), np.arange(manifest.images))
        except Exception as error:  # zipfile, zlib and numpy have many kinds for a damaged archive
            raise GanbenchError(f"{_arrays(manifest)} cannot be read ({error}); run: ganbench data add {c.name} {manifest.path}") from None
        if not fine:
            raise GanbenchError(f"{_arrays(manifest)} is damaged; run: ganbench data add {c.name} {manifest.path}")

    def open(self) -> Callable[[int], Image.Image]:
        """Image i of the split, in RGB, or GanbenchError where it is not the one that was added."""
        c, manifest = self._card, self.manifest
        found = find(c.split(self._base), manifest.path)
        if found is None:
            raise GanbenchError(f"{manifest.path}: the images of {c.name} are gone; put them back, or run: ganbench data add {c.name} FOLDER")
        found, _ = arrange(found, c.split(self._base), c.classes)
        if _names(found) != manifest.names:
            raise GanbenchError(f"{manifest.path}: files were added, taken away or renamed since; if that is right, run: ganbench data add {c.name} {manifest.path}")
        order = self._order[self._part]

        def image(i: int) -> Image.Image:
            name = found.names[k := int(order[i])]
            picture = decode(found.load(k), f"{found.where}: {name}")
            if _digest(picture) != self._digests[i].tobytes():
                other = f", or by another decoder: it was {manifest.decoder}, here it is {decoder()}" if manifest.decoder != decoder() else ""
                raise GanbenchError(f"{found.where}: {name} is not the image that was added{other}; get it again, or run: ganbench data add {c.name} {manifest.path}")
            return picture

        return image


def _folder(dataset: str) -> Path:
    return data_root() / dataset


def _arrays(manifest: Manifest) -> Path:
    return _folder(manifest.dataset) / f"ganbench-{manifest.split}.npz"


def _source(dataset: str, path: Path) -> str:
    path, folder = path.resolve(), _folder(dataset).resolve()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _parts(c: Card, split: str) -> dict[str, slice]:
    """The split itself, and those that the card says are parts of it."""
    parts = {name: slice(s.get("start", 0), s.get("start", 0) + s["count"]) for name, s in c.splits.items() if s.get("of") == split}
    return {split: slice(None), **parts}


def _measure(found: Pictures, i: int) -> tuple[bytes, tuple[int, int]]:
    picture = decode(found.load(i), f"{found.where}: {found.names[i]}")
    return _digest(picture), picture.size


def _digest(picture: Image.Image) -> bytes:
    return hashlib.sha256(f"{picture.width}x{picture.height}:".encode() + picture.tobytes()).digest()


def _content(digests: np.ndarray, labels: np.ndarray) -> str:
    whole = hashlib.sha256(f"RGB pixels and classes, {VERSION}:".encode())
    whole.update(np.ascontiguousarray(digests).data)
    whole.update(labels.astype("<i8").tobytes())
    return whole.hexdigest()


def _names(found: Pictures) -> str:
    whole = hashlib.sha256()
    for name in (found.names[i] for i in range(len(found.names))):
        whole.update(name.encode("utf-8", "surrogateescape") + b"\0")
    return whole.hexdigest()


