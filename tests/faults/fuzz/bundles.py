"""Bundles as zips with damage, forged heads, odd members and records, their hashes right."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.records.bundle import export, read_bundle
from benchmark.records.merge import merge
from benchmark.records.store import read_all
from tests.faults.fuzz import records
from tests.faults.fuzz.mutations import TEXTS, check, damaged, mildly, mutated, odd

NAMES = (
    "../x",
    "/etc/x",
    "records/a/b/c.json",
    "records/../a/b-s1.json",
    "a\\b",
    "bundle.json/",
    "records/",
    "x" * 300,
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def prepare(folder: Path) -> dict[str, Any]:
    """A bundle of six records."""
    good = records.prepare(folder)
    place = folder / "results/records/tiny"
    place.mkdir(parents=True)
    for n, data in enumerate(
        data for (_, seed, spread), data in good["records"].items() if seed < 2 and spread == 0.01
    ):
        (place / f"{n}.json").write_text(json.dumps(data), encoding="utf-8")
    out = folder / "good.zip"
    export([good["suite"]], good["suite"].cells, read_all(folder / "results")[0], out)
    with zipfile.ZipFile(out) as bundle:
        members = {name: bundle.read(name) for name in bundle.namelist()}
    return {"bytes": out.read_bytes(), "members": members}


def case(good: dict[str, Any], rng: random.Random, folder: Path) -> str:
    """One bundle, read and merged."""
    path = folder / "theirs.zip"
    if rng.random() < 0.4:
        path.write_bytes(damaged(good["bytes"], rng))
    else:
        _forged(path, dict(good["members"]), rng)
    try:
        found, problems = read_bundle(path)
        said = [check(str(p).removeprefix(str(folder))) for p in problems]
        if rng.random() < 0.3:
            for problem in merge(folder / "mine", [path])[2]:
                check(problem)
    except GanbenchError as error:
        return f"refused: {check(str(error).removeprefix(str(folder)))}"
    outside = [p for p in folder.rglob("*") if p.is_file() and p != path and folder / "mine" not in p.parents]
    assert not outside, outside
    return f"refused a member: {said[0]}" if said else f"accepted {len(found) > 0}"


def _forged(path: Path, members: dict[str, bytes], rng: random.Random) -> None:
    """Members changed, and the head's hashes made anew."""
    name = rng.choice(sorted(n for n in members if n.startswith("records/")))
    match rng.randrange(6):
        case 0:
            data = records.sealed(rng.choice((mutated, mildly))(json.loads(members[name]), rng))
            members[name] = json.dumps(data).encode()
        case 1:
            members[rng.choice(NAMES + TEXTS).replace("\0", "") or "x"] = members[name]
        case 2:
            members[name] = damaged(members[name], rng)
        case 3:
            members[name] = b" " * rng.choice((10, 10**6, 3_000_000))
        case 4:
            members[name] = b'{"a":' * rng.choice((100, 100_000))
    head = json.loads(members["bundle.json"])
    head["files"] = {n: {"sha256": hashlib.sha256(m).hexdigest(), "bytes": len(m)} for n, m in members.items()}
    head["files"].pop("bundle.json")
    if rng.random() < 0.4:
        head = mutated(head, rng) if rng.random() < 0.7 else {**head, "files": {str(odd(rng))[:5000]: odd(rng)}}
    members["bundle.json"] = json.dumps(head).encode()
    with zipfile.ZipFile(path, "w", rng.choice(METHODS[:2]) if rng.random() < 0.9 else rng.choice(METHODS)) as bundle:
        for member, content in members.items():
            info = zipfile.ZipInfo(member)
            info.compress_type = bundle.compression
            info.external_attr = rng.choice((0, 0o100644, 0o120777, 0o010644)) << 16 if rng.random() < 0.1 else 0
            bundle.writestr(info, content)
