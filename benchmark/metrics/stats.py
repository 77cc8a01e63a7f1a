"""``ganbench data stats``: which features of real images are kept, and making those that suites will need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np

from benchmark.data.cards import cache_folder, missing
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from benchmark.metrics.names import IMAGE
from benchmark.recipe import content_hash
from benchmark.suite.model import Cell


def kept() -> Iterator[str]:
    """One line for each file: what it holds, how many images, how large."""
    for path in sorted((cache_folder() / "features").glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
        except Exception as error:  # a damaged archive has kinds of its own; it is made again when it is needed
            yield f"{path.name}: cannot be read ({type(error).__name__})"
            continue
        yield f"{path.name[:12]}: {about['dataset']} {about['split']} at {about['resolution']} px, {about['images']:,} images, {about['extractor']}; {path.stat().st_size / 2**20:.1f} MiB"


def precompute(cells: Iterable[Cell]) -> Iterator[tuple[bool, str]]:
    """Make what these cells compare with, each set of images once: (whether it is there now, a line)."""
    from benchmark.metrics.reference import reference

    seen: set[str] = set()
    loaded: dict[str, extractors.Extractor] = {}
    for cell in cells:
        p = cell.protocol
        if p.features is None or not any(m in IMAGE for m in p.metrics):
            continue
        for split, count in ((p.real_split or cell.recipe.split, p.real), *([("val", None)] if "vFID" in p.metrics else [])):
            r = cell.recipe
            key = content_hash([r.dataset, split, count, r.resolution, r.channels, r.crop, r.resize, p.features])
            if key in seen:
                continue
            seen.add(key)
            name = f"{r.dataset} {split} at {r.resolution} px{f', {count:,} images' if count else ''}, {p.features}"
            try:
                if why := extractors.missing(p.features) or missing(r.dataset, split):
                    yield False, f"{name}: {why}"
                    continue
                if p.features not in loaded:
                    loaded[p.features] = extractors.load(p.features)
                reference(r, p, loaded[p.features], split=split, count=count)
            except GanbenchError as error:
                yield False, f"{name}: {error}"
            else:
                yield True, f"{name}: ready"
