"""``run --until-decided``: which seeds are added, when it stops and why, and that another lab gets the same
verdicts.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from unittest import mock

import pytest

from benchmark.cli import main
from benchmark.collate.judging.decide import in_order, open_questions
from benchmark.collate.judging.join import load_joined
from benchmark.collate.presenting.report import judged_claims
from benchmark.collate.statistics.interval import estimate
from benchmark.records import store
from benchmark.records.record import Record
from benchmark.records.store import read_all
from benchmark.suite.load import load
from tests.test_collate import PUBLISHED, THEORY, _three_seeds

SUITE = """suite: tiny
paper: {{title: Tiny, venue: here}}
protocol:
  {{metrics: [V_g, D_G], generated: 40, bn_mode: eval, weights: raw, checkpoint: last, every_epochs: 1, std_of: none}}
tolerance: {{V_g: {{relative: {band}, source: a test}}, D_G: {{relative: 1.0e-6, source: a test}}}}
recipes:
  base: {{dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100, images: 64,
    network: {{name: mlp, width: 0.05, bn_eps: 0.8}}, z_dim: 4, z_distribution: normal, z_scale: 1.0,
    loss: {{name: non-saturating, d_scale: 1.0}}, batch_d: 32, batch_g: 32, n_dis: 1, epochs: 1, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate,
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}}
  wide: {{from: base, network: {{name: mlp, width: 0.1, bn_eps: 0.8}}}}
profiles: {{reduced: {{recipe: {{images: 32}}}}}}
tables:
  "1": {{caption: c, std_of: none, metrics: {{V_g: lower, D_G: lower}},
    rows: {{A: {{recipe: base, V_g: {a}, D_G: -0.5}}, B: {{recipe: wide, V_g: {b}, D_G: -0.5}}}}}}
"""


def write(path: Path, band: float = 0.1, a: float = 1.0, b: float = 1.0) -> Path:
    path.write_text(SUITE.format(band=f"{band:.9f}", a=f"{a:.6f}", b=f"{b:.6f}"), encoding="utf-8")
    return path


def run(suite: Path, results: Path, *more: str) -> int:
    return main(["run", str(suite), "--results", str(results), "--executor", "inline", "--device", "cpu", *more])


def values(results: Path, method: str) -> list[Record]:
    return sorted((r for r in read_all(results)[0] if f"/{method}/" in r.cell), key=lambda r: r.seed)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A suite whose V_g of A is open after three seeds and would be decided by some more, while B's is far off; D_G's
    band is hopeless.
    """
    folder = tmp_path_factory.mktemp("decide")
    suite, results = write(folder / "tiny.yaml"), folder / "results"
    with mock.patch.dict(os.environ):  # a run in this process names its folders there
        assert run(suite, results, "--seeds", "3") == 0
    e = estimate([r.final["V_g"]["value"] for r in values(results, "A")])
    other = estimate([r.final["V_g"]["value"] for r in values(results, "B")])
    return write(suite, 0.8 * e.half / abs(e.mean), e.mean, other.mean * 10), results


def verdicts(suite: Path, results: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    capsys.readouterr()
    assert main(["compare", str(suite), "--results", str(results), "--format", "json"]) == 0
    return {f"{row['cell'].split('/')[2]} {row['metric']}": row for row in json.loads(capsys.readouterr().out)}


def test_seeds_are_added_where_they_decide_and_the_records_say_so(
    three: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite, results = three
    before = verdicts(suite, results, capsys)
    assert (
        before["A V_g"]["verdict"] == "inconclusive"
        and before["B V_g"]["verdict"] in ("better", "not reproduced")
        and {r.planned for r in read_all(results)[0]} == {3}
    )
    code = run(suite, results, "--until-decided", "--budget", "1h")
    said = capsys.readouterr().err
    assert (
        "Rule: after every seed" in said and "1 open verdict that seeds could decide" in said and "given up (2)" in said
    )
    assert len(values(results, "B")) == 3 and len(values(results, "A")) > 3, "B was decided, and gets no seeds"
    assert [r.planned for r in values(results, "A")][3:] == [0] * (len(values(results, "A")) - 3)
    after = verdicts(suite, results, capsys)
    assert "over all looks" in after["A V_g"]["why"] and "over all looks" not in after["B V_g"]["why"]
    decided = after["A V_g"]["verdict"] == "reproduced"
    assert code == 1, "D_G is given up"
    assert not decided or "every verdict that seeds could decide has fallen" in said
    narrow = estimate([r.final["V_g"]["value"] for r in values(results, "A")])
    shown = float(re.search(r"± ([0-9.e-]+)", after["A V_g"]["why"])[1])
    assert shown > 1.3 * narrow.half, "the corrected interval, from the records alone"
    main(["export", str(suite), "--results", str(results), "--out", str(tmp_path / "mine.zip")])
    main(["merge", str(tmp_path / "mine.zip"), "--results", str(tmp_path / "theirs")])
    assert {k: (v["verdict"], v["why"]) for k, v in verdicts(suite, tmp_path / "theirs", capsys).items()} == {
        k: (v["verdict"], v["why"]) for k, v in after.items()
    }
    assert (
        run(suite, results, "--until-decided", "--budget", "1h") == code
        and ("nothing to decide" in capsys.readouterr().err) == decided
    )


def test_it_stops_at_the_budget_and_says_so(
    three: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite, results = three
    fresh = tmp_path / "results"
    for r in read_all(results)[0]:
        if r.seed < 3:
            store.write(fresh, "tiny/a", r)
    assert run(suite, fresh, "--until-decided", "--budget", "0.000001h") == 1
    said = capsys.readouterr().err
    assert (
        "stopped after 0 runs" in said
        and "the budget: the least that could decide more takes" in said
        and "still open (1)" in said
    )
    assert len(read_all(fresh)[0]) == 6


def test_reduced_runs_decide_nothing_and_it_says_so_at_once(
    three: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite, _ = three
    assert run(suite, tmp_path, "--profile", "reduced") == 0
    capsys.readouterr()
    assert run(suite, tmp_path, "--profile", "reduced", "--until-decided", "--budget", "1h") == 0
    said = capsys.readouterr().err
    assert (
        "nothing to decide" in said
        and "2 cells of profile reduced: tier proxy, from which no verdict can come" in said
        and len(read_all(tmp_path)[0]) == 2
    )
    assert run(suite, tmp_path / "none", "--until-decided", "--budget", "1h") == 0
    assert "2 cells without a record take no part" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--until-decided"], "needs --budget"),
        (["--budget", "1h"], "--until-decided"),
        (["--until-decided", "--budget", "1h", "--seeds", "5"], "leave out --seeds"),
        (["--until-decided", "--budget", "0h"], "no time such as"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = run(write(tmp_path / "tiny.yaml"), tmp_path, *options)
    except SystemExit as stop:
        code = stop.code
    assert code == 2 and message in capsys.readouterr().err


def test_questions_are_what_is_open_and_could_change_and_the_cheap_ones_come_first() -> None:
    suite = load(THEORY)
    spread = 0.02
    noisy = [dataclasses.replace(r) for r in _three_seeds(PUBLISHED, spread)]
    joined = load_joined(THEORY, noisy)[1]
    cells = [j for rows in joined.values() for j in rows]
    bands = {t.key: t.tolerance for t in suite.tables}
    questions, hopeless = open_questions(cells, bands, judged_claims(suite, joined))
    names = {q.name for q in questions} | {h.name for h in hopeless}
    assert names >= {
        f"{j.cell.id} {m}" for j in cells for m, e in j.entries.items() if e.verdict.name == "inconclusive"
    }
    assert questions and all(
        0 <= q.chance(1) <= 1 and max(q.chance(k) for k in (1, 5, 20, 47)) >= 0.8 for q in questions
    )
    runs = {j.cell.id: j.cell.id for j in cells}
    dear = dict.fromkeys(runs, 1.0) | {questions[0].cells[0]: 1e6}
    assert questions[0].cells[0] not in {c for q in in_order(questions, dear, runs)[0] for c in q.cells}
    assert questions[0].cells[0] in {
        c
        for q in in_order(questions, dict.fromkeys(runs, 1000000.0) | {questions[0].cells[0]: 1.0}, runs)[0]
        for c in q.cells
    }
