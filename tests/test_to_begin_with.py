"""``ganbench new`` writes what passes ``list --check`` and runs; ``ganbench schema`` says what the loader takes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmark.arguments.making import KINDS as NEW
from benchmark.cli import main
from benchmark.records import store
from benchmark.suite.fields import CHOICES, POSITIVE, PROTOCOL_TYPES, RECIPE_TYPES
from benchmark.suite.kinds import KINDS
from benchmark.suite.load import TOP_KEYS, load, load_node
from benchmark.suite.nodes import Node, SuiteError
from benchmark.suite.recipes import SOURCES
from benchmark.suite.rows import ROW_KEYS, TABLE_KEYS
from benchmark.suite.schema import suite_schema
from benchmark.suite.tolerances import ALIVE_KEYS, TOLERANCE_KEYS
from tests.conftest import ROOT
from tests.test_plugins_outside import _as_before  # noqa: F401  (an autouse fixture)

jsonschema = pytest.importorskip("jsonschema", reason="comes with ray")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_yaml(text: str) -> Any:
    """As editors do, by YAML 1.2: ``on`` is a word."""
    return json.loads(json.dumps(yaml.safe_load(text.replace(" on:", ' "on":').replace("{on:", '{"on":'))))


def told_by_schema(suite: Any) -> bool:
    return not jsonschema.Draft7Validator(suite_schema()).is_valid(suite)


def told_by_loader(suite: Any) -> bool:
    node = yaml.compose(yaml.safe_dump(suite, allow_unicode=True), yaml.SafeLoader)
    try:
        for profile in ("full", "ci"):
            load_node(Node(node, "suite.yaml"), Path("suite.yaml"), profile)
    except SuiteError:
        return True
    return False


@pytest.mark.parametrize("kind", NEW)
def test_what_new_writes_has_no_fault_and_runs(kind: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", kind, "my-own"]) == 0
    assert "try it: ganbench run my-own.yaml --profile ci" in capsys.readouterr().out
    assert main(["list", "--check", "my-own.yaml"]) == 0, capsys.readouterr().out
    assert not told_by_schema(read_yaml(Path("my-own.yaml").read_text()))
    assert json.loads(Path("ganbench.schema.json").read_text()) == suite_schema()
    if kind == "method":  # one of them is run in full; all are built and see a batch in ``list --check``
        assert main(["run", "my-own.yaml", "--profile", "ci", "--executor", "inline"]) == 0
        found, problems = store.read_all(Path("results/ci"))
        assert len(found) == 2 and not problems
        assert sorted(len(r.recipe.parts) for r in found) == [0, 1]


@pytest.mark.parametrize("kind", NEW)
def test_nothing_is_written_over(kind: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text("my work")
    assert main(["new", kind, "mine"]) == 1 and "mine.yaml is there already" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["mine.yaml"] and Path("mine.yaml").read_text() == "my work"


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("suite", "My", "cannot be a name"),
        ("suite", "../up", "cannot be a name"),
        ("suite", "index", "cannot be a name"),
        ("method", "2fast", "cannot be a file of Python"),
        ("method", "r1", "method 'r1' is one of ganbench's own"),
        ("network", "mlp", "network 'mlp' is one of ganbench's own"),
        ("dataset", "mnist", "dataset 'mnist' is one of ganbench's own"),
        ("extractor", "efficientnet-lite0", "extractor 'efficientnet-lite0' is one of ganbench's own"),
    ],
)
def test_names_that_cannot_be(kind: str, name: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", kind, name]) == 2 and said in capsys.readouterr().err and not list(here.iterdir())


@pytest.mark.parametrize("path", sorted((ROOT / "suites").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_suite_keeps_the_schema(path: Path) -> None:
    errors = list(jsonschema.Draft7Validator(suite_schema()).iter_errors(read_yaml(path.read_text("utf-8"))))
    assert not errors, [f"{list(e.absolute_path)}: {e.message[:200]}" for e in errors[:5]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from benchmark.suite.skeleton import skeleton

    found = read_yaml(skeleton("suite", "mine")[Path("mine.yaml")])
    found["tables"]["1"]["columns"] = [{"dataset": "cifar10"}]
    found["recipes"]["ours"]["on"] = {"dataset=cifar10": {"lr_g": 0.1}}
    assert not told_by_schema(found) and not told_by_loader(found)
    return found


PLACES = (
    (),
    ("paper",),
    ("protocol",),
    ("tolerance",),
    ("tolerance", "FID"),
    ("recipes", "baseline"),
    ("recipes", "ours", "on", "dataset=cifar10"),
    ("profiles", "ci"),
    ("profiles", "ci", "recipe"),
    ("profiles", "ci", "protocol"),
    ("tables", "1"),
    ("tables", "1", "metrics"),
    ("tables", "1", "columns", 0),
    ("tables", "1", "rows", "ours"),
    ("claims", 0),
)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_an_unknown_key_is_told_by_both(place: tuple[str | int, ...], base: dict[str, Any]) -> None:
    suite = copy.deepcopy(base)
    at: Any = suite
    for step in place:
        at = at[step]
    at["lr_q"] = 1
    assert told_by_schema(suite) and told_by_loader(suite)


FORMS = (
    ({"table": "1", "better": {"ours": "baseline"}, "by": "much"}, True),
    ({"table": "1", "better": {"ours": "baseline"}, "by": "mush"}, False),
    ({"table": "1", "better": {"ours": ["baseline"]}, "of": "steps", "in": "90%"}, True),
    ({"table": "1", "better": {"ours": "baseline"}, "of": "stepps"}, False),
    ({"table": "1", "better": {"ours": "baseline"}, "of": "halfway-away"}, False),
    ({"table": "1", "better": {"ours": "baseline"}, "in": "moust"}, False),
    ({"table": "1", "at-most": {"ours": 1, "baseline": 2.5}, "of": "halfway"}, True),
    ({"table": "1", "at-most": {"ours": "much"}}, False),
    ({"table": "1", "at-most": ["ours"]}, False),
    ({"table": "1", "at-most": {"ours": 1}, "of": "seconds"}, False),
    ({"table": "1", "at_least": {"ours": 1}}, False),
    ({"table": "1", "at-least": {"ours": 1}, "by": "5%"}, False),
    ({"table": "1", "diverges": "ours", "by": "much"}, True),
    ({"table": "1", "diverges": "ours"}, False),
    ({"table": "1", "diverges": "ours", "by": "slightly"}, False),
    ({"table": "1", "close": {"ours": "baseline"}, "within": "slightly"}, True),
    ({"table": "1", "close": {"ours": "baseline"}}, False),
    ([{"any": [{"table": "1", "best": "ours", "top": 1}]}], True),
    ([{"any": [{"table": "1", "bust": "ours"}]}], False),
    ({"most": []}, False),
    ({"table": "1", "ascending": ["ours", "baseline"], "times": {"ours": 0.5}}, True),
)


@pytest.mark.parametrize(("holds", "right"), FORMS, ids=str)
def test_what_a_claim_holds_is_told_by_both(holds: Any, right: bool, base: dict[str, Any]) -> None:
    suite = copy.deepcopy(base)
    suite["claims"][0]["holds"] = holds
    assert (told_by_schema(suite), told_by_loader(suite)) == (not right, not right)


def wrong() -> Iterator[tuple[str, str, Any]]:
    for kind, types in (("recipe", RECIPE_TYPES), ("protocol", PROTOCOL_TYPES)):
        for key, annotation in types.items():
            if key in ("network", "loss", "parts", "metrics"):
                yield kind, key, 3 if key in ("parts", "metrics") else [3]
            elif key in CHOICES and key != "features":  # which may come from outside
                yield kind, key, "unheard-of"
            else:
                yield kind, key, [1] if annotation.startswith("str") else "many"
            if key in POSITIVE:
                yield kind, key, 0
            if "None" not in annotation and key not in ("parts", "network", "loss", "metrics", "dataset"):
                yield kind, key, None


@pytest.mark.parametrize(("kind", "key", "value"), list(wrong()))
def test_a_wrong_value_of_any_field_is_told_by_both(kind: str, key: str, value: Any, base: dict[str, Any]) -> None:
    suite = copy.deepcopy(base)
    place = suite["recipes"]["baseline"] if kind == "recipe" else suite["protocol"]
    place[key] = value
    assert told_by_schema(suite) and told_by_loader(suite)


def test_every_key_that_the_loader_takes_is_in_the_schema() -> None:
    top = suite_schema()["properties"]
    recipe, table = top["recipes"]["additionalProperties"], top["tables"]["additionalProperties"]
    assert recipe["properties"].keys() == {*RECIPE_TYPES, "from", *SOURCES, "on", "parts+", "parts-"}
    assert top["protocol"]["properties"].keys() == {*PROTOCOL_TYPES, *SOURCES, "on"}
    assert recipe["properties"]["kinds"]["properties"].keys() == set(KINDS)
    assert top.keys() == set(TOP_KEYS) and table["properties"]["unranked"]["type"] == "array"
    assert top["tolerance"]["properties"]["FID"]["properties"].keys() == set(TOLERANCE_KEYS)
    assert top["alive"]["properties"]["FID"]["required"] == list(ALIVE_KEYS)
    assert table["properties"].keys() == set(TABLE_KEYS)
    assert table["properties"]["rows"]["additionalProperties"]["properties"].keys() >= set(ROW_KEYS)
    assert load(ROOT / "suites/theory.yaml").cells, "and the loader is as it was"
