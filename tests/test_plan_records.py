"""Keys by content, plans with reasons, and records that cannot be lost, doubled or believed when altered."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.plan import keys, plan
from benchmark.plan.keys import evaluation_key, run_key
from benchmark.plan.make_record import make_record
from benchmark.plan.plan import make_plan
from benchmark.recipe import Recipe
from benchmark.records import store
from benchmark.records.furthest import by_evaluation
from benchmark.records.merge import merge
from benchmark.records.record import Record, RecordError
from benchmark.suite.load import load
from benchmark.train.run import run
from tests.conftest import protocol, recipe


def test_a_run_key_changes_with_everything_that_changes_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    base = run_key(recipe(), 0)
    assert base == run_key(Recipe.from_json(json.loads(json.dumps(recipe().to_json()))), 0)
    others = [
        run_key(recipe(lr_d=1e-4), 0),
        run_key(recipe(), 1),
        run_key(recipe(images=100), 0),
        run_key(recipe(parts=()), 0),
        run_key(recipe(split="test"), 0),
    ]
    monkeypatch.setattr(keys, "STEP_VERSION", 2)
    others.append(run_key(recipe(), 0))
    assert len({base, *others}) == 7


def test_an_absent_mechanism_is_not_in_the_key() -> None:
    assert "steps" not in recipe().to_json() and "images" not in recipe(images=None).to_json()


def test_the_protocol_is_in_the_evaluation_key_and_the_papers_seeds_are_not() -> None:
    assert evaluation_key("a", protocol(), recipe()) != evaluation_key("a", protocol(generated=41), recipe())
    assert evaluation_key("a", protocol(), recipe()) == evaluation_key("a", protocol(seeds=5), recipe())


def _cells(profile: str = "ci") -> tuple:
    return load(Path("suites/theory.yaml"), profile).cells


def test_cells_that_need_the_same_run_share_it() -> None:
    cell = _cells()[0]
    twin = dataclasses.replace(cell, paper="other", table="9")
    made = make_plan([cell, twin], [0, 1], {})
    assert [len(r.cells) for r in made.runs] == [2, 2] and "(+1)" in made.runs[0].name


def test_plan_says_why_and_puts_the_longest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_plan(_cells(), [0], {})
    assert [r.size for r in made.runs] == sorted((r.size for r in made.runs), reverse=True)
    assert all("no record of run" in r.reason for r in made.runs)
    record = _record(made.runs[0])
    again = make_plan(_cells(), [0], by_evaluation([record]))
    assert again.runs[-1].state == "done" and record.name in again.runs[-1].reason
    part = dataclasses.replace(record, status="partial", steps=32)
    assert make_plan(_cells(), [0], by_evaluation([part])).runs[0].state == "to do"
    assert make_plan(_cells(), [0], by_evaluation([part]), until_epoch=2).runs[-1].state == "done"
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    full = make_plan(_cells("full"), [0], {})
    assert {r.state for r in full.runs} == {"missing here"} and "ganbench data fetch mnist" in full.runs[0].reason


@pytest.mark.slow
def test_plan_of_ten_thousand_runs_is_quick() -> None:
    import time

    cells = [
        dataclasses.replace(c, table=f"{i}", recipe=dataclasses.replace(c.recipe, epochs=i + 1))
        for i in range(840)
        for c in _cells()[:3]
    ]
    began = time.process_time()
    assert len(make_plan(cells, range(4), {}).runs) == 10_080
    assert time.process_time() - began < 20  # a guard against a quadratic plan, not a benchmark


def _record(planned: plan.Run, **changes: object) -> Record:
    final = {"step": 96, "epoch": 6} | {m: {"value": 0.25, "std": 0.1, "max": 0.5} for m in planned.protocol.metrics}
    result = {
        "status": "finished",
        "steps": 96,
        "total_steps": 96,
        "epochs": 6.0,
        "final": final,
        "history": [final],
        "samples": "",
        "train_s": 1.0,
        "eval_s": 0.5,
        "segments": [],
        "libraries": {},
        **planned.data(),
    }
    return make_record(planned, result | changes)


@pytest.fixture
def record() -> Record:
    return _record(make_plan(_cells()[:1], [0], {}).runs[0])


def test_a_real_result_survives_the_round_trip(tmp_path: Path) -> None:
    cell = dataclasses.replace(_cells()[0], recipe=recipe(), protocol=protocol())
    planned = make_plan([cell], [0], {}).runs[0]
    result = run(recipe(), protocol(), 0, read("shapes", "train", 28, 1, images=200), tmp_path / "run")
    written = make_record(planned, result)
    path = store.write(tmp_path, "theory/cell", written)
    assert store.read(path) == written and path.name == f"{planned.evaluation}-s0.json"
    assert written.train_cpu_s > 0 and written.eval_cpu_s > 0
    assert store.read_all(tmp_path) == ([written], [])


def test_records_from_before_cpu_seconds_are_read_and_keep_their_keys(tmp_path: Path, record: Record) -> None:
    path = store.write(tmp_path, "theory/cell", dataclasses.replace(record, train_cpu_s=1.5, eval_cpu_s=0.5))
    content = json.loads(path.read_text(encoding="utf-8"))
    older = {key: value for key, value in content.items() if not key.endswith("_cpu_s")}
    assert len(older) == len(content) - 2
    path.write_text(json.dumps(older), encoding="utf-8")
    assert store.read(path) == record and record.train_cpu_s is None
    for wrong in (-1.0, "1"):
        path.write_text(json.dumps(content | {"eval_cpu_s": wrong}), encoding="utf-8")
        with pytest.raises(RecordError):
            store.read(path)


def test_a_record_is_never_written_over(tmp_path: Path, record: Record) -> None:
    path = store.write(tmp_path, "a", record)
    before = path.read_bytes()
    store.write(tmp_path, "a", dataclasses.replace(record, train_s=9.0))  # the same outcome: the first stays
    with pytest.raises(GanbenchError, match="holds another result of the same run"):
        store.write(tmp_path, "a", dataclasses.replace(record, steps=95))
    assert path.read_bytes() == before and not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t[: len(t) // 2], "unreadable"),
        (lambda t: t.replace('"value": 0.25', '"value": 0.24', 1), "do not match its checksum"),
        (lambda t: t.replace('"schema": 1', '"schema": 2', 1), "schema 2, this ganbench reads up to 1: upgrade"),
        (lambda t: t.replace('"status": "finished"', '"status": "glorious"', 1), "not a whole record"),
        (lambda t: t.replace('"z_dim"', '"zdim"', 1), "not a whole record"),
        (lambda t: "[1, 2]", "not a ganbench record"),
        (lambda t: "\x00\x01", "unreadable"),
        (lambda t: "[" * 200_000, "unreadable"),
    ],
    ids=["truncated", "altered", "newer", "status", "recipe", "list", "binary", "deep"],
)
def test_a_damaged_or_newer_record_is_reported_and_the_others_are_read(
    tmp_path: Path, record: Record, damage, message: str
) -> None:
    path = store.write(tmp_path, "a", record)
    store.write(tmp_path, "b", rekeyed(record, seed=1))
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    good, problems = store.read_all(tmp_path)
    assert (
        [r.seed for r in good] == [1]
        and len(problems) == 1
        and message in str(problems[0])
        and str(path) in str(problems[0])
    )
    with pytest.raises(GanbenchError):
        store.write(tmp_path, "a", record)  # what cannot be read is not replaced either


def test_an_unreadable_record_blocks_its_run_before_the_training(tmp_path: Path, record: Record) -> None:
    path = store.write(tmp_path, "a", record)
    path.write_text(path.read_text(encoding="utf-8").replace('"schema": 1', '"schema": 2', 1), encoding="utf-8")
    found, problems = store.read_all(tmp_path)
    made = make_plan(_cells()[:1], [0], by_evaluation(found), problems=problems)
    assert (
        made.runs[0].state == "blocked"
        and "upgrade ganbench" in made.runs[0].reason
        and "move the file away" in made.runs[0].reason
    )


def test_a_full_disk_is_said_and_nothing_half_written_stays(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(GanbenchError, match="cannot write .*the disk is full"):
        store.write(tmp_path, "a", record)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_the_furthest_record_of_a_run_counts(record: Record) -> None:
    part = dataclasses.replace(record, status="partial", steps=50)
    assert by_evaluation([record, part]) == {record.evaluation: record}
    assert part.name.endswith("-s0.step50.json")


def rekeyed(record: Record, **changes: object) -> Record:
    """A record of another run, with the keys that its changed fields give."""
    from benchmark import keys as ground

    changed = dataclasses.replace(record, **changes)
    run_ = ground.run_key(changed.recipe, changed.content, changed.subset, changed.seed, changed.versions)
    return dataclasses.replace(
        changed,
        run=run_,
        evaluation=ground.evaluation_key(run_, changed.protocol, changed.measure_version, changed.real),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"seed": 0', '"seed": 1'),
        ('"lr_d": 0.0002', '"lr_d": 0.0001'),
        ('"epochs": 6,', '"epochs": 200,'),
        ('"generated": 256', '"generated": 5000'),
        ('"steps": 96', '"steps": "96"'),
        ('"seed": 0', '"seed": false'),
        ('"train_s": 1.0', '"train_s": "1"'),
        ('"segments": []', '"segments": "x"'),
        ('"value": 0.25', '"value": true'),
        ('"step": 96', '"step": null'),
        ('"samples": ""', '"samples": 7'),
        ('"profile": "ci"', '"profile": ["full"]'),
        ('"content": "', '"content": "0'),
        ('"measure_version": 1', '"measure_version": 2'),
    ],
)
def test_an_edited_record_is_refused_whatever_was_edited(tmp_path: Path, record: Record, old: str, new: str) -> None:
    """What was run and how it was measured is checked against the keys, the numbers against their checksum, all against
    their types.
    """
    path = store.write(tmp_path, "a", record)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert store.read_all(tmp_path)[0] == [] and len(store.read_all(tmp_path)[1]) == 1


@pytest.mark.parametrize("key", ["/var/owned", "../../../../owned", ["a"], 7])
def test_a_key_cannot_name_a_path(tmp_path: Path, record: Record, key: object) -> None:
    theirs = tmp_path / "theirs"
    path = store.write(theirs, "x", record)
    data = json.loads(path.read_text(encoding="utf-8")) | {"evaluation": key}
    path.write_text(json.dumps(data), encoding="utf-8")
    taken, same, problems = merge(tmp_path / "mine", [theirs])
    assert (taken, same, len(problems)) == (0, 0, 1) and not (tmp_path / "mine").exists()


def test_a_diverged_run_is_not_hidden_by_one_that_finished_elsewhere(tmp_path: Path, record: Record) -> None:
    store.write(
        tmp_path / "mine", "a", dataclasses.replace(record, status="diverged", final=None, history=[], steps=50)
    )
    store.write(tmp_path / "theirs", "a", record)
    taken, _, problems = merge(tmp_path / "mine", [tmp_path / "theirs"])
    assert taken == 0 and "conflict" in problems[0]
    store.write(tmp_path / "mine", "b", record)  # as if copied in by hand
    _, problems = store.read_all(tmp_path / "mine")
    assert len(problems) == 1 and "disagree" in str(problems[0])


def test_records_are_written_where_there_are_no_hard_links(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(store.os, "link", no_links)
    path = store.write(tmp_path, "a", record)
    assert store.read(path) == record
    with pytest.raises(GanbenchError, match="another result"):
        store.write(tmp_path, "a", dataclasses.replace(record, steps=95))


def test_what_is_not_implemented_is_blocked_and_not_run_as_something_else() -> None:
    cell = _cells()[0]
    for change, message in (
        (dict(weights="ema"), "keeps none (ema)"),
        (dict(checkpoint="best"), "best checkpoint by None"),
        (dict(metrics=("FID",)), "does not say features"),
        (dict(bn_mode="train"), "bn_mode eval"),
    ):
        blocked = dataclasses.replace(cell, protocol=dataclasses.replace(cell.protocol, **change))
        assert message in make_plan([blocked], [0], {}).runs[0].reason
    few = dataclasses.replace(cell, recipe=dataclasses.replace(cell.recipe, images=32, drop_last=True))
    assert "32 images are fewer than one batch of 64" in make_plan([few], [0], {}).runs[0].reason
    conditional = dataclasses.replace(cell, recipe=dataclasses.replace(cell.recipe, classes=7))
    assert "has 10 classes, the recipe is conditional on 7" in make_plan([conditional], [0], {}).runs[0].reason
    for change in (dict(batch_g=128), dict(player_order="d-first", n_dis=2)):
        with pytest.raises(GanbenchError, match="share_fakes needs"):
            recipe(**change)


def test_merge_takes_over_shows_conflicts_and_keeps_ours(tmp_path: Path, record: Record) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    ours = store.write(mine, "a", record)
    store.write(theirs, "x", dataclasses.replace(record, final={**record.final, "V_g": {"value": 9.0}}))
    other = _record(make_plan(_cells()[1:2], [3], {}).runs[0])
    store.write(theirs, "y", other)
    assert merge(mine, [theirs])[:2] == (1, 0)
    taken, same, problems = merge(mine, [theirs])
    assert (taken, same, len(problems)) == (0, 1, 1) and "conflict" in problems[0]
    assert store.read(ours) == record
    with pytest.raises(GanbenchError, match="does not exist"):
        merge(mine, [tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(GanbenchError, match="not a results folder"):
        merge(mine, [tmp_path / "empty"])


def test_a_hostile_cell_name_stays_inside_the_results(tmp_path: Path, record: Record) -> None:
    theirs = tmp_path / "theirs"
    store.write(theirs, "x", dataclasses.replace(record, cell="../../../etc/passwd"))
    merge(tmp_path / "mine", [theirs])
    assert [p.parent.parent.parent.name for p in (tmp_path / "mine").rglob("*.json")] == ["records"]
