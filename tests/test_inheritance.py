"""Recipes of other suites, parts added and taken away, and a broken suite beside others."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.suite import recipes
from benchmark.suite.file import read
from benchmark.suite.lint import lint, unsourced
from benchmark.suite.load import load, load_all
from benchmark.suite.model import Cell
from benchmark.suite.nodes import SuiteError
from tests.test_working_directory import MINI

PARTS = "spectral-norm: {player: D}"
TWO = f"parts: [{PARTS}, lecam: {{weight: 0.1, decay: 0.9, start: 0}}]"
BASE = MINI.replace("suite: mini", "suite: base").replace("parts: []", TWO)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mini(recipe: str, more: str = "") -> str:
    """A suite whose second row is of that recipe."""
    return MINI.replace("{from: base, parts: [spectral-norm: {player: D}]}", recipe) + more


def cell(text: str) -> Cell:
    Path("mini.yaml").write_text(text)
    return next(c for c in load(Path("mini.yaml")).cells if c.method == "SN-D")


def parts(c: Cell) -> list[str]:
    return [name for name, _ in c.recipe.parts]


def test_a_recipe_of_another_suite_is_taken_with_its_sources(here: Path) -> None:
    own, theirs = cell(mini("{from: theory/SN-D}")), load_all(["theory"])[0]
    there = next(c for c in theirs.cells if c.method == "SN-D" and c.dataset == "mnist")
    assert own.recipe == there.recipe
    assert not set(own.stated) & set(own.recipe.to_json()), "this paper states none of it"
    known = [key for key in own.recipe.to_json() if key in there.stated or key in there.notes]
    assert known and all(own.notes[key].startswith("as theory/SN-D") for key in known)
    assert unsourced(own) == unsourced(there) + [k for k in own.protocol.to_json() if k in unsourced(own)]


def test_kinds_of_another_suite_s_values_are_what_they_are_here(here: Path) -> None:
    kinds = "kinds: {code: [z_dim], lineage: [n_dis], chosen: [rest]}, stated: {section 5: [lr_g, network]}"
    on = "on: {dataset=shapes: {steps: 8, batch_d: 32, batch_g: 32, stated: {Table 1: [steps]}, kinds: {code: [rest]}}}"
    Path("base.yaml").write_text(BASE.replace("z_dim: 20", f"z_dim: 20, {kinds}, {on}"))
    own = cell(mini("{from: base/base, beta1: 0.9, kinds: {inferred: [beta1]}, on: {}}"))
    assert not {"stated", "code"} & {own.kinds[key] for key in own.recipe.to_json() if key in own.kinds}
    assert [own.kinds[key] for key in ("z_dim", "n_dis", "lr_g", "network.width", "beta1", "steps")] == [
        "lineage", "lineage", "inferred", "inferred", "inferred", "chosen"
    ]  # fmt: skip
    own = cell(mini("{from: base/base}"))
    assert own.recipe.steps == 8 and own.kinds["steps"] == "inferred" and own.kinds["batch_d"] == "lineage"


def test_parts_that_are_added_keep_the_kinds_of_the_others(here: Path) -> None:
    given = f"parts: [{PARTS}], kinds: {{code: [rest]}}"
    text = MINI.replace("parts: []", given, 1)
    added = "lecam: {weight: 0.1, decay: 0.9, start: 0}"
    found = cell(
        text.replace("parts: [spectral-norm: {player: D}]}", f"parts+: [{added}], kinds: {{chosen: [parts.lecam]}}}}")
    )
    assert found.kinds["parts.spectral-norm.player"] == "code"
    assert found.kinds["parts.lecam"] == found.kinds["parts.lecam.decay"] == "chosen"


def test_no_recipe_gathers_parts_without_end(here: Path) -> None:
    more = "".join(
        f"  r{i}: {{from: {f'r{i - 1}' if i else 'base'}, parts+: [{', '.join(f'p{i}-{j}' for j in range(20))}]}}\n"
        for i in range(3)
    )
    with pytest.raises(SuiteError, match="with p2-10, this recipe has more than 50 parts"):
        cell(MINI.replace("tables:", f"{more}tables:"))


def test_a_suite_is_read_once_however_many_recipes_are_taken_from_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = []
    monkeypatch.setattr(recipes, "read", lambda path: count.append(path) or read(path))
    more = "".join(f"  r{i}: {{from: theory/SN-D, z_dim: {i + 1}}}\n" for i in range(9))
    cell(MINI.replace("tables:", f"{more}tables:"))
    assert len(count) == 1


def test_a_suite_beside_comes_before_the_packages(here: Path) -> None:
    Path("theory.yaml").write_text(MINI.replace("suite: mini", "suite: theory").replace("z_dim: 20", "z_dim: 21"))
    assert cell(mini("{from: theory/base}")).recipe.z_dim == 21


def test_two_suites_may_take_from_each_other_but_not_in_a_circle(here: Path) -> None:
    Path("base.yaml").write_text(BASE.replace("from: base", "from: mini/base"))
    assert cell(mini("{from: base/base, z_dim: 9}")).recipe.z_dim == 9
    Path("base.yaml").write_text(BASE.replace("recipes:\n  base: {", "recipes:\n  base: {from: mini/SN-D, "))
    with pytest.raises(SuiteError, match="recipes inherit in a circle: SN-D -> base -> SN-D"):
        cell(mini("{from: base/base}"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("thoery/base", "no suite 'thoery' .*; did you mean 'theory/base'"),
        ("theory/bsae", "suite theory has no recipe 'bsae'; did you mean 'base'"),
        ("ci/base", "suite ci has no recipes of its own"),
        ("bsae", "unknown recipe 'bsae'; did you mean 'base'"),
    ],
)
def test_a_wrong_name_is_said_where_it_stands(name: str, said: str, here: Path) -> None:
    with pytest.raises(SuiteError, match=rf"mini.yaml:\d+:\d+: {said}"):
        cell(mini(f"{{from: {name}}}"))


@pytest.mark.parametrize(
    ("recipe", "found"),
    [
        ("{from: base/base, parts+: [r1: {gamma: 1.0}]}", ["spectral-norm", "lecam", "r1"]),
        ("{from: base/base, parts-: [lecam]}", ["spectral-norm"]),
        ("{from: base/base, parts-: [spectral-norm], parts+: [r1: {gamma: 1.0}]}", ["lecam", "r1"]),
        ("{from: base/base, parts: {lecam: {weight: 0.7}}, parts+: [hf: {}]}", ["spectral-norm", "lecam", "hf"]),
        ("{from: base/base, on: {dataset=shapes: {parts-: [lecam]}}}", ["spectral-norm"]),
        ("{from: base/base, parts+: [spectral-norm: {player: G}]}", ["spectral-norm", "lecam", "spectral-norm"]),
    ],
)
def test_parts_are_added_and_taken_away(recipe: str, found: list[str], here: Path) -> None:
    Path("base.yaml").write_text(BASE)
    made = cell(mini(recipe.replace("r1: {gamma: 1.0}", "unheard-of: {gamma: 1.0}").replace("hf:", "unknown:")))
    known = {"r1": "unheard-of", "hf": "unknown"}
    assert parts(made) == [known.get(name, name) for name in found]
    assert "parts" not in made.notes, "a source belongs to its value"
    if "0.7" in recipe:
        assert dict(made.recipe.parts)["lecam"]["weight"] == 0.7


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("{from: SN, parts-: [lecam]}", "there is no part lecam here to take away"),
        ("{from: SN, parts-: [spectral-nrom]}", "to take away; did you mean 'spectral-norm'"),
        ("{from: SN, parts+: [spectral-norm: {player: D}]}", "part spectral-norm is there already"),
        ("{from: SN, parts: [], parts+: [lecam]}", "a list of parts replaces those that"),
        ("{from: SN, parts+: spectral-norm}", "expected a list"),
        ("{from: SN, parts+: [spectral-norm: {palyer: D}]}", "has no argument 'palyer'"),
        ("{from: SN, parts*: []}", r"unknown key 'parts\*'"),
    ],
)
def test_what_cannot_be_added_or_taken_away_is_said(recipe: str, said: str, here: Path) -> None:
    with pytest.raises(SuiteError, match=said):
        cell(mini(recipe).replace("tables:", f"  SN: {{from: base, parts: [{PARTS}]}}\ntables:"))


def test_a_profile_adds_and_takes_away_where_it_can(here: Path) -> None:
    profile = f"profiles: {{ci: {{recipe: {{parts-: [lecam], parts+: [{PARTS}]}}}}}}\n"
    Path("mini.yaml").write_text(MINI + profile)
    found = {c.method: parts(c) for c in load(Path("mini.yaml"), "ci").cells}
    assert found == {"plain": ["spectral-norm"], "SN-D": ["spectral-norm"]}


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("{from: SN, parts: []}", True),
        ("{from: SN, parts: [dequantise: {width: 0.1}]}", True),
        ("{from: SN, parts: [], notes: {parts: without}}", False),
        (f"{{from: SN, parts: [{PARTS}, dequantise: {{width: 0.1}}]}}", False),
        ("{from: SN, parts+: [dequantise: {width: 0.1}]}", False),
        ("{from: SN, parts-: [spectral-norm]}", False),
    ],
)
def test_the_linter_says_what_a_list_of_parts_left_out(recipe: str, told: bool, here: Path) -> None:
    cell(mini(recipe).replace("tables:", f"  SN: {{from: base, parts: [{PARTS}]}}\ntables:"))
    said = [problem for problem in lint([Path("mini.yaml")]) if "its list of parts replaces that of 'SN'" in problem]
    assert bool(said) is told and all("leaves out spectral-norm" in problem for problem in said)


@pytest.mark.parametrize("words", [["list"], ["published"], ["compare"], ["claims"], ["plan"]])
def test_a_broken_suite_does_not_stop_commands_on_others(
    words: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("suites").mkdir()
    Path("suites/fine.yaml").write_text(MINI.replace("suite: mini", "suite: fine"))
    Path("suites/broken.yaml").write_text(MINI.replace("z_dim: 20", "z_dim: many"))
    Path("suites/no.yaml").write_text("[")
    for names in ([], ["suites"]) if words != ["plan"] else (["suites"],):
        assert main([*words, *names]) == 2
        said = capsys.readouterr()
        assert said.err.count("this suite is passed over") == 2
        assert "suites/broken.yaml:7:" in said.err and "suites/no.yaml:2:" in said.err
        assert "plain" in said.out or "2 cells" in said.out or words == ["claims"]
    code, said = main([*words, "fine", "broken"]), capsys.readouterr()
    assert code == 2 and ("passed over" in said.err) is (words != ["plan"]), "what was named to be run is not left out"
    assert main([*words, "fine"]) == 0 and "passed over" not in capsys.readouterr().err
    assert main([*words, "broken"]) == 2 and "passed over" not in capsys.readouterr().err


def test_a_broken_suite_does_not_stop_an_export_of_others(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("suites").mkdir()
    Path("suites/fine.yaml").write_text(MINI.replace("suite: mini", "suite: fine"))
    Path("suites/broken.yaml").write_text(MINI.replace("z_dim: 20", "z_dim: many"))
    assert main(["export", "suites"]) == 1
    said = capsys.readouterr().err
    assert "suites/broken.yaml:7:" in said and "this suite is passed over" in said
    assert "no record of these cells" in said, "the other suite is looked at"


@pytest.mark.parametrize(
    "words",
    [
        ["data", "stats", "suites", "--profile", "ci"],
        ["data", "fetch", "--for", "suites"],
        ["run", "suites", "--until-decided", "--budget", "0.001min", "--executor", "inline"],
    ],
)
def test_a_broken_suite_stops_neither_data_nor_looks(
    words: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("suites").mkdir()
    fine = MINI.replace("suite: mini", "suite: fine")
    Path("suites/fine.yaml").write_text(fine + "profiles: {ci: {recipe: {images: 64}}}\n")
    Path("suites/broken.yaml").write_text(MINI.replace("z_dim: 20", "z_dim: many"))
    assert main(words) == 2
    said = capsys.readouterr()
    assert "suites/broken.yaml:7:" in said.err and "this suite is passed over" in said.err
    assert said.err.count("ganbench: ") == 1 and ("nothing to fetch" in said.out or words[1] != "fetch")
