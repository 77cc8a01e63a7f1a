"""Records from anyone, sealed and consistent: refused at the door by types and sizes; what passes costs itself only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmark.cli import main
from benchmark.records import bundle, shelf, store
from benchmark.records.culprits import without_culprits
from benchmark.records.merge import merge
from benchmark.records.record import Record, RecordError
from benchmark.suite.load import load
from tests.faults.fuzz.records import sealed
from tests.test_collate import record_for
from tests.test_decide import write

FORGED: dict[str, dict[str, Any]] = {
    "versions, a list": {"versions": [1, 2]},
    "versions, text": {"versions": "x"},
    "versions, endless": {"versions": {"step": 1e99}},
    "a stretch, a number": {"provenance.segments": [5]},
    "a stretch, a list": {"provenance.segments": [[1]]},
    "sources, a list": {"provenance.segments": [{"sources": ["pgn.py"]}]},
    "a source, a number": {"provenance.segments": [{"sources": {"methods/pgn.py": 5}}]},
    "a source, a line of its own": {"provenance.segments": [{"sources": {"methods/\npgn.py": "5"}}]},
    "a plug-in from outside, no name": {"recipe.network": ["wild@\n0", {}]},
    "data_percent, text": {"recipe.data_percent": "x"},
    "data_percent, none": {"recipe.data_percent": 0.0},
    "split, a mapping": {"recipe.split": {}},
    "images, a float": {"recipe.images": 1.5},
    "batch_d, 0": {"recipe.batch_d": 0},
    "n_dis, true": {"recipe.n_dis": True},
    "lr_g, a list": {"recipe.lr_g": [1]},
    "dataset, NUL": {"recipe.dataset": "a\0b"},
    "drop_last, a number": {"recipe.drop_last": 1},
    "arguments, endless": {"recipe.network": ["mlp", {"width": 1e200}]},
    "metrics, numbers": {"protocol.metrics": [1, 2]},
    "generated, text": {"protocol.generated": "many"},
    "generated, denormal": {"protocol.generated": 5e-324},
    "checkpoint, a list": {"protocol.checkpoint": ["last"]},
    "a value near 1e99": {"final.V_g.value": 1e99},
    "a denormal value": {"final.V_g.value": 5e-324},
    "a denormal std": {"final.V_g.std": 1e-200},
    "seconds beyond all time": {"train_s": 1e308},
    "cell, no text": {"cell": ""},
    "cell, a line of its own": {"cell": "a\nb"},
}


def forge(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    data = orjson.loads(orjson.dumps(data))
    for place, value in changes.items():
        *way, last = place.split(".")
        there = data
        for key in way:
            there = there[key]
        there[last] = value
    return sealed(data)


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Path]]:
    """A suite, and results with three records of its first cell."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    suite = write(tmp_path / "tiny.yaml")
    cell = load(suite).cells[0]
    few = {"steps": 2, "total_steps": 2, "epochs": 1.0}
    made = [record_for(cell, seed, {"V_g": 1.0 + 0.01 * seed, "D_G": -0.5}, **few) for seed in range(3)]
    return suite, [store.write(tmp_path / "results", "tiny/a", record) for record in made]


def forged_file(good: tuple[Path, list[Path]], changes: dict[str, Any], results: Path) -> Path:
    path = results / "records/tiny/a/forged.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(forge(orjson.loads(good[1][0].read_bytes()), changes)))
    return path


@pytest.mark.parametrize("what", FORGED)
def test_is_refused_by_every_reader_with_the_file_s_name(
    what: str, good: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    results = tmp_path / "theirs"
    path = forged_file(good, FORGED[what], results)
    for read in (store.read_all, shelf.read_all):
        found, (problem,) = read(results)
        assert not found and problem.path == path
        assert not any(word in problem.what for word in ("checksum", "do not match its key")), "the forgery is sealed"
    taken, same, problems = merge(tmp_path / "results", [results])
    assert (taken, same, len(problems)) == (0, 0, 1) and "forged.json" in problems[0]


def test_the_forger_seals_what_is_not_forged(good: tuple[Path, list[Path]], tmp_path: Path) -> None:
    path = forged_file(good, {"seed": 7}, tmp_path / "theirs")
    assert store.read(path).seed == 7


def test_merge_goes_on_after_a_record_that_fails(
    good: tuple[Path, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.records import merge as room

    def weak(record: Record) -> None:
        if record.seed == 1:
            raise OverflowError("too much")

    monkeypatch.setattr(room, "_not_whole", weak)
    taken, _, (problem,) = merge(tmp_path / "mine", [tmp_path / "results"])
    assert taken == 2 and problem.startswith(f"refused: {good[1][1]}") and "OverflowError: too much" in problem


WEAK = {
    "compare": "benchmark.collate.judging.join.caveats",
    "claims": "benchmark.collate.judging.join.caveats",
    "report": "benchmark.collate.judging.join.caveats",
    "show": "benchmark.collate.judging.join.caveats",
    "plan": "benchmark.commands.lines.by_evaluation",
    "export": "benchmark.records.bundle.by_evaluation",
}
"""Command -> a function that believes its records, on the way there."""


@pytest.mark.parametrize("command", WEAK)
def test_what_fails_with_one_record_names_it_and_goes_on(
    command: str,
    good: tuple[Path, list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    suite, paths = good
    room, name = WEAK[command].rsplit(".", 1)
    real = getattr(__import__(room, fromlist=[name]), name)

    def weak(records: list[Record]) -> Any:
        if any(r.seed == 1 for r in records):
            raise OverflowError("too much")
        return real(records)

    monkeypatch.setattr(WEAK[command], weak)
    asked = "tiny/1/A/shapes" if command == "show" else str(suite)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites").mkdir()
    write(tmp_path / "suites/tiny.yaml")
    more = {"report": ["--out", "report"], "export": ["--out", "b.zip"]}.get(command, [])
    assert main([command, asked, "--results", str(tmp_path / "results"), *more]) == 0
    said = capsys.readouterr()
    (line,) = [line for line in said.err.splitlines() if "passed over" in line]
    assert f"{paths[1]}: cannot be used (OverflowError: too much); passed over" in line
    if command == "report":
        assert "cannot be used (OverflowError" in (tmp_path / "report/index.html").read_text()
    if command == "export":
        assert len(bundle.read_bundle(tmp_path / "b.zip")[0]) == 2


def test_every_culprit_is_found_and_none_is_blamed_for_our_own_fault(good: tuple[Path, list[Path]]) -> None:
    records = [store.read(path) for path in good[1]] * 5

    def use(left: list[Record], out: list[RecordError]) -> int:
        if any(r.seed in (0, 2) for r in left):
            raise KeyError("x")
        return len(left)

    made, left, out = without_culprits(use, records)
    assert made == len(left) == 5 and len(out) == 10 and {e.path for e in out} == {good[1][0], good[1][2]}
    with pytest.raises(ZeroDivisionError):
        without_culprits(lambda left, out: 1 / 0, records)


def test_a_bundle_is_taken_record_by_record(
    good: tuple[Path, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["export", str(good[0]), "--results", str(tmp_path / "results"), "--out", str(tmp_path / "b.zip")]) == 0
    there: list[int] = []
    real = bundle.parse
    monkeypatch.setattr(
        bundle, "parse", lambda c, p: (there.append(len(list(tmp_path.glob("mine/**/*.json")))), real(c, p))[1]
    )
    assert merge(tmp_path / "mine", [tmp_path / "b.zip"])[0] == 3
    assert there == [0, 1, 2], "each is written before the next is read"


def test_names_in_a_bundle_s_head_are_shown_short_and_plain(good: tuple[Path, list[Path]], tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("bundle.json", json.dumps({"format": 1, "files": {"\0\x1b" + "x" * 10**6: {"sha256": "0"}}}))
    _, (problem,) = bundle.read_bundle(path)
    assert len(str(problem)) < 2_000 and "\0" not in str(problem) and "\x1b" not in str(problem)


def test_what_a_killed_merge_leaves_is_gone_after_the_next(good: tuple[Path, list[Path]], tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from benchmark.records import store
from benchmark.records.merge import merge
store.place = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
merge(Path(sys.argv[1]), [Path(sys.argv[2])])
"""
    mine = tmp_path / "mine"
    done = subprocess.run(
        [sys.executable, "-c", program, str(mine), str(tmp_path / "results")], cwd=Path(store.__file__).parents[2]
    )
    assert done.returncode == -9 and len(list(mine.rglob("*.tmp"))) == 1
    (other := mine / f"records/.{'0' * 16}-s1.json.{os.getpid()}.tmp").write_text("a living process writes it")
    assert merge(mine, [tmp_path / "results"])[0] == 3
    assert list(mine.rglob("*.tmp")) == [other]


def test_what_is_said_of_a_file_is_short(tmp_path: Path) -> None:
    assert len(str(RecordError(tmp_path / "x.json", "y" * 4_000_000))) < 2_000
