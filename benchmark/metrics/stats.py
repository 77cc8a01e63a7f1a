"""``ganbench data stats``: which features of real images are kept, and making those that suites will need."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.canonical import content_hash
from benchmark.data.absent import missing
from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from benchmark.metrics.real import compared_with

if TYPE_CHECKING:  # suites import the names of metrics
    from benchmark.suite.model import Cell


LONGEST, MOST = 100, 10**12  # characters of a name, and counts, that are believed of a file


def kept() -> Iterator[str]:
    """One line for each file: what it holds, how many images, how large."""
    folder = cache_folder() / "features"
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".npz"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise GanbenchError(
            f"cannot read {folder} ({error.strerror}); set GANBENCH_CACHE to a folder that can be read"
        ) from None
    for path in (folder / name for name in names):
        about = _about(path)
        if about is None:
            yield f"{path.name}: cannot be read; it is made again when it is needed"
            continue
        origin = "; imported" if about.get("imported") else ""
        yield (
            f"{path.name[:12]}: {_named(about)}, {about['images']:,} images, {about['extractor']}; "
            f"{path.stat().st_size / 2**20:.1f} MiB{origin}"
        )


def _about(path: Path) -> dict[str, Any] | None:
    from benchmark.metrics.store import about_file

    about = about_file(path)
    if about is None or not isinstance(about.get("set"), dict):
        return None
    words = (about.get("extractor"), about["set"].get("dataset"), about["set"].get("split"))
    counts = (about.get("images"), about["set"].get("resolution"), about["set"].get("after"))
    fine = all(isinstance(word, str) and len(word) <= LONGEST for word in words)
    fine = fine and all(type(count) is int and abs(count) < MOST for count in counts)
    return about if fine else None


def _named(about: dict[str, Any]) -> str:
    s = about["set"]
    return f"{s['dataset']} {s['split']} at {s['resolution']} px{', others' if s['after'] else ''}"


def precompute(cells: Iterable[Cell]) -> Iterator[tuple[bool, str]]:
    """Make what these cells compare with, and the floors of proxies, each set of images once: (whether it is there now,
    a line).

    Raises:
        Interrupted: Ctrl-C, while another process made some of it.
    """
    from benchmark.metrics.floor import real_floor
    from benchmark.metrics.measure import kept_of_real
    from benchmark.metrics.reference import reference
    from benchmark.metrics.store import Interrupted

    seen: set[str] = set()
    loaded: dict[str, extractors.Extractor] = {}
    for cell in cells:
        p, r = cell.protocol, cell.recipe
        sets = compared_with(r, p)
        key = content_hash(
            [
                [s.to_json() for s in sets],
                p.to_json() if sets and extractors.proxy(p.extractor) else [p.features, *sorted(kept_of_real(p))],
            ]
        )
        if not sets or key in seen:
            continue
        seen.add(key)
        features = p.extractor
        name = f"{' and '.join(map(str, sets))}, {p.features}"
        try:
            if why := extractors.missing(features) or next(
                filter(None, (missing(s.dataset, s.split) for s in sets)), None
            ):
                yield False, f"{name}: {why}"
                continue
            if features not in loaded:
                loaded[features] = extractors.load(features)
            found = [reference(r, p, loaded[features], split=s.split, count=s.count) for s in sets]
            floor = real_floor(r, p, loaded[features], found[0], found[1] if len(found) > 1 else None)
        except Interrupted:
            raise
        except GanbenchError as error:
            yield False, f"{name}: {error}"
        else:
            yield True, f"{name}: ready" + (f"; floor ({floor['drawn']}): {_numbers(floor)}" if floor else "")


def _numbers(floor: dict[str, Any]) -> str:
    return ", ".join(f"{metric} {found['value']:.4g}" for metric, found in floor["metrics"].items()) or "none"
