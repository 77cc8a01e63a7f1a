"""The claims' language: every form on small tables with a known answer, by published numbers and by ours; what it
refuses.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import judged_claims
from benchmark.plan.plan import make_plan
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError

BASE = """suite: mini
paper: {title: t, venue: v}
protocol:
  {metrics: [FID, IS], generated: 10, bn_mode: eval, weights: raw, checkpoint: last, std_of: none, every_epochs: 1}
recipes:
  base: {dataset: shapes, split: train, resolution: 32, channels: 3, data_percent: 100, network: {name: net, width: 1},
    z_dim: 4, z_distribution: normal, z_scale: 1,
    loss: {name: unheard, margin: 1.0}, parts: [spectral-norm: {player: D}, unheard-of: {p: 0.5, kimg: 3}],
    batch_d: 4, batch_g: 4, n_dis: 1, steps: 10, drop_last: true, player_order: d-first,
    share_fakes: false, d_pass: joint, optimizer: adam, lr_g: 0.1, lr_d: 0.1, beta1: 0, beta2: 0.9,
    adam_eps: 1e-8, precision: float32}
"""


def suite(
    tmp_path: Path, rows: str, holds: str, columns: str = "[{data_percent: 10}, {data_percent: 100}]", more: str = ""
):
    path = tmp_path / "mini.yaml"
    table = (
        f"tables:\n  T:\n    caption: c\n    metrics: {{FID: lower, IS: higher}}\n    columns: {columns}\n    rows:\n"
    )
    table += "".join(f"      {row.strip()}\n" for row in rows.strip().splitlines())
    path.write_text(
        BASE + table + more + f"claims:\n  - {{id: c, quote: q, where: w, holds: {holds}}}\n", encoding="utf-8"
    )
    return load(path)


ROWS = """
a: {recipe: base, FID: [10, 5], IS: [7, 9]}
b: {recipe: base, FID: [11, 6], IS: [7, 8]}
c: {recipe: base, FID: [not-converged, 7], IS: [not-converged, 7]}
d: {recipe: base, FID: [not-reported, 4], IS: [not-reported, 6]}
e: {recipe: base, FID: [not-converged, 5], IS: [not-converged, 5]}
"""


@pytest.mark.parametrize(
    ("holds", "name"),
    [
        ("{table: T, metrics: [FID], better: {a: b}}", "holds"),
        ("{table: T, metrics: [IS], better: {a: b}}", "fails"),  # a tie is not better
        ("{table: T, metrics: [IS], better: {a: b}, in: any}", "holds"),
        ("{table: T, metrics: [FID], better: {b: a}, by: -10%, cells: data_percent=10}", "holds"),  # exactly 10 % worse
        ("{table: T, metrics: [FID], better: {b: a}, by: -9.9%, cells: data_percent=10}", "fails"),
        ("{table: T, metrics: [FID], better: {a: d}}", "fails"),  # what d does not report is left out
        ("{table: T, metrics: [FID], better: {a: d}, cells: data_percent=10}", "not judged"),
        ("{table: T, metrics: [FID], better: {a: c}}", "holds"),  # not converged is worse than any number
        ("{table: T, metrics: [FID], better: {c: a}, cells: data_percent=10}", "fails"),
        # neither converged: left out, whatever the margin
        ("{table: T, metrics: [FID], better: {c: e}, cells: data_percent=10}", "not judged"),
        ("{table: T, better: {c: e}, by: 5%, cells: data_percent=10}", "not judged"),
        ("{table: T, better: {e: c}, by: -5%, cells: data_percent=10}", "not judged"),
        ("{table: T, metrics: [FID], better: {c: e}, by: 5%, in: any}", "fails"),
        ("{table: T, metrics: [FID], best: c, among: 'method!=a & method!=b', cells: data_percent=10}", "not judged"),
        ("{table: T, metrics: [FID], better: {e: c}, by: 5%}", "holds"),  # only the other column counts
        ("{table: T, metrics: [FID], close: {b: a}, within: 10%, cells: data_percent=10}", "holds"),
        ("{table: T, metrics: [FID], close: {b: a}, within: 9%, cells: data_percent=10}", "fails"),
        ("{table: T, metrics: [FID], close: {c: a}, within: 90%, cells: data_percent=10}", "fails"),
        ("{table: T, metrics: [FID], close: {a: c}, within: 90%, cells: data_percent=10}", "fails"),
        ("{table: T, metrics: [FID], close: {c: e}, within: 90%, cells: data_percent=10}", "not judged"),
        ("{table: T, metrics: [FID], best: a, cells: data_percent=10}", "holds"),
        ("{table: T, metrics: [FID], best: a}", "fails"),
        ("{table: T, metrics: [FID], best: a, top: 2}", "holds"),
        ("{table: T, metrics: [FID], best: e, top: 3, cells: data_percent=100}", "holds"),  # a tie for the second place
        # did not converge: never in the top
        ("{table: T, metrics: [FID], best: c, top: 3, cells: data_percent=10}", "fails"),
        # one rival left
        (
            "{table: T, metrics: [FID], best: b, top: 2, among: method=b | method=a | method=d, cells: "
            "data_percent=10}",
            "not judged",
        ),
        ("{table: T, metrics: [IS], best: a, among: method!=e}", "holds"),
        ("{table: T, metrics: [FID], ascending: [a, b, c]}", "holds"),
        # not converged is the lowest IS
        ("{table: T, metrics: [IS], ascending: [c, b], cells: data_percent=10}", "holds"),
        ("{table: T, metrics: [IS], ascending: [b, c], cells: data_percent=10}", "fails"),
        ("{table: T, metrics: [FID], ascending: [b, a], times: {b: 0.1}}", "holds"),
        ("{table: T, monotone: [a, b]}", "holds"),
        ("{table: T, metrics: [FID], monotone: [c]}", "holds"),
        ("{table: T, not-converged: c, cells: data_percent=10}", "holds"),
        ("{table: T, not-converged: c}", "fails"),
        ("{table: T, metrics: [FID], better: {a: [b, c, d, e]}, cells: data_percent=100, in: most}", "fails"),  # 2 of 4
        ("{table: T, metrics: [FID], better: {a: [b, c, d, e]}, in: most}", "holds"),  # 5 of the 7 that are printed
        ("{table: T, metrics: [FID], better: {a: [b, c, d, e]}, in: 70%}", "holds"),
        ("{table: T, metrics: [FID], better: {a: [b, c, d, e]}, in: 75%}", "fails"),
        ("{any: [{table: T, better: {b: a}}, {table: T, metrics: [FID], better: {a: b}}]}", "holds"),
        ("{most: [{table: T, better: {b: a}}, {table: T, metrics: [FID], better: {a: b}}]}", "fails"),
        ("[{table: T, metrics: [FID], better: {a: b}}, {table: T, better: {b: a}}]", "fails"),
    ],
)
def test_each_form_by_published_numbers(tmp_path: Path, holds: str, name: str) -> None:
    made = suite(tmp_path, ROWS, holds)
    (judged,) = judged_claims(made, join(made, []))
    assert judged.published.name == name, judged.published
    assert judged.achieved.name == "not judged"


@pytest.mark.parametrize(
    ("holds", "message"),
    [
        ("[]", "empty list"),
        ("{any: []}", "empty list"),
        ("{most: []}", "empty list"),
        ("[{table: T, better: {a: b}}, []]", "empty list"),
        ("{table: T, better: {a: b}, in: 0%}", "more than 0%"),
        ("{table: T, better: {a: b}, in: -5%}", "more than 0%"),
        ("{table: T, better: {a: b}, in: 150%}", "at most 100%"),
        ("{table: T, better: {a: b}, in: " + "9" * 400 + "%}", "expected a percentage"),
        ("{table: T, better: {a: b}, by: 5}", "expected a percentage"),
        ("{table: T, best: a, top: 0}", "at least 1"),
        ("{table: T, best: a, top: 5}", "among 4 rival"),
        ("{table: T, best: [a, b], cells: method=a}", "b has no cell"),
        ("{table: T, better: {a: a}}", "compared with itself"),
        ("{table: T, close: {a: a}, within: 5%}", "compared with itself"),
        ("{table: T, better: {a: bb}}", "unknown method"),
        ("{table: T, monotone: a, cells: data_percent=10}", "stands alone"),
        ("{table: T, monotone: [a, b], cells: method=a}", "b has no cell"),
        ("{table: T, not-converged: [a, c], cells: method=a}", "c has no cell"),
        ("{table: T, better: {a: b}, best: a}", "exactly one of"),
        ("{table: T}", "exactly one of"),
        ("{table: T, better: {a: b}, cells: method=z}", "no cell of table T matches"),
        ("{table: T, better: {a: b}, cells: methd=a}", "unknown field"),
        ("{table: U, better: {a: b}}", "unknown table"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(tmp_path: Path, holds: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as error:
        suite(tmp_path, ROWS, holds)
    assert str(error.value).startswith(f"{tmp_path}/mini.yaml:")


def test_methods_that_never_meet_cannot_be_compared(tmp_path: Path) -> None:
    rows = (
        "a: {recipe: base, backbone: X, FID: [1, 2], IS: [1, 2]}\nb: {recipe: base, backbone: Y, FID: [1, 2], "
        "IS: [1, 2]}\nc: {recipe: base, backbone: X, FID: [3, 4], IS: [1, 2]}"
    )
    for holds in ("{table: T, better: {a: b}}", "{table: T, ascending: [a, c, b]}"):
        with pytest.raises(SuiteError, match="stand in no column together"):
            suite(tmp_path, rows, holds)


ONE = "a: {recipe: base, FID: [10, 5], IS: [7, 9]}\nb: {recipe: base, FID: [11, 6], IS: [7, 8]}"
CLAIM = "{table: T, better: {a: b}}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("metrics: [FID, IS]", "metrics: [FID]", "prints IS, and its protocol does not measure it"),
        (
            "checkpoint: last",
            "checkpoint: best, best_by: KIDx1000",
            "chosen by KIDx1000, which the protocol does not measure",
        ),
        (
            "parts: [spectral-norm: {player: D}, unheard-of: {p: 0.5, kimg: 3}]",
            "parts: {spectral-norm: {player: G}}",
            "there is no part spectral-norm here to change",
        ),
        ("network: {name: net, width: 1}", "network: {width: 1}", "missing key 'name'"),
        ("caption: c", "caption: c\n    notes: {methd=a: x}", "unknown field 'methd'"),
        ("caption: c", "caption: c\n    notes: {method=z: x}", "no cell of this table matches"),
        ("a: {recipe: base, FID: [10, 5]", "a/b: {recipe: base, FID: [10, 5]", "'/' parts the coordinates"),
        ("FID: [10, 5]", "FID: [" + "1" * 9000 + "x, 5]", "expected a number as printed"),
        ("metrics: {FID: lower, IS: higher}", "metrics: {}", "unknown key|a table without a metric"),
        ("columns: [{data_percent: 10}, {data_percent: 100}]", "columns: []", "0 column|a table without a cell"),
        ("suite: mini", "suite: mini\nprofiles: {ci: {recipe: {from: base}}}", "unknown key 'from'"),
        ("suite: mini", "suite: mini\ntolerance: {FID: {relative: -1, source: x}}", "a tolerance must be positive"),
        ("std_of: none", "std_of: none, seeds: -3", "seeds must be positive"),
    ],
)
def test_suites_that_contradict_themselves_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    suite(tmp_path, ONE, CLAIM)
    text = (tmp_path / "mini.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "mini.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SuiteError, match=message):
        load(tmp_path / "mini.yaml")


@pytest.mark.parametrize(
    "scalar", ["2024-01-01", "=", "<<", "0x_", "...", "9" * 5000, "1e5", "-3", "true", "0b_", ".nan"]
)
def test_any_scalar_may_stand_for_an_argument_that_nothing_types_yet(tmp_path: Path, scalar: str) -> None:
    suite(tmp_path, ONE, CLAIM)
    path = tmp_path / "mini.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("kimg: 3", f"kimg: {scalar}", 1), encoding="utf-8")
    value = dict(load(path).cells[0].recipe.parts)["unheard-of"]["kimg"]
    assert value == {"1e5": 1e5, "-3": -3, "true": True}.get(scalar, scalar)


def test_profiles_apply_their_rule_and_then_what_is_on_for_the_column(tmp_path: Path) -> None:
    more = (
        "profiles:\n  ci:\n    recipe: {network: {width: 2}, parts: {unheard-of: {kimg: 9}}, on: "
        "{data_percent=10: {parts: {unheard-of: {p: 0.1}}, network: {width: 3}, batch_d: 2}}}\n"
    )
    suite(tmp_path, ONE, CLAIM, more=more)
    ten, hundred = (c.recipe for c in load(tmp_path / "mini.yaml", "ci").cells[:2])
    assert (
        dict(ten.parts) == {"spectral-norm": {"player": "D"}, "unheard-of": {"p": 0.1, "kimg": 9}}
        and ten.network == ("net", {"width": 3})
        and ten.batch_d == 2
    )
    assert (
        dict(hundred.parts)["unheard-of"] == {"p": 0.5, "kimg": 9}
        and hundred.network == ("net", {"width": 2})
        and hundred.batch_d == 4
    )


def test_a_restated_number_is_the_tables_own(tmp_path: Path) -> None:
    figure = (
        "  F:\n    caption: c\n    restates: T\n    metrics: {FID: lower}\n    columns: [{data_percent: 10}]\n   "
        " rows: {%s}\n"
    )
    rows = (
        "a: {recipe: base, backbone: X, origin: quoted, FID: [10.4, 5], IS: [7, 9]}\nb: {recipe: base, method: "
        "a, backbone: Y, FID: [11, 6], IS: [7, 8]}"
    )
    made = suite(tmp_path, rows, "{table: T, monotone: a}", more=figure % "a: {backbone: X, FID: 10}")
    cell = made.tables[1].cells[0]
    assert (cell.backbone, cell.published["FID"].origin, cell.id) == ("X", "quoted", "mini/F/a[X]/shapes@10%")
    for row, message in (
        ("a: {FID: 10}", "2 cells of the restated table"),
        ("a: {backbone: X, FID: 12}", "does not restate"),
        ("a: {backbone: X, recipe: base, FID: 10}", "takes its recipe from there"),
        ("z: {FID: 1}", "0 cells"),
    ):
        with pytest.raises(SuiteError, match=message):
            suite(tmp_path, rows, "{table: T, monotone: a}", more=figure % row)


def test_blocked_cells_that_need_the_same_training_share_a_run(tmp_path: Path) -> None:
    plan = make_plan(suite(tmp_path, ONE, CLAIM).cells, [0], {})
    assert [len(r.cells) for r in plan.runs] == [2, 2] and {r.state for r in plan.runs} == {"blocked"}
    assert plan.runs[0].reason == "network net, loss unheard, part unheard-of are not implemented"
