"""Records and bundles of few bytes that would take much memory, time or room on a terminal."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import GanbenchError
from benchmark.records import external, format
from benchmark.records.bounds import MOST_BESIDE
from benchmark.records.bundle import read_bundle
from benchmark.records.record import Record, RecordError
from benchmark.suite.load import load
from tests.test_collate import record_for
from tests.test_decide import write

NUMBER = {"value": 1.0}


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return record_for(
        load(write(tmp_path / "tiny.yaml")).cells[0], 0, {"V_g": 1.0, "D_G": -0.5}, steps=2, total_steps=2
    )


FORGED: dict[str, tuple[Any, str]] = {
    "brackets": ([{}] * 100_000, "more lists and mappings"),
    "many numbers": ([0.5] * 2_100_000, "provenance of more than 8,000,000 bytes"),
    "one long text after another": (["x" * 99_000] * 82, "provenance of more than 8,000,000 bytes"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_what_is_beside_history_is_bounded(forged: str, record: Record) -> None:
    what, said = FORGED[forged]
    wild = dataclasses.replace(record, provenance={"x": what})
    with pytest.raises(RecordError, match=said) as caught:
        format.parse(format.file_bytes(wild), Path("forged.json"))
    assert caught.value.damaged
    text = json.dumps({"schema": 1, "provenance": {"x": what}})
    with pytest.raises(RecordError, match=said):
        external.parse(text.encode(), Path("forged.json"))


def test_the_longest_history_of_least_measurements_is_read(record: Record) -> None:
    history = [{"step": n % 3, "epoch": n, "D_G": NUMBER, "V_g": NUMBER} for n in range(60_000)]
    content = format.file_bytes(dataclasses.replace(record, history=history))
    assert len(format.parse(content, Path("long.json")).history) == 60_000


def test_a_run_of_very_many_stretches_is_read(record: Record) -> None:
    libraries = {f"library {n}": "1.2.3" for n in range(10)}
    stretch = {"from_step": 0, "to_step": 2, "commit": "0" * 40, "device": "a processor (x86_64)", "threads": 1}
    stretches = [stretch | {"libraries": libraries, "sources": {"methods/pgn.py": "0" * 16}}] * 9_000
    content = format.file_bytes(dataclasses.replace(record, provenance={"segments": stretches}))
    assert 3_000_000 < len(content) < MOST_BESIDE
    assert len(format.parse(content, Path("long.json")).provenance["segments"]) == 9_000


def _bundle(path: Path, members: dict[str, bytes], more: dict[str, Any] | None = None) -> Path:
    listed: dict[str, Any] = {
        name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in members.items()
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("bundle.json", json.dumps({"format": 1, "files": listed | (more or {})}))
        for name, content in members.items():
            out.writestr(name, content)
    return path


def test_members_that_are_listed_and_not_there_are_counted(tmp_path: Path) -> None:
    listed = {f"records/a/b/{n:016x}-s0.json": {"sha256": ""} for n in range(5_000)}
    found, problems = read_bundle(_bundle(tmp_path / "short.zip", {}, listed))
    assert not found and len(problems) == 101
    assert str(problems[-1]) == f"{tmp_path}/short.zip: 4,900 more are listed in bundle.json, and not in the bundle"


@pytest.mark.parametrize("end", ["-s" + "1" * 20_000, "-s1.step" + "1" * 20_000])
def test_members_have_names_as_records_have(end: str, tmp_path: Path) -> None:
    path = _bundle(tmp_path / "long.zip", {f"records/a/b/{0:016x}{end}.json": b"{}"})
    with pytest.raises(GanbenchError, match="has no place in a bundle") as caught:
        read_bundle(path)
    assert len(str(caught.value)) < 1_000


def test_the_largest_seed_has_a_place_in_a_bundle(record: Record, tmp_path: Path) -> None:
    name = dataclasses.replace(record, seed=2**63 - 1, status="partial", steps=2**63 - 1).name
    _, (problem,) = read_bundle(_bundle(tmp_path / "large.zip", {f"records/a/b/{name}": b"{}"}))
    assert "not a ganbench record" in str(problem)
