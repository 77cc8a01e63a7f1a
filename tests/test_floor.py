"""The real-against-real floor, what is compared with as part of a record's identity, and waiting that can be ended."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import write_report
from benchmark.collate.presenting.tidy import compared_rows
from benchmark.data.cards import cards
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors, floor, store
from benchmark.metrics import reference as references
from benchmark.metrics.extract import extract
from benchmark.metrics.frechet import MomentSum, frechet_distance
from benchmark.metrics.inception_score import inception_score
from benchmark.metrics.kernel_distance import kernel_distance
from benchmark.metrics.names import IMAGE
from benchmark.metrics.real import RealSet, compared_with, decoder, real_key, real_set
from benchmark.plan.blocks import what_blocks
from benchmark.plan.keys import evaluation_key
from benchmark.plan.make_record import make_record
from benchmark.plan.plan import make_plan
from benchmark.recipe import Protocol
from benchmark.records import store as records
from benchmark.schedule.endings import finished
from benchmark.suite.load import load
from benchmark.train.run import run
from benchmark.weights.known import KNOWN
from tests.conftest import protocol, recipe

LITE = "efficientnet-lite0"


@pytest.fixture(scope="module")
def lite() -> extractors.Extractor:
    if problem := extractors.missing(LITE):
        pytest.skip(problem)
    return extractors.load(LITE)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


def measured(**changes: object) -> Protocol:
    fields = dict(
        metrics=("IS", "FID", "KIDx1000", "precision", "recall"),
        is_splits=2,
        kid_subsets=3,
        kid_subset_size=20,
        jac_G_every_epochs=None,
        every_epochs=None,
        features=LITE,
        quantise="round",
        real_split="train",
        real=80,
        generated=60,
        std_of="splits",
    )
    return protocol(**(fields | changes))


def test_the_floor_is_what_other_real_images_get(
    lite: extractors.Extractor, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, p = recipe(), measured()
    real = references.reference(small, p, lite)
    found = floor.real_floor(small, p, lite, real, None)
    order = np.random.default_rng(0).permutation(8192)
    pixels = read("shapes", "train", 28, 1).images
    mine, others = (
        extract(lambda x=x: iter(torch.from_numpy(pixels[np.sort(x)]).split(50)), lite, None)
        for x in (order[:80], order[80:140])
    )
    assert torch.allclose(real.features, mine.features, atol=1e-5)
    assert found["drawn"] == "60 other images of shapes train" and (found["images"], found["against"]) == (60, 80)
    assert found["metrics"]["FID"]["value"] == pytest.approx(frechet_distance(others.moments, mine.moments), rel=1e-5)
    assert found["metrics"]["IS"]["value"] == pytest.approx(inception_score(others.logits, 2)[0], rel=1e-5)
    assert found["metrics"]["KIDx1000"]["value"] == pytest.approx(
        1000 * kernel_distance(others.features, mine.features, 3, 20)[0], abs=1e-2
    )
    assert set(found["metrics"]) == set(p.metrics)

    monkeypatch.setattr(floor, "measure", lambda *a: pytest.fail("the floor is kept, and was measured again"))
    assert floor.real_floor(small, p, lite, real, None) == found
    (path,) = cache.glob("*.floor.json")
    path.write_text(path.read_text().replace("0.", "1.", 1))  # damaged: it is made again
    monkeypatch.undo()
    monkeypatch.setenv("GANBENCH_CACHE", str(cache.parent))
    assert floor.real_floor(small, p, lite, real, None) == found


def test_a_floor_has_no_is_over_another_number_of_images(lite: extractors.Extractor, cache: Path) -> None:
    small, p = recipe(), measured(is_generated=100)
    found = floor.real_floor(small, p, lite, references.reference(small, p, lite), None)
    assert set(found["metrics"]) == set(p.metrics) - {"IS"} and found["images"] == 60


def test_a_floor_is_believed_under_its_own_identity_alone(lite: extractors.Extractor, cache: Path) -> None:
    small, p, other = recipe(), measured(), measured(kid_subset_size=30)
    real = references.reference(small, p, lite)
    right, places = [], []
    for q in (p, other):
        right.append(floor.real_floor(small, q, lite, real, None))
        places += set(cache.glob("*.floor.json")).difference(places)
    mine, theirs = places
    whole = theirs.read_text()
    assert right[0]["metrics"]["KIDx1000"] != right[1]["metrics"]["KIDx1000"] and mine != theirs
    shutil.copy(mine, theirs)  # whole, and another's
    assert floor.real_floor(small, other, lite, real, None) == right[1] and theirs.read_text() == whole
    renamed = json.loads(mine.read_text()) | {"identity": json.loads(whole)["identity"]}  # its identity exchanged too
    theirs.write_text(json.dumps(renamed))
    assert floor.real_floor(small, other, lite, real, None) == right[1] and theirs.read_text() == whole


def test_a_floor_rests_on_nothing_imported_without_a_word(lite: extractors.Extractor, cache: Path) -> None:
    """Imported statistics of the other images are made again; a floor against imported ones is not kept, for the record
    alone says so.
    """
    small, p = recipe(), measured()
    real = references.reference(small, p, lite)
    right = floor.real_floor(small, p, lite, real, None)
    (path,) = cache.glob("*.floor.json")
    path.unlink()
    others, _ = floor.draw(small, p)
    place = references.place(others, lite)
    wrong = dataclasses.replace(references.features(others, lite, ("features", "logits")), features=real.features[:60])
    store.save(place, wrong, references.about(others, lite) | {"imported": "theirs.npz"})
    assert references.features(others, lite, ("features", "logits")).imported
    assert (
        floor.real_floor(small, p, lite, real, None) == right
        and not references.features(others, lite, ("features",)).imported
    )
    path.unlink()
    floor.real_floor(small, p, lite, dataclasses.replace(real, imported=True), None)
    assert not path.exists()


def test_how_the_other_images_are_drawn() -> None:
    small = recipe()
    for changes, drawn in (
        (dict(real=8132), "60 other images of shapes train"),
        (dict(real=8133), "60 images of shapes test"),
        (dict(real=None), "60 images of shapes test"),
        (dict(real_split="test", real=None), "60 images of shapes train"),
        (dict(real=8000, generated=2048), "2,048 images of shapes test"),
    ):
        others, said = floor.draw(small, measured(**changes))
        assert said == drawn and others.size == measured(**changes).generated
    assert floor.draw(small, measured(real=8000, generated=2049)) == (
        None,
        "none: shapes has no 2,049 images beside the 8,000 of train that are compared with",
    )
    whole = compared_with(small, measured(real=8000))[0]
    others, _ = floor.draw(small, measured(real=8000))
    assert not set(whole.indices()) & set(others.indices())
    assert (
        floor.draw(recipe(dataset="mnist"), measured(real=60000))[1] in ("60 images of mnist test",)
        or "not found" in floor.draw(recipe(dataset="mnist"), measured(real=60000))[1]
    )
    assert "other" in str(others) and "other" not in str(whole)


def test_vfid_is_against_val_or_else_the_test_images_and_its_floor_against_none_of_them() -> None:
    """CHAIN: as many fakes as there are validation images; for CIFAR those are the 10,000 test images."""
    p = measured(metrics=("tFID", "vFID"), real=None)
    for name, split in (("cifar10", "test"), ("imagenet", "val"), ("tiny-imagenet", "val"), ("shapes", "test")):
        assert [(s.split, s.count) for s in compared_with(recipe(dataset=name), p)] == [("train", None), (split, None)]
    assert floor.draw(recipe(), p) == (
        None,
        "none: shapes has no 60 images beside the 8,192 of train and those of vFID that are compared with",
    )
    assert floor.draw(recipe(), measured(metrics=("vFID",)))[1] == "60 other images of shapes train"
    assert floor.draw(recipe(), measured(metrics=("vFID",), real_split="test"))[1] == "60 images of shapes train"
    assert "2,048" in what_blocks(recipe(), measured(metrics=("vFID",), generated=2047))
    assert what_blocks(recipe(), measured(metrics=("vFID",), generated=2048)) is None
    assert "compares with 2,049 images" in what_blocks(
        recipe(), measured(metrics=("vFID",), generated=2048, real_split="test", real=2049)
    )


def test_only_a_proxy_has_a_floor() -> None:
    assert floor.real_floor(recipe(), measured(features="inception-2015-12-05"), None, None, None) is None


def test_the_floor_of_vfid_is_of_the_last_images_against_the_validation_set(
    lite: extractors.Extractor, cache: Path
) -> None:
    small, p = recipe(), measured(metrics=("vFID",))
    real, val = (references.features(real_set(small, split, 40), lite, ("features",)) for split in ("train", "test"))
    sets = compared_with(small, measured(metrics=("FID",)))
    with pytest.MonkeyPatch.context() as m:  # 40 images of the validation split, not all
        m.setattr(floor, "compared_with", lambda *a: sets)
        value = floor.real_floor(small, p, lite, real, val)["metrics"]["vFID"]["value"]
    others, _ = floor.draw(small, measured(metrics=("FID",)))
    tail = references.features(others, lite, ("features",)).features[20:]
    sums = MomentSum()
    sums.add(tail.numpy())
    assert value == pytest.approx(frechet_distance(sums.moments(), val.moments), rel=1e-6)


def test_a_run_carries_its_floor_into_a_record_that_reads_back(
    lite: extractors.Extractor, cache: Path, tmp_path: Path
) -> None:
    cell = next(c for c in load(Path("suites/theory.yaml"), "ci").cells)
    small, p = recipe(epochs=None, steps=2, images=64), measured()
    cell = dataclasses.replace(cell, recipe=small, protocol=p, full_recipe=small, full_protocol=p)
    data = read("shapes", "train", 28, 1, images=64)
    result = run(small, p, 0, data, tmp_path / "run")
    planned = make_plan([cell], [0], {}).runs[0]
    record = make_record(planned, result)
    assert record.floor["metrics"]["FID"]["value"] > 0 and record.real == real_key(small, p)
    path = records.write(tmp_path, "x", record)
    assert records.read(path) == record
    for old, new, message in (
        ('"images": 60', '"images": 61', "checksum"),
        (record.real, "0" * 64, "do not match its key"),
        ('"drawn": "', '"drawn": 1, "x": "', "its floor"),
    ):
        text = path.read_text().replace("{[}", "[").replace("{]}", "]")  # LaTeX would take a bracket for an argument
        assert old in text
        path.write_text(text.replace(old, new))
        with pytest.raises(GanbenchError, match=message):
            records.read(path)
        path.write_text(text)
    with pytest.raises(GanbenchError, match="compared with other real images than planned"):
        make_record(planned, result | {"real": "0" * 64})


def test_a_proxys_numbers_stand_beside_their_floor_everywhere(tmp_path: Path) -> None:
    suite = load(Path("suites/gran.yaml"), "ci")
    table = next(t for t in suite.tables if {"IS", "FID", "KIDx1000"} <= set(t.metrics))
    cell = dataclasses.replace(table.cells[0], recipe=recipe())
    suite = dataclasses.replace(suite, tables=(dataclasses.replace(table, cells=(cell, *table.cells[1:])),))
    assert {"IS", "FID", "KIDx1000", "precision", "recall"} == set(cell.protocol.metrics) and not {
        "precision",
        "recall",
    } & set(cell.full_protocol.metrics)
    planned = make_plan([cell], [0], {}).runs[0]
    numbers = {"IS": 1.5, "FID": 300.25, "KIDx1000": 80.0, "precision": 0.25, "recall": 0.125}
    floors = {"IS": 2.5, "FID": 145.5, "KIDx1000": 1.0, "precision": 0.75, "recall": 0.625}
    result = {
        "status": "finished",
        "steps": 4,
        "total_steps": 4,
        "epochs": 1.0,
        "final": {"step": 4, "epoch": 1, **{k: {"value": v} for k, v in numbers.items()}},
        "history": [],
        "samples": "",
        "train_s": 1.0,
        "eval_s": 1.0,
        "segments": [],
        "libraries": {},
        **planned.data(),
        "floor": {
            "drawn": "64 other images of shapes train",
            "images": 64,
            "against": 64,
            "metrics": {k: {"value": v} for k, v in floors.items()},
        },
    }
    record = make_record(planned, result)
    joined = join(suite, [record])
    rows = {r["metric"]: r for r in compared_rows(joined) if r["cell"] == cell.id}
    assert {m: rows[m]["floor"] for m in floors} == {m: f"{v:.5g}" for m, v in floors.items()}
    assert (
        rows["FID"]["achieved"].endswith("(1) [floor 145.500]")
        and rows["recall"]["achieved"] == "0.125 (1) [floor 0.625]"
    )
    assert rows["precision"]["verdict"] == "" and rows["FID"]["verdict"] == "incomparable"
    for path in (p for p in write_report(suite, joined, "results", tmp_path) if not p.name.endswith(".fields.csv")):
        text = path.read_text()
        assert all(number in text for number in ("300.250", "145.5", "0.125", "0.625", "precision", "(floor)")), path
        assert path.suffix == ".csv" or "64 other images of shapes train against 64" in text, path
    assert finished(record, "a") == "finished: a  2 s  FID 300.2 [floor 145.5]"
    bare = make_record(planned, {**result, "floor": None})
    assert (
        finished(bare, "a") == "finished: a  2 s  FID 300.2"
        and "floor"
        not in {r["metric"]: r for r in compared_rows(join(suite, [bare])) if r["cell"] == cell.id}["FID"]["achieved"]
    )


def test_the_profiles_of_every_suite_with_images_measure_precision_and_recall_besides() -> None:
    for path in sorted(Path("suites").glob("*.yaml")):
        for profile in ("reduced", "ci"):
            for cell in load(path, profile).cells if path.stem not in ("ci", "theory") else ():
                full = {*cell.full_protocol.metrics}
                besides = {"precision", "recall"} if full & {*IMAGE} else set()
                assert {*cell.protocol.metrics} == full | besides and full.isdisjoint(besides), cell.id


def test_records_without_a_floor_stay_readable_with_their_keys_and_bytes(committed: Path) -> None:
    found, problems = records.read_all(committed)
    old = [r for r in found if r.floor is None and r.real is None]
    assert old and not problems
    for r in old:
        assert (
            not {"floor", "real"} & r.to_json().keys() and evaluation_key(r.run, r.protocol, r.recipe) == r.evaluation
        )


def test_the_evaluation_key_covers_the_real_images() -> None:
    small, p = recipe(), measured()
    key = evaluation_key("a", p, small)
    assert key == evaluation_key("a", dataclasses.replace(p, seeds=9), small)
    card = cards()["mnist"]
    mnist = recipe(dataset="mnist")
    before, trained = evaluation_key("a", measured(real_split="test"), mnist), card.content("train", 28, 1)
    with pytest.MonkeyPatch.context() as m:
        m.setitem(card.splits["test"]["images"], "sha256", "0" * 64)
        assert (
            evaluation_key("a", measured(real_split="test"), mnist) != before
            and card.content("train", 28, 1) == trained
        )
    with pytest.MonkeyPatch.context() as m:
        m.setitem(KNOWN, LITE, dataclasses.replace(KNOWN[LITE], sha256="0" * 64))
        assert evaluation_key("a", p, small) != key
    assert real_key(small, protocol()) is None
    with pytest.raises(GanbenchError, match="has no split"):
        evaluation_key("a", measured(real_split="val"), small)


def test_what_has_a_say_in_features_is_in_their_key() -> None:
    real = RealSet("shapes", "train", 28, 1, None, None, 80)
    key = json.dumps(real.identity(LITE, "w"))
    for changed in (
        dict(resolution=32),
        dict(split="test"),
        dict(count=81),
        dict(after=1),
        dict(channels=3),
        dict(resize="bilinear"),
        dict(crop="center"),
    ):
        assert json.dumps(dataclasses.replace(real, **changed).identity(LITE, "w")) != key
    assert json.dumps(real.identity(LITE, "v")) != key
    with pytest.MonkeyPatch.context() as m:
        m.setattr("benchmark.process.installed.metadata.version", lambda name: "99")
        assert json.dumps(real.identity(LITE, "w")) != key
    jpeg = RealSet("cifar10-jpeg", "train", 32, 3, None, None, 80)
    assert decoder("shapes") == {} and set(decoder("cifar10-jpeg")) == {"pillow", "libjpeg"}
    digits = RealSet("mnist", "test", 28, 1, None, None, 80)
    packages = [
        dataclasses.replace(digits, **changed).identity(LITE, "w")["packages"].keys()
        for changed in ({}, dict(resolution=32, resize="bilinear"))
    ]
    assert packages[1] - packages[0] == {"pillow"} and "pillow" not in packages[0]
    before = json.dumps(jpeg.identity(LITE, "w"))
    with pytest.MonkeyPatch.context() as m:
        m.setattr("PIL.__version__", "0.1")
        assert json.dumps(jpeg.identity(LITE, "w")) != before


def test_waiting_for_another_worker_can_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store, "SAY_S", 0.0)
    path, asked = tmp_path / "x.npz", []
    with path.with_suffix(".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with (
            pytest.raises(store.Interrupted, match="waiting for another process to finish the features of X"),
            store.alone(path, "the features of X", lambda: asked.append(1) or len(asked) > 3),
        ):
            pytest.fail("the lock was held by another")
    assert len(asked) == 4 and "waiting for another process to finish the features of X" in caplog.text
    with store.alone(path, "it"):
        pass


def _wait(path: str, said: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    Path(said).write_text("started")
    try:
        with store.alone(Path(path), "the features of X"):
            Path(said).write_text("taken")
    except GanbenchError as error:
        Path(said).write_text(f"{error.exit_code} {error}")


@pytest.mark.slow
def test_ctrl_c_ends_the_wait_and_says_what_for(tmp_path: Path) -> None:
    path, said = tmp_path / "x.npz", tmp_path / "said"
    with path.with_suffix(".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        child = multiprocessing.get_context("spawn").Process(target=_wait, args=(str(path), str(said)))
        child.start()
        deadline = time.monotonic() + 60
        while not said.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(child.pid, signal.SIGINT)
        child.join(30)
    assert said.read_text() == "130 stopped while waiting for another process to finish the features of X"


def test_a_run_that_waits_stops_when_asked(lite: extractors.Extractor, cache: Path, tmp_path: Path) -> None:
    small, p = recipe(epochs=None, steps=2, images=64), measured(real=77)
    path = references.place(compared_with(small, p)[0], lite)
    path.parent.mkdir(parents=True)
    with path.with_suffix(".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert (
            run(small, p, 0, read("shapes", "train", 28, 1, images=64), tmp_path / "run", tick=lambda done, todo: True)
            is None
        )
