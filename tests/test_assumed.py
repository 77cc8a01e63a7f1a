"""``not reached as assumed``: what a number rests on that nobody says, and what may then be said of it."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

import benchmark as gb
from benchmark.collate.judging.assumed import as_assumed, assumptions
from benchmark.collate.judging.join import join
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import DECIDED, VERDICTS, Verdict, judge
from benchmark.collate.presenting.notes import SYMBOLS
from benchmark.collate.statistics.interval import estimate
from benchmark.recipe import Protocol, Recipe
from benchmark.suite.kinds import of_kind
from benchmark.suite.model import Cell, Published, Suite, Tolerance
from tests.home import ROOT
from tests.test_collate import record_for

EXACT = Tier("exact", ())
THEORY = gb.load(ROOT / "suites/theory.yaml")
GRAN = gb.load(ROOT / "suites/gran.yaml")
STATED = next(c for c in GRAN.cells if c.id == "gran/2/SNGAN/cifar10")
GUESSED = next(c for c in THEORY.cells if c.id == "theory/2/sigma=sqrt(2)[MLP]/mnist")


@pytest.mark.parametrize(
    ("paper", "may", "may_not", "quoted"),
    [("chain", 0, 146, 35), ("pgn", 26, 15, 25), ("gran", 3, 125, 0), ("sdp", 0, 32, 0), ("theory", 0, 17, 0)],
)
def test_how_many_printed_numbers_may_be_not_reproduced(paper: str, may: int, may_not: int, quoted: int) -> None:
    found: Counter[str] = Counter()
    for table in gb.load(ROOT / f"suites/{paper}.yaml").tables:
        for cell in table.cells if not table.restates else ():
            for metric, p in cell.published.items():
                if p.value is not None:
                    rests = assumptions(cell, metric)
                    found["quoted" if p.origin == "quoted" else "may not" if rests else "may"] += 1
    assert (found["may"], found["may not"], found["quoted"]) == (may, may_not, quoted)


def test_all_gran_numbers_under_a_guessed_constant_rest_on_it() -> None:
    """K off CIFAR-10 and every tuned row: 70 of the 128 numbers of Tables 2 and 3."""
    found = Counter(
        any(path in ("parts.gran.tau", "parts.gradient-penalty.target", "parts.output-scale.k") for path in rests)
        for c in GRAN.cells
        if c.table in ("2", "3")
        for metric, p in c.published.items()
        if p.value is not None
        for rests in [assumptions(c, metric)]
    )
    assert found == {True: 70, False: 58}


@pytest.mark.parametrize("name", VERDICTS)
def test_one_name_is_weakened_and_no_other(name: str) -> None:
    for cell in (STATED, GUESSED):
        found = as_assumed(Verdict(name, "why"), cell, "V_g")
        weaker = cell is GUESSED and name in ("not reproduced", "differs")
        assert found.name == ("not reached as assumed" if weaker else name)
        assert found.why == (
            "why; chosen, because nothing says: loss.name, parts.translations.fill, bn_mode" if weaker else "why"
        )
    assert name in SYMBOLS


FIELDS = [f.name for kind in (Recipe, Protocol) for f in dataclasses.fields(kind)]


@pytest.mark.parametrize("path", [*FIELDS, "network.width", "loss.margin", "parts.gran", "parts.gran.tau"])
def test_every_field_decides_but_looks_and_what_describes(path: str) -> None:
    cell = dataclasses.replace(STATED, kinds={"z_dim": "inferred", "batch_d": "code", path: "chosen"})
    silent = path in ("every_steps", "every_epochs", "jac_G_every_epochs", "seeds", "std_of")
    other = path in ("is_splits", "is_generated", "kid_subsets", "kid_subset_size")
    assert assumptions(cell, "FID") == (() if silent or other else (path,))
    assert assumptions(cell, "IS") == (() if silent or path.startswith("kid_") else (path,))
    assert assumptions(cell, "KIDx1000") == (() if silent or path.startswith("is_") else (path,))


def test_an_argument_of_a_chosen_part_goes_without_saying() -> None:
    kinds = {"parts.sdp": "chosen", "parts.sdp.k": "chosen", "parts.sdpx": "chosen", "parts.gran.tau": "chosen"}
    assert of_kind(kinds, "chosen") == ("parts.sdp", "parts.sdpx", "parts.gran.tau")


@pytest.mark.parametrize(
    ("suite", "cell", "metric", "off", "apart", "name"),
    [
        (GRAN, STATED, "FID", 10.0, 0.1, "not reproduced"),
        (THEORY, GUESSED, "V_g", 1.0, 1e-4, "not reached as assumed"),
        (THEORY, GUESSED, "V_g", -1.0, 1e-4, "better"),
        (THEORY, GUESSED, "V_g", 0.0, 1e-4, "reproduced"),
    ],
)
def test_records_far_from_the_number_get_it(
    suite: Suite, cell: Cell, metric: str, off: float, apart: float, name: str
) -> None:
    v = cell.published[metric].value
    assert v is not None
    values = {m: float(p.value or 0) for m, p in cell.published.items()}
    records = [record_for(cell, seed, values | {metric: v + off + apart * seed}) for seed in range(3)]
    found = next(j for rows in join(suite, records).values() for j in rows if j.cell.id == cell.id)
    verdict = found.entries[metric].verdict
    assert verdict.name == name and name in DECIDED
    assert ("parts.translations.fill" in verdict.why) == (name == "not reached as assumed")


def test_no_false_verdict_is_added() -> None:
    """Drawn from a known truth: what is false was false before, and no guess is ever not reproduced."""
    rng = np.random.default_rng(0)
    band = Tolerance(0.05, "simulated")
    before: Counter[tuple[str, str]] = Counter()
    after: Counter[tuple[str, str]] = Counter()
    for _ in range(400):
        theirs, effect = 20.0, rng.choice([0.0, 1.001, 4.0, -4.0])
        printed = round(float(rng.normal(theirs, 0.3)), 2)
        ours = theirs * (1 + 0.05 * effect)
        verdict = judge(
            Published(f"{printed}", printed, None, None, "own"),
            estimate(rng.normal(ours, 0.3, 3).tolist()), 0, [EXACT], "lower", band, "",
        )  # fmt: skip
        off = ours - printed
        true = "reproduced" if abs(off) <= band.relative * printed else "not reproduced" if off > 0 else "better"
        before[verdict.name, true] += 1
        after[as_assumed(verdict, GUESSED, "V_g").name, true] += 1
    assert before["not reproduced", "not reproduced"] > 40
    assert not any(name == "not reproduced" for name, _ in after)
    for name in ("reproduced", "better", "inconclusive"):
        assert {t: k for (n, t), k in before.items() if n == name} == {t: k for (n, t), k in after.items() if n == name}
    false = sum(k for (n, t), k in after.items() if n in ("reproduced", "better") and n != t)
    assert false <= sum(k for (n, t), k in before.items() if n in DECIDED and n != t) <= 0.05 * 400
