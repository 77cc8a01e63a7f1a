"""FID, IS, KID, precision and recall: right on closed forms and bad input, in a run, and from kept features."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import math
import multiprocessing
import os
import pickle
import resource
import shutil
import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmark.data.read import read
from benchmark.data.shapes import render
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from benchmark.metrics import reference as references
from benchmark.metrics.extract import extract
from benchmark.metrics.extractors import inception_2015_12_05 as inception
from benchmark.metrics.fidelity import fidelity
from benchmark.metrics.frechet import Moments, MomentSum, frechet_distance
from benchmark.metrics.images import MIMICRY, prepare
from benchmark.metrics.measure import extract_generated, images_needed, kept_of_generated, kept_of_real, measure
from benchmark.metrics.precision_recall import precision_recall
from benchmark.plan.blocks import what_blocks
from benchmark.plan.cost import made_and_seen
from benchmark.recipe import Protocol, Recipe
from benchmark.train.run import run
from benchmark.train.session import Session
from benchmark.weights import known
from tests.conftest import protocol, recipe

LITE = "efficientnet-lite0"


@pytest.fixture(scope="module")
def lite() -> extractors.Extractor:
    if problem := extractors.missing(LITE):
        pytest.skip(problem)
    return extractors.load(LITE)


def images(n: int, seed: int = 0, channels: int = 3) -> torch.Tensor:
    """uint8 shapes with a little noise."""
    pixels, _ = render("train", n, 10, 32, channels)
    noise = np.random.default_rng(seed).integers(0, 40, pixels.shape)
    return torch.from_numpy(np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8))


def source(x: torch.Tensor, batch: int = 17):
    return lambda: iter(x.split(batch))


def image_protocol(**changes: object):
    fields = dict(
        metrics=("IS", "FID", "KIDx1000", "precision", "recall"),
        is_splits=3,
        kid_subsets=4,
        kid_subset_size=50,
        jac_G_every_epochs=None,
        every_epochs=None,
    )
    return protocol(**(fields | changes))


def test_the_inception_network_is_torch_fidelitys_on_bytes_and_takes_floats() -> None:
    torch.manual_seed(0)
    theirs = fidelity("feature_extractor_inceptionv3").FeatureExtractorInceptionV3
    shape = theirs.__new__(theirs)
    import unittest.mock

    with (
        unittest.mock.patch.object(
            fidelity("feature_extractor_inceptionv3"), "load_state_dict_from_url", lambda *a, **k: {}
        ),
        unittest.mock.patch.object(theirs, "load_state_dict", lambda *a: None),
    ):
        shape = theirs("random", ["2048", "logits_unbiased"])
    ours = inception.build(shape.state_dict()).eval()
    x = images(3)
    with torch.no_grad():
        for mine, other in zip(ours(x), shape(x)):
            assert torch.equal(mine, other)
        assert ours(x.float() + 0.25)[0].shape == (3, inception.DIMENSION)


def test_frechet_distance_on_closed_forms() -> None:
    rng = np.random.default_rng(0)
    d = 6
    a, b = rng.uniform(0.5, 2, d), rng.uniform(0.5, 2, d)
    shift = rng.normal(size=d)
    diagonal = frechet_distance(Moments(9, np.zeros(d), np.diag(a)), Moments(9, shift, np.diag(b)))
    assert diagonal == pytest.approx(shift @ shift + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rel=1e-12)
    flat = np.outer(shift, shift)  # rank one: no Cholesky factor
    assert frechet_distance(Moments(9, shift, flat), Moments(9, shift, flat)) == pytest.approx(0, abs=1e-6)
    mixed = frechet_distance(Moments(9, shift, flat), Moments(9, shift, np.eye(d)))
    assert mixed == pytest.approx(np.trace(flat) + d - 2 * math.sqrt(np.trace(flat)), rel=1e-7)
    assert mixed == pytest.approx(frechet_distance(Moments(9, shift, np.eye(d)), Moments(9, shift, flat)), rel=1e-9)
    assert frechet_distance(Moments(9, np.zeros(1), 4 * np.eye(1)), Moments(9, np.ones(1), np.eye(1))) == pytest.approx(
        2
    )
    with pytest.raises(GanbenchError, match="6 and of 2 dimensions"):
        frechet_distance(Moments(9, shift, np.eye(d)), Moments(9, np.zeros(2), np.eye(2)))


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_moments_in_batches_are_those_of_the_whole(offset: float) -> None:
    x = np.random.default_rng(1).normal(size=(501, 20)) + offset
    sums = MomentSum()
    for part in np.array_split(x, [7, 8, 300]):
        sums.add(part)
    m = sums.moments()
    assert (
        m.n == 501
        and np.allclose(m.mean, x.mean(axis=0), rtol=1e-14)
        and np.allclose(m.covariance, np.cov(x, rowvar=False), rtol=1e-9, atol=1e-9)
    )


def test_extraction_takes_no_image_too_many_and_does_not_depend_on_batches(lite: extractors.Extractor) -> None:
    x = images(150)
    whole = extract(source(x, 150), lite, None)
    for batch in (1, 64, 149):
        part = extract(source(x, batch), lite, None, count=100)
        assert part.n == 100 and torch.allclose(part.features, whole.features[:100], atol=1e-5)
    assert extract(source(x), lite, None, keep=()).features is None
    with pytest.raises(GanbenchError, match="150 images, but the protocol asks for 151"):
        extract(source(x), lite, None, count=151)


def test_features_are_float32_throughout_and_the_generator_as_in_training() -> None:
    """TF32 would make features on a GPU others than those kept on a CPU; what makes the images keeps its setting."""
    seen = []

    class Watched(_Pixels):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            seen.append(("features", torch.backends.cudnn.allow_tf32))
            return super().forward(x)

    def made() -> Iterator[torch.Tensor]:
        for _ in range(3):
            seen.append(("images", torch.backends.cudnn.allow_tf32))
            yield images(64)

    assert torch.backends.cudnn.allow_tf32  # torch's default
    extract(made, dataclasses.replace(PIXELS, module=Watched()), None)
    assert set(seen) == {("features", False), ("images", True)} and torch.backends.cudnn.allow_tf32


def test_vfid_is_of_the_last_generated_images(lite: extractors.Extractor) -> None:
    generated, real, val = (extract(source(images(n, s)), lite, None) for n, s in ((120, 0), (120, 1), (50, 2)))
    found = measure(image_protocol(metrics=("tFID", "vFID")), generated, real, val)
    tail = extract(source(images(120, 0)[70:]), lite, None)
    assert found["vFID"]["value"] == pytest.approx(frechet_distance(tail.moments, val.moments), rel=1e-5)
    with pytest.raises(GanbenchError, match="needs the validation images"):
        measure(image_protocol(metrics=("vFID",)), generated, real)


def test_precision_and_recall_are_one_computation(lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    generated, real = (extract(source(images(60, seed)), lite, None) for seed in (0, 1))
    both, made = precision_recall(generated.features, real.features), []
    monkeypatch.setattr(
        "benchmark.metrics.measure.precision_recall", lambda *sides: (made.append(1), precision_recall(*sides))[1]
    )
    for metrics in (("precision", "recall"), ("recall", "precision"), ("recall",)):
        found = measure(image_protocol(metrics=metrics), generated, real)
        assert {m: found[m]["value"] for m in metrics} == {
            m: dict(zip(("precision", "recall"), both))[m] for m in metrics
        } and len(made) == 1
        made.clear()


def test_quantisation() -> None:
    x = torch.tensor([-1.0, -0.999, 0.0, 0.5, 1.0, 1.2]).view(1, 1, 1, 6)
    result = {q: next(prepare(lambda: iter([x]), q)())[0, 0, 0].tolist() for q in ("round", "floor", "none", "min-max")}
    assert result["round"] == [0, 0, 128, 191, 255, 255] and result["floor"] == [0, 0, 127, 191, 255, 255]
    assert (
        result["none"][2] == 127.5
        and result["min-max"][-1] == 255
        and result["min-max"][0] == 0
        and result["min-max"][4] == 232
    )
    for bad, message in (
        (torch.full((1, 1, 2, 2), math.nan), "not finite"),
        (torch.zeros(1, 2, 4, 4), "1 or 3"),
        (torch.zeros(4, 4), "1 or 3"),
    ):
        with pytest.raises(GanbenchError, match=message):
            list(prepare(lambda bad=bad: iter([bad]), "round")())


def test_the_range_of_min_max_is_that_of_the_images_that_count() -> None:
    x = torch.cat([torch.rand(50, 1, 2, 2, generator=torch.Generator().manual_seed(0)), torch.full((14, 1, 2, 2), 9.0)])
    counted, alone = (next(prepare(lambda y=y: iter([y]), "min-max", 50)())[:50] for y in (x, x[:50]))
    assert torch.equal(counted, alone) and counted.max() == 255


class _Pixels(torch.nn.Module):
    """Stands for a network: the first pixels as features, all of the first row as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.flatten(1)[:, :3].float(), x[:, 0, 0].float()


PIXELS = extractors.Extractor(LITE, "0" * 64, 3, _Pixels())


def test_mimicry_scales_by_batch_for_is_and_by_all_images_for_the_rest() -> None:
    x = torch.randn(120, 3, 2, 2, generator=torch.Generator().manual_seed(1)) * torch.linspace(0.1, 1, 120).view(
        -1, 1, 1, 1
    )

    def theirs(y: torch.Tensor) -> torch.Tensor:  # as their compute_is.py does: + 0.5 and a cast
        return ((y - y.min()) / (y.max() - y.min() + 1e-5) * 255 + 0.5).clamp(0, 255).byte()

    for batch in (7, 64):
        found = extract_generated(
            source(x, batch),
            PIXELS,
            image_protocol(metrics=("IS", "FID", "precision"), quantise=MIMICRY, generated=110),
        )
        by_batch = torch.cat([theirs(y) for y in x[:110].split(50)])
        for ours, other in (
            (found.features, theirs(x[:110]).flatten(1)[:, :3].float()),
            (found.logits, by_batch[:, 0, 0].float()),
        ):
            assert (ours - other).abs().max() <= 1 and (
                ours != other
            ).float().mean() < 0.01  # a value midway between two bytes may fall to either side
        assert (found.logits - theirs(x[:110])[:, 0, 0].float()).abs().max() > 20  # and the two ways do differ
    assert (
        extract_generated(source(x), PIXELS, image_protocol(metrics=("FID",), quantise=MIMICRY, generated=110)).logits
        is None
    )


@pytest.mark.parametrize(
    ("metrics", "features", "logits"),
    [
        (("FID",), False, False),
        (("IS", "tFID"), False, True),
        (("FID", "KIDx1000"), True, False),
        (("vFID",), True, False),
        (("IS", "recall"), True, True),
    ],
)
def test_only_what_a_metric_needs_is_kept_of_each_image(metrics: tuple[str, ...], features: bool, logits: bool) -> None:
    found = extract_generated(
        source(images(70)), PIXELS, image_protocol(metrics=metrics, quantise="round", generated=70)
    )
    assert (found.features is not None, found.logits is not None, found.n) == (features, logits, 70)


def test_the_memory_of_an_fid_does_not_grow_with_the_number_of_images() -> None:
    class Wide(_Pixels):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x.flatten(1)[:, :1].float().repeat(1, 256), x.flatten(1)[:, :1].float().repeat(1, 256)

    def peak(n: int) -> int:
        batch = images(64)
        tracemalloc.start()  # numpy's and Python's allocations; torch's tensors are counted by those still alive
        alive = []

        def stream() -> Iterator[torch.Tensor]:
            for i in range(n // 64):
                if i % 16 == 15 or i == n // 64 - 1:  # as the next moments are taken in, and at the end
                    alive.append(
                        sum(
                            o.untyped_storage().nbytes()
                            for o in gc.get_objects()
                            if type(o) is torch.Tensor and o.shape[-1:] == (256,)
                        )
                    )
                yield batch

        wide = Wide()
        extract_generated(
            stream,
            dataclasses.replace(PIXELS, module=wide),
            image_protocol(metrics=("FID",), quantise="round", generated=n),
        )
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held + max(alive)

    peak(2048)  # imports and first uses
    short, long = peak(2048), peak(8192)
    assert short > 2048 * 256 * 4 // 4 and long < 1.1 * short


@pytest.mark.parametrize("quantise", ["floor", "min-max-mimicry"])
@pytest.mark.parametrize("over", [40, 120])
def test_is_may_be_over_its_own_number_of_images(quantise: str, over: int) -> None:
    """More, or fewer, of the same images: IS is that of a protocol which generates so many, everything else that of one
    without.
    """
    torch.manual_seed(3)
    x = torch.rand(130, 3, 8, 8) * 1.6 - 0.8
    p = image_protocol(metrics=("IS", "FID"), quantise=quantise, generated=80, is_generated=over)
    found = extract_generated(source(x), PIXELS, p)
    apart = {
        n: extract_generated(source(x[:n]), PIXELS, dataclasses.replace(p, generated=n, is_generated=None))
        for n in (80, over)
    }
    assert torch.equal(found.logits, apart[over].logits) and found.n == 80
    assert np.array_equal(found.moments.mean, apart[80].moments.mean) and np.array_equal(
        found.moments.covariance, apart[80].moments.covariance
    )
    assert images_needed(p) == max(80, over) and images_needed(dataclasses.replace(p, metrics=("FID",))) == 80
    with pytest.raises(GanbenchError, match="130 images, but the protocol asks for 131"):
        extract_generated(source(x), PIXELS, dataclasses.replace(p, is_generated=131))


@pytest.mark.parametrize("metrics", [("FID",), ("IS", "FID")])
@pytest.mark.parametrize("quantise", ["floor", "min-max", MIMICRY])
@pytest.mark.parametrize("over", [None, 50, 150])
def test_the_planner_knows_how_many_images_are_made_and_seen(
    metrics: tuple[str, ...], quantise: str, over: int | None
) -> None:
    p = image_protocol(metrics=metrics, quantise=quantise, generated=100, is_generated=over)
    made, seen = [], []

    def counted() -> Iterator[torch.Tensor]:
        for batch in torch.rand(images_needed(p), 3, 4, 4).split(10):
            made.append(len(batch))
            yield batch

    class Counting(_Pixels):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            seen.append(len(x))
            return super().forward(x)

    extract_generated(counted, dataclasses.replace(PIXELS, module=Counting(), batch=10), p)
    assert made_and_seen(p) == (sum(made), sum(seen))


def test_bad_settings_are_refused(lite: extractors.Extractor) -> None:
    few = extract(source(images(20)), lite, None)
    for changes, message in (
        (dict(metrics=("IS",), is_splits=21), "cannot be split into 21"),
        (dict(metrics=("KIDx1000",), kid_subset_size=20), "need more than 20"),
        (dict(metrics=("IS",), is_splits=None), "does not give it"),
    ):
        with pytest.raises(GanbenchError, match=message):
            measure(image_protocol(**changes), few, few)
    moments_only = dataclasses.replace(few, features=None, logits=None)
    with pytest.raises(GanbenchError, match="only their moments were kept"):
        measure(image_protocol(metrics=("KIDx1000",)), moments_only, few)


class _Bomb:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("bomb"),))


def test_weights_that_are_not_the_right_ones_are_refused_unexecuted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(GanbenchError, match="is not the weights file of inception-2015-12-05"):
        extractors.load("inception-2015-12-05", path)
    monkeypatch.setitem(
        known.KNOWN,
        "inception-2015-12-05",
        dataclasses.replace(known.known("inception-2015-12-05"), sha256=hashlib.sha256(path.read_bytes()).hexdigest()),
    )
    with pytest.raises(GanbenchError, match="cannot be read as weights"):
        extractors.load("inception-2015-12-05", path)
    assert not Path("bomb").exists()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert "--weights" in extractors.missing("inception-2015-12-05")
    with pytest.raises(
        GanbenchError, match="no feature extractor 'inceptoin-2015-12-05'; did you mean 'inception-2015-12-05'"
    ):
        extractors.load("inceptoin-2015-12-05")


def _small() -> tuple[Recipe, Protocol]:
    small = recipe(epochs=None, steps=6, images=128)
    return small, image_protocol(
        metrics=("IS", "FID", "KIDx1000", "precision", "recall"),
        features=LITE,
        quantise="round",
        real_split="test",
        real=100,
        generated=90,
        sample_batch=32,
        every_steps=3,
        std_of="splits",
    )


def test_a_run_is_measured_on_its_way_without_being_changed(
    tmp_path: Path, lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    small, measured = _small()
    data = read(small.dataset, small.split, small.resolution, small.channels, images=small.images)
    result = run(small, measured, 0, data, tmp_path / "a")
    plain = run(small, protocol(), 0, data, tmp_path / "b")
    assert [e["step"] for e in result["history"]] == [0, 3, 6] and result["samples"] == plain["samples"]
    assert (
        set(measured.metrics) <= result["final"].keys()
        and result["final"]["FID"]["value"] > 0
        and "std" in result["final"]["IS"]
    )
    again = run(small, measured, 0, data, tmp_path / "c")
    assert again["history"] == result["history"]
    assert (
        len(list((tmp_path / "cache" / "features").glob("*.npz"))) == 2
    )  # what is compared with, and as many others for the floor


def test_the_best_checkpoint_counts_where_the_protocol_says_so_and_the_last_is_kept(
    tmp_path: Path, lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    small, measured = _small()
    data = read(small.dataset, small.split, small.resolution, small.channels, images=small.images)
    small = dataclasses.replace(small, steps=7)
    for by, pick in (("FID", min), ("IS", max)):
        protocol_best = dataclasses.replace(measured, checkpoint="best", best_by=by)
        assert what_blocks(small, protocol_best) is None
        result = run(small, protocol_best, 0, data, tmp_path / by)
        assert [e["step"] for e in result["history"]] == [0, 3, 6, 7]
        assert result["final"] == pick(result["history"][1:], key=lambda e, by=by: e[by]["value"])


def test_the_initialisation_is_never_the_best_checkpoint() -> None:
    """A run that only gets worse is not flattered by its step 0."""
    history = [{"step": s, "FID": {"value": v}} for s, v in ((0, 1.0), (3, 9.0), (6, 8.0))]
    session = SimpleNamespace(
        protocol=image_protocol(metrics=("FID",), checkpoint="best", best_by="FID"),
        history=history,
        last_measurement=lambda: history[-1],
    )
    assert Session.final_measurement(session) == (history[2], history)


def test_a_pair_that_blows_up_is_a_result_and_not_a_failure(
    tmp_path: Path, lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    small, measured = _small()
    data = read(small.dataset, small.split, small.resolution, small.channels, images=small.images)
    result = run(
        dataclasses.replace(small, lr_g=1e30), dataclasses.replace(measured, every_steps=1), 0, data, tmp_path / "a"
    )
    assert result["status"] == "diverged" or result["final"]["FID"]["value"] is None


def test_a_best_that_was_not_looked_for_is_refused(
    tmp_path: Path, lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    small, measured = _small()
    data = read(small.dataset, small.split, small.resolution, small.channels, images=small.images)
    run(small, protocol(), 0, data, tmp_path / "a")
    assert (
        run(small, measured, 0, data, tmp_path / "a")["final"]["step"] == 6
    )  # the last checkpoint may be measured later
    with pytest.raises(GanbenchError, match="did not look for the best checkpoint"):
        run(small, dataclasses.replace(measured, checkpoint="best", best_by="FID"), 0, data, tmp_path / "a")


def test_a_normalised_g_may_be_measured_in_train_mode(
    tmp_path: Path, lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    small, measured = _small()
    small = dataclasses.replace(small, parts=(("spectral-norm", {"player": "G"}),))
    data = read(small.dataset, small.split, small.resolution, small.channels, images=small.images)
    results = [
        run(small, dataclasses.replace(measured, bn_mode="train", every_steps=n), 0, data, tmp_path / str(n))
        for n in (2, 3)
    ]
    assert (
        results[0]["samples"] != "" and results[0]["final"] == results[1]["final"]
    )  # looking more often changes nothing


@pytest.mark.slow
def test_a_run_may_measure_is_over_more_images_than_the_rest(
    tmp_path: Path, lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    small, measured = _small()
    data = read(small.dataset, small.split, small.resolution, small.channels, images=small.images)
    usual, more, all_of_more = (
        run(small, dataclasses.replace(measured, **changes), 0, data, tmp_path / str(i))["final"]
        for i, changes in enumerate(({}, {"is_generated": 150}, {"generated": 150}))
    )
    assert more["IS"] == all_of_more["IS"] != usual["IS"] and {**more, "IS": 0} == {**usual, "IS": 0}


def test_reference_features_are_kept_by_content_and_made_again_when_damaged(
    tmp_path: Path, lite: extractors.Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    small, measured = _small()
    calls = []
    monkeypatch.setattr(references, "extract", lambda *a: calls.append(1) or extract(*a))
    first = references.reference(small, measured, lite)
    kept = references.reference(small, measured, lite)
    assert (
        len(calls) == 1
        and torch.equal(first.features, kept.features)
        and np.array_equal(first.moments.covariance, kept.moments.covariance)
    )
    for changed in (dataclasses.replace(measured, real=99), dataclasses.replace(measured, real_split="train")):
        references.reference(small, changed, lite)
    references.reference(dataclasses.replace(small, resolution=32), measured, lite)
    assert len(calls) == 4
    for path in tmp_path.glob("features/*.npz"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data[: len(data) if len(calls) % 2 else len(data) // 2]))
        calls.append(0)
    made = len(calls)
    assert torch.equal(references.reference(small, measured, lite).features, first.features) and len(calls) == made + 1
    with pytest.raises(GanbenchError, match="compares with 9,999 images; shapes test has 2,048"):
        references.reference(small, dataclasses.replace(measured, real=9999), lite)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(GanbenchError, match="set GANBENCH_CACHE"):
        references.reference(small, measured, lite)


def test_features_kept_under_another_sets_name_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    small, measured = _small()
    measured = dataclasses.replace(measured, real_split="train")
    other = dataclasses.replace(measured, real_split="test")
    first, second = (references.reference(small, p, PIXELS) for p in (measured, other))
    mine, theirs = (
        references.place(references.real_set(small, p.real_split, p.real), PIXELS) for p in (measured, other)
    )
    shutil.copy(mine, theirs)
    again = references.reference(small, other, PIXELS)
    assert torch.equal(again.features, second.features) and not torch.equal(again.features, first.features)


@pytest.mark.parametrize("count", [None, 1234])
def test_real_images_are_read_in_batches(count: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapped set stays on disk: at no time are more than a batch of its images in memory."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    small, measured = _small()
    pixels, asked = read("shapes", "test", small.resolution, small.channels).images, []

    class Mapped:
        def __len__(self) -> int:
            return len(pixels)

        def __getitem__(self, part: slice | np.ndarray) -> np.ndarray:
            asked.append(len(pixels[part]))
            return pixels[part]

    measured = dataclasses.replace(measured, real_split="test", real=count)
    with pytest.MonkeyPatch.context() as m:
        m.setattr(references, "read", lambda *a, **k: SimpleNamespace(images=Mapped()))
        found = references.reference(small, measured, PIXELS)
    assert max(asked) == references.BATCH < sum(asked) == found.n == (count or 2048)
    chosen = slice(None) if count is None else references.real_set(small, "test", count).indices()
    assert torch.equal(found.features, extract(source(torch.from_numpy(pixels[chosen])), PIXELS, None).features)


def test_vfid_keeps_no_real_features() -> None:
    assert kept_of_real(image_protocol(metrics=("IS", "tFID", "vFID"))) == set()  # 10 GB for ImageNet
    assert kept_of_generated(image_protocol(metrics=("IS", "tFID", "vFID"))) == {"features", "logits"}
    assert kept_of_real(image_protocol(metrics=("vFID", "recall"))) == {"features"}


def test_pivoted_factors_are_announced(caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    for n, said in ((100, 0), (20, 1)):
        sums = MomentSum()
        sums.add(rng.normal(size=(n, 32)))
        caplog.clear()
        with caplog.at_level("INFO"):
            frechet_distance(sums.moments(), sums.moments())
        assert len(caplog.records) == said and (
            not said or f"{n} and {n} features in 32 dimensions are ill conditioned" in caplog.text
        )


def _refer_without_room(cache: str) -> None:
    os.environ["GANBENCH_CACHE"] = cache
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (1000, 1000)
    )  # no file may grow beyond: as a full disk, an OSError in the middle of writing
    small, measured = _small()
    found = references.reference(small, measured, PIXELS)
    assert found.n == len(found.features) == 100


def test_a_full_disk_costs_the_cache_and_not_the_numbers(tmp_path: Path) -> None:
    worker = multiprocessing.get_context("spawn").Process(target=_refer_without_room, args=(str(tmp_path),))
    worker.start()
    worker.join(120)
    assert worker.exitcode == 0 and {p.suffix for p in (tmp_path / "features").iterdir()} == {".lock"}


def test_what_measuring_lacks_blocks_a_cell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small, measured = _small()
    assert what_blocks(small, measured) is None
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for changes, message in (
        (dict(real=5000), "compares with 5,000 images"),
        (dict(is_splits=91), "IS needs is_splits"),
        (dict(kid_subset_size=90), "kid_subset_size below 90"),
        (dict(input_resize="tf1-bilinear"), "resizes to its input by bilinear"),
        (dict(checkpoint="best", best_by="tFID"), "chosen by tFID"),
        (dict(features=None), "does not say features"),
        (dict(quantise=None), "does not say quantise"),
        (dict(real_split="val"), "has no split val"),
        (dict(features="inception-2015-12-05"), "--weights"),
        (dict(metrics=("FID", "V_g"), bn_mode="train"), "need bn_mode eval"),
        (dict(weights="ema"), "keeps none (ema)"),
    ):
        assert message in what_blocks(small, dataclasses.replace(measured, **changes))
