"""What StyleGAN2's players are built of, each against another formulation, and its second derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.signal import upfirdn
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from benchmark.networks.stylegan2_layers import (
    EqualConv2d,
    EqualLinear,
    Filter,
    Modulated,
    Styled,
    initialise,
    leaky,
    minibatch_stddev,
    unit_moment,
)


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def resampled(x: Tensor, up: int, down: int, before: int, after: int, gain: float) -> np.ndarray:
    """Zeros put in, ``before`` and ``after`` pixels of zeros around, filtered, every ``down``-th kept; by scipy."""
    y = x.numpy()
    for axis in (2, 3):
        spaced = upfirdn([1.0], y, up, 1, axis)  # without the zeros after the last pixel
        around = [(0, 0)] * 4
        around[axis] = (before, after + up - 1)
        full = upfirdn(np.array([1, 3, 3, 1]) / 8 * gain, np.pad(spaced, around), axis=axis)
        y = np.moveaxis(np.moveaxis(full, axis, 0)[3:-3][::down], 0, axis)
    return y


@pytest.mark.parametrize("side", [4, 5, 8])
def test_the_filter_equals_scipys(side: int) -> None:
    """Paddings are those of stylegan2-ada-pytorch's ``upsample2d``, ``downsample2d`` and ``conv2d_resample``."""
    filter_, x = Filter().double(), drawn(2, 3, side, side)
    assert filter_.kernel.sum() == 1
    for ours, theirs in (
        (filter_(x, 2), resampled(x, 1, 1, 2, 2, 1)),
        (filter_(x, 1, gain=4), resampled(x, 1, 1, 1, 1, 2)),
        (filter_.halved(x), resampled(x, 1, 2, 1, 1, 1)),
        (filter_.doubled(x), resampled(x, 2, 1, 2, 1, 2)),
    ):
        torch.testing.assert_close(ours, torch.from_numpy(theirs), rtol=0, atol=1e-14)


def test_the_filter_keeps_a_constant_inside_and_is_in_no_checkpoint() -> None:
    filter_, x = Filter(), torch.full((1, 2, 8, 8), 3.0)
    assert (filter_.halved(x)[..., 1:-1, 1:-1] == 3).all() and (filter_.doubled(x)[..., 1:-1, 1:-1] == 3).all()
    assert not filter_.state_dict()


@pytest.mark.parametrize("double", [False, True])
def test_modulation_is_another_convolution_for_each_image(double: bool) -> None:
    """Weights scaled by styles, then each output channel's to norm 1; doubling is zeros put in, convolution, filter."""
    m = Modulated(3, 5, 6, 3, double=double).double()
    initialise(m)
    x, w = drawn(4, 3, 8, 8), drawn(4, 6)
    styles = w @ m.style.weight.t() / math.sqrt(6) + 1
    y = m(x, w)
    for image in range(4):
        weight = m.weight * styles[image][:, None, None]
        weight = weight / weight.flatten(1).norm(dim=1)[:, None, None, None]
        if double:
            spaced = torch.zeros(1, 3, 16, 16).double()
            spaced[0, :, ::2, ::2] = x[image]
            convolved = F.conv2d(F.pad(spaced, (3, 2, 3, 2)), weight.flip(2, 3))
            expected = Filter().double()(convolved, padding=0, gain=4)[0]
        else:
            expected = F.conv2d(x[image], weight, padding=1)
        torch.testing.assert_close(y[image], expected, rtol=1e-8, atol=1e-8)  # 1e-8 is added below the root


def test_without_demodulation_weights_are_divided_by_the_root_of_their_number() -> None:
    m = Modulated(9, 2, 6, 1, demodulate=False).double()
    initialise(m)
    x, w = drawn(3, 9, 4, 4), drawn(3, 6)
    expected = torch.einsum("oi,bi,bihw->bohw", m.weight[..., 0, 0], m.style(w), x) / 3
    torch.testing.assert_close(m(x, w), expected)


def test_demodulation_undoes_any_scale_of_the_styles() -> None:
    m = Modulated(4, 3, 5, 3).double()
    initialise(m)
    nn.init.zeros_(m.style.bias)
    x, w = drawn(2, 4, 6, 6), drawn(2, 5)
    torch.testing.assert_close(m(x, 1000 * w), m(x, w), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "group", "groups"),
    [
        (8, 4, [[0, 2, 4, 6], [1, 3, 5, 7]]),
        (8, 8, [[*range(8)]]),
        (3, 4, [[0, 1, 2]]),
        (1, 4, [[0]]),
        (5, 4, [[0, 2, 4], [1, 3]]),
        (7, 2, [[0, 4], [1, 5], [2, 6], [3]]),
    ],
)
def test_minibatch_stddev_is_the_groups(images: int, group: int, groups: list[list[int]]) -> None:
    x = drawn(images, 3, 4, 4)
    y = minibatch_stddev(x, group)
    assert y.shape == (images, 4, 4, 4) and torch.equal(y[:, :3], x)
    for members in groups:
        variance = np.var(x.numpy()[members], axis=0)
        expected = np.sqrt(variance + 1e-8).mean()
        assert np.allclose(y[members, 3].numpy(), expected, rtol=1e-12)


def test_equalised_layers_learn_at_their_rate() -> None:
    """One step of Adam moves what is learnt by lr, and what is used by lr · rate / √fan-in."""
    linear, x = EqualLinear(16, 2, rate=0.01, begin=3).double(), drawn(5, 16)
    initialise(linear)
    torch.testing.assert_close(linear(x), x @ linear.weight.t() * 0.01 / 4 + 0.03)
    assert 50 < linear.weight.std() < 150
    conv = EqualConv2d(4, 2, 3, stride=2).double()
    initialise(conv)
    assert (conv.bias == 0).all() and 0.7 < conv.weight.std() < 1.3
    x = drawn(2, 4, 7, 7)
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, stride=2) / 6)


def test_activation_and_normalisation_keep_the_second_moment() -> None:
    torch.testing.assert_close(leaky(torch.tensor([2.0, -2.0])), torch.tensor([2.0, -0.4]) * 2**0.5)
    z = 5 * drawn(3, 64)
    torch.testing.assert_close(unit_moment(z).square().mean(1), torch.ones(3).double(), rtol=1e-6, atol=0)


def test_first_and_second_derivatives_are_those_of_differences() -> None:
    filter_ = Filter().double()
    doubling, plain, conv = Modulated(2, 2, 2, 3, double=True), Styled(2, 2, 2), EqualConv2d(2, 2, 3, stride=2)
    for module in (doubling, plain, conv):
        initialise(module.double())
    nn.init.ones_(plain.strength)
    x, w, noise = (t.requires_grad_() for t in (drawn(2, 2, 3, 3), drawn(2, 2), drawn(2, 1, 3, 3)))
    for function, inputs in (
        (doubling, (x, w)),
        (plain, (x, w, noise)),
        (lambda x: conv(filter_(x, padding=2)), (x,)),
        (filter_.halved, (drawn(1, 2, 4, 4).requires_grad_(),)),
        (filter_.doubled, (x,)),
        (lambda x: minibatch_stddev(x, 2), (drawn(4, 2, 2, 2).requires_grad_(),)),
    ):
        assert gradcheck(function, inputs) and gradgradcheck(function, inputs)
