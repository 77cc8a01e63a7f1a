"""JSON nested without end, wherever it stands: refused as any other damaged file, and no command ends by it."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmark.cli import main
from benchmark.data.declared import load as load_manifest
from benchmark.errors import GanbenchError
from benchmark.plan import counted, devices
from benchmark.records import shelf, store
from benchmark.records.bounds import DEEPEST
from benchmark.suite.load import load
from tests.test_collate import THEORY, record_for

PLACES = {
    "provenance": lambda r, v: r["provenance"].update(more=v),
    "a stretch": lambda r, v: r["provenance"]["segments"][0].update(commit=v),
    "versions": lambda r, v: r["versions"].update(more=v),
    "the last measurement": lambda r, v: r["final"]["V_g"].update(more=v),
    "the history": lambda r, v: r["history"].append(v),
    "the recipe": lambda r, v: r["recipe"]["network"][1].update(width=v),
    "the protocol": lambda r, v: r["protocol"].update(metrics=v),
    "the floor": lambda r, v: r.update(floor=v),
    "a field of nobody": lambda r, v: r.update(more=v),
    "the seed": lambda r, v: r.update(seed=v),
}


def nested(depth: int, kind: str) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "lists" else {"a": value}
    return value


def text(depth: int, kind: str) -> str:
    return "[" * depth + "1" + "]" * depth if kind == "lists" else '{"a":' * depth + "1" + "}" * depth


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shelf, "SETTLED", -60.0)
    cell = load(THEORY).cells[0]
    store.write(tmp_path / "results", f"theory/{cell.slug}", record_for(cell, 0, {"V_g": -0.6}))
    return tmp_path / "results"


@pytest.mark.parametrize("place", PLACES)
def test_such_a_record_is_refused_by_every_reader(results: Path, place: str) -> None:
    (path,) = store.paths(results)
    data = orjson.loads(path.read_bytes())
    PLACES[place](data, "HERE")
    for depth, kind in product((DEEPEST + 1, 250, 300, 900, 1100, 100_000), ("lists", "mappings")):
        path.write_text(json.dumps(data).replace('"HERE"', text(depth, kind)))
        for read in (store.read_all, shelf.read_all):
            found, (problem,) = read(results)
            assert not found and problem.path == path and problem.damaged
            said = (
                f"nested more than {DEEPEST} deep",
                "depth limit exceeded",
                "more lists and mappings than any record",
            )
            assert any(words in str(problem) for words in said)


@pytest.mark.parametrize("command", ["report", "compare", "claims", "plan", "export", "merge"])
def test_a_command_passes_over_it_and_says_so(
    results: Path, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = store.paths(results)
    other = results / "records/theory/other/0123456789abcdef-s1.json"
    other.parent.mkdir()
    data = orjson.loads(path.read_bytes())
    data["provenance"]["more"] = nested(400, "mappings")
    data["provenance"]["segments"].append(nested(400, "lists"))
    other.write_text(json.dumps(data))
    suites = [] if command == "merge" else [str(THEORY)]
    more = {
        "report": ["--out", str(results / "report")],
        "export": ["--out", str(results / "b.zip")],
        "merge": [str(results), "--results", str(results / "mine")],
    }
    words = [command, *suites, "--results", str(results), *more.get(command, [])]
    assert main(words) == (command == "merge")
    said = capsys.readouterr().err
    assert f"{other}: not a whole record" in said and f"nested more than {DEEPEST} deep" in said
    assert "unexpected" not in said


def test_nor_does_any_other_file_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    deep = text(100_000, "lists")
    for name in ("devices.json", "work.json", "ganbench-train.json"):
        (tmp_path / name).write_text(deep)
    assert devices.calibrated() == {} and not counted.Counts()._known
    with pytest.raises(GanbenchError, match="damaged"):
        load_manifest(tmp_path, "celeba", "train")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/status.json").write_text(deep)
    assert main(["status", "--results", str(tmp_path)]) == 1
    assert "is damaged" in capsys.readouterr().err
