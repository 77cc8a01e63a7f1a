"""What ``python -m tests.gpu`` tries: every kind of step of the suites, on the CPU here, with small recipes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.methods import perceptual
from benchmark.plan.blocks import what_blocks
from benchmark.plan.counted import Counts
from benchmark.plan.devices import named
from benchmark.plan.work import Count, Work
from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe
from tests.every_method import SUITES
from tests.gpu import __main__ as script
from tests.gpu import agenda, compare, memory, modes, resume
from tests.gpu.book import NAME
from tests.gpu.graph import Fed, in_place
from tests.gpu.pair import pair, reals
from tests.gpu.recipes import NO_PART_OF_A_STEP, Entry, entries, step_of
from tests.gpu.report import NO_GPU
from tests.gpu.stand_in import stand_ins

SMALL: dict[str, Any] = dict(images=None, epochs=None, steps=100, share_fakes=False, player_order="d-first", n_dis=2)
BARE = (
    "ray",
    "torch_fidelity",
    "pandas",
    "rich",
    "scipy",
    "jinja2",
    "matplotlib",
    "fsspec",
    "tabulate",
    "PIL",
    "pytest",
)


def entry(cell: str = resume.CELLS[0], **changes: Any) -> Entry:
    return Entry(cell, recipe(**SMALL | changes), 100, 1)


def conditional() -> Recipe:
    """A narrow BigGAN, spectral norm in both players, and an average."""
    r = next(
        c.recipe for c in load(Path("suites/chain.yaml"), "ci").cells if c.method == "BigGAN" and c.resolution == 32
    )
    return dataclasses.replace(r, batch_d=4, batch_g=4, n_dis=2)


def arguments(out: Path, *only: str, minutes: float = 9.0) -> argparse.Namespace:
    return argparse.Namespace(out=out, device="cpu", minutes=minutes, only=only, planner=None, images=4)


def test_every_cell_that_is_implemented_has_its_step_at_full_width_in_the_list() -> None:
    found, blocked = entries()
    cells = {c.id: c for suite in SUITES for c in load(Path(f"suites/{suite}.yaml")).cells}
    lacking = {name for name, c in cells.items() if "not implemented" in (what_blocks(c.recipe, c.protocol) or "")}
    assert blocked.keys() == lacking
    steps = {step_of(e.recipe): e for e in found}
    assert len(steps) == len(found) and sum(e.cells for e in found) == len(cells) - len(lacking)
    for name in cells.keys() - lacking:
        assert step_of(cells[name].recipe) in steps
    for e in found:
        assert e.recipe == cells[e.cell].recipe and e.total_steps > 0
    assert {*resume.CELLS, *memory.CELLS, *modes.CELLS} <= {e.cell for e in found}


def test_fields_that_are_no_part_of_a_step_change_neither_losses_nor_gradients() -> None:
    plain = recipe(**SMALL, ema=0.9, ema_start=0, ema_buffers=True)
    others: dict[str, Any] = dict(
        dataset="mnist",
        split="test",
        data_percent=10.0,
        images=7,
        subset="first",
        crop="center",
        resize="bilinear",
        hflip=True,
        drop_last=True,
        lr_g=1.0,
        lr_d=1.0,
        lr_decay="linear",
        lr_decay_start=9,
        ema_start=99,
    )
    assert {*others, "epochs", "steps"} == {*NO_PART_OF_A_STEP}
    changed = dataclasses.replace(plain, **others)
    assert step_of(plain) == step_of(changed) != step_of(dataclasses.replace(plain, z_scale=2.0))
    one, other = (compare.take(Entry("", r, 100, 1), "cpu", 4, "float32") for r in (plain, changed))
    assert one.losses == other.losses
    assert all(map(torch.equal, chain(*one.vectors), chain(*other.vectors)))


@pytest.mark.slow
def test_a_small_recipe_goes_through_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds, only = [entry()], ("optimiser", "resume", "steps", "speed")
    assert script.run(kinds, {"x": "no network"}, arguments(tmp_path, *only, minutes=-1), time.monotonic()) == 1
    book = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    assert len(book["not_reached"]) == 4 and not book["failed"]
    assert script.run(kinds, {}, arguments(tmp_path, *only), time.monotonic()) == 0
    book = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    step, speed = (book["results"][section][kinds[0].cell] for section in ("steps", "speed"))
    assert book["states"] == {"ok": 4} and step["bfloat16"]["gradient of G"] > 1e-3
    assert speed["float32"]["images_s"] > 0 and speed["planned"]["memory"] > 0
    assert {"commit", "libraries", "device"} <= book["provenance"].keys()
    told = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert NO_GPU in told and told.count(kinds[0].cell) == 3
    capsys.readouterr()
    assert script.run(kinds, {}, arguments(tmp_path, *only), time.monotonic()) == 0
    assert "4 to try, 4 known from before" in capsys.readouterr().out
    assert script.run(kinds, {}, arguments(tmp_path, "steps"), time.monotonic()) == 0
    assert json.loads((tmp_path / NAME).read_text(encoding="utf-8"))["states"] == {"ok": 4}


def test_what_cannot_be_counted_is_tried_all_the_same_and_equal_work_is_timed_once(tmp_path: Path) -> None:
    class Some(Counts):
        def known(self, r: Recipe) -> Count | None:
            return None if r.z_dim == 7 else Count(Work(conv=r.batch_d * 1e12), Work(), Work(), 1, 2, 3)

    alike = [entry("a"), entry("b", z_scale=2.0), entry("c", z_dim=7), entry("d", batch_d=32, batch_g=32)]
    items = agenda.agenda(alike, "cpu", Some(tmp_path / "none"), named("cpu"))
    assert [i.name for i in items if i.section == "steps"] == ["d", "a", "b", "c"]
    assert [i.name for i in items if i.section == "speed"] == ["d", "a", "c"]


def test_what_raises_or_differs_has_failed_and_the_next_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = compare.take

    def wrong(given: Entry, device: str, images: int, precision: str, channels_last: bool = False) -> compare.Taken:
        found = take(given, device, images, precision, channels_last)
        return dataclasses.replace(found, losses=(found.losses[0] + channels_last * 0.01, found.losses[1]))

    def breaks(*given: Any) -> dict[str, Any]:
        raise RuntimeError("an illegal memory access")

    monkeypatch.setattr(compare, "take", wrong)
    monkeypatch.setattr(agenda, "resume", breaks)
    assert script.run([entry()], {}, arguments(tmp_path, "resume", "steps"), time.monotonic()) == 1
    book = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    assert book["failed"] == [f"{section}: {resume.CELLS[0]}" for section in ("resume", "steps")]
    assert book["results"]["steps"][resume.CELLS[0]]["why"].startswith("float32: loss of D 0.01")
    assert "illegal memory access" in (tmp_path / "gpu.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("single", "double", "state"), [(0.03, 0.0, "ok"), (0.03, 1e-4, "failed"), (0.0, 1.0, "ok")])
def test_a_gradient_that_rounding_moves_is_settled_in_float64(
    single: float, double: float, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By so much the device's gradient of G is off in either; float64 is only asked where float32 is in doubt."""
    take = compare.take

    def off(given: Entry, device: str, images: int, precision: str, channels_last: bool = False) -> compare.Taken:
        found = take(given, device, images, precision, channels_last)
        by = double if torch.get_default_dtype() == torch.float64 else single
        d, g, buffers = found.vectors
        return dataclasses.replace(found, vectors=(d, [x * (1 + channels_last * by) for x in g], buffers))

    monkeypatch.setattr(compare, "take", off)
    found = compare.compare(entry(), "cpu", 2)
    assert found["state"] == state and ("float64" in found) == (single > 0.01), found["why"]
    assert torch.get_default_dtype() == torch.float32
    assert state == "ok" or found["why"].startswith("float64: gradient of G 0.0001 > ")


@pytest.mark.slow
def test_where_weights_are_not_here_random_ones_are_tried_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GANBENCH_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    kd = dict(agkd=10.0, cgkd=10.0, teacher="clip-vit-b32", prompts="a,b", size=224, resize="bilinear", normalise=True,
              hidden=8, heads="spectral-norm")  # fmt: skip
    given = entry(parts=(("kd-dlgan", kd),))
    assert script.run([given], {}, arguments(tmp_path, "steps"), time.monotonic()) == 0
    found = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))["results"]["steps"][given.cell]
    assert found["random weights"] == ["clip-vit-b32"] and found["losses"][0] != 0
    assert "ok, random weights of clip-vit-b32" in (tmp_path / "gpu.md").read_text(encoding="utf-8")


def test_what_lacks_a_package_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda, "lacking", lambda recipe: ("vgg16", "lpips-vgg"))
    assert script.run([entry()], {}, arguments(tmp_path, "steps"), time.monotonic()) == 0
    found = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))["results"]["steps"][resume.CELLS[0]]
    assert found["state"] == "not tried" and "pip install lpips" in found["why"]


@pytest.mark.skipif(find_spec("lpips") is None, reason="lpips is not installed")
def test_random_vgg16_weights_fill_lpips_and_are_the_same_wherever_they_are_made() -> None:
    x, y = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    with stand_ins(("vgg16",)):
        one, other = (perceptual.distance("vgg16")(x, y) for _ in range(2))
    assert torch.equal(one, other) and (one > 0).all() and torch.isfinite(one).all()


def test_a_run_that_is_resumed_otherwise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = dict(pipe="bgc", target=0.6, kimg=500.0, every=1, schedule="adaptive")
    given, load_state = entry(parts=(("ada", ada),)), Gan.load_state_dict
    assert resume.resume(given, "cpu")["bits"] == "the same"

    def forgets(gan: Gan, state: dict[str, Any]) -> None:
        load_state(gan, state)
        gan.rng["augment"].manual_seed(0)

    monkeypatch.setattr(Gan, "load_state_dict", forgets)
    found = resume.resume(given, "cpu")
    assert found["state"] == "failed" and found["undisturbed again"] == 0


@pytest.mark.parametrize("given", [recipe(**SMALL), conditional()], ids=["unconditional", "conditional"])
def test_a_step_that_is_fed_is_the_step_and_its_buffers_stay(given: Recipe) -> None:
    """What a CUDA graph needs: no draw within the step, and no new tensor where an old one was."""
    plain, other = (pair(Entry("", given, 100, 1), given, "cpu") for _ in range(2))
    fed, kept = Fed(other, reals(other)), [*other.G.buffers(), *other.judges.buffers()]
    for step in range(3):
        losses = train_step(plain, reals(plain))
        if step:
            fed.fill()
        assert torch.equal(torch.stack(losses), torch.stack(in_place(other, fed.step)))
    now = [*other.G.buffers(), *other.judges.buffers()]
    assert len(now) == len(kept) > 0 and all(a is b for a, b in zip(now, kept))
    for a, b in zip(
        (*plain.G.state_dict().values(), *plain.D.state_dict().values()),
        (*other.G.state_dict().values(), *other.D.state_dict().values()),
    ):
        assert torch.equal(a, b)


def test_a_mode_that_torch_cannot_do_is_told_and_one_that_differs_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def stepping(given: Entry, r: Recipe, device: str, mode: str) -> modes.Step:
        if mode == "torch.compile":
            raise NotImplementedError("double\nbackward")
        loss = torch.tensor(2.0 if mode == "channels last" else 1.0)
        return lambda: (loss, loss)

    monkeypatch.setattr(modes, "stepping", stepping)
    monkeypatch.setattr(modes, "release", lambda: None)
    found = modes.modes(entry(), "cpu", 4)
    assert found["torch.compile"] == {"not possible": "NotImplementedError: double backward"}
    assert found["why"] == "channels last: losses are 1 off" and found["bfloat16"]["far"] == 0


def test_without_cuda_it_says_so_and_names_the_rehearsal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert script.main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "there is no GPU here that torch can use; --device cpu rehearses\n"


def test_wrong_usage_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert script.main(["--out", str(tmp_path / "file"), "--device", "cpu"]) == 2
    assert capsys.readouterr().err == f"--out {tmp_path / 'file'}: File exists\n"
    with pytest.raises(SystemExit, match="2"):
        script.main(["--out", "out", "--images", "0"])


@pytest.mark.slow
def test_it_needs_no_more_than_the_two_wheels_that_it_names(tmp_path: Path) -> None:
    """Beside torch and numpy: what a bare image lacks cannot be found there."""
    code = f"""
import json, sys
class Without:
    def __init__(self, finder): self.finder = finder
    def __getattr__(self, name): return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {BARE} else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from benchmark.recipe import Recipe
from tests.gpu import __main__ as script
from tests.gpu.recipes import Entry
kind = Entry("small", Recipe.from_json(json.loads({json.dumps(entry().recipe.to_json())!r})), 100, 1)
script.entries = lambda: ([kind], {{}})
sys.exit(script.main(["--out", {str(tmp_path)!r}, "--device", "cpu", "--threads", "1", "--only", "steps"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "steps small: ok" in done.stdout, done.stderr + done.stdout
