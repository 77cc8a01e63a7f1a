"""BatchNorm in D, as CHAIN's slides motivate their method by: the formula, its place, whose statistics."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from benchmark.errors import GanbenchError
from benchmark.methods import batch_norm
from benchmark.methods.follow import follow_convolutions
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from tests.every_method import after_a_step


class Block(nn.Module):
    """What BigGAN's blocks have."""

    def __init__(self, skip: bool, halve: bool) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(2, 3, 1), nn.Conv2d(3, 3, 1)
        self.skip = nn.Conv2d(2, 3, 1) if skip else nn.Identity()
        self.halve = halve


def _without_halve() -> Block:
    block = Block(True, True)
    del block.halve
    return block


@pytest.mark.parametrize(("blocks", "followed"), [("all", [0, 1, 2]), ("down", [0, 2]), ("2", [1]), ("3, 1", [0, 2])])
@pytest.mark.parametrize("affine", [True, False])
def test_the_convolutions_of_the_blocks_are_followed(blocks: str, followed: list[int], affine: bool) -> None:
    D = nn.ModuleList([Block(True, True), Block(False, False), Block(True, True)])
    batch_norm.build(eps=1e-5, affine=affine, blocks=blocks).build(nn.Identity(), D)
    for i, block in enumerate(D):
        names = ["conv1", "conv2"] + ["skip"] * isinstance(block.skip, nn.Sequential | nn.Conv2d)
        assert [isinstance(getattr(block, n), nn.Sequential) for n in names] == [i in followed] * len(names)
    layers = [m for m in D.modules() if isinstance(m, nn.BatchNorm2d)]
    assert layers and all(m.affine is affine and m.running_mean is None for m in layers)


def test_each_batch_is_standardised_by_its_own_statistics() -> None:
    block = Block(True, True)
    convolution = block.conv1
    batch_norm.build(eps=1e-3, affine=True, blocks="all").build(nn.Identity(), nn.ModuleList([block]))
    for seed in (0, 1):
        x = torch.randn(4, 2, 5, 5, generator=torch.Generator().manual_seed(seed)) * 3 + seed
        y = convolution(x)
        mean = y.mean((0, 2, 3), keepdim=True)
        expected = (y - mean) / ((y - mean).square().mean((0, 2, 3), keepdim=True) + 1e-3).sqrt()
        for training in (True, False):  # there are no other statistics
            torch.testing.assert_close(block.train(training).conv1(x), expected, rtol=1e-4, atol=1e-5)


def test_what_has_no_blocks_is_refused_by_name() -> None:
    for D, blocks, said in (
        (nn.Linear(2, 1), "all", "batch-norm acts in residual blocks"),
        (nn.ModuleList([Block(True, True)]), "2", "batch-norm: blocks is '2'"),
        (nn.ModuleList([_without_halve()]), "down", "batch-norm: this network's D does not say which"),
    ):
        with pytest.raises(GanbenchError, match=said):
            follow_convolutions(D, blocks, nn.BatchNorm2d, "batch-norm")


def test_the_rows_train_with_real_and_fake_apart() -> None:
    cells = {c.id: c for s in ("chain", "pgn") for c in load(f"suites/{s}.yaml", "ci").cells}
    for name in ("chain/batch-norm/BigGAN+BN/cifar10@10%", "pgn/costs/BN[ResNet]/cifar10"):
        recipe = cells[name].recipe
        assert recipe.d_pass == "separate"
        gan, losses = after_a_step(recipe)
        assert all(torch.isfinite(loss) for loss in losses)
        assert sum(isinstance(m, nn.BatchNorm2d) for m in gan.D.modules()) >= 8
        with pytest.raises(GanbenchError, match="separate"):
            Gan(dataclasses.replace(recipe, d_pass="joint"), 0)
