"""Datasets and extractors from outside the package: the rules are those of methods and networks."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmark import catalogue
from benchmark.cli import main
from benchmark.data.absent import missing
from benchmark.data.cards import card
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from benchmark.outside import running
from benchmark.plan.blocks import hindrance, what_blocks
from benchmark.plan.keys import evaluation_key, run_key
from benchmark.records import store
from benchmark.suite.load import load
from benchmark.suite.model import Cell
from benchmark.suite.nodes import SuiteError
from tests.test_plugins_outside import METHOD, SHARED, _as_before, write  # noqa: F401  (an autouse fixture)
from tests.test_working_directory import MINI

SPRING = 'import os\nopen(os.environ.get("SPRUNG", os.devnull), "a").write("x")\n'
DATASET = (
    '"""Noise."""\n'
    + SPRING
    + """
import numpy as np
from .shared import offset

VERSION = 1
CARD = {
    "resolutions": [8, 64], "channels": [1, 3], "classes": 2,
    "splits": {"train": {"count": 64}, "test": {"count": 32}},
}


def build(split, resolution, channels, files):
    count = CARD["splits"][split]["count"]
    rng = np.random.default_rng(offset(split))
    shape = (count, channels, resolution, resolution)
    return rng.integers(0, 256, shape, dtype=np.uint8), rng.integers(0, 2, count)
"""
)
OFFSET = "def offset(split):\n    return len(split)\n"
EXTRACTOR = (
    '"""A projection."""\n'
    + SPRING
    + """
VERSION = 1
DIMENSION = 4
RESIZE = "bilinear"
PROXY = True
FLOPS = 1e4


def build(state):
    import torch
    from torch import nn

    class Projection(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(48, 4, generator=torch.Generator().manual_seed(0)))

        def forward(self, x):
            found = nn.functional.adaptive_avg_pool2d(x / 255, 4).flatten(1) @ self.w
            return found, found

    return Projection()
"""
)
PROTOCOL = "protocol: {metrics: [V_g], generated: 8,"
SUITE = (
    MINI.replace("paper:", "plugins: ./mine\npaper:")
    .replace("dataset: shapes", "dataset: noisy")
    .replace(
        PROTOCOL,
        "protocol: {metrics: [V_g, FID], features: seen, input_resize: bilinear, quantise: round, real: 32, "
        "real_split: test, generated: 8,",
    )
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a suite and its plug-ins beside it; ``sprung`` is there once one was imported."""
    monkeypatch.chdir(tmp_path)
    for name, folder in (("SPRUNG", "sprung"), ("GANBENCH_DATA", "data"), ("GANBENCH_CACHE", "cache")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    write("mine/datasets/noisy.py", DATASET)
    write("mine/datasets/shared.py", OFFSET)
    write("mine/extractors/seen.py", EXTRACTOR)
    write("mini.yaml", SUITE)
    return tmp_path


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    for room in ("datasets", "extractors"):
        catalogue.plugins(room).clear()


def cells(path: str = "mini.yaml") -> dict[str, Cell]:
    return {c.method: c for c in load(Path(path)).cells}


def keys() -> tuple[str, str]:
    c = cells()["plain"]
    return (key := run_key(c.recipe, 0)), evaluation_key(key, c.protocol, c.recipe)


def trusted() -> Cell:
    """A cell whose code may run."""
    from benchmark.suite.load import load_all

    return load_all(["mini.yaml"])[0].cells[0]


@pytest.mark.slow
def test_they_run_and_their_hash_is_in_the_record(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["list"], ["compare"], ["published"], ["list", "--json"]):
        assert main([*words, "mini.yaml"]) == 0
    assert not Path("sprung").exists(), "reading runs nothing"
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 0
    said = capsys.readouterr().err
    assert "runs code from outside: mine/datasets/noisy.py" in said and "mine/extractors/seen.py" in said
    found, problems = store.read_all(Path("results"))
    assert len(found) == 2 and not problems
    assert all(r.recipe.dataset.startswith("noisy@") and r.protocol.features.startswith("seen@") for r in found)
    assert all(r.cell.endswith("/noisy") for r in found), "people read its name"
    Path("sprung").unlink()
    for words in (["plan"], ["compare"], ["export"]):
        assert main([*words, "mini.yaml"]) == 0
    said = capsys.readouterr().out
    assert "2 done" in said and "are what its code makes or reads" in said and not Path("sprung").exists()


@pytest.mark.parametrize(
    ("path", "old", "new", "runs", "evaluations"),
    [
        ("datasets/noisy.py", "integers(0, 256", "integers(1, 256", False, False),
        ("datasets/shared.py", "len(split)", "len(split) + 1", False, False),
        ("datasets/noisy.py", '"train": {"count": 64}', '"train": {"count": 65}', False, False),
        ("datasets/noisy.py", '"""Noise."""', '"""Other words."""  # said', True, True),
        ("extractors/seen.py", "manual_seed(0)", "manual_seed(1)", True, False),
        ("extractors/seen.py", "PROXY = True", "PROXY = True  # so far", True, True),
    ],
)
def test_what_the_code_says_is_in_keys(
    path: str, old: str, new: str, runs: bool, evaluations: bool, here: Path
) -> None:
    before = keys()
    text = Path("mine", path).read_text()
    assert old in text
    write(f"mine/{path}", text.replace(old, new))
    after = keys()
    assert (before[0] == after[0], before[1] == after[1]) == (runs, evaluations)


@pytest.mark.parametrize("where", ["column", "profile", "filter"])
def test_wherever_a_dataset_is_named(where: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, words = SUITE, ["list", "mini.yaml"]
    if where == "column":
        text = SUITE.replace("metrics: {V_g: lower},", "metrics: {V_g: lower}, columns: [{dataset: noisy}],")
    elif where == "profile":
        text = SUITE.replace("dataset: noisy", "dataset: shapes") + "\nprofiles: {ci: {recipe: {dataset: noisy}}}\n"
        words += ["--profile", "ci"]
    else:
        words += ["--only", "dataset=noisy"]
    write("mini.yaml", text)
    assert main(words) == 0
    assert f"mini/1/plain/{'shapes' if where == 'profile' else 'noisy'}  ready" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("room", "name", "what"), [("datasets", "mnist", "dataset"), ("extractors", "efficientnet_lite0", "extractor")]
)
def test_none_of_ours_is_shadowed(room: str, name: str, what: str, here: Path) -> None:
    write(f"mine/{room}/{name}.py", DATASET if room == "datasets" else EXTRACTOR)
    with pytest.raises(SuiteError, match=rf"mine/{room}/{name}.py: {what} .* is one of ganbench's own"):
        load(Path("mini.yaml"))


def test_other_suites_do_not_know_them(here: Path) -> None:
    load(Path("mini.yaml"))
    write("other.yaml", SUITE.replace("plugins: ./mine\n", ""))
    with pytest.raises(SuiteError, match="features is 'seen'|unknown dataset 'noisy'"):
        load(Path("other.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("dataset: noisy", "dataset: nosy", "did you mean 'noisy'"), ("features: seen", "features: sen", "mean 'seen'")],
)
def test_the_nearest_name_is_said(old: str, new: str, said: str, here: Path) -> None:
    write("mini.yaml", SUITE.replace(old, new))
    with pytest.raises(SuiteError, match=said):
        load(Path("mini.yaml"))


@pytest.mark.parametrize("kept", ["datasets", "extractors"])
def test_what_the_user_did_not_name_does_not_run(kept: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(f"mine/{'datasets' if kept == 'extractors' else 'extractors'}")
    if kept == "datasets":
        write("mini.yaml", SUITE.replace("features: seen", "features: efficientnet-lite0"))
    else:
        write("mini.yaml", SUITE.replace("dataset: noisy", "dataset: shapes"))
    write("other.yaml", "suite: other\ninclude: [{suite: mini}]\n")
    for words in (["list"], ["plan"], ["list", "--check"], ["run", "--executor", "inline"]):
        main([*words, "other.yaml"])
    assert not Path("sprung").exists()
    assert "is code from outside, which nobody has let run" in capsys.readouterr().out
    cell = cells()["plain"]
    with pytest.raises(GanbenchError, match="--trust-plugins"):
        read(cell.recipe.dataset, "train", 28, 1) if kept == "datasets" else extractors.load(cell.protocol.extractor)
    assert main(["list", "other.yaml", "--trust-plugins"]) == 0 and "trust" not in capsys.readouterr().out


def test_their_text_travels(here: Path) -> None:
    c = trusted()
    sent = json.loads(json.dumps(running.travelling(c.recipe, c.protocol)))
    assert sorted(plug["main"] for plug in sent) == ["datasets/noisy.py", "extractors/seen.py"]
    content, weights = card(c.recipe.dataset).content("train", 28, 1), extractors.weights_hash(c.protocol.extractor)
    shutil.rmtree("mine")
    running._known.clear()
    running._trusted.clear()
    for room in ("datasets", "extractors"):
        catalogue.plugins(room).clear()
    running.arrived(sent)
    got = read(c.recipe.dataset, "train", 28, 1)
    assert got.content == content and got.images.shape == (64, 1, 28, 28) and set(got.labels) == {0, 1}
    made = extractors.load(c.protocol.extractor)
    assert made.sha256 == weights and made.module(torch.zeros(2, 3, 28, 28))[0].shape == (2, 4)


FAULTS = {
    "no card": ("datasets/noisy.py", "CARD = {", "CART = {", r"it states no CARD = \{…\} with resolutions"),
    "lacks": ("datasets/noisy.py", '"classes": 2,', "", "CARD lacks 'classes'"),
    "unknown": ("datasets/noisy.py", '"classes": 2', '"classes": 2, "clases": 2', "unknown key 'clases'; did you mean"),
    "computed": ("datasets/noisy.py", '"classes": 2', '"classes": len("xx")', "VERSION and CARD must be plain values"),
    "no number": ("datasets/noisy.py", '{"count": 64}', "{}", r'split train is written \{"count": 1000\}'),
    "climbs": (
        "datasets/noisy.py",
        '{"count": 64}',
        f'{{"count": 64, "images": {{"file": "../x", "bytes": 3, "sha256": "{"0" * 64}"}}}}',
        "images of split train must be",
    ),
    "version": ("datasets/noisy.py", "VERSION = 1", "", "it has build.*and no VERSION = 1"),
    "dimension": ("extractors/seen.py", "DIMENSION = 4", "", r"it states no DIMENSION \(a whole number"),
    "resize": ("extractors/seen.py", '"bilinear"', '"lanczos"', "RESIZE must be"),
    "weights": (
        "extractors/seen.py",
        "PROXY",
        'WEIGHTS = "vgg61"\nPROXY',
        "WEIGHTS: no weights 'vgg61'; did you mean 'vgg16'",
    ),
    "weights climb": (
        "extractors/seen.py",
        "PROXY",
        f'WEIGHTS = {{"file": "../x.pth", "sha256": "{"0" * 64}", "source": ""}}\nPROXY',
        "WEIGHTS must be",
    ),
    "no Python": ("extractors/seen.py", "def build(", "def build[(", "seen.py:12: no Python"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_with_its_place(fault: str, here: Path) -> None:
    path, old, new, said = FAULTS[fault]
    text = Path("mine", path).read_text()
    assert old in text
    write(f"mine/{path}", text.replace(old, new, 1))
    with pytest.raises(SuiteError, match=f"mini.yaml:3:10: mine/{path}.*{said}|mini.yaml:3:10: .*{said}"):
        load(Path("mini.yaml"))
    assert not Path("sprung").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dtype=np.uint8", "dtype=np.int64", "build gave images of shape .* and type int64; .* of 8-bit numbers"),
        ("shape = (count, channels", "shape = (count + 1, channels", r"build gave images of shape \(65, 1, 28, 28\)"),
        ("rng.integers(0, 2, count)", "rng.integers(0, 2, count) + 5", "classes beyond 0 to 1"),
        ("rng = ", "raise KeyError('mine')\n    rng = ", "build failed: KeyError: 'mine'"),
        ("return rng", "return None and rng", "build failed|build gave"),
        ("default_rng(offset(split))", "default_rng()", "build gave other images when it was asked again"),
    ],
)
def test_what_a_dataset_gives_is_looked_at(old: str, new: str, said: str, here: Path) -> None:
    assert old in DATASET
    write("mine/datasets/noisy.py", DATASET.replace(old, new, 1))
    with pytest.raises(GanbenchError, match=said):
        read(trusted().recipe.dataset, "train", 28, 1)


def test_files_of_a_dataset_are_checked_before_its_code_sees_them(here: Path) -> None:
    data = bytes(range(64))
    said = {"file": "noise.bin", "bytes": 64, "sha256": hashlib.sha256(data).hexdigest()}
    text = DATASET.replace('"train": {"count": 64}', f'"train": {{"count": 64, "images": {said}}}')
    text = text.replace("rng = ", 'assert split == "test" or len(files["images"]) == 64\n    rng = ')
    write("mine/datasets/noisy.py", text)
    cell = trusted()
    lacks = hindrance(cell.recipe, cell.protocol)
    assert lacks and lacks.word == "missing here" and "put it into" in lacks.why and "data/noisy" in lacks.why
    write("data/noisy/noise.bin", "x" * 64)
    with pytest.raises(GanbenchError, match="noise.bin: sha256 .* is not"):
        read(cell.recipe.dataset, "train", 28, 1)
    Path("data/noisy/noise.bin").write_bytes(data)
    assert missing(cell.recipe.dataset, "train") is None
    assert len(read(cell.recipe.dataset, "train", 28, 1).images) == 64


def test_an_extractor_brings_its_weights(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"w": torch.ones(48, 4)}, "own.pth")
    digest = hashlib.sha256(Path("own.pth").read_bytes()).hexdigest()
    text = EXTRACTOR.replace(
        "PROXY", f'WEIGHTS = {{"file": "own.pth", "sha256": "{digest}", "source": "our page"}}\nPROXY'
    ).replace("return Projection()", "made = Projection()\n    made.load_state_dict(state)\n    return made")
    write("mine/extractors/seen.py", text)
    cell = trusted()
    assert "get own.pth from our page" in (what_blocks(cell.recipe, cell.protocol) or "")
    monkeypatch.setenv("GANBENCH_WEIGHTS", str(here / "own.pth"))
    assert what_blocks(cell.recipe, cell.protocol) is None
    assert (extractors.load(cell.protocol.extractor).module.w == 1).all()
    Path("own.pth").write_bytes(Path("own.pth").read_bytes() + b"x")
    with pytest.raises(GanbenchError, match="is not the weights file of seen"):
        extractors.load(cell.protocol.extractor)


def test_those_of_an_installed_package(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = (
        "[ganbench.datasets]\nnoisy = mygans.datasets.noisy\n[ganbench.extractors]\nseen = mygans.extractors.seen\n"
    )
    points += "[ganbench.methods]\nwild = mygans.methods.wild\n"
    write("mine/methods/wild.py", METHOD)
    write("mine/methods/shared.py", SHARED)
    write("site/mygans-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: mygans\nVersion: 1.0\n")
    write("site/mygans-1.0.dist-info/entry_points.txt", points)
    write("site/mygans/__init__.py", "")
    for room in ("datasets", "extractors", "methods"):
        shutil.move(f"mine/{room}", f"site/mygans/{room}")
    write("mini.yaml", SUITE.replace("./mine", "mygans"))
    monkeypatch.syspath_prepend(str(here / "site"))
    assert main(["run", "mini.yaml", "--executor", "inline", "--only", "method=plain"]) == 0
    found, _ = store.read_all(Path("results"))
    assert [r.recipe.dataset.partition("@")[0] for r in found] == ["noisy"]
