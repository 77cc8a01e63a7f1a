"""The MLP GAN, held against the theory paper's Figure 2 and the facts on gan.py."""

import torch
from torch import nn

from benchmark.networks import mlp


def test_parameter_counts_are_the_papers() -> None:
    G, D = mlp.build((1, 28, 28), 100, None, width=1.0, bn_eps=0.8)
    assert sum(p.numel() for p in G.parameters()) == 1_510_032
    assert sum(p.numel() for p in D.parameters()) == 533_505


def test_batchnorm_has_eps_point_eight_and_the_first_layer_has_none() -> None:
    G, _ = mlp.build((1, 28, 28), 100, None, width=1.0, bn_eps=0.8)
    norms = [m for m in G.modules() if isinstance(m, nn.BatchNorm1d)]
    assert [m.eps for m in norms] == [0.8] * 3 and [m.num_features for m in norms] == [256, 512, 1024]
    assert [m.momentum for m in norms] == [0.1] * 3


def test_shapes_ranges_and_taps() -> None:
    G, D = mlp.build((3, 32, 32), 7, None, width=0.1, bn_eps=0.8)
    x = G(torch.randn(5, 7))
    taps: list[torch.Tensor] = []
    assert x.shape == (5, 3, 32, 32) and x.abs().max() <= 1
    assert D(x, None, taps).shape == (5,) and [t.shape[0] for t in taps] == [5, 5]
    assert torch.equal(D(x), D(x, None, []))
