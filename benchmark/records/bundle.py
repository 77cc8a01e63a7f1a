"""Bundles: the records of some suites in one zip file, to be mailed to another lab.

    bundle.json    format, ganbench's version and commit, environment, and the sha256 of every other member
    plan.json      which cells the records were made for, the runs that they need, and which are there
    records/…      the records, byte for byte; one for each plan that its training was part of
    external/…     results from outside, likewise

The same records give the same bytes. A bundle is read in memory, member by member, and nothing of it
is unpacked: no name in it can become a path here, and nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmark.errors import GanbenchError, plain
from benchmark.files import let_go, open_regular, place
from benchmark.plan.plan import Plan, make_plan
from benchmark.records.format import file_bytes, parse
from benchmark.records.furthest import Plans, by_evaluation
from benchmark.records.leftovers import sweep_beside
from benchmark.records.members import UNREADABLE, checked, content_of
from benchmark.records.provenance import code_version, libraries, processor
from benchmark.records.record import Record, RecordError
from benchmark.suite.model import Cell, Suite
from benchmark.suite.slug import safe_name

FORMAT = 3
"""Of a bundle with a training of several plans; one with results from outside is of format 2, and one without either of
format 1, as every ganbench reads it.
"""
MAILABLE = 20_000_000
MISSING = 100  # members that are listed and not there, of which each is named


def export(
    suites: Sequence[Suite],
    cells: Sequence[Cell],
    found: Iterable[Record],
    out: Path,
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> list[Record]:
    """Write the records of ``cells`` to the bundle ``out``; returns them. Raises as ``contents`` and ``write`` do."""
    members, records, _ = contents(suites, cells, found, beside)
    write(out, members)
    return records


def contents(
    suites: Sequence[Suite],
    cells: Sequence[Cell],
    found: Iterable[Record],
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> tuple[dict[str, bytes], list[Record], list[Record]]:
    """What a bundle of the records of ``cells`` holds, these records, and those that are contested: they stay here,
    since whoever got one of two results would take it for the only one.

    Args:
        suites: those that the cells are of; their names and profiles go into the plan.
        found: all records that there are.
        beside: members with results from outside (``external_exchange.members_of``).

    Raises:
        GanbenchError: there is no record of these cells that is not contested.
    """
    found = list(found)
    index = by_evaluation(found)
    seeds = sorted({r.seed for r in index.values()})
    plan = make_plan(cells, seeds, index)
    chosen = {r.name: (run.cells[0], r) for run in plan.runs if (r := index.get(run.evaluation))}
    chosen |= _of_elsewhere(plan, index.values())
    held = [record for _, record in chosen.values() if record.contested]
    chosen = {name: one for name, one in chosen.items() if not one[1].contested}
    if not chosen and not beside:
        less = " that is not contested" if held else ""
        raise GanbenchError(f"no record of these cells{less}: nothing to export")
    plans = Plans(found)
    members: dict[str, bytes] = {}
    for name, (cell, record) in sorted(chosen.items()):
        for nth, copy in enumerate(plans.copies(record)):
            room = f"{cell.slug}/planned-{copy.planned or 0}" if nth else cell.slug
            members[f"records/{safe_name(cell.paper)}/{room}/{name}"] = file_bytes(copy)
    several = len(members) > len(chosen)
    members |= beside
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
        "format": FORMAT if several else 2 if beside else 1,
        **code_version(),
        "environment": {**libraries(), "processor": processor()},
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in members.items()
        },
    }
    return {"bundle.json": _json(head), **members}, [record for _, record in chosen.values()], held


def _of_elsewhere(plan: Plan, found: Iterable[Record]) -> dict[str, tuple[Cell, Record]]:
    """The records of runs that have no key on this machine, since their dataset is not here: of whatever images."""
    runs = {(r.recipe.canonical, r.protocol.fingerprint(), r.seed): r for r in plan.runs if not r.key}
    keyed = ((runs.get((r.recipe.canonical, r.protocol.fingerprint(), r.seed)), r) for r in found if runs)
    return {record.name: (run.cells[0], record) for run, record in keyed if run}


def write(out: Path, members: dict[str, bytes]) -> None:
    """Write a bundle, whole or not at all; raises GanbenchError if ``out`` is there already or cannot be written."""
    temporary = out.with_name(f".ganbench-export.{os.getpid()}.tmp")
    sweep_beside(out.parent)
    try:
        if os.path.lexists(out):
            raise FileExistsError
        with (
            temporary.open("wb") as stream,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle,
        ):
            for name, content in members.items():
                info = zipfile.ZipInfo(name)  # 1980-01-01: the same records give the same bytes
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, (stat.S_IFREG | 0o644) << 16
                bundle.writestr(info, content)
        place(temporary, out)
    except FileExistsError:
        raise GanbenchError(f"{out} is there already; it was not written over") from None
    except OSError as error:
        raise GanbenchError(f"cannot write {out}: {error.strerror}") from None
    finally:
        let_go(temporary)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def read_bundle(path: Path) -> tuple[list[Record], list[RecordError]]:
    """The records of a bundle from anyone, and what of it was refused, with the reason; raises as ``each`` does."""
    found = list(each(path))
    return [r for r in found if isinstance(r, Record)], [r for r in found if isinstance(r, RecordError)]


def each(path: Path) -> Iterator[Record | RecordError]:
    """As ``read_bundle``, one by one: they need not be in memory together.

    Raises:
        GanbenchError: it is no bundle, of a newer format, or not as a bundle is written (a path that
            climbs out, a link, a member twice, encrypted, too large): then nothing of it is used.
    """
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as bundle:
            infos = {i.filename: i for i in checked(path, bundle.infolist(), path.stat().st_size)}
            listed = _head(path, content_of(bundle, infos, "bundle.json"))
            yield from _records(path, bundle, infos, listed)
    except UNREADABLE as error:
        raise GanbenchError(f"{path}: not a readable bundle ({type(error).__name__}: {str(error)[:200]})") from None


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
) -> Iterator[Record | RecordError]:
    """What is missing, then each record whose bytes are those that the head lists, in the order of their names."""
    missing = sorted(listed.keys() - infos.keys())
    for name in missing[:MISSING]:
        yield RecordError(path / _name(name), "listed in bundle.json, and not in the bundle")
    if len(missing) > MISSING:
        yield RecordError(path, f"{len(missing) - MISSING:,} more are listed in bundle.json, and not in the bundle")
    for name in sorted(n for n in infos if n.startswith("records/")):
        try:
            content = content_of(bundle, infos, name)
            if listed.get(name) != hashlib.sha256(content).hexdigest():
                raise RecordError(
                    path / name,
                    "its bytes do not match the bundle's list: altered or damaged"
                    if name in listed
                    else "not in the bundle's list",
                )
            found: Record | RecordError = parse(content, path / name)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            found = RecordError(path / name, f"unreadable ({error})")
        except RecordError as error:
            found = error
        yield found


def _name(listed: str) -> str:
    """A name from the head, which may be of any length and hold anything."""
    return plain(listed[:200].lstrip("/")).replace("\0", "")
