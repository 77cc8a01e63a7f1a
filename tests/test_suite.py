"""Suites: the papers' numbers as printed, profiles, filters, and one clear message for each kind of mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import GanbenchError
from benchmark.plan.blocks import what_blocks
from benchmark.suite.filter import Filter
from benchmark.suite.load import load, load_all
from benchmark.suite.nodes import SuiteError

THEORY = Path("suites/theory.yaml")

# Typed from the paper's Tables 1 and 2 (recovered in the facts), apart from the suite file.
TABLE_1 = {
    "B_z=10^-2": ("5.020", "-0.657 ± 0.065", "-0.480 ± 0.033"),
    "B_z=10^0": ("2.738", "-0.667 ± 0.054", "-0.486 ± 0.027"),
    "B_z=10^2": ("2.370", "-0.696 ± 0.045", "-0.500 ± 0.022"),
}
TABLE_2 = {
    "sigma=sqrt(2)": ("0.087 ± 0.005", "78.749 ± 36.405", "-0.670 ± 0.050", "-0.487 ± 0.026"),
    "sigma=sqrt(24)": ("0.068 ± 0.003", "76.422 ± 35.867", "-0.701 ± 0.063", "-0.503 ± 0.031"),
}


def test_theory_tables_as_printed() -> None:
    tables = {t.id: t for t in load(THEORY).tables}
    for table, printed, metrics in (
        ("1", TABLE_1, ("L_Vg_Bz", "V_g", "D_G")),
        ("2", TABLE_2, ("jac_D", "jac_G", "V_g", "D_G")),
    ):
        assert {c.method: tuple(c.published[m].text for m in metrics) for c in tables[table].cells} == printed
    numbers = [p for t in tables.values() for c in t.cells for p in c.published.values()]
    assert len(numbers) == 17 and {p.std_of for p in numbers if p.std} == {"noises"}
    assert [c.method for c in tables["Fig1"].cells] == ["none", "SN-G", "SN-D", "SN-both"]


def test_theory_recipes_are_the_papers() -> None:
    cells = {(c.table, c.method): c.recipe for c in load(THEORY).cells}
    for r in cells.values():
        assert (r.epochs, r.batch_d, r.lr_g, r.lr_d, r.beta1, r.beta2, r.z_dim) == (
            200,
            64,
            2e-4,
            2e-4,
            0.5,
            0.999,
            100,
        )
        assert r.total_steps(60000) == 187_600 and r.network == ("mlp", {"width": 1.0, "bn_eps": 0.8})
    assert [(cells["1", m].z_distribution, cells["1", m].z_scale) for m in TABLE_1] == [
        ("uniform", 0.01),
        ("uniform", 1.0),
        ("uniform", 100.0),
    ]
    for method, shift in (("sigma=sqrt(2)", 2), ("sigma=sqrt(24)", 8)):
        assert cells["2", method].parts == (
            ("spectral-norm", {"player": "D"}),
            ("translations", {"shift": shift, "copies": 15, "fill": -1.0}),
        )
        assert cells["2", method].z_distribution == "normal"
    assert [len(cells["Fig1", m].parts) for m in ("none", "SN-G", "SN-D", "SN-both")] == [0, 1, 1, 2]
    free = {
        k for k, r in cells.items() if ("spectral-norm", {"player": "D"}) not in r.parts
    }  # whose D's logit may grow until gan.py's loss has no gradient
    assert (
        free
        == {(table, method) for table in ("Fig1", "section-4") for method in ("none", "SN-G")}
        == {k for k, r in cells.items() if r.loss == ("non-saturating-bce", {"d_scale": 0.5})}
    )


def test_ci_profile_changes_only_what_it_names() -> None:
    full, ci = load(THEORY).cells, load(THEORY, "ci").cells
    for a, b in zip(full, ci):
        assert a.id == b.id and b.full_recipe == a.recipe and b.published == a.published
        assert {d.split(":")[0] for d in a.recipe.differences(b.recipe)} <= {
            "dataset",
            "images",
            "epochs",
            "network",
            "parts",
        }
    assert ci[3].recipe.parts[1] == ("translations", {"shift": 2, "copies": 3, "fill": -1.0})


def test_ci_suite_takes_the_papers_cells_and_every_method_that_can_be_run() -> None:
    """Each method of the four tables of images, and all of the theory paper's; none is blocked, on a bare machine."""
    suite = load(Path("suites/ci.yaml"))
    assert {c.profile for c in suite.cells} == {"ci"} and {c.recipe.dataset for c in suite.cells} == {"shapes"}
    there = {(c.paper, c.method, c.backbone) for c in suite.cells}
    for name, tables in (
        ("pgn", ("II", "IV", "V")),
        ("gran", ("2", "3")),
        ("sdp", ("I", "II")),
        ("chain", ("cifar",)),
        ("theory", ("1", "2", "Fig1")),
    ):
        for cell in load(Path(f"suites/{name}.yaml")).cells:
            assert cell.table not in tables or (cell.paper, cell.method, cell.backbone) in there, cell.id


@pytest.mark.parametrize("name", ["pgn", "gran", "sdp", "theory"])
def test_no_ci_cell_of_a_paper_that_is_done_is_blocked(name: str) -> None:
    assert {
        c.id: why for c in load(Path(f"suites/{name}.yaml"), "ci").cells if (why := what_blocks(c.recipe, c.protocol))
    } == {}


def test_a_profile_may_change_what_another_has_changed(tmp_path: Path) -> None:
    """One after the other, partial changes and columns included; what it does not name is the base's."""
    more = "  longer: {from: ci, recipe: {epochs: 3, parts: {translations: {shift: 1}}}, protocol: {generated: 32}}\n"
    path = changed(tmp_path, "\ntables:\n", f"\n{more}\ntables:\n")
    ci, longer = load(path, "ci").cells, load(path, "longer").cells
    assert load(path).profiles[-1] == "longer" and {c.profile for c in longer} == {"longer"}
    for a, b in zip(ci, longer):
        assert (
            {d.split(":")[0] for d in a.recipe.differences(b.recipe)} <= {"epochs", "parts"}
            and b.recipe.epochs == 3
            and b.protocol.generated == 32
        )
    assert longer[3].recipe.parts[1] == ("translations", {"shift": 1, "copies": 3, "fill": -1.0})
    with pytest.raises(SuiteError, match=r"no profile 'ic' stands before this one; did you mean 'ci'\?"):
        load(changed(tmp_path, "\ntables:\n", f"\n{more.replace('from: ci', 'from: ic')}\ntables:\n"))


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = THEORY.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "theory.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("z_dim: 100", "zdim: 100", r":50:5: unknown key 'zdim'; did you mean 'z_dim'\?"),
        ("z_dim: 100", "z_dim: many", r":50:12: expected a number, found 'many'"),
        ("z_dim: 100", "z_dim: 1.5", r"expected a whole number, found '1.5'"),
        ("z_dim: 100", "z_dim: [1]", r"expected a single value, found a list"),
        ("batch_d: 64", "batch_d: 0", r"batch_d must be positive, found 0"),
        ("beta2: 0.999", "beta2: 1", r"beta2 must lie in \[0, 1\), found 1"),
        ("dataset: mnist", "dataset: mnits", r"unknown dataset 'mnits'; did you mean 'mnist'\?"),
        (
            "resolution: 28",
            "resolution: 32",
            r"dataset mnist comes at 28 pixels: for 32 the recipe must say resize: bilinear",
        ),
        (
            "{player: D}], stated",
            "{playr: D}], stated",
            r"spectral-norm has no argument 'playr'; did you mean 'player'\?",
        ),
        ("{player: D}], stated", "{}], stated", r"spectral-norm needs player"),
        (
            "from: SN-D, z_distribution: uniform, z_scale: 0.01",
            "from: SN-d, z_distribution: uniform, z_scale: 0.01",
            r"unknown recipe 'SN-d'; did you mean 'SN-D'\?",
        ),
        ("SN-D: {from: base,", "SN-D: {from: uniform-1,", r"recipes inherit in a circle: .*SN-D -> uniform-1"),
        (
            "metrics: {L_Vg_Bz: lower, V_g: lower, D_G: lower}",
            "metrics: [L_Vg_Bz, V_g]",
            r"a metric needs its direction",
        ),
        (
            "metrics: {L_Vg_Bz: lower, V_g: lower, D_G: lower}",
            "metrics: {L_Vg_Bz: smaller, V_g: lower, D_G: lower}",
            r"unknown direction of L_Vg_Bz 'smaller'",
        ),
        (
            "metrics: {L_Vg_Bz: lower, V_g: lower, D_G: lower}",
            "metrics: {L_Vg_Bz: lower, V_g: lower}",
            r"unknown key 'D_G'",
        ),
        ("L_Vg_Bz: 5.020", "L_Vg_Bz: five", r"expected a number as printed .* found 'five'"),
        ("L_Vg_Bz: 5.020", "L_Vg_Bz: ''", r"expected a number as printed"),
        ("L_Vg_Bz: 5.020", "L_Vg_Bz: [1, 2]", r"2 value\(s\) for 1 column\(s\)"),
        ("      B_z=10^0: ", "      B_z=10^-2: ", r"'B_z=10\^-2' stands twice; it is first given in line \d+"),
        (
            "B_z=10^0:  {recipe: uniform-1, ",
            "again:  {method: B_z=10^-2, recipe: uniform-1, ",
            r"two rows make the same cell theory/1/B_z=10\^-2\[MLP\]/mnist",
        ),
        ("    epochs: 200\n", "", r"lacks|exactly one of 'epochs' and 'steps'"),
        ("    lr_g: 2.0e-4\n", "", r"the recipe lacks lr_g"),
        (
            "ascending: [SN-both, none]",
            "ascending: [SN-both, nonee]",
            r"unknown method of table Fig1 'nonee'; did you mean 'none'\?",
        ),
        ("suite: theory", "suite: &a theory", r":1:8: anchors and aliases"),
        ("suite: theory", "suite: !!python/object:os.system theory", r"tags \("),
        ("suite: theory", "suite: [theory", r"not valid YAML"),
        ("suite: theory", "suite: the\0ory", r":1:11: the character '\\x00' has no place in a suite"),
        ("suite: theory", "suite: ../../escape", r":1:8: a suite's name is lower-case letters"),
        ("epochs: 200", "epochs: 200\n    steps: 5", r"give epochs or steps, not both"),
        (
            "{translations: {copies: 3}}",
            "{translatoins: {copies: 3}}",
            r"unknown key 'translatoins'; did you mean 'translations'",
        ),
        (
            "loss: {name: non-saturating, d_scale: 0.5}",
            "loss: {name: spectral-norm, player: D}",
            r"spectral-norm is a part, not a loss",
        ),
        (
            "parts: [spectral-norm: {player: G}]",
            "parts: [saturating: {d_scale: 1}]",
            r"saturating is a loss, not a part",
        ),
        ("parts: [spectral-norm: {player: G}]", "parts: [spectral-norm: {player: Q}]", r"player is 'Q'"),
        ("metrics: [L_Vg_Bz, V_g, D_G, jac_D, jac_V, jac_G]", "metrics: [L_Vg_Bz, Vg]", r"unknown metric 'Vg'"),
        (
            "    transposed: true",
            "    columns: [{data_percent: -5}]\n    transposed: true",
            r"data_percent must be positive",
        ),
        (
            "    transposed: true\n",
            "    columns: [{data_percent: 100}, {data_percent: 10}]\n",
            r"1 value\(s\) for 2 column\(s\)|value",
        ),
        ("batch_g: 64", "batch_g: 128", r"share_fakes needs"),
        ("paper:\n", "papper:\n", r"unknown key 'papper'; did you mean 'paper'\?"),
    ],
)
def test_each_mistake_gives_one_message_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as error:
        load(changed(tmp_path, old, new))
    assert str(error.value).startswith(f"{tmp_path}/theory.yaml:") and error.value.exit_code == 2


def test_suites_that_include_each_other_or_a_table_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "theory.yaml").write_text(THEORY.read_text(encoding="utf-8"), encoding="utf-8")
    for name, include, message in (
        ("a", "[{suite: b}]", "in a circle: a -> b -> a"),
        ("c", "[{suite: theory, profile: ci}, {suite: theory, profile: reduced}]", "included twice"),
        ("d", "[{suite: theory, only: tabel=1}]", r"d\.yaml:2:\d+: .*unknown field 'tabel'"),
        ("e", "[{suite: theory, only: table=9}]", "holds no cell"),
        ("f", "[]", "nothing is included"),
    ):
        (tmp_path / f"{name}.yaml").write_text(f"suite: {name}\ninclude: {include}\n", encoding="utf-8")
        (tmp_path / "b.yaml").write_text("suite: b\ninclude: [{suite: a}]\n", encoding="utf-8")
        with pytest.raises(SuiteError, match=message):
            load(tmp_path / f"{name}.yaml")


def test_a_folder_stands_for_its_papers_each_once() -> None:
    assert [s.name for s in load_all([])] == ["chain", "gran", "pgn", "sdp", "theory"] and len(
        load_all(["suites/ci.yaml"])
    ) == 1


def test_an_integer_beta_is_a_float(tmp_path: Path) -> None:
    cell = load(changed(tmp_path, "beta1: 0.5", "beta1: 0")).cells[0]
    assert cell.recipe.beta1 == 0.0 and isinstance(cell.recipe.beta1, float)


def test_a_part_that_does_not_exist_yet_loads_and_blocks(tmp_path: Path) -> None:
    from benchmark.plan.plan import make_plan

    cells = load(changed(tmp_path, "parts: [spectral-norm: {player: G}]", "parts: [unheard-of: {weight: 10}]")).cells
    runs = {r.cells[0].method: r for r in make_plan(cells, [0], {}).runs}
    assert runs["SN-G"].state == "blocked" and runs["SN-G"].reason == "part unheard-of is not implemented"


def test_unreadable_missing_and_oversized_files(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no suite 'theroy'; did you mean 'theory'"):
        load_all(["theroy"])
    for name, content in (
        ("binary", b"\xff\xfe\x00"),
        ("empty", b""),
        ("huge", b"a" * 5_000_001),
        ("deep", b"[" * 100_000),
    ):
        path = tmp_path / f"{name}.yaml"
        path.write_bytes(content)
        with pytest.raises(SuiteError, match=str(path)):
            load(path)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_crash_the_loader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(content)
    with pytest.raises(SuiteError):
        load(path)


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("table=1", 3),
        ("table=1 | table=2", 5),
        ("table=1 & method=B_z=10^-2", 1),
        ("method~sigma", 9),
        ("method!~sigma & table!=Fig1", 10),
        ("resolution>=28", 23),
        ("resolution<28", 0),
        ("(table=1 | table=2) & method~'sqrt(24)'", 1),
        ("table=2 & (method~24 | method~'(2)')", 2),
        ("data_percent=100.0", 23),
        ("dataset=cifar10", 0),
    ],
)
def test_filters_choose_cells(expression: str, count: int) -> None:
    assert sum(map(Filter(expression), load(THEORY).cells)) == count


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "table",
        "tabel=1",
        "table=1 &",
        "(table=1",
        "table=1)",
        "table<x",
        "table=1 method~x",
        "method~",
        "(" * 3000,
        "table=1 dataset=2 | (",
    ],
)
def test_bad_filters_say_where(expression: str) -> None:
    with pytest.raises(GanbenchError, match="--only .* column"):
        Filter(expression)
