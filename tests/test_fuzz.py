"""A few seconds of each fuzzer of ``tests/faults/fuzz``; ``python -m tests.faults.fuzz`` runs them at length."""

import os
import random
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.faults.fuzz.damage import ODD_VALUES, change
from tests.faults.fuzz.runner import kinds, run


@pytest.mark.parametrize("seconds", [0.5, pytest.param(4.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", kinds())
def test_damaged_inputs_are_answered(kind: str, seconds: float) -> None:
    outcome = run(kind, cases=10_000, seed=int(2 * seconds), seconds=seconds)
    assert [(f.case, f.what, f.trace) for f in outcome.findings[:3]] == []
    assert outcome.cases == outcome.answers.total() > 0


def test_the_fuzzer_itself_finds() -> None:
    def case(good: str, rng: random.Random, folder: Path) -> str:
        number = int(folder.name.removeprefix("case-"))
        if number == 1:
            raise KeyError(good)
        if number == 3:
            os.kill(os.getpid(), signal.SIGBUS)
        if number == 5:
            time.sleep(60)
        return f"answer {rng.random()}"

    kind = SimpleNamespace(__name__="made", prepare=lambda folder: folder.name[:4], case=case)
    found = run(kind, cases=8, hang_s=0.3)
    assert [(f.case, f.what) for f in found.findings] == [(1, "unexpected"), (3, "death"), (5, "hang")]
    assert "KeyError: 'good'" in found.findings[0].trace
    assert all("in case" in f.trace for f in found.findings)
    assert found.cases == 8 and found.answers.total() == 5
    assert run(kind, cases=8, only=6).answers.keys() < found.answers.keys()  # by its number alone


def test_what_was_changed_is_changed_again_however_deep_it_has_become_and_the_next_case_begins_anew() -> None:
    nested: list = [1]
    for _ in range(3000):
        nested = [nested]
    rng, values = random.Random(0), repr(ODD_VALUES)
    for _ in range(200):
        change({"a": nested}, rng)
    tree = {"a": 0}
    for _ in range(1000):
        change(tree, rng)
    assert repr(ODD_VALUES) == values
