"""What ``ganbench data add`` found in a set of images whose checksum nobody has published: its content, declared by the
user's own machine.

The content of a split is a hash over the decoded RGB pixels and the class of every image, in order. It
does not depend on where the images lie, on how they are packed, or (for the few-shot sets, ordered by
content) on their names: two labs with the same images agree. Every image that is read later is held
against its own hash, kept in an ``.npz`` beside the manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, features

from benchmark.data.cards import Card, data_root
from benchmark.data.declared import VERSION, Manifest
from benchmark.data.home import full_path
from benchmark.data.image import decode
from benchmark.data.layout import arrange, find
from benchmark.data.pictures import Pictures
from benchmark.data.threads import mapped
from benchmark.errors import GanbenchError, plain
from benchmark.files import let_go

TELL_EVERY = 50_000  # images


def decoder() -> str:
    """What decodes JPEG here: another may give other pixels."""
    return f"Pillow {PIL.__version__}, libjpeg-turbo {features.version_feature('libjpeg_turbo') or 'absent'}"


def make(
    c: Card,
    split: str,
    path: Path,
    published: str | None,
    say: Callable[[str], None],
    look: Callable[[Image.Image], object] = id,
) -> tuple[Manifest, dict[str, np.ndarray]] | None:
    """Decode every image of a split in ``path`` and hash it; None if the split is not there. Nothing is written.

    Args:
        look: is shown every picture, in RGB.

    Raises:
        GanbenchError: an image is damaged or of another size than the card's, there are too few, or the content is not
            the card's.
    """
    card = c.split(split)
    if (found := find(card, path)) is None:
        return None
    found, labels = arrange(found, card, c.classes)
    digests, sizes, wanted = np.empty((len(labels), 32), np.uint8), set(), card.get("size")
    for start, block in mapped(lambda i: _measure(found, i, look), len(labels)):
        for i, (digest, size) in enumerate(block, start):
            if wanted and list(size) != wanted:
                raise GanbenchError(
                    f"{found.where}: {plain(found.names[i])} has {size[0]} x {size[1]} pixels; the images of "
                    f"{c.name} have {wanted[0]} x {wanted[1]}"
                )
            digests[i] = np.frombuffer(digest, np.uint8)
            sizes.add(size)
        if (done := start + len(block)) // TELL_EVERY > start // TELL_EVERY:
            say(f"{c.name}: {split}: {done:,} of {len(labels):,} images")
    order = np.arange(len(labels))
    if card.get("order") == "content":
        order = np.array(sorted(range(len(labels)), key=lambda i: (labels[i], digests[i].tobytes())), np.int64)
    digests, labels = digests[order], labels[order]
    contents = {name: content_hash(digests[part], labels[part]) for name, part in parts(c, split).items()}
    for name, content in contents.items():
        if c.split(name).get("content", content) != content:
            raise GanbenchError(
                f"{plain(str(path))}: {name} has the content {content[:12]}…, the card says "
                f"{c.split(name)['content'][:12]}…: these are other images, or another JPEG decoder "
                f"({decoder()}); other images are another dataset: ganbench data add NAME FOLDER --new"
            )
    manifest = Manifest(
        VERSION,
        c.name,
        split,
        _source(c.name, path),
        found.form,
        len(labels),
        names_hash(found),
        contents,
        published,
        decoder(),
        [list(min(sizes)), list(max(sizes))],
    )
    return manifest, {"digests": digests, "labels": labels, "order": order}


def write(manifest: Manifest, arrays: dict[str, np.ndarray]) -> None:
    """Keep a manifest and its arrays, each whole or not at all; the manifest comes last."""
    folder = _folder(manifest.dataset)
    scratch = folder / f"ganbench-{manifest.split}.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        os.replace(scratch, arrays_path(manifest))
        scratch.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        os.replace(scratch, folder / f"ganbench-{manifest.split}.json")
    except OSError as error:
        raise GanbenchError(
            f"cannot write to {folder} ({error.strerror or error}); set GANBENCH_DATA to a folder that can be written"
        ) from None
    finally:
        let_go(scratch)


def _folder(dataset: str) -> Path:
    return data_root() / dataset


def arrays_path(manifest: Manifest) -> Path:
    """Where the hashes, classes and order of the images are kept."""
    return _folder(manifest.dataset) / f"ganbench-{manifest.split}.npz"


def _source(dataset: str, path: Path) -> str:
    path, folder = Path(full_path(path)), Path(full_path(_folder(dataset)))
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def parts(c: Card, split: str) -> dict[str, slice]:
    """The split itself, and those that the card says are parts of it."""
    inner = {
        name: slice(s.get("start", 0), s.get("start", 0) + s["count"])
        for name, s in c.splits.items()
        if s.get("of") == split
    }
    return {split: slice(None), **inner}


def _measure(found: Pictures, i: int, look: Callable[[Image.Image], object]) -> tuple[bytes, tuple[int, int]]:
    picture = decode(found.load(i), f"{found.where}: {found.names[i]}")
    look(picture)
    return pixel_hash(picture), picture.size


def pixel_hash(picture: Image.Image) -> bytes:
    """Of one picture: its size and its RGB pixels."""
    return hashlib.sha256(f"{picture.width}x{picture.height}:".encode() + picture.tobytes()).digest()


def content_hash(digests: np.ndarray, labels: np.ndarray) -> str:
    """Of a split: the hashes (N, 32) and classes (N,) of its pictures, in order."""
    whole = hashlib.sha256(f"RGB pixels and classes, {VERSION}:".encode())
    whole.update(np.ascontiguousarray(digests).data)
    whole.update(labels.astype("<i8").tobytes())
    return whole.hexdigest()


def names_hash(found: Pictures) -> str:
    """Of the images' names, in order."""
    whole = hashlib.sha256()
    for name in (found.names[i] for i in range(len(found.names))):
        whole.update(name.encode("utf-8", "surrogateescape") + b"\0")
    return whole.hexdigest()
