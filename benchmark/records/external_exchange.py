"""Results from outside on their way between labs: in bundles beside the records, and from one folder to another."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Collection, Iterable
from pathlib import Path

from benchmark.errors import GanbenchError, plain
from benchmark.files import open_regular
from benchmark.records import external
from benchmark.records.external import ROOM, External, file_bytes, parse
from benchmark.records.members import UNREADABLE, checked, content_of
from benchmark.records.record import RecordError


def members_of(found: Iterable[External], cells: Collection[str]) -> dict[str, bytes]:
    """Those of these cells, as members of a bundle."""
    chosen = sorted((r for r in found if r.cell in cells), key=lambda r: r.key)
    return {f"{ROOM}/{r.folder}/{r.name}": file_bytes(r) for r in chosen}


def take_over(results: Path, other: Path) -> tuple[int, int, list[str]]:
    """Copy those of a results folder or bundle that are not in ``results`` yet: how many, how many were there already,
    and which were refused, and why. All that are not equal, to the last digit, stand side by side.

    Raises:
        GanbenchError: it is no bundle, or a folder that cannot be read or written.
    """
    mine = {record.key for record in external.read_all(results)[0]}
    theirs, bad = _in_bundle(other) if other.is_file() else external.read_all(other)
    new = [record for record in theirs if record.key not in mine]
    for record in new:
        external.write(results, record)
    return len(new), len(theirs) - len(new), [plain(f"refused: {error}") for error in bad]


def has_nothing_else(other: Path) -> bool:
    """Whether it is a results folder without any record of ours; raises GanbenchError where that cannot be told."""
    try:
        return (other / ROOM).is_dir() and not (other / "records").exists()
    except OSError as error:
        raise GanbenchError(f"cannot read {other}: {error.strerror or error}") from None


def _in_bundle(path: Path) -> tuple[list[External], list[RecordError]]:
    """Each whose bytes are those that the bundle lists, and what was refused."""
    found, problems = list[External](), list[RecordError]()
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as bundle:
            infos = {i.filename: i for i in checked(path, bundle.infolist(), path.stat().st_size)}
            listed = json.loads(content_of(bundle, infos, "bundle.json"))["files"]
            for name in sorted(n for n in infos if n.startswith(f"{ROOM}/")):
                content = content_of(bundle, infos, name)
                try:
                    if listed.get(name, {}).get("sha256") != hashlib.sha256(content).hexdigest():
                        raise RecordError(path / name, "not as the bundle lists it: altered or damaged")
                    found.append(parse(content, path / name))
                except RecordError as error:
                    problems.append(error)
    except (*UNREADABLE, TypeError, AttributeError) as error:
        raise GanbenchError(f"{path}: not a readable bundle ({type(error).__name__}: {str(error)[:200]})") from None
    return found, problems
