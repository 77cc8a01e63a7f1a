"""Results from outside: images of other code, numbers of other people. Less may be said of them than of ours."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
import torch
from PIL import Image, ImageCms

import benchmark as gb
from benchmark.cli import main
from benchmark.collate.judging.join import join
from benchmark.collate.judging.outside import WORDS, Outside, with_outside
from benchmark.collate.judging.verdict import DECIDED
from benchmark.data.audit import Audit, audit
from benchmark.data.given import Given, given
from benchmark.data.read import read
from benchmark.data.shapes import render
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from benchmark.metrics.extract import extract
from benchmark.metrics.outside import _class_by_class, _parts
from benchmark.metrics.real import real_key
from benchmark.plan.keys import MEASURE_VERSION
from benchmark.records import external, store
from benchmark.records.external import External
from benchmark.suite.model import Cell, Suite
from tests.conftest import protocol, recipe

SIDE = 32
CELL = "gran/2/NSGAN/cifar10"
BY = "authors' code, commit 1234"


def images(n: int = 70, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)


def _files(folder: Path, x: np.ndarray, kind: str = "PNG") -> Path:
    folder.mkdir(exist_ok=True)
    for i, image in enumerate(x):
        Image.fromarray(image).save(folder / f"{i:04}.{kind.lower()}")
    return folder


def _zip(path: Path, x: np.ndarray) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for i, image in enumerate(x):
            Image.fromarray(image).save(buffer := io.BytesIO(), "PNG")
            archive.writestr(f"made/{i:04}.png", buffer.getvalue())
    return path


def _npz(path: Path, compressed: bool = False, **arrays: np.ndarray) -> Path:
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def _npy(path: Path, x: np.ndarray) -> Path:
    np.save(path, x)
    return path


WRITERS: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "folder": lambda p, x: _files(p / "folder", x),
    "zip": lambda p, x: _zip(p / "made.zip", x),
    "npy": lambda p, x: _npy(p / "x.npy", x),
    "channels first": lambda p, x: _npy(p / "x.npy", np.ascontiguousarray(x.transpose(0, 3, 1, 2))),
    "npz": lambda p, x: _npz(p / "x.npz", arr_0=x),
    "packed, with classes": lambda p, x: _npz(p / "x.npz", True, samples=x, y=np.arange(len(x)) % 10),
}


@pytest.mark.parametrize("form", WRITERS)
def test_whatever_wrote_them_the_images_are_the_same(form: str, tmp_path: Path) -> None:
    x = images(300)
    found = given(WRITERS[form](tmp_path, x), SIDE, 3)
    assert found.count == 300 and np.array_equal(np.concatenate(list(found.batches())), x.transpose(0, 3, 1, 2))
    assert (found.labels is not None) == ("classes" in form) and not found.lossy


def _header(path: Path, shape: tuple[int, ...], size: int, dtype: str = "|u1") -> Path:
    """An ``.npz`` whose header says one thing, and whose bytes are another."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": dtype, "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", head.getvalue() + bytes(size))
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "other size": (
        lambda p: _npz(p / "x.npz", x=images()[:, :28, :28]),
        "28 x 28 pixels, and the cell asks for 32 x 32",
    ),
    "other size, files": (lambda p: _files(p / "f", images(2)[:, :28]), "0000.png has 32 x 28 pixels"),
    "floats": (lambda p: _npy(p / "x.npy", images() / 255), "holds float64, and 8-bit images"),
    "Python objects": (lambda p: _npy(p / "x.npy", np.array([{}, 1], dtype=object)), "holds Python objects"),
    "Fortran": (lambda p: _npy(p / "x.npy", np.asfortranarray(images())), "Fortran's order"),
    "two arrays": (lambda p: _npz(p / "x.npz", a=images(), b=images()), "one array of images is wanted"),
    "no images": (lambda p: _npz(p / "x.npz", a=np.arange(9)), "one array of images is wanted"),
    "classes too few": (lambda p: _npz(p / "x.npz", x=images(), y=np.arange(9)), "not a whole number for each of 70"),
    "cut short": (lambda p: _header(p / "x.npz", (70, SIDE, SIDE, 3), 999), "not as long as its header says"),
    "bomb": (lambda p: _header(p / "x.npz", (10**9, SIDE, SIDE, 3), 999), "holds no images, or too many"),
    "four channels": (lambda p: _npy(p / "x.npy", np.zeros((9, SIDE, SIDE, 4), np.uint8)), "an array of shape"),
    "neither": (lambda p: p / "no.txt" if (p / "no.txt").write_text("no") else p, "is none of these"),
    "damaged": (lambda p: p / "x.npz" if (p / "x.npz").write_bytes(b"PK\3\4no") else p, "cannot|can be read"),
    "not an image": (
        lambda p: p / "f" if _files(p / "f", images(1)) and (p / "f/a.pkl").write_text("x") else p,
        "a.pkl",
    ),
    "empty": (lambda p: p / "f" if (p / "f").mkdir() is None else p, "holds no images"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_set_of_such_images_is_refused_with_its_reason(what: str, tmp_path: Path) -> None:
    make, reason = BAD[what]
    with pytest.raises(GanbenchError, match=reason):
        list(given(make(tmp_path), SIDE, 3).batches())


def test_colour_is_not_dropped_and_grey_is_repeated(tmp_path: Path) -> None:
    grey = np.repeat(images(3)[..., :1], 3, axis=3)
    assert next(given(_npy(tmp_path / "g.npy", grey), SIDE, 1).batches()).shape == (3, 1, SIDE, SIDE)
    assert next(given(_npy(tmp_path / "g.npy", grey[..., 0]), SIDE, 3).batches()).shape == (3, 3, SIDE, SIDE)
    with pytest.raises(GanbenchError, match="is in colour, and the cell's images are grey"):
        list(given(_npy(tmp_path / "c.npy", images(3)), SIDE, 1).batches())


def test_equal_images_and_real_ones_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = recipe(resolution=SIDE)
    real = render("train", 64, 10, SIDE, 1)[0][:, 0]
    made = images(12)[..., 0]
    monkeypatch.setattr("benchmark.data.audit.read", functools.cache(read))
    for x, expected in (
        (np.concatenate([made, made[:4]]), ["4 of 16 images are copies of others, bit for bit"]),
        (np.repeat(made[:1], 9, axis=0), ["all 9 images are equal"]),
        (real[:20], ["20 of 20 images are shapes train images, bit for bit or mirrored"]),
        (
            np.concatenate([made, real[:3, :, ::-1]]),
            ["3 of 15 images are shapes train images, bit for bit or mirrored"],
        ),
        (made, []),
    ):
        found = audit(given(_npy(tmp_path / "x.npy", x), SIDE, 1), len(x), of, ["train"])
        assert found.findings == expected


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSY: dict[str, tuple[str, dict[str, object], str]] = {
    "WebP": ("WEBP", {"quality": 60}, "WebP"),
    "WebP with a profile": ("WEBP", {"quality": 60, "icc_profile": PROFILE}, "WebP"),
    "lossless WebP with a profile": ("WEBP", {"lossless": True, "icc_profile": PROFILE}, ""),
    "JPEG": ("JPEG", {}, "JPEG"),
    "TIFF with a JPEG": ("TIFF", {"compression": "jpeg"}, "JPEG"),
    "TIFF": ("TIFF", {"compression": "tiff_lzw"}, ""),
}


@pytest.mark.parametrize("form", LOSSY)
def test_lossy_compression_is_noticed_in_whatever_file(form: str, tmp_path: Path) -> None:
    kind, options, said = LOSSY[form]
    Image.fromarray(images(1)[0]).save(tmp_path / f"a.{kind.lower()}", kind, **options)
    found = given(tmp_path, SIDE, 3)
    list(found.batches())
    assert found.lossy == ({said} if said else set())


def test_images_in_folders_of_classes_are_mixed_the_same_way_each_time(tmp_path: Path) -> None:
    x = np.repeat(np.arange(4, dtype=np.uint8), 50)[:, None, None, None] * np.ones((1, SIDE, SIDE, 3), np.uint8)
    for kind in range(4):
        _files(tmp_path / str(kind), x[50 * kind : 50 * kind + 50])
    found = given(tmp_path, SIDE, 3)
    kinds, again = (np.concatenate(list(found.batches()))[:, 0, 0, 0] for _ in range(2))
    assert found.mixed and (kinds == again).all() and set(kinds[:40]) == {0, 1, 2, 3}
    assert (np.bincount(kinds) == 50).all()


def test_parts_of_images_that_come_class_by_class_are_a_finding() -> None:
    classes = np.repeat(np.arange(10), 7)
    assert _class_by_class(classes) and not _class_by_class(np.arange(70) % 10)
    assert not _class_by_class(None) and not _class_by_class(np.zeros(70))
    p = protocol(metrics=("FID", "IS"), generated=70, is_generated=None, is_splits=10)
    of = Given("", "npz", 70, lambda: iter(()), classes)
    assert _parts(of, 64, p) == "the first 64 of 70 were taken"
    assert _parts(of, 70, p) == "IS is the mean over 10 parts of them"
    assert _parts(of, 70, dataclasses.replace(p, metrics=("FID",))) == ""
    assert "the first 35 make one number" in _parts(of, 70, dataclasses.replace(p, generated=35, is_generated=70))
    assert "come class by class" in Audit(9, "", 0, classes, in_order="IS is …").findings[0]


def test_an_extractor_may_have_no_weights() -> None:
    class Pixels(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x.float().flatten(1)[:, :6], x.float().flatten(1)[:, :4]

    batch = torch.from_numpy(images(8).transpose(0, 3, 1, 2).copy())
    assert extract(lambda: iter([batch]), extractors.Extractor("pixels", "0", 6, Pixels()), None).n == 8


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extractor of six pixels."""

    class Six(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x.float().flatten(1)[:, 300:306] / 255, x.float().flatten(1)[:, :4] / 255

    lite = "efficientnet-lite0"
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("benchmark.data.audit.read", functools.cache(read))
    monkeypatch.setattr("benchmark.metrics.extractors.efficientnet_lite0.DIMENSION", 6)
    six = extractors.Extractor(lite, extractors.weights_hash(lite), 6, Six())
    monkeypatch.setattr(extractors, "load", lambda name, **more: six)


def test_measured_images_are_shown_everywhere_and_counted_nowhere(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, results = WRITERS["npz"](tmp_path, images()), str(tmp_path / "results")

    def measure(*more: str, source: Path = made) -> tuple[int, str]:
        words = ["measure", str(source), "--as", CELL, "--profile", "ci", "--results", results, "--trained-by", BY]
        code = main([*words, *more])
        return code, "".join(capsys.readouterr())

    before = gb.collate(["gran"], results)
    code, said = measure()
    assert code == 0 and f"external: {BY}" in said and "the first 64 of 70 images" in said
    assert "there already" in measure()[1] and "there already" in measure(source=WRITERS["zip"](tmp_path, images()))[1]
    assert "these images are there already, as seed 0" in measure("--seed", "1")[1]
    other = _npy(tmp_path / "other.npy", images(seed=1))
    assert "is there already, with other images" in measure(source=other)[1]
    few = _npy(tmp_path / "few.npy", images(40))
    assert measure(source=few)[0] == 1 and measure("--fewer", "--seed", "1", source=few)[0] == 0

    assert main(["enter", CELL, "FID=12.5,13.5,14.5", "--by", "clean-fid 0.1.35", "--results", results]) == 0
    assert main(["export", "gran", "--results", results, "--out", str(tmp_path / "b.zip")]) == 0
    there = str(tmp_path / "theirs")
    assert (
        main(["merge", str(tmp_path / "b.zip"), "--results", there])
        == main(["merge", results, "--results", there])
        == 0
    )
    assert "3 records taken over" in capsys.readouterr().out

    found = gb.collate(["gran"], there)
    for name in ("achieved", "joined", "verdicts", "claims", "rankings", "improvements"):
        assert getattr(found, name).equals(getattr(before, name)), name
    rows = found.external[found.external["metric"] == "FID"]
    assert sorted(rows["value"])[2:] == [12.5, 13.5, 14.5] and set(rows["kind"]) == {"external", "reported"}
    assert set(rows["verdict"]) == {"incomparable"} and set(rows["trained_by"]) == {BY, ""}

    assert main(["compare", "gran", "--format", "json", "--results", there]) == 0
    compared = [r for r in json.loads(capsys.readouterr().out) if r["cell"] == CELL and r["metric"] == "FID"]
    sources = ["ours", f"external: {BY}", f"external: {BY} (2)", "reported: clean-fid 0.1.35"]
    assert sorted(r["source"] for r in compared) == sorted(sources)
    assert main(["show", CELL, "--results", there]) == 0 and f"trained by {BY}: declared" in capsys.readouterr().out
    assert main(["report", "gran", "--results", there, "--out", str(tmp_path / "report")]) == 0
    pages = {p.suffix: p.read_text() for p in (tmp_path / "report").glob("gran.*") if ".fields" not in p.name}
    assert all("13.500" in page for page in pages.values()) and len(pages) == 4
    assert all("nobody states" in page for page in pages.values()), "what is not known of it stands under the table"
    cell = next(p.read_text() for p in (tmp_path / "report/cells").iterdir() if "clean-fid" in p.read_text())
    assert "samples/" in cell and "3 results stand beside" in (tmp_path / "report/index.html").read_text()


@pytest.fixture(scope="module")
def cell() -> Cell:
    return next(c for c in _suite().cells if c.id == CELL)


def _external(cell: Cell, seed: int, value: float, **changes: object) -> External:
    """As if measured by the paper's own network, of 50,000 images."""
    fields: dict = dict(
        kind="external",
        cell=cell.id,
        profile="full",
        seed=seed,
        trained_by=BY,
        measured_by="",
        data=external.data_of(cell.full_recipe),
        protocol=cell.full_protocol.to_json(),
        numbers={"FID": [{"value": value}]},
        images=f"{seed}",
        real=_real_of(cell.id),
        measure_version=MEASURE_VERSION,
    )
    return External(**fields | changes)


@functools.cache
def _real_of(cell: str) -> str | None:
    found = next(c for c in _suite().cells if c.id == cell)
    return real_key(found.full_recipe, found.full_protocol)


@functools.cache
def _suite() -> Suite:
    return gb.load("gran")


def _judged(*records: External) -> Outside:
    suite = _suite()
    joined = with_outside(suite, join(suite, ()), records)
    return next(o for rows in joined.values() for j in rows for o in j.outside)


NEAR = (23.7, 23.75, 23.8)
FAR = (40.0, 40.1, 40.2)


@pytest.mark.parametrize(
    ("values", "changes", "verdict", "tier"),
    [
        (NEAR, {}, "agrees as declared", "declared"),
        (FAR, {}, "differs as declared", "declared"),
        ((12.0, 12.1, 12.2), {}, "better as declared", "declared"),
        ((*NEAR, 23.72, 23.78, 200.0), {}, "inconclusive", "declared"),
        (NEAR[:1], {}, "inconclusive", "declared"),
        (NEAR[:2], {}, "inconclusive", "declared"),
        (NEAR, {"images": "one"}, "inconclusive", "declared"),
        (NEAR, {"seed": 0}, "inconclusive", "declared"),
        (NEAR, {"gap": 1}, "inconclusive", "declared"),
        (NEAR, {"trained_by": ""}, "incomparable", "proxy"),
        (NEAR, {"findings": ["all 50,000 images are equal"]}, "incomparable", "proxy"),
        (NEAR, {"prepared": {"resized": "from 64"}}, "incomparable", "proxy"),
        (NEAR, {"protocol": "quantise"}, "incomparable", "proxy"),
        (NEAR, {"data": "resolution"}, "incomparable", "incomparable"),
    ],
    ids=str,
)
def test_what_is_declared_is_judged_by_weaker_words_and_only_if_nothing_differs(
    cell: Cell, values: tuple[float, ...], changes: dict, verdict: str, tier: str
) -> None:
    records = []
    for seed, value in enumerate(values):
        record = _external(cell, seed + changes.get("gap", 0), value)
        if changes.get("protocol") == "quantise":
            record.protocol.pop("quantise")
        elif changes.get("data") == "resolution":
            record.data["resolution"] = 64
        elif "gap" not in changes:
            record = dataclasses.replace(record, **changes)
        records.append(record)
    found = _judged(*records)
    assert found.tier is not None and (found.entries["FID"].verdict.name, found.tier.name) == (verdict, tier)
    assert "declared, not checked" in found.entries["FID"].verdict.why


def test_every_word_on_runs_of_ours_has_a_weaker_one() -> None:
    beside_a_dash = {"converged"}  # not judged from outside
    assert {*DECIDED} - beside_a_dash == WORDS.keys()
    assert not set(WORDS.values()) & set(DECIDED)


def test_only_regular_files_of_a_result_s_size_are_read(cell: Cell, tmp_path: Path) -> None:
    path = external.write(tmp_path, _external(cell, 0, 20.0))
    os.mkfifo(path.with_name("0123456789abcdef-s0.json"))
    with path.with_name("0123456789abcdef-s1.json").open("wb") as large:
        large.truncate(store.MAX_BYTES + 1)
    found, (fifo, sparse) = external.read_all(tmp_path)
    assert len(found) == 1 and "a FIFO" in fifo.what and fifo.unread and "bytes" in sparse.what and not sparse.unread


def test_a_reported_number_is_judged_only_if_all_of_its_protocol_is_stated(cell: Cell, tmp_path: Path) -> None:
    file, stated = tmp_path / "p.yaml", cell.full_protocol.to_json()
    deciding = {k: v for k, v in stated.items() if k not in ("metrics", "seeds", "std_of", "every_steps")}
    found = _judged(gb.enter(cell, {"FID": NEAR}, "clean-fid 0.1.35"))
    assert found.entries["FID"].verdict.name == "incomparable" and found.entries["FID"].achieved is not None
    of_fid = [k for k in deciding if not k.startswith(("is_", "kid_"))]
    for left_out in (None, *of_fid):
        file.write_text("".join(f"{k}: {v}\n" for k, v in deciding.items() if k in of_fid and k != left_out))
        found = _judged(gb.enter(cell, {"FID": NEAR}, "clean-fid 0.1.35", protocol=file))
        said = found.entries["FID"].verdict
        assert said.name == ("incomparable" if left_out else "agrees as declared")
        assert not left_out or f"nobody states {left_out}" in said.why
    file.write_text("generated: 50000\nfeaturez: inception-2015-12-05\n")
    with pytest.raises(GanbenchError, match=r"p.yaml:2:1: unknown key 'featurez'; did you mean 'features'\?"):
        gb.enter(cell, {"FID": [1.0]}, "me", protocol=str(file))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["KID=3"], "has no KID: its table prints IS, FID, KIDx1000"),
        (["FID=-3"], "FID -3 is impossible"),
        (["FID=1", "FID=2"], "one metric stands twice"),
        (["FID=1.0,2.0", "IS=3"], "as many values of each metric"),
        (["FID=12±3"], "is no number such as FID=12.3"),
        (["FID"], "is no number such as FID=12.3"),
        (["FID=nan"], "is no number such as FID=12.3"),
    ],
)
def test_a_number_that_cannot_be_is_not_entered(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["enter", CELL, *words, "--by", "me", "--results", str(tmp_path)])
    except SystemExit as error:
        code = error.code
    assert code == 2 and reason in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"numbers": {"FID": [{"value": 1.0}]}},
        {"trained_by": "somebody else"},
        {"findings": ["\x1b[2J"], "key": None},
        {"kind": "ours", "key": None},
        {"numbers": {"FID": [{"value": -5.0}]}, "key": None},
        {"numbers": {}, "key": None},
        {"numbers": {"FID": []}, "key": None},
        {"seed": -1, "key": None},
        {"trained_by": "x" * 301, "key": None},
        {"data": {"dataset": ["a"]}, "key": None},
        {"protocol": {"generated": 5}, "key": None},
        {"floor": {"metrics": {}}, "key": None},
        {"remarks": 3, "key": None},
        {"schema": 2},
        {"kind": "reported", "protocol": {"generated": "many"}, "key": None},
        {"kind": "reported", "protocol": {"generated": 10**12}, "key": None},
        {"kind": "reported", "protocol": {"quantise": ["round"]}, "key": None},
        {"data": {"resolution": 10**12}, "key": None},
        {"data": {"dataset": "a\0b"}, "key": None},
        {"numbers": {"FID": [{"value": 5e-324}]}, "key": None},
        {"provenance": {"threads": 1e99}, "key": None},
        {"cell": "gran/a\nb", "key": None},
        {"profile": "", "key": None},
        {"real": 3, "key": None},
        {"measure_version": "1", "key": None},
        {"findings": "text", "key": None},
    ],
    ids=str,
)
def test_a_file_that_was_altered_or_cannot_be_is_passed_over_and_said(cell: Cell, change: dict, tmp_path: Path) -> None:
    path = external.write(tmp_path, _external(cell, 0, 20.0))
    assert len(external.read_all(tmp_path)[0]) == 1
    data = orjson.loads(path.read_bytes()) | change
    if data["key"] is None:  # by somebody who can compute it
        known = {f.name: data[f.name] for f in dataclasses.fields(External)}
        data["key"] = External(**known).key
    path.write_bytes(orjson.dumps(data))
    found, problems = external.read_all(tmp_path)
    assert not found and len(problems) == 1 and str(path) in str(problems[0])


def test_what_images_cannot_tell_is_not_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--as", "theory/1/B_z=10^0[MLP]/mnist", "--profile", "ci", "--results", str(tmp_path)]
    assert main(["measure", str(_npy(tmp_path / "x.npy", np.zeros((9, 28, 28), np.uint8))), *words]) == 2
    assert "and images do not tell" in capsys.readouterr().err


def test_what_was_altered_on_its_way_is_refused(cell: Cell, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (0, 1):
        external.write(tmp_path / "mine", _external(cell, seed, 20.0 + seed))
    bundle, there = tmp_path / "b.zip", str(tmp_path / "theirs")
    assert main(["export", "gran", "--results", str(tmp_path / "mine"), "--out", str(bundle)]) == 0
    with zipfile.ZipFile(bundle) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content.replace(b"20.0", b"10.0") if name.startswith("external/") else content)
    assert main(["merge", str(bundle), "--results", there]) == 1
    said = capsys.readouterr()
    assert "1 record taken over" in said.out and "altered or damaged" in said.err
    assert [r.numbers["FID"][0]["value"] for r in external.read_all(there)[0]] == [21.0]
