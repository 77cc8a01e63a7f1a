"""Plans, looks and conflicts stay with the records: through ``--again``, bundles and merges of folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.collate.statistics.looks import looked
from benchmark.errors import GanbenchError
from benchmark.records import anew, store
from benchmark.records.bundle import contents, read_bundle
from benchmark.records.furthest import by_evaluation
from benchmark.records.merge import conflicts, merge
from benchmark.records.record import Record
from benchmark.schedule.mirror import RemoteMirror
from benchmark.suite.load import load
from benchmark.train import checkpoint
from tests.test_labs import SUITE, _bundle, _ci


def planned(results: Path) -> list[tuple[int, int]]:
    """Plan and largest plan of each training."""
    return [(r.planned or 0, r.asked) for r in by_evaluation(store.read_all(results)[0]).values()]


def partial(steps: int, **changes: object) -> Record:
    final = {**_ci().final, "step": steps, "epoch": steps // 16, **changes.pop("final", {})}
    return _ci(status="partial", steps=steps, epochs=steps / 16, history=[], final=final, **changes)


def other() -> Record:
    return _ci(final={**_ci().final, "V_g": {"value": 9.0}})


@pytest.mark.parametrize("plan", [0, 1, 10])
def test_who_makes_records_anew_has_looked_all_the_same(plan: int, tmp_path: Path) -> None:
    for seed in range(3):
        store.write(tmp_path, "a", _ci(seed, planned=plan))
    before = planned(tmp_path)
    for seed in range(3):
        anew.replace(tmp_path, "a", _ci(seed, planned=3))
    assert planned(tmp_path) == before == [(plan, plan)] * 3
    assert looked(list(by_evaluation(store.read_all(tmp_path)[0]).values()))


def test_a_plan_that_a_partial_record_told_of_is_kept(tmp_path: Path) -> None:
    store.write(tmp_path, "a", partial(16, planned=10))
    anew.replace(tmp_path, "a", _ci(planned=3))
    assert planned(tmp_path) == [(0, 10)] and len(list(tmp_path.rglob("*.before"))) == 1


def test_a_partial_record_puts_aside_what_got_no_further(tmp_path: Path) -> None:
    for record in (_ci(planned=1), partial(16, planned=1), partial(80, planned=1)):
        store.write(tmp_path, "a", record)
    anew.replace(tmp_path, "a", partial(32, planned=1))
    (counts,) = by_evaluation(store.read_all(tmp_path)[0]).values()
    assert counts.status == "finished"
    assert [p.name.split(".")[1] for p in tmp_path.rglob("*.before")] == ["step16"]


@pytest.mark.parametrize("plans", [(3,), (3, 10), (1, 3), (0, 3)])
def test_a_bundle_says_every_plan_as_the_folder_does(plans: tuple[int, ...], tmp_path: Path) -> None:
    for plan in plans:
        for seed in range(3):
            store.write(tmp_path / "mine", f"planned-{plan}", _ci(seed, planned=plan))
    bundle = _bundle(tmp_path, *store.read_all(tmp_path / "mine")[0])
    assert len(read_bundle(bundle)[0]) == 3 * len(plans)
    for theirs, where in (("bundle", bundle), ("folder", tmp_path / "mine")):
        assert merge(tmp_path / theirs, [where])[0] == 3
        assert planned(tmp_path / theirs) == planned(tmp_path / "mine")


def test_a_conflict_goes_with_the_folder_and_never_as_one_result(tmp_path: Path) -> None:
    store.write(tmp_path / "a", "x", _ci())
    store.write(tmp_path / "b", "x", other())
    merge(tmp_path / "a", [tmp_path / "b"])
    taken, _, problems = merge(tmp_path / "c", [tmp_path / "a"])
    assert taken == 1 and "V_g 0.25 here, 9 there" in problems[0] and len(conflicts(tmp_path / "c")) == 1
    for lab in ("a", "c"):
        (record,) = store.read_all(tmp_path / lab)[0]
        assert record.contested
    suite = load(SUITE, "ci")
    with pytest.raises(GanbenchError, match="not contested"):
        contents([suite], suite.cells, [record])
    members, written, held = contents([suite], suite.cells, [record, _ci(1)])
    assert (written, held) == ([_ci(1)], [record]) and sum(name.startswith("records/") for name in members) == 1


def test_of_two_files_that_disagree_in_a_folder_none_is_taken(tmp_path: Path) -> None:
    store.write(tmp_path / "a", "x", _ci())
    store.write(tmp_path / "a", "y", other())
    taken, _, problems = merge(tmp_path / "c", [tmp_path / "a"])
    assert taken == 0 and any("two files there disagree" in problem for problem in problems)


def test_a_conflict_on_the_way_does_not_contest_the_end(tmp_path: Path) -> None:
    store.write(tmp_path / "a", "x", partial(16))
    store.write(tmp_path / "b", "x", partial(16, final={"V_g": {"value": 9.0}}))
    assert "conflict" in merge(tmp_path / "a", [tmp_path / "b"])[2][0]
    store.write(tmp_path / "a", "x", _ci())
    assert [r.contested for r in store.read_all(tmp_path / "a")[0]] == ["", ""]


def test_a_set_of_the_same_name_may_have_another_size(tmp_path: Path) -> None:
    from tests.test_plan_records import rekeyed

    record = rekeyed(_ci(steps=12, total_steps=12, history=[], final={**_ci().final, "step": 12}), content="f" * 64)
    store.write(tmp_path / "theirs", "a", record)
    assert merge(tmp_path / "mine", [tmp_path / "theirs"]) == (1, 0, [])


def test_checkpoints_that_cannot_be_asked_for_are_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, node = RemoteMirror(f"file://{tmp_path}/url"), tmp_path / "node"
    checkpoint.save(node, {"step": 1})
    mirror.push(node)

    def info(self: object, path: str, **_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.info", info)
    with pytest.raises(GanbenchError, match="cannot be read"):
        mirror.pull(node)
    with pytest.raises(OSError, match="Input/output"):
        mirror.push(node)
    assert checkpoint.load(node) == {"step": 1}


def test_a_run_whose_checkpoints_a_disk_does_not_give_is_not_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path, {"step": 1})
    checkpoint.save(tmp_path, {"step": 2})

    def stale(path: Path) -> None:
        raise OSError(116, "Stale file handle")

    real = checkpoint.open_regular
    monkeypatch.setattr(checkpoint, "open_regular", stale)
    with pytest.raises(GanbenchError, match="Stale file handle"):
        checkpoint.load(tmp_path)
    monkeypatch.setattr(checkpoint, "open_regular", lambda p: stale(p) if p.name == checkpoint.CURRENT else real(p))
    assert checkpoint.load(tmp_path) == {"step": 1}
    assert (tmp_path / checkpoint.CURRENT).exists()
