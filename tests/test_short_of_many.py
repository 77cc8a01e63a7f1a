"""What is said of records that hold very much of something is short, and said at once."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest

from benchmark.collate.judging.caveats import caveats
from benchmark.collate.presenting.site.facts import provenance
from benchmark.collate.presenting.site.summary import _device
from benchmark.errors import few
from benchmark.records.contested import contest
from benchmark.records.contradictions import contradiction
from benchmark.records.merge import Conflict, origin
from benchmark.records.record import Record
from tests.test_collate import record_for
from tests.test_decide import load, write

MANY = 20_000


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return record_for(load(write(tmp_path / "tiny.yaml")).cells[0], 0, {"V_g": 1.0, "D_G": -0.5})


def with_numbers(record: Record, value: float) -> Record:
    assert record.final is not None
    numbers = {f"m{n}": {"value": value} for n in range(MANY)}
    return dataclasses.replace(record, final=record.final | numbers)


def test_the_first_are_said_and_how_many_more() -> None:
    assert few(["a", "b"]) == ["a", "b"]
    assert few("abcd", most=2) == ["a", "b", "and 2 more"]
    assert few(["x" * 200]) == ["x" * 100 + "…"]


def test_two_results_of_many_metrics(record: Record) -> None:
    one, other = with_numbers(record, 1.0), with_numbers(record, 2.0)
    started = time.monotonic()
    contest(one, other)
    assert time.monotonic() - started < 1
    assert len(one.contested) < 3_000 and "and 19,982 more / m0 2, m1 2" in one.contested
    assert len(str(Conflict(one, other))) < 3_000


def test_many_results_of_one_run(record: Record) -> None:
    started = time.monotonic()
    for n in range(MANY):
        contest(record, record_of(record, n))
    assert time.monotonic() - started < 5 and len(record.contested) < 10_000


def record_of(record: Record, n: int) -> Record:
    assert record.final is not None
    return dataclasses.replace(record, final=record.final | {"V_g": {"value": float(n)}})


def test_many_contradictions(record: Record) -> None:
    assert record.final is not None
    entry = record.final | {"V_g": {"value": 7.0, "std": 0.05, "max": 7.0}}
    said = contradiction(dataclasses.replace(record, history=[entry] * MANY))
    assert "V_g is 1, and 7 in its history" in said and len(said) < 10_000


FORGED: dict[str, dict[str, Any]] = {
    "stretches": {"segments": [{"device": f"GPU {n}", "commit": f"{n:040}", "torch": f"{n}"} for n in range(MANY)]},
    "long texts": {"segments": [dict.fromkeys(("device", "torch", "ganbench", "threads", "commit"), "x" * 100_000)]},
    "nested": {"segments": [dict.fromkeys(("device", "torch", "ganbench", "package"), [0] * 100_000)]},
    "libraries": {"libraries": {f"p{n}": "1" for n in range(MANY)}},
}


@pytest.mark.parametrize("forged", FORGED)
def test_provenance_of_any_size(forged: str, record: Record) -> None:
    wild = dataclasses.replace(record, provenance=FORGED[forged])
    assert len(origin(wild)) < 5_000 and len(_device(wild)) < 5_000
    assert max(map(len, caveats([record, dataclasses.replace(wild, seed=1)])), default=0) < 5_000
    assert len("".join(provenance(wild))) < 300_000
