"""Claims about the course of runs, and what they cost: numbers worked out by hand, and by our runs."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.of_runs import entry_of
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.presenting.site.claim_chart import rows
from benchmark.collate.statistics.course import rise, steps_to, unsteadiness
from benchmark.collate.statistics.interval import estimate
from benchmark.suite.claim import AtLeast, Check, Claim, Number
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError

ROOT = Path(__file__).resolve().parents[1]
SUITE = load(ROOT / "suites/sdp.yaml")
CELLS = {c.method: c for c in SUITE.cells if c.table == "I" and c.dataset == "cifar10"}
A, B = (CELLS[m] for m in ("WGAN-GP-SDP", "WGAN-GP"))


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        # about the line through (3, 34) … (6, 28), of slope −1.2: squares 32.8, two of four free
        ([(0, 400), (1, 90), (2, 50), (3, 34), (4, 26), (5, 32), (6, 28)], 16.4**0.5),
        ([(0, 9), (3, 40), (4, 30), (5, 20), (6, 10)], 0.0),  # still falling, and steady
        ([(0, 9), (3, -40), (4, -20), (5, 0), (6, 20)], 0.0),  # rising, and steady
        ([(0, 9), (4, 26), (5, 32), (6, 28)], None),  # three in the second half
        ([], None),
    ],
)
def test_unsteadiness(course: list[tuple[int, float]], expected: float | None) -> None:
    assert unsteadiness(course) == (None if expected is None else pytest.approx(expected, abs=1e-9))


@pytest.mark.parametrize(
    ("values", "lower", "expected"),
    [
        ([400, 60, 40, 50, 60], True, 0.5),  # 40 to 60
        ([400, 60, 40, 50, 36], True, -0.1),  # the last is the best, by a tenth of 40
        ([10, 60, 40, 60], True, 0.5),  # the initial 10 is no result of training
        ([1, 6, 8, 4], False, 0.5),  # an IS: 8 to 4
        ([0, -0.5, -0.6, -0.3], True, 0.5),  # V_g, which is negative
        ([400, 60], True, None),
        ([400, 0, 3], True, None),  # no share of 0
    ],
)
def test_rise(values: list[float], lower: bool, expected: float | None) -> None:
    found = rise([(100 * i, v) for i, v in enumerate(values)], lower)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("level", "lower", "expected"),
    [(40, True, 200.0), (50, True, 150.0), (55, True, 125.0), (10, True, None), (500, True, 0.0), (400, False, 0.0)],
)
def test_steps_to_a_value_lie_on_the_line_between_measurements(
    level: float, lower: bool, expected: float | None
) -> None:
    assert steps_to([(0, 400), (100, 60), (200, 40), (300, 45)], level, lower) == expected


def _joined(cell: Any, courses: list[list[float]], seconds: float = 1.0, **segment: object) -> Joined:
    """A cell with a run for each course of FIDs, measured every 100 steps."""
    stretch = {"device": "AMD EPYC (x86_64)", "threads": 1, "torch": "2.13.0"} | segment
    made: list[Any] = [
        SimpleNamespace(
            history=[{"step": 100 * i, "FID": {"value": v}} for i, v in enumerate(c)],
            steps=100 * (len(c) - 1),
            train_s=1000.0 + 7 * s,
            train_cpu_s=100 * (len(c) - 1) * (seconds + 0.01 * s),
            provenance={"segments": [stretch]},
        )
        for s, c in enumerate(courses)
    ]
    entry = Entry(cell, "FID", "lower", None, estimate([c[-1] for c in courses]), None, Verdict("", ""))
    return Joined(cell, tuple(made), Tier("exact", ()), {"FID": entry})


def _judge(of: str, a: Joined, b: Joined) -> Any:
    x, y = (Number(j.cell.id, "FID", "lower", of, other.cell.id) for j, other in ((a, b), (b, a)))
    claim = Claim("sdp", "c", "q", "w", AtLeast("all", (Check("better", x, y),)))
    return judge_claim(claim, [a, b])


STEADY = [[400, 90, 60, 50, 40 + s, 40.1 + s, 39.8, 39.9 + s, 40 - s] for s in (0.0, 0.1, 0.3, 0.2)]
ROUGH = [[400, 95, 80, 60, 50 + s, 70 + 2 * s, 45 + s, 65 + s, 55 + s] for s in (0.0, 1.0, 3.0, 2.0)]


@pytest.mark.parametrize("of", ["unsteadiness", "steps", "rise"])
def test_a_steadier_and_faster_method_is_found_to_be_so(of: str) -> None:
    a, b = _joined(A, STEADY), _joined(B, ROUGH)
    assert _judge(of, a, b).achieved.name == "holds"
    assert _judge(of, b, a).achieved.name == "fails"
    assert _judge(of, a, b).published.name == "not judged"


def test_the_level_is_one_that_every_run_of_both_reaches() -> None:
    a, b = _joined(A, [[400, 60, 20], [400, 50, 30]]), _joined(B, [[400, 100, 50], [400, 90, 60]])
    cells = {j.cell.id: j for j in (a, b)}
    found = [
        entry_of(Number(j.cell.id, "FID", "lower", "steps", other.cell.id), cells).achieved
        for j, other in ((a, b), (b, a))
    ]
    # 60, the best of the worst run: a is there at 100 and between 400 and 50, b between 100 and 50, and at 200
    assert [e.values for e in found if e] == [(100.0, pytest.approx(100 * 340 / 350)), (180.0, 200.0)]


def test_seconds_are_of_one_kind_of_machine() -> None:
    slow, fast = _joined(A, STEADY, 2.0), _joined(B, STEADY, 1.0)
    verdict = _judge("seconds", slow, fast).achieved
    assert verdict.name == "fails" and "seconds a step cifar10: WGAN-GP-SDP 2.0" in verdict.contradicts[0]
    for other in ({"device": "NVIDIA H200"}, {"threads": 4}, {"torch": "2.12.0"}):
        verdict = _judge("seconds", slow, _joined(B, STEADY, 1.0, **other)).achieved
        assert verdict.name == "not judged" and "different machines" in verdict.why


def test_wall_seconds_count_on_a_gpu() -> None:
    a, b = (_joined(c, STEADY, device="NVIDIA H200") for c in (A, B))
    found = entry_of(Number(A.id, "FID", "lower", "seconds", B.id), {A.id: a, B.id: b}).achieved
    assert found and found.values == tuple((1000 + 7 * s) / 800 for s in range(4))


def test_short_courses_and_rhythms_that_differ_say_why() -> None:
    a, b = _joined(A, [c[:4] for c in STEADY]), _joined(B, ROUGH)
    assert "fewer than 4 measurements" in _judge("unsteadiness", a, b).achieved.why
    often = dataclasses.replace(B, protocol=dataclasses.replace(B.protocol, every_steps=7))
    often = dataclasses.replace(often, full_protocol=often.protocol) if often.full_protocol != often.protocol else often
    verdict = _judge("unsteadiness", _joined(A, STEADY), _joined(often, ROUGH)).achieved
    assert verdict.name == "not judged" and "every_steps 5,000 / 7" in verdict.why


def test_a_run_that_gets_worse_at_its_end_diverges() -> None:
    number = Number(B.id, "FID", "lower", "rise")
    claim = Claim("sdp", "c", "q", "w", AtLeast("all", (Check("not-converged", number, limit=0.5),)))
    for ends, name in (((80, 85, 90, 82), "holds"), ((41, 42, 44, 43), "fails"), ((50, 60, 70, 62), "inconclusive")):
        joined = _joined(B, [[400, 60, 40, 45, end] for end in ends])
        judged = judge_claim(claim, [joined])
        assert judged.achieved.name == name, judged.achieved
        (row,) = rows(judged, {number: entry_of(number, {B.id: joined})})
        assert row.name == "rise of FID at the end cifar10: WGAN-GP diverges"
        assert row.achieved is not None and (row.achieved > 0) == (name != "fails")


def _written(tmp_path: Path, holds: str) -> Claim:
    text = (ROOT / "suites/sdp.yaml").read_text(encoding="utf-8")
    text += f"  - {{id: mine, quote: q, where: w, holds: {holds}}}\n"
    (tmp_path / "sdp.yaml").write_text(text, encoding="utf-8")
    return load(tmp_path / "sdp.yaml").claims[-1]


def test_the_forms_are_read(tmp_path: Path) -> None:
    claim = _written(tmp_path, "{table: II, better: {LSGAN-SDP: LSGAN}, of: steps, by: significantly}")
    (leaf,) = claim.leaves()
    ids = [f"sdp/II/{m}/tiny-imagenet@64px" for m in ("LSGAN-SDP", "LSGAN")]
    assert isinstance(leaf, Check) and leaf.b and leaf.margin == Fraction(1, 20)
    assert [(n.cell.split("/")[2], n.of, n.beside.split("/")[2]) for n in (leaf.a, leaf.b)] == [
        ("LSGAN-SDP", "steps", "LSGAN"),
        ("LSGAN", "steps", "LSGAN-SDP"),
    ], ids
    for of, beside in (("unsteadiness", False), ("rise", False), ("seconds", True)):  # one number a cell, or one a pair
        numbers = _written(tmp_path, f"{{table: II, better: {{LSGAN-SDP: LSGAN}}, of: {of}}}").numbers()
        assert [bool(n.beside) for n in numbers] == [beside] * 2
    (leaf,) = _written(tmp_path, "{table: II, diverges: LSGAN, by: much}").leaves()
    assert isinstance(leaf, Check) and (leaf.test, leaf.limit, leaf.a.of) == ("not-converged", 0.5, "rise")


@pytest.mark.parametrize(
    ("holds", "message"),
    [
        ("{table: II, better: {LSGAN-SDP: LSGAN}, of: step}", "unknown quantity of a run 'step'.*steps"),
        (
            "{table: II, better: {LSGAN-SDP: LSGAN}, of: seconds, metrics: [FID]}",
            "'of: seconds' goes without 'metrics'",
        ),
        ("{table: I, better: {LSGAN-SDP: LSGAN}, against: II, of: rise}", "'of: rise' goes without 'against'"),
        ("{table: II, best: LSGAN, of: rise}", "unknown key 'of'"),
        ("{table: II, diverges: LSGAN}", "missing key 'by'"),
        ("{table: II, diverges: LSGAN, by: equally}", "percentage.*significantly, much"),
        ("{table: II, diverges: LSGAN, by: 0%}", "more than 0%"),
        ("{table: II, diverges: LSGEN, by: 5%}", "unknown method.*LSGAN"),
    ],
)
def test_what_says_nothing_is_refused(tmp_path: Path, holds: str, message: str) -> None:
    with pytest.raises(SuiteError, match=f"sdp.yaml:\\d+.*{message}"):
        _written(tmp_path, holds)


@pytest.mark.parametrize(
    "said",
    [
        *({"device": device} for device in (None, "unknown", "unknown (x86_64)", ["H200"], "")),
        *({"threads": threads} for threads in (None, {})),
        *({"torch": version} for version in (None, "absent")),
    ],
)
def test_seconds_on_a_machine_that_is_not_said_are_compared_with_none(said: dict[str, object]) -> None:
    a, b = (_joined(c, STEADY, seconds, **said) for c, seconds in ((A, 1.0), (B, 2.0)))
    verdict = _judge("seconds", a, b).achieved
    assert verdict.name == "not judged" and "which is not said" in verdict.why


def test_wall_seconds_of_a_cpu_are_no_costs() -> None:
    a, b = (_joined(c, STEADY) for c in (A, B))
    b.records[1].__dict__["train_cpu_s"] = None
    verdict = _judge("seconds", a, b).achieved
    assert verdict.name == "not judged" and "own seconds" in verdict.why


@pytest.mark.parametrize("of", ["unsteadiness", "rise", "steps"])
def test_the_rhythm_is_that_of_our_runs(of: str) -> None:
    """A profile that looks more often measures the same result, and another course."""
    often = dataclasses.replace(B, protocol=dataclasses.replace(B.protocol, every_steps=100))
    verdict = _judge(of, _joined(A, STEADY), _joined(often, ROUGH)).achieved
    assert verdict.name == "not judged" and "every_steps 5,000 / 100" in verdict.why
    assert _judge("seconds", _joined(A, STEADY), _joined(often, ROUGH, 2.0)).achieved.name == "holds"
