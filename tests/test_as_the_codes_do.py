"""Conventions of the public codes that recipes name: the scale of images, when G steps, when averaging begins."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.errors import GanbenchError
from benchmark.methods import dequantise
from benchmark.records import store
from benchmark.suite.lint import lint
from benchmark.suite.load import load, load_all
from benchmark.suite.model import Cell
from benchmark.suite.nodes import SuiteError
from benchmark.train.average import Average
from benchmark.train.gan import Gan
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step
from tests.conftest import ROOT, recipe


@pytest.fixture(scope="module")
def cells() -> dict[str, Cell]:
    """Every cell of every suite, as the papers have it."""
    return {cell.id: cell for suite in load_all([]) for cell in suite.cells}


def seen(images: np.ndarray, **arguments: float) -> torch.Tensor:
    """What D is shown of 8-bit images, from dark to bright, that a run trains on."""
    sampler = Sampler(images, np.zeros(len(images), int), len(images), True, 0, torch.device("cpu"))
    drawn = sampler.next()[0]
    drawn = drawn[torch.argsort(drawn[:, 0, 0, 0])]  # the sampler shuffles
    return dequantise.build(**arguments).augment(drawn, True, torch.Generator().manual_seed(0)).flatten(1)


def test_noise_fills_the_gaps_between_the_levels_exactly(cells: dict[str, Cell]) -> None:
    """A level's images lie between it and the next, all of [-1, 1) is met, and the noise is that of the codes."""
    found = {c.id: args for c in cells.values() for name, args in c.recipe.parts if name == "dequantise"}
    assert {i.split("/")[2] for i in found} == {"SN-GAN[ResNet]", "WGAN-GP[ResNet]", "aw-SN-GAN"}
    levels = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None, None], (256, 3, 16, 16))
    u = torch.rand((256, 3, 16, 16), generator=torch.Generator().manual_seed(0)).flatten(1)
    for arguments in {tuple(args.items()): args for args in found.values()}.values():
        x = seen(levels, **arguments)
        low = torch.arange(257) / 128 - 1
        torch.testing.assert_close(x, low[:-1, None] + u / 128, rtol=0, atol=3e-7)
        assert (x >= low[:-1, None] - 3e-7).all() and (x <= low[1:, None] + 3e-7).all() and x.max() <= 1
        assert (x.max(1).values - x.min(1).values).min() > 0.98 / 128


def test_without_a_scale_images_stay_where_they_are() -> None:
    x = torch.rand(4, 3, 8, 8) * 2 - 1
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    found = dequantise.build(width=0.25).augment(x, True, torch.Generator().manual_seed(0))
    assert torch.equal(found, x + 0.25 * noise), "to the bit, as in runs that were made before there was one"


@pytest.mark.parametrize("scale", [0.0, -128.0, 1e-320, 0.5, 1e300])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(GanbenchError, match="scale is of pixels, from 1 to 65,536"):
        dequantise.build(scale=scale, width=0.1)


def _suite(tmp_path: Path, old: str, new: str) -> Path:
    text = (ROOT / "suites/pgn.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "pgn.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_an_argument_that_a_part_can_do_without_is_taken_out_by_null(tmp_path: Path) -> None:
    """Its recipe is then the one that never named it, key and all; what a part needs cannot be taken out."""
    given = "dequantise: {scale: 128.0, width: 0.0078125}"
    plain, null = (
        {c.id: c.recipe.canonical for c in load(_suite(tmp_path, given, f"dequantise: {{{words}}}")).cells}
        for words in ("width: 0.0078125", "scale: null, width: 0.0078125")
    )
    assert plain == null
    for words, problem in (
        ("scale: 128.0, width: null", "expected a number, found 'null'"),
        ("scale: wide, width: 0.0078125", "expected a number, found 'wide'"),
    ):
        with pytest.raises(SuiteError, match=f"pgn.yaml:[0-9]+:[0-9]+: {problem}"):
            load(_suite(tmp_path, given, f"dequantise: {{{words}}}"))
    assert not lint([_suite(tmp_path, "dequantise: {scale: null}", "dequantise: {scale: 64}")])


ORDERS = {  # player order -> does G step before, or after, the D step of this number?
    "g-first": lambda i, n: (i % n == 0, False),
    "d-first": lambda i, n: (False, i % n == n - 1),
    "g-after-first-d": lambda i, n: (False, i % n == 0),  # AutoGAN's: global_steps % n_critic == 0, looked at after D's
}


@pytest.mark.parametrize("n_dis", [1, 3])
@pytest.mark.parametrize("order", ORDERS)
def test_players_step_in_the_order_of_a_plain_loop_over_d_steps(order: str, n_dis: int, float64: None) -> None:
    gan = Gan(recipe(player_order=order, n_dis=n_dis, parts=(), share_fakes=False, batch_g=48), 0)
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    opt_G, opt_D = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999)) for p in (G, D))
    rng = torch.Generator()
    rng.set_state(gan.rng["noise"].get_state())
    softplus = nn.functional.softplus
    reals = [torch.rand(64, 1, 28, 28) for _ in range(3 * n_dis)]

    def noise(count: int) -> torch.Tensor:
        return torch.rand(count, 10, generator=rng) * 2 - 1

    def step_g() -> None:
        opt_G.zero_grad()
        softplus(-D(G(noise(48)))).mean().backward()
        opt_G.step()

    for i, real in enumerate(reals):
        before, after = ORDERS[order](i, n_dis)
        if before:
            step_g()
        opt_D.zero_grad()
        (0.5 * (softplus(-D(real)).mean() + softplus(D(G(noise(64)).detach())).mean())).backward()
        opt_D.step()
        if after:
            step_g()
    feed = iter(reals)
    for _ in range(3):
        train_step(gan, lambda: (next(feed), None))
    for mine, theirs in ((gan.G, G), (gan.D, D)):
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(mine.state_dict()[key], value, rtol=1e-9, atol=1e-11, msg=key)


def test_rows_step_in_the_order_of_their_code(cells: dict[str, Cell]) -> None:
    order = {key: cells[key].recipe.player_order for key in cells}
    for row in ("AutoGAN[NAS]", "E²GAN[NAS]"):
        assert order[f"pgn/II/{row}/cifar10"] == order[f"pgn/IV/{row}/stl10"] == "g-after-first-d"
    assert order["sdp/I/AutoGAN/cifar10"] == "d-first", "the paper's own Algorithm 1 comes before AutoGAN's code"
    assert order["pgn/II/SN-GAN[ResNet]/cifar10"] == order["pgn/II/WGAN-GP[ResNet]/cifar10"] == "g-first"


def test_fakes_are_shared_in_one_d_step_only() -> None:
    for order in ("d-first", "g-after-first-d"):
        with pytest.raises(GanbenchError, match="n_dis 1 if D goes first"):
            recipe(player_order=order, n_dis=2, share_fakes=True)


def counted(first: int, start: int, every: int = 1) -> int:
    """How many steps a code pegs its average that counts them from ``first``, and looks at its count at every n-th."""
    pegged = 0
    for step in itertools.count(first, every):
        if step >= start:
            return pegged
        pegged += every
    return None


PEGGED = {  # cell -> G steps after which the average is still G itself, as its code counts them
    "pgn/V/PGN-BigGAN-CR/cifar10": counted(1, 1000),
    "pgn/V/GN-BigGAN-CR/cifar10": counted(1, 1000),
    "pgn/V/BigGAN/cifar10": counted(1, 1000),
    "pgn/VI/PGN-GAN/celeba-hq@128px": counted(1, 10000),
    "pgn/VI/GN-GAN/celeba-hq@256px": counted(1, 10000),
    "pgn/II/GN-GAN[CNN]/cifar10": counted(1, 0),
    "pgn/II/AutoGAN[NAS]/cifar10": 0,
    "chain/cifar/BigGAN/cifar10": counted(0, 1000),  # the CIFAR code of the DiffAugment family counts after the step
    "chain/cifar/LeCam+DA/cifar100": counted(0, 1000),
    "chain/cifar/OmniGAN+ADA/cifar10": counted(1, 5000),
    "chain/imagenet/BigGAN/imagenet@10%": counted(1, 20000),
    "chain/100shot/DA/obama": counted(0, 625, every=4),  # of 10,000 images in batches of 16
}


@pytest.mark.parametrize("cell", PEGGED)
def test_an_average_is_pegged_as_long_as_in_its_code(cell: str, cells: dict[str, Cell]) -> None:
    r, pegged = cells[cell].recipe, PEGGED[cell]
    G = nn.Linear(1, 1)
    average = Average(G, r.ema, r.ema_start, bool(r.ema_buffers))
    for step in range(max(pegged - 3, 0), pegged + 3):
        kept = average.G.weight.clone()
        with torch.no_grad():
            G.weight.fill_(step)
        average.update(G, step)
        expected = G.weight if step < pegged else r.ema * kept + (1 - r.ema) * G.weight
        torch.testing.assert_close(average.G.weight.detach(), expected.detach(), rtol=1e-6, atol=1e-6, msg=str(step))


def test_the_records_that_there_are_are_of_recipes_that_the_suites_have() -> None:
    """A recipe that is mended must not leave results behind that no table shows any more."""
    found, problems = store.read_all(ROOT / "results")
    assert len(found) > 80 and not problems
    planned: dict[tuple[str, str], set[str]] = {}
    for record in found:
        key = (record.cell.split("/")[0], record.profile)
        if key not in planned:
            planned[key] = {c.recipe.canonical for c in load(ROOT / f"suites/{key[0]}.yaml", key[1]).cells}
        assert record.recipe.canonical in planned[key], record.cell
