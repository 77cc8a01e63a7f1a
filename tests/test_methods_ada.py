"""ADA: every transform against an independent formulation, what is drawn, and how p moves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage, signal
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from benchmark.catalogue import plugin, plugins
from benchmark.errors import GanbenchError
from benchmark.methods import ada, ada_pipeline
from benchmark.methods.ada_pipeline import Colour, Geometry, draw_colour, draw_geometry, inverse_map, recolour
from benchmark.methods.ada_warp import SYM6, warp
from benchmark.methods.part import Loss, Moment, Part, Side
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe

F64 = torch.float64


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, dtype: torch.dtype = F64) -> Tensor:
    return torch.rand(shape, generator=rng(7), dtype=dtype) * 2 - 1


def still(count: int = 1, **changes: object) -> Geometry:
    """A geometry that moves nothing but what is named; every image alike."""
    neutral: dict = dict(flip=0, quarters=0, shift=(0, 0), scale=1, before=0, stretch=1, after=0, offset=(0, 0))
    return Geometry(**{k: torch.tensor([v] * count, dtype=F64) for k, v in (neutral | changes).items()})


def plain(count: int = 1, **changes: float) -> Colour:
    neutral: dict = dict(brightness=0, contrast=1, negate=0, hue=0, saturation=1)
    return Colour(**{k: torch.full((count,), float(v), dtype=F64) for k, v in (neutral | changes).items()})


def move(images: Tensor, g: Geometry) -> Tensor:
    return warp(images, *inverse_map(g))


def by_scipy(image: np.ndarray, A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(H, W) warped step by step in samples: reflect fully, upfirdn, bilinear interpolation, upfirdn.

    The middle of sym6 (its heaviest tap) is tap 5: where the full convolution loses its first five samples, pixel i
    lies at sample 2i. The canvas begins three pixels before the image, and pixel i is what the window of twelve samples
    from 2(i + 3) − 5 on gives.
    """
    h = np.array(SYM6) / np.sum(SYM6)
    height, width = image.shape
    up = np.pad(image, [(height - 1,) * 2, (width - 1,) * 2], mode="reflect")
    for axis in (0, 1):
        samples = 2 * up.shape[axis]
        up = np.take(signal.upfirdn(2 * h, up, up=2, axis=axis), range(5, 5 + samples), axis)
    rows, columns = np.mgrid[-6 : 2 * height + 6, -6 : 2 * width + 6] / 2  # in pixels of the image
    x, y = columns - (width - 1) / 2, rows - (height - 1) / 2
    from_x, from_y = (
        A[0, 0] * x + A[0, 1] * y + b[0] + (width - 1) / 2,
        A[1, 0] * x + A[1, 1] * y + b[1] + (height - 1) / 2,
    )
    places = [2 * (from_y + height - 1), 2 * (from_x + width - 1)]
    canvas = ndimage.map_coordinates(up, places, order=1, mode="grid-constant")
    for axis in (0, 1):
        canvas = signal.upfirdn(h[::-1], canvas, down=1, axis=axis)
    # full correlation: entry s belongs to a window that begins at s − 11
    return canvas[6 - 5 + 11 :: 2, 6 - 5 + 11 :: 2][:height, :width]


def test_sym6_is_the_orthogonal_filter_with_six_vanishing_moments() -> None:
    h, k = np.array(SYM6), np.arange(12)
    assert h.sum() == pytest.approx(math.sqrt(2), abs=1e-12)
    for lag in range(0, 12, 2):
        assert h[lag:] @ h[: 12 - lag] == pytest.approx(float(lag == 0), abs=1e-11)
    for moment in range(6):
        terms = (-1.0) ** k * k**moment * h
        assert abs(terms.sum()) < 1e-9 * np.abs(terms).sum()


@pytest.mark.parametrize("shape", [(12, 12), (9, 14)], ids=["square", "wide"])
def test_warp_equals_the_steps_in_scipy(shape: tuple[int, int]) -> None:
    images = noise(40, 2, *shape)
    A, b = inverse_map(draw_geometry(40, 1.0, *shape, rng()))
    ours = warp(images, A, b)
    size = torch.tensor(shape[::-1], dtype=F64)
    beyond = (A.abs() @ (size / 2 + 3) + b.abs() > 1.5 * size).any(-1)  # where the reflection ends
    assert beyond.any() and not beyond.all()
    for i in range(40):
        for c in range(2):
            np.testing.assert_allclose(
                ours[i, c].numpy(), by_scipy(images[i, c].numpy(), A[i].numpy(), b[i].numpy()), atol=1e-11
            )


def test_nothing_moved_is_the_identity_and_whole_pixels_are_exact() -> None:
    images = noise(2, 3, 16, 16)
    torch.testing.assert_close(move(images, still(2)), images, rtol=0, atol=1e-11)
    torch.testing.assert_close(move(images.float(), still(2)), images.float(), rtol=0, atol=2e-5)
    padded = np.pad(images.numpy(), [(0, 0), (0, 0), (2, 2), (2, 2)], mode="reflect")
    shifted = move(images, still(2, shift=(2.0, -1.0)))  # content goes right and up
    np.testing.assert_allclose(shifted.numpy(), padded[:, :, 3:19, 0:16], atol=1e-11)


def reversal_blur(images: Tensor, axis: int) -> Tensor:
    """What a reversed axis leaves of sym6's filtering, in closed form: h ∗ h at every other tap around 10."""
    h = np.array(SYM6)
    kernel = np.convolve(h, h)[0:23:2]  # lags -5 … 6
    pad = [(0, 0)] * 4
    pad[axis] = (5, 6)
    padded = np.pad(images.numpy(), pad, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 12, axis=axis)
    return torch.from_numpy(windows @ kernel)


@pytest.mark.parametrize(
    ("changes", "exact", "reversed_axes"),
    [
        ({"flip": 1.0}, lambda x: x.flip(3), (3,)),
        ({"quarters": 1.0}, lambda x: x.rot90(1, (2, 3)), (2,)),
        ({"quarters": 2.0}, lambda x: x.rot90(2, (2, 3)), (2, 3)),
        ({"quarters": 3.0}, lambda x: x.rot90(3, (2, 3)), (3,)),
    ],
    ids=["flip", "90", "180", "270"],
)
def test_blits_are_exact_but_for_the_asymmetry_of_sym6(
    changes: dict, exact: Callable[[Tensor], Tensor], reversed_axes: tuple[int, ...]
) -> None:
    images = noise(2, 3, 16, 16)
    expected = exact(images)
    for axis in reversed_axes:
        expected = reversal_blur(expected, axis)
    torch.testing.assert_close(move(images, still(2, **changes)), expected, rtol=0, atol=1e-10)
    i = torch.arange(16, dtype=F64)
    smooth = torch.cos(0.3 * i + 0.5)[None, None, None] * torch.cos(0.2 * i)[None, None, :, None]
    inner = (..., slice(4, 12), slice(4, 12))
    assert (move(smooth, still(**changes)) - exact(smooth))[inner].abs().max() < 0.03  # a shift by 0.1 pixel


ANGLE = 0.4
ANALYTIC: list[tuple[dict, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]]] = [  # where a result's pixel comes from
    ({"scale": 1.3}, lambda x, y: (x / 1.3, y / 1.3)),
    ({"scale": 0.8}, lambda x, y: (x / 0.8, y / 0.8)),
    ({"stretch": 1.25}, lambda x, y: (x / 1.25, y * 1.25)),
    (
        {"before": ANGLE},
        lambda x, y: (math.cos(ANGLE) * x - math.sin(ANGLE) * y, math.sin(ANGLE) * x + math.cos(ANGLE) * y),
    ),
    (
        {"after": -ANGLE},
        lambda x, y: (math.cos(ANGLE) * x + math.sin(ANGLE) * y, math.cos(ANGLE) * y - math.sin(ANGLE) * x),
    ),
    ({"offset": (3.3, -2.6)}, lambda x, y: (x - 3.3, y + 2.6)),
]


@pytest.mark.parametrize(
    ("changes", "source"), ANALYTIC, ids=[next(iter(c)) + str(i) for i, (c, _) in enumerate(ANALYTIC)]
)
def test_each_geometry_alone_on_an_analytic_image(
    changes: dict, source: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
) -> None:
    """A slow wave, sampled at the moved places; where the place is well inside the image (its borders have a kink).

    The mean of sym6 lies at 5.1 taps and not at 5: a turned image is up to 0.03 pixels off. A quarter of a pixel off
    would show.
    """
    side = 48
    grid = torch.arange(side, dtype=F64) - (side - 1) / 2

    def wave(x: Tensor, y: Tensor) -> Tensor:
        return torch.sin(0.15 * x + 0.3) * torch.cos(0.1 * y - 0.7) + 0.02 * x

    y, x = torch.meshgrid(grid, grid, indexing="ij")
    from_x, from_y = source(x, y)
    inside = (from_x.abs() < side / 2 - 6) & (from_y.abs() < side / 2 - 6)
    assert inside.float().mean() > 0.3
    moved = move(wave(x, y)[None, None], still(**changes))[0, 0]
    assert (moved - wave(from_x, from_y))[inside].abs().max() < 6e-3
    assert (moved - wave(x, y))[inside].abs().max() > 0.05


def test_the_map_is_the_inverse_of_the_steps_in_order() -> None:
    g = draw_geometry(20, 1.0, 24, 32, rng(3))
    A, b = inverse_map(g)
    for i in range(20):
        v = {f.name: getattr(g, f.name)[i].numpy() for f in dataclasses.fields(g)}
        turn = [
            np.array([[math.cos(t), math.sin(t), 0], [-math.sin(t), math.cos(t), 0], [0, 0, 1]])
            for t in (v["quarters"] * math.pi / 2, v["before"], v["after"])
        ]
        shifts = [np.array([[1, 0, t[0]], [0, 1, t[1]], [0, 0, 1]]) for t in (v["shift"], v["offset"])]
        steps = [
            np.diag([1 - 2 * v["flip"], 1, 1]),
            turn[0],
            shifts[0],
            np.diag([v["scale"], v["scale"], 1]),
            turn[1],
            np.diag([v["stretch"], 1 / v["stretch"], 1]),
            turn[2],
            shifts[1],
        ]
        forward = np.eye(3)
        for step in steps:
            forward = step @ forward
        inverse = np.linalg.inv(forward)
        np.testing.assert_allclose(A[i].numpy(), inverse[:2, :2], atol=1e-12)
        np.testing.assert_allclose(b[i].numpy(), inverse[:2, 2], atol=1e-11)


def stepwise(pixels: np.ndarray, b: float, c: float, negate: float, hue: float, saturation: float) -> np.ndarray:
    """(…, 3) colours, one step after the other."""
    pixels = (pixels + b) * c
    if negate:
        pixels = pixels - 2 * pixels.mean(-1, keepdims=True)
    turn = Rotation.from_rotvec(hue * np.ones(3) / math.sqrt(3)).as_matrix()
    pixels = pixels @ turn.T
    grey = pixels.mean(-1, keepdims=True)
    return grey + saturation * (pixels - grey)


@pytest.mark.parametrize(
    "changes", [{"brightness": 0.3}, {"contrast": 1.7}, {"negate": 1}, {"hue": 1.1}, {"saturation": 0.2}, {}], ids=str
)
def test_each_colour_step_alone(changes: dict) -> None:
    images = noise(2, 3, 4, 5)
    c = plain(2, **changes)
    expected = stepwise(
        images.permute(0, 2, 3, 1).numpy(), *(float(getattr(c, f.name)[0]) for f in dataclasses.fields(c))
    )
    np.testing.assert_allclose(recolour(images, c).permute(0, 2, 3, 1).numpy(), expected, atol=1e-13)


def test_all_colour_steps_together_and_grey() -> None:
    images, c = noise(10, 3, 4, 5), draw_colour(10, 1.0, rng(4))
    ours = recolour(images, c).permute(0, 2, 3, 1).numpy()
    for i in range(10):
        expected = stepwise(
            images[i].permute(1, 2, 0).numpy(), *(float(getattr(c, f.name)[i]) for f in dataclasses.fields(c))
        )
        np.testing.assert_allclose(ours[i], expected, atol=1e-12)
    grey = images[:, :1]
    torch.testing.assert_close(recolour(grey, c).expand(-1, 3, -1, -1), recolour(grey.expand(-1, 3, -1, -1), c))
    third = recolour(images, plain(10, hue=2 * math.pi / 3))  # a third of a turn: red becomes green
    torch.testing.assert_close(third, images.roll(1, 1))
    with pytest.raises(GanbenchError, match="1 or 3 channels"):
        recolour(images[:, :2], c)


def test_images_do_not_depend_on_their_batch() -> None:
    images, (A, b) = noise(12, 3, 16, 16), inverse_map(draw_geometry(12, 0.6, 16, 16, rng(5)))
    together = warp(images, A, b)
    for i in range(12):
        torch.testing.assert_close(
            warp(images[i : i + 1], A[i : i + 1], b[i : i + 1])[0], together[i], rtol=0, atol=1e-11
        )


def test_the_same_seed_gives_the_same_bits_and_only_the_given_stream_is_drawn_from() -> None:
    images, before = noise(8, 3, 16, 16, dtype=torch.float32), torch.get_rng_state()
    first, second, other = (ada_pipeline.augment(images, 0.7, rng(s)) for s in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())
    a, b = rng(1), rng(1)
    ada_pipeline.augment(images, 0.1, a), ada_pipeline.augment(images, 1.0, b)
    assert torch.equal(a.get_state(), b.get_state())


def test_gradients_to_second_order_by_finite_differences() -> None:
    images = noise(2, 3, 5, 5).requires_grad_()

    def seen(x: Tensor) -> Tensor:
        return ada_pipeline.augment(x, 1.0, rng(6))

    assert torch.autograd.gradcheck(seen, (images,))
    assert torch.autograd.gradgradcheck(lambda x: seen(x).pow(3).mean((1, 2, 3)), (images,))


COUNT = 20_000


def share(chosen: Tensor) -> float:
    return chosen.double().mean().item()


def test_draws_at_p_1() -> None:
    """Means and spreads within five standard errors of 20,000 draws."""
    g, c = draw_geometry(COUNT, 1.0, 32, 32, rng(8)), draw_colour(COUNT, 1.0, rng(9))
    root = math.sqrt(COUNT)
    for halves in (g.flip, c.negate):
        assert set(halves.tolist()) == {0.0, 1.0} and share(halves == 1) == pytest.approx(0.5, abs=2.5 / root)
    for k in range(4):
        assert share(g.quarters == k) == pytest.approx(0.25, abs=2.2 / root)
    for axis in (0, 1):
        for shift, part in {-4: 1 / 16, 4: 1 / 16, 0: 1 / 8, 3: 1 / 8}.items():  # rounded from the uniform on [-4, 4]
            assert share(g.shift[:, axis] == shift) == pytest.approx(part, abs=1.7 / root)
    normal = [(g.scale.log2(), 0.2), (g.stretch.log2(), 0.2), (g.offset[:, 0], 4.0), (g.offset[:, 1], 4.0)]
    normal += [(c.brightness, 0.2), (c.contrast.log2(), 0.5), (c.saturation.log2(), 1.0)]
    for values, std in normal:
        assert values.mean().item() == pytest.approx(0, abs=5 * std / root)
        assert values.std().item() == pytest.approx(std, abs=5 * std / math.sqrt(2 * COUNT))
    for angle in (g.before, g.after, c.hue):
        assert angle.abs().max() <= math.pi and angle.mean().item() == pytest.approx(0, abs=5 * 1.82 / root)
        assert angle.square().mean().item() == pytest.approx(math.pi**2 / 3, abs=5 * 2.95 / root)
    together = torch.stack([g.flip, g.quarters, *g.shift.T, g.scale, g.before, g.stretch, g.after, *g.offset.T])
    assert (torch.corrcoef(together) - torch.eye(len(together), dtype=F64)).abs().max() < 5 / root


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5])
def test_every_transform_has_probability_p(p: float) -> None:
    g, c = draw_geometry(COUNT, p, 32, 32, rng(10)), draw_colour(COUNT, p, rng(11))
    error = 2.6 / math.sqrt(COUNT)
    for moved in (
        g.scale != 1,
        g.stretch != 1,
        g.offset[:, 0] != 0,
        (g.before != 0) | (g.after != 0),
        c.brightness != 0,
        c.contrast != 1,
        c.hue != 0,
        c.saturation != 1,
    ):
        assert share(moved) == pytest.approx(p, abs=error)
    for angle in (g.before, g.after):
        assert share(angle != 0) == pytest.approx({0.0: 0.0, 0.3: 0.16334, 0.5: 0.29289}[p], abs=error)
    for halved in (g.flip != 0, c.negate != 0):
        assert share(halved) == pytest.approx(p / 2, abs=error)
    assert share(g.quarters != 0) == pytest.approx(0.75 * p, abs=error)
    assert torch.equal(g.offset[:, 0] != 0, g.offset[:, 1] != 0)  # both axes or none
    assert (p > 0) == bool((g.scale[1:] != g.scale[:-1]).any())


def test_beyond_1_is_as_at_1() -> None:
    at_1, beyond = (draw_geometry(50, p, 32, 32, rng(12)) for p in (1.0, 1.7))
    assert all(torch.equal(getattr(at_1, f.name), getattr(beyond, f.name)) for f in dataclasses.fields(Geometry))


def after_d(
    part: Part,
    signs: Tensor,
    *,
    batch: int | None = None,
    step: int = 0,
    total: int | None = None,
    loss: Loss | None = None,
) -> None:
    """One D step that saw reals with logits of these signs."""
    nothing = torch.empty(0)
    real = Side(torch.empty(batch or len(signs), 1, 1, 1), nothing, signs * 0.37, [])
    fake = Side(nothing, nothing, nothing, [])
    part.after_d(Moment(step, nn.Identity(), nn.Identity(), real, fake, nothing, loss or Loss(), nothing, rng(), total))


def reals(r: float, batch: int) -> Tensor:
    """(batch,) of signs with mean r as near as it goes."""
    positive = round(batch * (1 + r) / 2)
    return torch.cat([torch.ones(positive), -torch.ones(batch - positive)])


def adaptive(**changes: object) -> ada.Ada:
    return ada.build(**(dict(pipe="bgc", target=0.6, kimg=500, every=4, schedule="adaptive") | changes))


def test_p_moves_by_batch_times_every_over_kimg_each_fourth_step() -> None:
    part, seen = adaptive(), []
    for _ in range(12):
        after_d(part, reals(0.9, 64))
        seen.append(part.p)
    assert seen == pytest.approx(
        [0, 0, 0, 5.12e-4] + [5.12e-4] * 3 + [10.24e-4] + [10.24e-4] * 3 + [15.36e-4], abs=1e-12
    )


@pytest.mark.parametrize(
    ("r", "expected"), [(0.61, 0.1 + 4 * 200 / 500_000), (0.59, 0.1 - 4 * 200 / 500_000), (0.60, 0.1)]
)
def test_p_rises_above_the_target_falls_below_it_and_stays_on_it(r: float, expected: float) -> None:
    part = adaptive()
    part.p = 0.1
    for _ in range(4):
        after_d(part, reals(r, 200))
    assert part.p == pytest.approx(expected, abs=1e-12)


def test_p_is_never_below_0_and_500_kimg_of_certainty_make_it_1_and_more_go_beyond() -> None:
    part = adaptive()
    for _ in range(40):
        after_d(part, reals(-1.0, 64))
    assert part.p == 0
    for _ in range(500):
        after_d(part, reals(1.0, 1000))
    assert part.p == pytest.approx(1.0, abs=1e-9)
    for _ in range(4):
        after_d(part, reals(1.0, 1000))
    assert part.p == pytest.approx(1.008, abs=1e-9)


def test_r_is_the_mean_over_all_reals_since_the_last_move_and_no_others() -> None:
    part = adaptive(every=2, kimg=1, target=0.0)
    (
        after_d(part, reals(1.0, 10)),
        after_d(part, reals(-1.0, 30)),
    )  # the last batch's sign, and the mean of the batches' means, say otherwise
    after_d(part, reals(1.0, 16)), after_d(part, reals(-1.0, 10))
    assert part.p == pytest.approx(0.026)  # down (held at 0), then up by 26 images of 1000
    copied = adaptive(every=1, kimg=1)
    copied.p = 0.5
    after_d(copied, reals(0.4, 20), batch=10)  # two copies of each image: all are judged, and ten images were shown
    assert copied.p == pytest.approx(0.49)


def test_the_loss_says_which_logit_is_watched() -> None:
    class Real(Loss):
        def verdict(self, side: Side) -> Tensor:
            return side.logits[:, -2]

    logits = torch.stack([torch.full((8,), v) for v in (-1.0, -1.0, 1.0, -1.0)], 1)
    watched, all_of_them = adaptive(every=1), adaptive(every=1)
    after_d(watched, logits, loss=Real()), after_d(all_of_them, logits)
    assert watched.p == pytest.approx(8 / 500_000) and all_of_them.p == 0


def test_linear_goes_to_the_target_whatever_d_says() -> None:
    part = adaptive(schedule="linear", every=4)
    for step in range(100):
        after_d(part, reals(-1.0, 8), step=step, total=100)
        assert part.p == pytest.approx(0.6 * (4 * ((step + 1) // 4)) / 100)
    assert part.p == pytest.approx(0.6)
    with pytest.raises(GanbenchError, match="number of steps"):
        after_d(adaptive(schedule="linear", every=1), reals(1.0, 8))


def test_a_checkpoint_within_a_window_changes_nothing() -> None:
    straight, first, second = adaptive(), adaptive(), adaptive()
    windows = [reals(r, 50) for r in (1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 0.2, 0.8)]
    for signs in windows:
        after_d(straight, signs)
    for signs in windows[:3]:
        after_d(first, signs)
    second.load_state_dict(first.state_dict())
    for signs in windows[3:]:
        after_d(second, signs)
    assert second.state_dict() == straight.state_dict() and straight.p > 0


def test_at_p_0_the_images_themselves_are_seen() -> None:
    images, part, stream = noise(4, 3, 8, 8), adaptive(), rng()
    assert part.augment(images, True, stream) is images
    part.p = 1e-9
    torch.testing.assert_close(part.augment(images, True, stream), images, rtol=0, atol=1e-11)


def test_a_suite_may_name_ada_and_not_its_pipeline() -> None:
    fields = dict(pipe="bgc", target=0.6, kimg=500, every=4, schedule="adaptive")
    plugin("methods", "ada").check(fields)
    assert "ada-pipeline" not in plugins("methods")
    for wrong in (dict(pipe="bg"), dict(schedule="cosine"), dict(every=1.5)):
        with pytest.raises(GanbenchError):
            plugin("methods", "ada").check(fields | wrong)
    for wrong in (dict(kimg=0), dict(every=0), dict(target=1.2)):
        with pytest.raises(GanbenchError, match="kimg > 0"):
            ada.build(**(fields | wrong))


@pytest.mark.parametrize("schedule", ["adaptive", "linear"])
def test_training_goes_on_from_a_checkpoint_with_the_same_bits(schedule: str) -> None:
    """In a real pair, whose D sees augmented images as soon as p moves; G learns through them."""
    parts = (("ada", {"pipe": "bgc", "target": 0.6, "kimg": 2.0, "every": 2, "schedule": schedule}),)
    batch = (noise(64, 1, 28, 28, dtype=torch.float32), None)
    gans = [Gan(recipe(parts=parts), 0, total_steps=7) for _ in range(2)]
    for gan in gans:
        gan.parts[0].p = 0.5
    for _ in range(7):
        train_step(gans[0], lambda: batch)
    for _ in range(3):
        train_step(gans[1], lambda: batch)
    resumed = Gan(recipe(parts=parts), 0, total_steps=7)
    resumed.load_state_dict(gans[1].state_dict())
    for _ in range(4):
        train_step(resumed, lambda: batch)
    assert resumed.parts[0].p == gans[0].parts[0].p not in (0.0, 0.5)
    for player in ("G", "D"):
        for a, b in zip(getattr(resumed, player).parameters(), getattr(gans[0], player).parameters(), strict=True):
            assert torch.equal(a, b)
