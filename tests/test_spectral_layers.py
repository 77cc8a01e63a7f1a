"""Spectral norm of every kind of layer beside torch's, and of none in silence."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from benchmark.errors import GanbenchError
from benchmark.methods import spectral_norm

LAYERS = {
    "linear": (lambda: nn.Linear(7, 5), (3, 7)),
    "convolution": (lambda: nn.Conv2d(3, 4, 3, 2, 1), (2, 3, 9, 9)),
    "transposed": (lambda: nn.ConvTranspose2d(3, 5, 4, 2, 1, output_padding=1, bias=False), (2, 3, 4, 4)),
    "transposed, from a point": (lambda: nn.ConvTranspose2d(6, 2, 4), (2, 6, 1, 1)),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_is_torchs_over_several_steps(kind: str) -> None:
    make, shape = LAYERS[kind]
    torch.manual_seed(0)
    layer = make().double()
    theirs = nn.utils.spectral_norm(copy.deepcopy(layer), eps=1e-12)
    mine = nn.Sequential(layer)
    spectral_norm.build(player="D").build(nn.Identity(), mine)
    assert layer.u.shape == theirs.weight_u.shape and layer.v.shape == theirs.weight_v.shape
    layer.u, layer.v = theirs.weight_u.clone(), theirs.weight_v.clone()
    for _ in range(3):
        x = torch.randn(shape, dtype=torch.float64)
        a, b = mine(x), theirs(x)
        torch.testing.assert_close(a, b)
        for out, weight in ((a, layer.weight), (b, theirs.weight_orig)):
            out.square().mean().backward()
            with torch.no_grad():
                weight -= 0.1 * weight.grad
        torch.testing.assert_close(layer.weight, theirs.weight_orig)


def test_a_layer_of_an_unknown_kind_is_an_error() -> None:
    D = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Conv1d(1, 1, 3))
    with pytest.raises(GanbenchError, match="spectral-norm does not know D's 2, Conv1d"):
        spectral_norm.build(player="D").build(nn.Identity(), D)
    with pytest.raises(GanbenchError, match="G's 0, Bilinear"):
        spectral_norm.build(player="G").build(nn.Sequential(nn.Bilinear(2, 2, 2)), nn.Identity())


def test_embeddings_are_ds_alone() -> None:
    G, D = nn.Sequential(nn.Embedding(3, 4)), nn.Sequential(nn.Embedding(3, 4))
    for player in ("G", "D"):
        spectral_norm.build(player=player).build(G, D)
    assert type(G[0]) is nn.Embedding and type(D[0]) is not nn.Embedding
