"""Statistics that travel between machines: the same numbers after, and a reason whenever a file is refused."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.metrics import exchange, extractors, store
from benchmark.metrics import reference as references
from benchmark.metrics.extract import extract
from benchmark.metrics.measure import kept_of_real
from benchmark.suite.load import load
from benchmark.suite.model import Cell
from tests.conftest import recipe

LITE = "efficientnet-lite0"
SIX = 6


class Six(torch.nn.Module):
    """Stands for a network: six pixels as features, four as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.float().flatten(1)[:, 300 : 300 + SIX], x.float().flatten(1)[:, :4]


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A cell whose 64 real images are kept."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "mine"))
    monkeypatch.setattr("benchmark.metrics.extractors.efficientnet_lite0.DIMENSION", SIX)
    found = load(Path("suites/gran.yaml"), "ci").cells[0]
    extractor = extractors.Extractor(LITE, extractors.weights_hash(LITE), SIX, Six())
    references.reference(found.recipe, found.protocol, extractor)
    monkeypatch.setattr(references, "extract", lambda *a: pytest.fail("the features are kept"))
    return found


def test_what_is_exported_and_imported_is_what_was_kept(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    extractor = extractors.Extractor(LITE, extractors.weights_hash(LITE), SIX, torch.nn.Linear(1, 1))
    before = references.reference(cell.recipe, cell.protocol, extractor)
    only = f"table={cell.table} & dataset={cell.dataset} & method={cell.method}"
    out = tmp_path / "real.npz"
    assert main(["data", "stats", "gran", "--profile", "ci", "--only", only, "--export", str(out)]) == 0
    with np.load(out, allow_pickle=False) as plain:  # as pytorch-fid reads it
        assert np.array_equal(plain["mu"], before.moments.mean) and np.array_equal(
            plain["sigma"], before.moments.covariance
        )
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "theirs"))
    assert main(["data", "stats", "--import", str(out)]) == 0
    after = references.reference(cell.recipe, cell.protocol, extractor)
    assert after.imported and not before.imported
    assert torch.equal(after.features, before.features) and np.array_equal(
        after.moments.covariance, before.moments.covariance
    )
    assert (
        main(["data", "stats"]) == 0 and "64 images, efficientnet-lite0; 0.0 MiB; imported" in capsys.readouterr().out
    )
    with pytest.raises(GanbenchError, match="kept here already"):
        exchange.import_file(out)


def test_a_record_says_that_its_reference_was_imported(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.data.read import read
    from benchmark.plan.make_record import make_record
    from benchmark.plan.plan import make_plan
    from benchmark.train import evaluate
    from benchmark.train.run import run

    small = recipe(epochs=None, steps=1, images=64, resolution=cell.recipe.resolution, channels=cell.recipe.channels)
    cell = dataclasses.replace(cell, recipe=small)
    six = extractors.Extractor(LITE, extractors.weights_hash(LITE), SIX, Six())
    monkeypatch.setattr(references, "extract", extract)
    monkeypatch.setattr(extractors, "load", lambda *a, **k: six)
    exchange.export([cell], tmp_path / "real.npz")
    planned = make_plan([cell], [0], {}).runs[0]
    data = read("shapes", "train", small.resolution, small.channels, images=64)
    for folder, provenance in (("mine", None), ("theirs", "imported statistics")):
        monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / folder))
        monkeypatch.setattr(evaluate, "_held", {})
        if provenance:
            exchange.import_file(tmp_path / "real.npz")
        record = make_record(planned, run(small, cell.protocol, 0, data, tmp_path / f"run-{folder}"))
        assert record.provenance.get("real") == provenance and record.floor["metrics"]


def test_more_words_in_an_identity_do_not_change_under_which_it_is_kept(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.export([cell], tmp_path / "good.npz")
    chatty = _rewritten(
        tmp_path / "good.npz",
        tmp_path / "chatty.npz",
        lambda a: None,
        lambda s: (s["identity"].update(more="words", version=float(s["identity"]["version"])), s["set"].pop("after")),
    )
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "theirs"))
    exchange.import_file(chatty)
    kept, ours = (store.about_file(next(tmp_path.glob(f"{room}/features/*.npz"))) for room in ("theirs", "mine"))
    assert kept["identity"] == ours["identity"] and kept["set"] == ours["set"] and kept["imported"] == "chatty.npz"


def test_only_one_set_that_is_kept_is_exported(cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(cell, protocol=dataclasses.replace(cell.protocol, real=65))
    for cells, message in (
        ([], "compare with 0"),
        ([cell, other], "compare with 2"),
        ([other], "no features are kept"),
    ):
        with pytest.raises(GanbenchError, match=message):
            exchange.export(cells, tmp_path / "out.npz")
    with pytest.raises(GanbenchError, match="cannot write"):
        exchange.export([cell], tmp_path / "none" / "out.npz")
    assert not list(tmp_path.glob("*.npz")) and not list(tmp_path.glob(".*"))
    assert "features" in kept_of_real(cell.protocol)


def _rewritten(source: Path, target: Path, change: Any, about: Any = None, seal: bool = True) -> Path:
    """The file with changed arrays (their digests made anew if ``seal``) and a changed description."""
    with np.load(source) as file:
        arrays = {name: file[name].copy() for name in file.files}
    said = json.loads(str(arrays.pop("about")))
    change(arrays)
    if seal:
        said["digests"] = {name: store.digest(a) for name, a in arrays.items() if a.dtype != object}
    if about:
        about(said)
    np.savez(target, **arrays, about=np.array(json.dumps(said)))
    return target


def _set(name: str, value: Any) -> Any:
    return lambda arrays: arrays.update({name: value})


def _asymmetric(a: dict[str, np.ndarray]) -> None:
    a["sigma"][0, 1] += np.abs(a["sigma"]).max()


def _negative(a: dict[str, np.ndarray]) -> None:
    a["sigma"][:] -= np.eye(SIX) * 2 * np.abs(a["sigma"]).max()


BAD = {
    "nan": (lambda a: a["mu"].__setitem__(0, np.nan), None, "not finite"),
    "infinite": (lambda a: a["sigma"].__setitem__((0, 0), np.inf), None, "not finite"),
    "dimension": (lambda a: a.update(mu=a["mu"][:5], sigma=a["sigma"][:5, :5]), None, "not of 6 dimensions"),
    "asymmetric": (_asymmetric, None, "not symmetric"),
    "negative": (_negative, None, "is no covariance"),
    "count": (_set("n", np.array(63)), None, "n is 63, not the 64 images"),
    "whole numbers": (lambda a: a.update(mu=a["mu"].astype(int)), None, "not floating-point"),
    "other features": (lambda a: a["features"].__iadd__(1), None, "not those of its features"),
    "too few features": (lambda a: a.update(features=a["features"][:9]), None, "not one row"),
    "unknown array": (_set("more", np.zeros(1)), None, "wrong or missing more"),
    "no sigma": (lambda a: a.pop("sigma"), None, "wrong or missing sigma"),
    "pickle": (lambda a: a.update(mu=np.array([print], dtype=object)), None, "not a file of plain arrays"),
    "weights": (lambda a: None, lambda s: s["identity"].update(weights="0" * 64), "weights: 0000"),
    "content": (lambda a: None, lambda s: s["identity"].update(content="0" * 64), "content: 0000"),
    "subset": (lambda a: None, lambda s: s["identity"].update(subset="0" * 64), "subset: 0000"),
    "versions": (
        lambda a: None,
        lambda s: s["identity"].update(packages={"efficientnet-lite-pytorch": "9"}),
        "packages: .*9",
    ),
    "transform": (lambda a: None, lambda s: s["identity"].pop("transform"), "transform: None there"),
    "identity": (lambda a: None, lambda s: s.pop("identity"), "identity is not complete"),
    "dataset": (lambda a: None, lambda s: s["set"].update(dataset="../../etc"), "no set of images that is known"),
    "a field": (lambda a: None, lambda s: s["set"].update(path="/tmp"), "no set of images that is known"),
    "extractor": (lambda a: None, lambda s: s.update(extractor="__init__"), "no set of images that is known"),
    "images": (lambda a: None, lambda s: s.update(images=63), "63 images, where it names 64"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_and_nothing_is_written(
    what: str, cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.export([cell], tmp_path / "good.npz")
    change, about, message = BAD[what]
    bad = _rewritten(tmp_path / "good.npz", tmp_path / "bad.npz", change, about)
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "theirs"))
    with pytest.raises(GanbenchError, match=message):
        exchange.import_file(bad)
    assert not list((tmp_path / "theirs").glob("features/*.npz"))


def test_what_is_no_file_of_ours_is_refused(cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = tmp_path / "good.npz"
    exchange.export([cell], good)
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "theirs"))
    altered = _rewritten(good, tmp_path / "altered.npz", lambda a: a["mu"].__iadd__(1e-9), seal=False)
    with pytest.raises(GanbenchError, match="altered or damaged: mu"):
        exchange.import_file(altered)
    with np.load(good) as file:
        np.savez_compressed(tmp_path / "packed.npz", **file)
    with pytest.raises(GanbenchError, match="it is compressed"):  # a small file must not fill the memory
        exchange.import_file(tmp_path / "packed.npz")
    np.savez(tmp_path / "nested.npz", mu=np.zeros(SIX), about=np.array("[" * 100_000))
    with pytest.raises(GanbenchError, match="its identity is not complete"):
        exchange.import_file(tmp_path / "nested.npz")
    np.savez(tmp_path / "foreign.npz", mu=np.zeros(SIX), sigma=np.eye(SIX))
    with pytest.raises(GanbenchError, match="has statistics, but does not say of which images"):
        exchange.import_file(tmp_path / "foreign.npz")
    (tmp_path / "half.npz").write_bytes(good.read_bytes()[:-200])
    (tmp_path / "pickled.npz").write_bytes(pickle.dumps({"mu": 1}))
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("half", "pickled", "empty", "absent"):
        with pytest.raises(GanbenchError, match="not a file of plain arrays"):
            exchange.import_file(tmp_path / f"{name}.npz")
    assert not list((tmp_path / "theirs").glob("features/*.npz"))
