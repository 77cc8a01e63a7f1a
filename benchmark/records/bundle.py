"""Bundles: the records of some suites in one zip file, to be mailed to another lab.

    bundle.json    format, ganbench's version and commit, environment, and the sha256 of every other member
    plan.json      which cells the records were made for, the runs that they need, and which are there
    records/…      the records, byte for byte

The same records give the same bytes. A bundle is read in memory, member by member, and nothing of it
is unpacked: no name in it can become a path here, and nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.files import let_go
from benchmark.plan.plan import make_plan
from benchmark.records.furthest import by_evaluation
from benchmark.records.provenance import code_version, libraries, processor
from benchmark.records.record import Record, RecordError
from benchmark.records.store import MAX_BYTES, file_bytes, parse
from benchmark.suite.model import Cell, Suite
from benchmark.suite.slug import safe_name

FORMAT = 1
MEMBER = re.compile(r"records/[^/\\\x00-\x1f]{1,255}/[^/\\\x00-\x1f]{1,255}/[0-9a-f]{16}-s[0-9]+(\.step[0-9]+)?\.json")
MOST_MEMBERS = 200_000
MOST_BYTES = 4_000_000_000
"""Of all members unpacked: the records that they make are in memory together."""
MOST_RATIO = 100
"""Unpacked bytes for each byte of the file, beyond ``SMALL``: records of real runs pack to a third up to a tenth, a
bomb to a thousandth.
"""
SMALL = 20_000_000
MAILABLE = 20_000_000


def export(suites: Sequence[Suite], cells: Sequence[Cell], found: Iterable[Record], out: Path) -> list[Record]:
    """Write the records of ``cells`` to the bundle ``out``; returns them.

    Args:
        suites: those that the cells are of; their names and profiles go into the plan.
        found: all records that there are.

    Raises:
        GanbenchError: there is no record of these cells, or ``out`` is there already or cannot be written.
    """
    index = by_evaluation(found)
    seeds = sorted({r.seed for r in index.values()})
    plan = make_plan(cells, seeds, index)
    chosen = {r.name: (run.cells[0], r) for run in plan.runs if (r := index.get(run.evaluation))}
    if not chosen:
        raise GanbenchError("no record of these cells: nothing to export")
    members = {
        f"records/{safe_name(cell.paper)}/{cell.slug}/{name}": file_bytes(record)
        for name, (cell, record) in sorted(chosen.items())
    }
    members["plan.json"] = _json(
        {
            "suites": [{"name": s.name, "profile": s.profile} for s in suites],
            "cells": [c.id for c in cells],
            "runs": [
                {
                    "run": r.key,
                    "evaluation": r.evaluation,
                    "seed": r.seed,
                    "cells": [c.id for c in r.cells],
                    "state": r.state,
                }
                for r in plan.runs
                if r.key
            ],
        }
    )
    head = {
        "format": FORMAT,
        **code_version(),
        "environment": {**libraries(), "processor": processor()},
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in members.items()
        },
    }
    _write(out, {"bundle.json": _json(head), **members})
    return [record for _, record in chosen.values()]


def _write(out: Path, members: dict[str, bytes]) -> None:
    try:
        with out.open("xb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
            for name, content in members.items():
                info = zipfile.ZipInfo(name)  # 1980-01-01: the same records give the same bytes
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, (stat.S_IFREG | 0o644) << 16
                bundle.writestr(info, content)
    except FileExistsError:
        raise GanbenchError(f"{out} is there already; it was not written over") from None
    except OSError as error:
        let_go(out)
        raise GanbenchError(f"cannot write {out}: {error.strerror}") from None


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def read_bundle(path: Path) -> tuple[list[Record], list[RecordError]]:
    """The records of a bundle from anyone, and what of it was refused, with the reason.

    Raises:
        GanbenchError: it is no bundle, of a newer format, or not as a bundle is written (a path that
            climbs out, a link, a member twice, encrypted, too large): then nothing of it is used.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            infos = {i.filename: i for i in _checked(path, bundle.infolist(), path.stat().st_size)}
            listed = _head(path, _content(bundle, infos, "bundle.json"))
            return _records(path, bundle, infos, listed)
    except (
        OSError,
        zipfile.BadZipFile,
        EOFError,
        RuntimeError,
        NotImplementedError,
        ValueError,
        RecursionError,
        KeyError,
        zlib.error,
    ) as error:
        raise GanbenchError(f"{path}: not a readable bundle ({type(error).__name__}: {str(error)[:200]})") from None


def _checked(path: Path, infos: list[zipfile.ZipInfo], packed: int) -> list[zipfile.ZipInfo]:
    """The members, if all are as ``export`` writes them; ``packed`` bytes are the file's own, whatever the members say
    of theirs.
    """
    unpacked = sum(i.file_size for i in infos)
    if len(infos) > MOST_MEMBERS or unpacked > MOST_BYTES:
        raise GanbenchError(
            f"{path}: larger than any bundle should be ({len(infos):,} members, {unpacked:,} bytes); nothing "
            "of it was used"
        )
    if unpacked > max(SMALL, MOST_RATIO * packed):
        raise GanbenchError(
            f"{path}: {packed:,} bytes that unpack to {unpacked:,} are no records; nothing of it was used"
        )
    if len({i.filename for i in infos}) < len(infos):
        raise GanbenchError(f"{path}: it holds one name twice; nothing of it was used")
    for info in infos:
        name, mode = info.filename, info.external_attr >> 16
        if name not in ("bundle.json", "plan.json") and (not MEMBER.fullmatch(name) or ".." in name.split("/")):
            raise GanbenchError(f"{path}: member {name[:200]!r} has no place in a bundle; nothing of it was used")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise GanbenchError(f"{path}: member {name[:200]!r} is a link or no file; nothing of it was used")
        if info.flag_bits & 1:
            raise GanbenchError(f"{path}: member {name[:200]!r} is encrypted; nothing of it was used")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise GanbenchError(
                f"{path}: member {name[:200]!r} is packed in another way than bundles are; nothing of it was used"
            )
        if info.file_size > MAX_BYTES:
            raise GanbenchError(
                f"{path}: member {name[:200]!r} is larger than {MAX_BYTES:,} bytes; nothing of it was used"
            )
    return infos


def _content(bundle: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    """One member's bytes, never more than it says that it has."""
    with bundle.open(infos[name]) as stream:
        content = stream.read(infos[name].file_size + 1)
    if len(content) != infos[name].file_size:
        raise ValueError(f"{name} is not as long as it says")
    return content


def _head(path: Path, content: bytes) -> dict[str, str]:
    """The listed members' sha256."""
    head = json.loads(content)
    if not isinstance(head, dict) or not isinstance(head.get("format"), int) or not isinstance(head.get("files"), dict):
        raise GanbenchError(f"{path}: bundle.json is not a bundle's")
    if head["format"] > FORMAT:
        raise GanbenchError(
            f"{path}: bundle format {head['format']}, this ganbench reads up to {FORMAT}: upgrade ganbench to use it"
        )
    return {name: str(f["sha256"]) for name, f in head["files"].items() if isinstance(f, dict) and "sha256" in f}


def _records(
    path: Path, bundle: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], listed: dict[str, str]
) -> tuple[list[Record], list[RecordError]]:
    """Each record whose bytes are those that the head lists, in the order of their names."""
    records, problems = (
        [],
        [
            RecordError(path / name, "listed in bundle.json, and not in the bundle")
            for name in sorted(listed.keys() - infos.keys())
        ],
    )
    for name in sorted(n for n in infos if n.startswith("records/")):
        try:
            content = _content(bundle, infos, name)
            if listed.get(name) != hashlib.sha256(content).hexdigest():
                raise RecordError(
                    path / name,
                    "its bytes do not match the bundle's list: altered or damaged"
                    if name in listed
                    else "not in the bundle's list",
                )
            records.append(parse(content, path / name))
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            problems.append(RecordError(path / name, f"unreadable ({error})"))
        except RecordError as error:
            problems.append(error)
    return records, problems
