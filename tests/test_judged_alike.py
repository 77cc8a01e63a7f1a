"""What is judged of our runs is judged alike elsewhere: from outside, without the data, beside a dash, of any kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.judging.decide import open_questions
from benchmark.collate.judging.join import Joined, join
from benchmark.collate.judging.outside import Outside, with_outside
from benchmark.collate.presenting.square import achieved_text
from benchmark.data import cards
from benchmark.metrics.real import real_key
from benchmark.plan.plan import make_plan
from benchmark.records.external import External, data_of
from benchmark.records.failures import Failure
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.model import Alive, Cell, Suite
from tests.test_collate import record_for


def alone(suite: Suite, cell: Cell, **changes: object) -> Suite:
    """The suite with one cell."""
    table = next(t for t in suite.tables if t.key == f"{cell.paper}/{cell.table}")
    return replace(suite, tables=(replace(table, cells=(cell,), **changes),))


def joined(suite: Suite, records: list[Record], **more: object) -> Joined:
    (cells,) = join(suite, records, **more).values()
    return cells[0]


def outside(suite: Suite, *records: External) -> list[Outside]:
    (cells,) = with_outside(suite, join(suite, ()), records).values()
    return list(cells[0].outside)


def names(j: Joined) -> dict[str, str]:
    return {metric: entry.verdict.name for metric, entry in j.entries.items()}


def test_a_pair_that_did_not_train_agrees_with_nothing_from_outside_either() -> None:
    suite = load(Path("suites/theory.yaml"))
    cell = next(c for c in suite.cells if c.id.startswith("theory/1/B_z=10^2["))
    given = External(
        kind="reported", cell=cell.id, profile="full", seed=0, trained_by="them", measured_by="me",
        data=data_of(cell.full_recipe), protocol=cell.full_protocol.to_json(),
        numbers={
            "V_g": [{"value": -0.6931 - i * 1e-4} for i in range(3)],
            "D_G": [{"value": -0.5 - i * 1e-4} for i in range(3)],
            "L_Vg_Bz": [{"value": 1e-4 + i * 1e-6} for i in range(3)],
        },
    )  # fmt: skip
    (found,) = outside(alone(suite, cell), given)
    assert set(names(found).values()) == {"untrained"}
    alive = replace(given, numbers=given.numbers | {"L_Vg_Bz": [{"value": 2.4 + i / 100} for i in range(3)]})
    (found,) = outside(alone(suite, cell), alive)
    assert "untrained" not in names(found).values()


@pytest.fixture
def celeba(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A cell of it, with data of a hash."""
    monkeypatch.setattr(cards, "_added", lambda c, split: "a" * 64)
    suite = load(Path("suites/gran.yaml"))
    return next(c for c in suite.cells if c.table == "3" and c.dataset == "celeba" and c.published["FID"].value)


def measured(cell: Cell, seed: int, value: float, **changes: object) -> External:
    protocol = replace(cell.full_protocol, probe_images=None)
    return External(
        **{
            "kind": "external", "cell": cell.id, "profile": "full", "seed": seed, "trained_by": "x", "measured_by": "",
            "data": data_of(cell.full_recipe), "protocol": protocol.to_json(), "numbers": {"FID": [{"value": value}]},
            "images": f"im{seed}", "real": real_key(cell.full_recipe, protocol), "measure_version": 1,
        }
        | changes
    )  # fmt: skip


def test_what_was_measured_against_other_images_or_by_older_code_is_not_judged(celeba: Cell) -> None:
    suite = alone(load(Path("suites/gran.yaml")), celeba)
    values = [celeba.published["FID"].value * f for f in (0.99, 1.0, 1.01, 1.003, 0.997)]
    (found,) = outside(suite, *(measured(celeba, i, v) for i, v in enumerate(values)))
    assert names(found)["FID"] == "agrees as declared"
    apart = outside(suite, *(measured(celeba, i, v, real=f"{i}" * 64) for i, v in enumerate(values)))
    assert len(apart) == 5 and {names(one)["FID"] for one in apart} == {"incomparable"}
    (old,) = outside(suite, *(measured(celeba, i, v, measure_version=0) for i, v in enumerate(values)))
    assert names(old)["FID"] == "incomparable" and "measured by version 0" in old.tier.differences[0]


def test_a_failed_run_is_not_forgotten_where_its_data_are_not() -> None:
    suite = load(Path("suites/chain.yaml"))
    cell = next(c for c in suite.cells if c.id == "chain/100shot/StyleGAN2+CHAIN/obama")
    value, steps = cell.published["FID"].value, cell.recipe.steps
    one = alone(suite, cell)
    with pytest.MonkeyPatch.context() as there:
        there.setattr(cards, "_added", lambda c, split: "a" * 64)
        records = [
            record_for(cell, i, {"FID": value * f}, steps=steps, total_steps=steps, seeds=3)
            for i, f in enumerate((0.995, 1.0, 1.004))
        ]
        run = make_plan([cell], [3], {}).runs[0]
        failures = {run.evaluation: Failure(run.evaluation, 3, "CUDA out of memory", "2026-01-01", "results")}
        assert names(joined(one, records, failures=failures)) == {"FID": "failed"}
    assert names(joined(one, records, failures=failures)) == {"FID": "failed"}


def test_beside_a_dash_what_did_not_train_did_not_fail_to_converge() -> None:
    suite = load(Path("suites/gran.yaml"))
    cell = next(c for c in suite.cells if c.table == "2" and c.published["FID"].text == "not-converged")
    steps = cell.recipe.steps
    records = [
        record_for(
            cell, i, {"FID": v, "IS": 1 + i / 100, "KIDx1000": 30 + i / 10}, seeds=3, steps=steps, total_steps=steps
        )
        for i, v in enumerate((400.0, 410.0, 405.0))
    ]
    assert names(joined(alone(suite, cell), records))["FID"] == "reproduced"
    assert names(joined(alone(suite, cell, alive={"IS": Alive(1.5, "a test")}), records))["FID"] == "untrained"


def test_what_lies_on_both_sides_of_a_limit_is_asked_on() -> None:
    suite = load(Path("suites/gran.yaml"))
    cell = next(c for c in suite.cells if c.table == "2" and c.published["FID"].text == "not-converged")
    steps, table = cell.recipe.steps, next(t for t in suite.tables if t.id == "2")

    def asked(*values: float) -> tuple[list[str], list[bool]]:
        records = [
            record_for(
                cell, i, {"FID": v, "IS": 6 + i / 100, "KIDx1000": 30 + i / 10}, seeds=0, steps=steps, total_steps=steps
            )
            for i, v in enumerate(values)
        ]
        cells = [joined(alone(suite, cell), records)]
        questions, hopeless = open_questions(
            cells, {table.key: table.tolerance}, [], limits={table.key: table.converged}
        )
        return [q.name for q in questions], [h.little for h in hopeless if h.name.endswith("FID")]

    assert asked(55.0, 66.0, 64.0) == ([f"{cell.id} FID"], [])
    assert asked(55.0, 66.0, 64.0, 62.0, 63.0, 60.0, 61.0) == ([], []), "decided"
    near = [70.0 + (-1) ** i * (4 + i / 10) for i in range(20)]
    assert asked(*near) == ([], [True])


def test_a_cell_of_which_some_seeds_diverged_says_how_many_whatever_else_is_said() -> None:
    suite = load(Path("suites/gran.yaml"))
    cell = next(t for t in suite.tables if t.id == "2").cells[0]
    steps, numbers = cell.recipe.steps, {m: p.value for m, p in cell.published.items() if p.value}
    changed = [{"commit": "0" * 40 + "+changes"}]
    records = [record_for(cell, i, numbers, steps=steps, total_steps=steps, segments=changed) for i in (0, 1)] + [
        record_for(cell, 2, {}, steps=steps, total_steps=steps, status="diverged", final=None)
    ]
    entries = joined(alone(suite, cell), records).entries.values()
    assert {achieved_text(e) for e in entries} == {"1 of 3 diverged"}
    assert all("to be believed" in e.verdict.why for e in entries if e.achieved)


PROBE = """\
suite: tiny
paper: {title: Tiny, venue: here}
protocol:
  {metrics: [V_g, D_G, D_real], probe_images: 32, generated: 40, bn_mode: eval, weights: raw, checkpoint: last,
    every_epochs: 1, std_of: none}
tolerance: {V_g: {relative: 0.1, source: a test}, D_G: {relative: 0.9, source: a test}}
recipes:
  base: {dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100, images: 64,
    network: {name: mlp, width: 0.05, bn_eps: 0.8}, z_dim: 4, z_distribution: normal, z_scale: 1.0,
    loss: {name: non-saturating, d_scale: 1.0}, batch_d: 32, batch_g: 32, n_dis: 1, epochs: 1, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate,
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}
  wide: {from: base, network: {name: mlp, width: 0.1, bn_eps: 0.8}}
profiles: {reduced: {recipe: {images: 32}}}
tables:
  "1": {caption: c, std_of: none, metrics: {V_g: lower, D_G: lower, D_real: lower},
    rows: {A: {recipe: base, D_real: 0.7, V_g: 1.0, D_G: -0.5}, B: {recipe: wide, D_real: 0.9, V_g: 1.0, D_G: -0.5}}}
claims:
  - {id: c, quote: q, where: w, holds: {table: "1", metrics: [D_real], better: {A: B}}}
"""


def test_a_claim_may_be_on_any_metric(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "probe.yaml").write_text(PROBE, encoding="utf-8")
    assert main(["claims", str(tmp_path / "probe.yaml"), "--published-only"]) == 0
    assert "D_real" in capsys.readouterr().out
