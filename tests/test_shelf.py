"""Reading many records: the same as reading each, never an altered one, and nothing believed that was not checked
here.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import benchmark
from benchmark.collate.presenting.frames import Collated
from benchmark.records import checking, remembered, shelf, store
from benchmark.records.record import Record, RecordError
from benchmark.suite.load import load
from tests.test_collate import record_for

VALUES = {"L_Vg_Bz": 5.0, "V_g": -0.657, "D_G": -0.48}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four seeds of the first cell, changed a minute ago."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shelf, "SETTLED", -60.0)  # as if it was written a minute ago
    cell = load(Path("suites/theory.yaml")).cells[0]
    for seed in range(4):
        store.write(
            tmp_path / "results",
            "theory/x",
            record_for(cell, seed, {m: v * (1 + 0.001 * seed) for m, v in VALUES.items()}, samples="QUJD"),
        )
    return tmp_path / "results"


def same(a: list[Record], b: list[Record]) -> bool:
    return [r.to_json() for r in a] == [r.to_json() for r in b]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read and checked in full from now on."""
    found: list[Path] = []
    read = store.read
    monkeypatch.setattr(store, "read", lambda path: (found.append(path), read(path))[1])
    return found


def test_it_reads_what_reading_each_reads(results: Path) -> None:
    plain = store.read_all(results)[0]
    for _ in range(3):
        light, problems = shelf.read_all(results)
        assert same(light, plain) and not problems
        assert [r.outcome for r in light] == [r.outcome for r in plain]


def test_unchanged_files_are_not_read_again_and_heavy_fields_only_when_asked_for(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.read_all(results)
    read = counted(monkeypatch)
    found, _ = shelf.read_all(results)
    assert not read and len(found) == 4 and "history" not in vars(found[0])
    assert found[1].samples == "QUJD" and len(found[1].history) == 3 and len(read) == 1
    assert found[0].recipe is found[1].recipe
    with pytest.raises(AttributeError):
        found[0].nothing
    assert dataclasses.replace(found[0], seed=9).seed == 9


def test_an_edited_record_is_refused_although_size_and_time_are_put_back(results: Path) -> None:
    shelf.read_all(results)
    path = store.paths(results)[2]
    before = path.stat()
    text = path.read_text()
    path.write_text(text.replace('"V_g": {"value": -0.6', '"V_g": {"value": -0.7'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size and path.stat().st_mtime_ns == before.st_mtime_ns
    found, problems = shelf.read_all(results)
    assert len(found) == 3 and problems[0].path == path and "checksum" in str(problems[0])
    path.write_text(text)
    assert len(shelf.read_all(results)[0]) == 4


def test_a_record_that_changes_after_it_was_read_gives_no_mixture(results: Path) -> None:
    found, _ = shelf.read_all(results)
    other = dataclasses.replace(found[0], samples="WFla", history=found[0].history)
    other.__dict__.pop("outcome", None)
    store.paths(results)[0].write_text(
        json.dumps(Record(**{k: getattr(other, k) for k in Record.__dataclass_fields__}).to_json())
    )
    found, _ = shelf.read_all(results)
    assert found[0].samples == "WFla"
    kept = shelf.read_all(results)[0][1]
    store.paths(results)[1].write_text("{}")
    with pytest.raises(RecordError):
        kept.samples


def test_what_was_changed_a_moment_ago_is_not_remembered(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "SETTLED", 60.0)
    shelf.read_all(results)
    read = counted(monkeypatch)
    shelf.read_all(results)
    assert len(read) == 4


@pytest.mark.parametrize(
    "damage",
    ["", "{}", '{"code": 1, "records": {}, "texts": []}', "[1]", '{"code": "x", "records": {"a": 1}, "texts": 3}'],
)
def test_a_damaged_list_is_no_list(results: Path, damage: str) -> None:
    expected = shelf.read_all(results)[0]
    (place,) = (results.parent / "cache/records").iterdir()
    place.write_text(damage)
    assert same(shelf.read_all(results)[0], expected)


def test_another_version_of_the_checks_checks_again(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.read_all(results)
    monkeypatch.setattr(remembered, "_code", lambda: "another")
    read = counted(monkeypatch)
    shelf.read_all(results)
    assert len(read) == 4


def test_a_cache_that_cannot_be_written_costs_only_time(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (results.parent / "file").write_text("")
    monkeypatch.setenv("GANBENCH_CACHE", str(results.parent / "file/cache"))
    assert len(shelf.read_all(results)[0]) == len(shelf.read_all(results)[0]) == 4


def test_many_processes_find_what_one_finds(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.paths(results)[1].write_text("{}")
    alone, problems = shelf.read_all(results)
    (results.parent / "cache/records").joinpath(next((results.parent / "cache/records").iterdir()).name).unlink()
    monkeypatch.setattr(checking, "WORTH", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    together, again = shelf.read_all(results)
    assert same(together, alone) and [str(p) for p in again] == [str(p) for p in problems] and len(problems) == 1
    monkeypatch.setattr(checking, "_ask", lambda share: None)
    (results.parent / "cache/records").joinpath(next((results.parent / "cache/records").iterdir()).name).unlink()
    assert same(shelf.read_all(results)[0], alone), "a process that fails leaves its share to this one"


def test_frames_hold_what_the_commands_print(results: Path) -> None:
    found = benchmark.collate(["theory"], results=results)
    assert isinstance(found, Collated) and len(found.published) == 17
    row = found.joined.set_index(["cell", "metric"]).loc[("theory/1/B_z=10^-2[MLP]/mnist", "V_g")]
    assert (
        row["seeds"] == 4
        and row["verdict"] == "reproduced"
        and row["tier"] == "exact"
        and row["low"] < row["mean"] < row["high"]
    )
    assert row["mean"] == pytest.approx(-0.657 * 1.0015) and row["published"] == -0.657
    runs = found.achieved[(found.achieved["metric"] == "V_g") & (found.achieved["cell"] == row.name[0])]
    assert list(runs["seed"]) == [0, 1, 2, 3] and runs["value"].mean() == pytest.approx(row["mean"])
    assert (
        set(found.verdicts["verdict"]) <= {"reproduced", "inconclusive", "missing here", "not run"}
        and (found.claims["paper"] == "theory").all()
    )
    assert found.claims.set_index("claim").loc["larger-sigma-better-fakes", "fragile"].startswith("fragile: ")
    empty = benchmark.collate(["theory"], results=results.parent / "nothing", profile="full")
    assert empty.achieved.empty and not empty.joined.empty and empty.problems.empty


def test_the_room_can_be_called_and_costs_nothing_before() -> None:
    code = (
        "import sys, benchmark, benchmark.cli; f = benchmark.collate; assert callable(f) and not {'pandas', "
        "'torch', 'ray', 'scipy'} & set(sys.modules)\nimport benchmark.collate.judging.join; assert "
        "benchmark.collate is f"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_old_files_are_remembered_without_help(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "SETTLED", 0.05)
    time.sleep(0.1)
    shelf.read_all(results)
    read = counted(monkeypatch)
    shelf.read_all(results)
    assert not read


def test_whatever_a_check_goes_by_is_among_the_code_that_memory_holds_for() -> None:
    """A changed check has every record checked anew: all that the reader imports, but what names, places and opens."""
    package = Path(benchmark.__file__).parent
    todo, seen = {"records/format.py"}, set[str]()
    while todo:
        seen.add(file := todo.pop())
        imports = (n for n in ast.walk(ast.parse((package / file).read_text("utf-8"))) if isinstance(n, ast.ImportFrom))
        names = {f"{(n.module or '').removeprefix('benchmark.').replace('.', '/')}.py" for n in imports}
        todo |= {name for name in names if (package / name).is_file()} - seen
    assert {"records/contradictions.py", "records/bounds.py"} <= seen <= set(remembered.CODE)


def test_no_folder_is_held_against_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(300):
        (tmp_path / f"records/{n}").mkdir(parents=n == 0)
    compared, scan = [], os.scandir

    class Entry:
        """One that counts with how many others it is compared."""

        def __init__(self, inner: os.DirEntry[str]) -> None:
            self.name, self.path, self.is_dir, self.is_symlink = inner.name, inner.path, inner.is_dir, inner.is_symlink

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return self is other

    @contextmanager
    def scandir(path: Path) -> Iterator[list[Entry]]:
        with scan(path) as entries:
            yield [Entry(entry) for entry in entries]

    monkeypatch.setattr(os, "scandir", scandir)
    assert store.paths(tmp_path) == [] and len(compared) <= 300
