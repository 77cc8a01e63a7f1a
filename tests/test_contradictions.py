"""Records whose parts are possible, and their whole is not: said, and nothing is judged by them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmark.collate.judging.join import load_joined
from benchmark.records import shelf, store
from benchmark.records.contradictions import contradiction
from benchmark.records.record import Record
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells

FIRST = full_cells()[0].id
RECORD = next(r for r in _three_seeds(PUBLISHED) if r.cell == FIRST and r.seed == 1)
LAST = RECORD.final["step"]


def number(entry: dict[str, object], metric: str, value: float | None) -> dict[str, object]:
    return entry | {metric: {"value": value, "std": 0.05}}


def best(record: Record, step: int, by: str = "V_g", **changes: object) -> Record:
    """The same, under a protocol that takes the best."""
    protocol = dataclasses.replace(record.protocol, checkpoint="best", best_by=by)
    return dataclasses.replace(record, protocol=protocol, final={**record.final, "step": step}, **changes)


WRONG = {
    "final": (dataclasses.replace(RECORD, final=number(RECORD.final, "V_g", -0.6)), "V_g is -0.6, and -0.6569 in its"),
    "another metric": (dataclasses.replace(RECORD, final=number(RECORD.final, "D_G", -0.4)), "D_G is -0.4"),
    "history": (
        dataclasses.replace(RECORD, history=[*RECORD.history[:-1], number(RECORD.history[-1], "V_g", 60.0)]),
        "and 60 in its history at the same step",
    ),
    "nothing in the history": (
        dataclasses.replace(RECORD, history=[number(RECORD.history[-1], "V_g", None)]),
        "and nothing in its history",
    ),
    "one step twice": (dataclasses.replace(RECORD, history=RECORD.history * 2), "two measurements of one step"),
    "a millisecond": (dataclasses.replace(RECORD, train_s=1e-3), "187,600 steps in 0.001 s"),
    "no time": (dataclasses.replace(RECORD, train_s=0.0), "187,600 steps in 0 s"),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_said_and_not_judged(tmp_path: Path, name: str) -> None:
    wrong, why = WRONG[name]
    for r in _three_seeds(PUBLISHED):
        store.write(tmp_path, "x", wrong if r.name == wrong.name else r)
    for _ in range(2):  # read, and remembered
        found, problems = shelf.read_all(tmp_path)
        assert not problems
        joined = load_joined(THEORY, found)[1]["theory/1"]
        entry = joined[0].entries["V_g"]
        assert entry.verdict.name == "contested" and why in entry.verdict.why and "seed 1: " in entry.verdict.why
        assert any("contradicts itself" in line for line in joined[0].caveats)
        assert "reproduced" in {e.verdict.name for e in joined[1].entries.values()}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (best(RECORD, 7), "not in its history"),
        (best(RECORD, LAST, history=[]), "not in its history"),
        (best(RECORD, LAST, history=[*RECORD.history[1:], number(RECORD.history[0], "V_g", -0.9)]), "-0.9 is in its"),
        (best(RECORD, LAST), ""),
        (RECORD, ""),
        (dataclasses.replace(RECORD, history=[]), ""),
        (dataclasses.replace(RECORD, status="diverged", final=None), ""),
    ],
)
def test_a_best_is_the_best_of_its_history(record: Record, why: str) -> None:
    assert why in contradiction(record) and bool(why) == bool(contradiction(record))


def test_the_committed_records_contradict_nothing() -> None:
    found, _ = shelf.read_all(Path("results"))
    assert len(found) > 50 and not any(r.contradiction for r in found)
