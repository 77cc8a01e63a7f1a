"""Results of several labs: impossible and edited records refused, conflicts kept apart, bundles that cannot do harm."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.plan.plan import make_plan
from benchmark.records import members, store
from benchmark.records.bundle import export, read_bundle
from benchmark.records.merge import conflicts, merge
from benchmark.records.record import Record
from benchmark.suite.load import load
from tests.test_plan_records import _record, rekeyed

SUITE = Path("suites/theory.yaml")


def _ci(seed: int = 0, **changes: object) -> Record:
    return dataclasses.replace(_record(make_plan(load(SUITE, "ci").cells[:1], [seed], {}).runs[0]), **changes)


def _with(metric: str, **value: object) -> Record:
    """A record whose checksum is right for the number that was put in."""
    final = {**_ci().final, metric: value}
    return _ci(final=final, history=[final])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_with("FID", value=-1.0), "FID -1 is impossible (between 0 and 1e+06)"),
        (_with("FID", value=2e6), "FID 2e+06 is impossible"),
        (_with("IS", value=0.5), "IS 0.5 is impossible (between 1 and 1008)"),
        (_with("IS", value=2000.0), "IS 2000 is impossible"),
        (_with("precision", value=1.5), "precision 1.5 is impossible (between 0 and 1)"),
        (_with("jac_G", value=-0.1), "jac_G -0.1 is impossible (at least 0)"),
        (_with("V_g", value=1e99), "V_g is beyond 1e+60"),
        (_with("FID", value=9.0, std=-1.0), "FID has a negative standard deviation"),
        (
            _ci(floor={"metrics": {"FID": {"value": -3.0}}, "drawn": "real", "images": 9, "against": 9}),
            "FID -3 is impossible",
        ),
        (_ci(steps=97), "97 steps of 96"),
        (_ci(steps=95), "status finished at step 95 of 96"),
        (_ci(status="partial"), "status partial at step 96 of 96"),
        (_ci(train_s=-1.0), "negative epochs or seconds"),
        (_ci(history=[{"step": 97}]), "a measurement at step 97"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_cannot_be_is_refused_with_its_reason_whatever_its_checksum(
    tmp_path: Path, record: Record, reason: str
) -> None:
    store.write(tmp_path / "theirs", "a", record)
    taken, same, problems = merge(tmp_path / "mine", [tmp_path / "theirs"])
    assert (taken, same, len(problems)) == (0, 0, 1) and problems[0].startswith("refused: ") and reason in problems[0]
    assert not list(tmp_path.glob("mine/**/*.json"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 5000])
def test_no_number_is_no_number(tmp_path: Path, number: str) -> None:
    path = store.write(tmp_path, "a", _ci())
    path.write_text(path.read_text(encoding="utf-8").replace('"value": 0.25', f'"value": {number}'), encoding="utf-8")
    assert store.read_all(tmp_path)[0] == [] and len(store.read_all(tmp_path)[1]) == 1


def test_values_that_are_right_are_not_refused(tmp_path: Path) -> None:
    for seed, (metric, value) in enumerate(
        [("KIDx1000", -0.2), ("FID", 0.0), ("FID", -1e-6), ("IS", 1.0), ("IS", 1008.0), ("V_g", -7.0), ("FID", None)]
    ):
        final = {**_ci().final, metric: {"value": value}}
        store.write(tmp_path, "a", rekeyed(_ci(final=final, history=[final]), seed=seed))
    assert len(store.read_all(tmp_path)[0]) == 7 and not store.read_all(tmp_path)[1]


def test_a_run_that_calls_part_of_its_steps_the_whole_is_refused(tmp_path: Path) -> None:
    store.write(tmp_path / "theirs", "a", _ci(steps=12, total_steps=12, history=[], final={**_ci().final, "step": 12}))
    taken, _, problems = merge(tmp_path / "mine", [tmp_path / "theirs"])
    assert taken == 0 and "12 steps in all, where its recipe and data give 96" in problems[0]


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    os.mkfifo(tmp_path / "records/a.json")
    assert "not a file" in str(store.read_all(tmp_path)[1][0])


def test_half_a_character_cannot_stop_a_merge(tmp_path: Path) -> None:
    path = store.write(tmp_path / "theirs", "a", _ci())
    path.write_text(path.read_text(encoding="utf-8").replace('"cell": "theory', '"cell": "\\ud800'), encoding="utf-8")
    assert "unreadable" in merge(tmp_path / "mine", [tmp_path / "theirs"])[2][0]


def _conflicting() -> Record:
    segment = {"from_step": 0, "to_step": 96, "commit": "beefbeefbeefbeef", "device": "another machine", "torch": "9.9"}
    return _ci(final={**_ci().final, "V_g": {"value": 9.0}}, provenance={"segments": [segment]})


def test_a_conflict_is_shown_with_both_origins_and_kept_apart(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    kept = store.write(mine, "a", _ci())
    store.write(theirs, "x", _conflicting())
    for _ in range(2):  # the second merge changes nothing
        taken, same, problems = merge(mine, [theirs])
        assert (taken, same) == (0, 0) and "V_g 0.25 here, 9 there" in problems[0]
        assert (
            "ours of unknown origin" in problems[0]
            and "theirs commit beefbeefbeef on another machine with torch 9.9" in problems[0]
        )
        assert len(list(mine.rglob("*.json"))) == 2 and store.read_all(mine) == ([store.read(kept)], [])
    found = conflicts(mine)
    assert [(c.ours, c.theirs) for c in found] == [(_ci(), _conflicting())]


def test_names_from_others_do_not_steer_the_terminal(tmp_path: Path) -> None:
    store.write(tmp_path / "mine", "a", _ci())
    store.write(
        tmp_path / "theirs",
        "x",
        dataclasses.replace(_conflicting(), provenance={"segments": [{"device": "\x1b]0;owned\x07\u202e"}]}),
    )
    said = merge(tmp_path / "mine", [tmp_path / "theirs"])[2][0]
    assert said.isprintable() and r"\x1b]0;owned\x07\u202e" in said


def _bundle(tmp_path: Path, *found: Record) -> Path:
    suite = load(SUITE, "ci")
    export([suite], suite.cells, found, tmp_path / "b.zip")
    return tmp_path / "b.zip"


def test_a_bundle_carries_records_plan_environment_and_hashes_and_comes_back_whole(tmp_path: Path) -> None:
    found = [_ci(0), _ci(1)]
    path = _bundle(tmp_path, *found)
    with zipfile.ZipFile(path) as bundle:
        head, plan = (json.loads(bundle.read(f"{name}.json")) for name in ("bundle", "plan"))
        assert set(head["files"]) == set(bundle.namelist()) - {"bundle.json"} and head["environment"]["torch"]
        assert all(info.date_time[0] == 1980 for info in bundle.infolist())
    assert {r["state"] for r in plan["runs"]} == {"done", "to do"} and found[0].cell in plan["cells"]
    assert read_bundle(path) == (found, [])
    assert merge(tmp_path / "mine", [path]) == (2, 0, []) and merge(tmp_path / "mine", [path]) == (0, 2, [])
    first = path.read_bytes()
    path.unlink()
    assert _bundle(tmp_path, *reversed(found)).read_bytes() == first, "the same records give the same bytes"
    with pytest.raises(GanbenchError, match="there already"):
        _bundle(tmp_path, *found)
    with pytest.raises(GanbenchError, match="nothing to export"):
        export([], load(SUITE, "ci").cells, [], tmp_path / "c.zip")


@pytest.mark.usefixtures("committed")
def test_export_and_merge_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = sum(r.cell.startswith("theory/1/") for r in store.read_all(Path("results"))[0])
    assert main(["export", "theory", "--only", "table=1", "--out", str(tmp_path / "b.zip")]) == 0
    assert f"b.zip: {count} records" in capsys.readouterr().out and (tmp_path / "b.zip").stat().st_size < 1_500_000
    assert main(["merge", str(tmp_path / "b.zip"), "--results", str(tmp_path / "mine")]) == 0
    assert f"{count} records taken over" in capsys.readouterr().out
    assert {r.outcome for r in store.read_all(tmp_path / "mine")[0]} <= {
        r.outcome for r in store.read_all(Path("results"))[0]
    }


def _rewritten(path: Path, change) -> Path:
    """The bundle with members changed by ``change(name, content) -> (ZipInfo or name, content) or None``."""
    with zipfile.ZipFile(path) as bundle:
        members = [(n, bundle.read(n)) for n in bundle.namelist()]
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in members:
            if changed := change(name, content):
                bundle.writestr(*changed)
    return path


def test_an_edited_or_missing_member_is_refused_and_the_others_are_taken(tmp_path: Path) -> None:
    def edit(name: str, content: bytes) -> tuple[str, bytes]:
        return name, content.replace(b'"value": 0.25', b'"value": 0.24') if "-s0." in name else content

    taken, _, problems = merge(tmp_path / "mine", [_rewritten(_bundle(tmp_path, _ci(0), _ci(1)), edit)])
    assert taken == 1 and len(problems) == 1 and "do not match the bundle's list" in problems[0]
    (tmp_path / "b.zip").unlink()
    path = _rewritten(
        _bundle(tmp_path, _ci(0), _ci(1)), lambda name, content: None if "-s0." in name else (name, content)
    )
    assert ["not in the bundle" in str(p) for p in read_bundle(path)[1]] == [True]


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("../../owned.json", "has no place"),
        ("/var/owned.json", "has no place"),
        ("records/../../0123456789abcdef-s0.json", "has no place"),
        ("records/a\\..\\b/c/0123456789abcdef-s0.json", "has no place"),
        ("records/a/../0123456789abcdef-s0.json", "has no place"),
        ("run.py", "has no place"),
        ("records/a/b/x.json", "has no place"),
        (_link("records/a/b/0123456789abcdef-s7.json"), "is a link"),
        ("bundle.json", "one name twice"),
    ],
    ids=lambda value: str(getattr(value, "filename", value)),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_nothing_of_a_bundle_with_a_foreign_member_is_used(
    tmp_path: Path, member: str | zipfile.ZipInfo, reason: str
) -> None:
    path = _bundle(tmp_path, _ci())
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr(member, "/etc/passwd")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(GanbenchError, match=reason):
        merge(tmp_path / "mine", [path])
    assert set(tmp_path.rglob("*")) == before


def test_a_bomb_and_a_broken_or_newer_bundle_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _bundle(tmp_path, _ci())
    with monkeypatch.context() as limits:
        limits.setattr(members, "MOST_BYTES", 1000)
        with pytest.raises(GanbenchError, match="larger than any bundle"):
            read_bundle(path)
    with monkeypatch.context() as limits:
        limits.setattr(members, "MAX_BYTES", 1000)
        with pytest.raises(GanbenchError, match="larger than 1,000 bytes"):
            read_bundle(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(GanbenchError, match="not a readable bundle"):
        read_bundle(path)
    path.write_bytes(content)
    _rewritten(path, lambda name, data: (name, data.replace(b'"format": 1', b'"format": 4')))
    with pytest.raises(GanbenchError, match="upgrade ganbench"):
        read_bundle(path)


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_does(tmp_path: Path) -> None:
    """Valid records of nothing but one letter: each a thousandth of its size in the file, all of them in memory at
    once.
    """
    path = _bundle(tmp_path, *(rekeyed(_ci(samples="A" * 8_000_000), seed=seed) for seed in range(4)))
    assert path.stat().st_size < 300_000
    with pytest.raises(GanbenchError, match="are no records"):
        read_bundle(path)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path) -> None:
    path = _bundle(tmp_path, _ci())
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24  # the first central entry's size once unpacked (bundle.json)
    content[at : at + 4] = (100).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(GanbenchError, match="not a readable bundle"):
        read_bundle(path)
