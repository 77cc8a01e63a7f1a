"""Statistics of real images as files that travel: written with their identity, and believed only after every check.

The arrays are named as pytorch-fid and TTUR name them (``mu``, ``sigma``), so that those can read an exported file.
A file without an identity (theirs) says of no image where it came from, and is refused.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from benchmark.canonical import content_hash
from benchmark.errors import GanbenchError
from benchmark.files import let_go
from benchmark.metrics import extractors, store
from benchmark.metrics.extract import EVERY
from benchmark.metrics.imported import read, statistics
from benchmark.metrics.real import compared_with
from benchmark.process.shell import command, option
from benchmark.suite.find import called
from benchmark.suite.model import Cell


def export(cells: Sequence[Cell], out: Path) -> str:
    """Write the kept features of the one set of real images that these cells compare with; says which.

    Raises:
        GanbenchError: they compare with none, or with several; it is not kept yet; or ``out`` cannot be written.
    """
    found = {
        str((str(s), c.protocol.features)): (s, c.protocol.extractor)
        for c in cells
        for s in compared_with(c.recipe, c.protocol)
    }
    if len(found) != 1:
        raise GanbenchError(
            f"a file holds one set of images, and these cells compare with {len(found)}; choose with "
            f"--only{''.join(chr(10) + '  ' + name for name in sorted(found))}",
            2,
        )
    ((real, extractor),) = found.values()
    identity = real.identity(extractor, extractors.weights_hash(extractor))
    path = store.folder() / f"{content_hash(identity)}.npz"
    held = store.about_file(path)
    keep = [name for name in EVERY if held and name in held["digests"]]
    kept = store.load(path, extractors.dimension(extractor), keep)
    if held is None or kept is None:
        suites = dict.fromkeys(called(c.paper, c.path) for c in cells)
        made = command("data", "stats", *suites, *option("--profile", cells[0].profile))
        raise GanbenchError(f"{real}, {extractor}: no features are kept; make them first: {made}")
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            store.write(stream, kept, {key: value for key, value in held.items() if key != "digests"})
        os.replace(temporary, out)
    except OSError as error:
        let_go(temporary)
        raise GanbenchError(f"cannot write {out}: {error.strerror}") from None
    return f"{real}, {extractor}, {kept.n:,} images"


def import_file(path: Path) -> str:
    """Take over another machine's statistics, marked as imported; says which.

    Raises:
        GanbenchError: anything about the file is not as it must be. Nothing is written then.
    """
    arrays, about, real = read(path)
    identity = real.identity(about["extractor"], extractors.weights_hash(about["extractor"]))
    if differing := [key for key in identity if about["identity"].get(key) != identity[key]]:
        said = "; ".join(f"{key}: {about['identity'].get(key)} there, {identity[key]} here" for key in differing)
        raise GanbenchError(f"{path}: not what this machine would compare with: {said}")
    found = statistics(path, arrays, real.size, extractors.dimension(about["extractor"]))
    target = store.folder() / f"{content_hash(identity)}.npz"
    with store.alone(target, f"the features of {real}"):
        if store.load(target, len(found.moments.mean), ()) is not None:
            raise GanbenchError(
                f"{real}, {about['extractor']}: kept here already, as {target.name}; remove that file to take another"
            )
        store.save(
            target,
            found,
            {
                "set": real.to_json(),
                "images": real.size,
                "extractor": about["extractor"],
                "identity": identity,
                "imported": path.name,
            },
        )
        if store.load(target, len(found.moments.mean), ()) is None:
            raise GanbenchError(f"{target} could not be written: is the disk full?")
    return f"{real}, {about['extractor']}, {found.n:,} images"
