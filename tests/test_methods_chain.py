"""CHAIN against the slides' formulas, the released code's rules, and a training step of the test's own."""

import pytest
import torch
from torch import nn

from benchmark.errors import GanbenchError
from benchmark.methods import chain, chain_layer, non_saturating
from benchmark.methods.part import Moment, Side
from benchmark.networks import biggan

ARGUMENTS = dict(
    version="running",
    norm="arms",
    weight=20,
    p0=0.0,
    tau=0.5,
    delta_p=0.001,
    start=5000,
    decay=0.9,
    eps=1e-5,
    blocks="all",
)


def layer(p: float, channels: int = 5, **changes) -> chain_layer.ChainLayer:
    """One layer, outside of a network, in the pass of D over real images."""
    part = chain.build(**{**ARGUMENTS, **changes})
    part.shared.p = p
    part.before_pass("d-real", torch.Generator().manual_seed(0))
    return chain_layer.ChainLayer(channels, part.shared, part.version, part.norm, part.decay, part.eps)


def features(seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """(6, 5, 4, 3), channels of very different size and with means, one of them nearly dead."""
    y = torch.randn(6, 5, 4, 3, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    return (y + torch.linspace(-1, 1, 5, dtype=dtype)[:, None, None]) * torch.tensor(
        [3.0, 1e-3, 1.0, 0.2, 10.0], dtype=dtype
    )[:, None, None]


def slides(y: torch.Tensor, mask: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """CHAIN_batch as printed."""
    psi = (y.square().mean([0, 2, 3], keepdim=True) + eps).sqrt()
    return (1 - mask) * y + mask * (y / psi * psi.min().detach())


# --- the layer ----------------------------------------------------------------------------------------------------


def test_batch_version_at_p_one(float64: None) -> None:
    """|out/in| is ψ_min/ψ ≤ 1, and all channels come out with one root mean square, but for ε."""
    y = features()
    out = layer(1.0, version="batch", eps=1e-12)(y)
    rms = y.square().mean((0, 2, 3)).sqrt()
    torch.testing.assert_close(out / y, (rms.min() / rms)[:, None, None].expand_as(y), rtol=1e-5, atol=0)
    assert (out / y).max() <= 1 + 1e-6 and out.square().mean((0, 2, 3)).sqrt().std() < 1e-5
    out = layer(1.0, version="batch", eps=1e-12, norm="no-lipschitz")(y)
    torch.testing.assert_close(out.square().mean((0, 2, 3)), torch.ones(5), rtol=1e-5, atol=0)


@pytest.mark.parametrize("version", ["batch", "running"])
def test_at_p_zero_nothing_happens(version: str) -> None:
    y, one = features(dtype=torch.float32), layer(0.0, version=version)
    before = {k: v.clone() for k, v in one.state_dict().items()}
    state = one.shared.rng.get_state()
    assert one(y) is y and all(torch.equal(v, before[k]) for k, v in one.state_dict().items())
    assert torch.equal(one.shared.rng.get_state(), state), "nothing is drawn"


def test_the_mask_is_bernoulli_for_each_image_and_channel(float64: None) -> None:
    """A channel of an image is normalised as a whole or left; draws differ between images, channels and passes."""
    y = torch.randn(400, 5, 2, 2) * torch.tensor([1.0, 2, 3, 4, 5])[:, None, None]
    one = layer(0.3, version="batch")
    first, second = (((one(y) - y).abs() > 1e-9).double() for _ in range(2))
    whole = first[:, 1:]  # channel 0 has ψ_min: there normalising changes nothing
    assert torch.equal(whole.amax((2, 3)), whole.amin((2, 3)))
    assert abs(whole[:, :, 0, 0].mean() - 0.3) < 0.05
    assert abs(torch.corrcoef(whole[:, :, 0, 0].T)[~torch.eye(4, dtype=torch.bool)]).max() < 0.2 and not torch.equal(
        first, second
    )


@pytest.mark.parametrize("p", [0.4, 1.0])
@pytest.mark.parametrize("version", ["batch", "running"])
def test_without_decay_both_versions_are_the_slides(version: str, p: float, float64: None) -> None:
    """Values and gradients, by autograd on the printed code and the same mask (the running version drops ε in
    ψ_min).
    """
    y, upstream, eps = features().requires_grad_(), torch.randn(6, 5, 4, 3), 1e-12
    one = layer(p, version=version, decay=0.0, eps=eps)
    out = one(y)
    mask = (torch.rand(6, 5, 1, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) <= p).double()
    expected = slides(y, mask, eps)
    torch.testing.assert_close(out, expected, rtol=1e-5 if version == "running" else 1e-12, atol=1e-12)
    ours, theirs = (torch.autograd.grad(o, y, upstream)[0] for o in (out, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-5 if version == "running" else 1e-10, atol=1e-10)


def test_running_gradient_equals_finite_differences_without_decay(float64: None) -> None:
    """Of the printed formula with the scale ψ_min held, which carries no gradient."""
    y, eps = features().requires_grad_(), 1e-9
    upstream, scale = torch.randn(6, 5, 4, 3), features().square().mean((0, 2, 3)).min().sqrt()
    ours = torch.autograd.grad(layer(1.0, decay=0.0, eps=eps)(y), y, upstream)[0]
    for index in ((0, 0, 0, 0), (3, 2, 1, 2), (5, 4, 3, 1), (2, 1, 0, 0), (1, 3, 2, 2)):
        step = torch.zeros_like(y)
        step[index] = 1e-6 * y.detach()[:, index[1]].abs().max()
        values = [
            (v * scale / (v.square().mean((0, 2, 3), keepdim=True) + eps).sqrt() * upstream).sum()
            for v in (y.detach() + step, y.detach() - step)
        ]
        assert ours[index].item() == pytest.approx(
            (values[0] - values[1]).item() / (2 * step[index].item()), rel=1e-4, abs=1e-9
        )


def test_running_statistics_and_gradient_follow_the_released_rules(float64: None) -> None:
    """Four passes, one after the other, against the rules written out with the quotient on Y."""
    one, run, phi = layer(0.5), torch.ones(5), torch.zeros(5)
    draws = torch.Generator().manual_seed(0)
    for n in range(4):
        y, upstream = features(n).requires_grad_(), torch.randn(6, 5, 4, 3)
        mask = (torch.rand(6, 5, generator=draws, dtype=torch.float64) <= 0.5).double()[..., None, None]
        out = one(y)
        (grad,) = torch.autograd.grad(out, y, upstream)
        with torch.no_grad():
            run = 0.9 * run + 0.1 * y.square().mean((0, 2, 3))
            psi, scale = (run + 1e-5).sqrt()[:, None, None], run.min().sqrt()
            torch.testing.assert_close(out, (1 - mask) * y + mask * (y / psi * scale))
            g = upstream * mask * scale
            phi = 0.9 * phi + 0.1 * (y / psi * g).mean((0, 2, 3))
            torch.testing.assert_close(grad, upstream * (1 - mask) + (g - phi[:, None, None] * (y / psi)) / psi)
        torch.testing.assert_close(one.square_real, run)
        torch.testing.assert_close(one.gradient_d_real, phi)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_the_slides_bound_on_gradients(p: float, float64: None) -> None:
    """‖Δy‖² ≤ ‖Δẏ‖²·(((1−p)ψ + pψ_min)/ψ)² − 2(1−p)p·ψ_min/(Bψ)·(Δẏᵀỹ)² for each channel, and ‖Δw‖ ≤ λ_max‖Δy‖; of E
    over M.

    The gradient is linear in M, so that its expectation is the gradient with M = p. Y = AW, with A (B, d).
    """
    for seed in range(20):
        torch.manual_seed(seed)
        A, W = torch.randn(12, 7), torch.randn(7, 5) * torch.rand(5) * 3
        W.requires_grad_()
        y = A @ W
        out = chain_layer.batch_arms(y[..., None, None], torch.full((12, 5), p), 1e-5, lipschitz=True)
        upstream = torch.randn(12, 5)
        at_y, at_w = torch.autograd.grad(out, (y, W), upstream[..., None, None])
        psi = (y.detach().square().mean(0) + 1e-5).sqrt()
        low = psi.min()
        inner = (upstream * y.detach() / psi).sum(0).square()
        bound = (
            upstream.square().sum(0) * (((1 - p) * psi + p * low) / psi).square()
            - 2 * (1 - p) * p * low / (12 * psi) * inner
        )
        assert (at_y.square().sum(0) <= bound * (1 + 1e-9)).all()
        assert (at_w.norm(dim=0) <= torch.linalg.matrix_norm(A, 2) * at_y.norm(dim=0) * (1 + 1e-9)).all()
    masks = (torch.rand(20_000, 12, 5) <= p).double()
    total = sum(
        torch.autograd.grad(
            chain_layer.batch_arms(y[..., None, None], m, 1e-5, True), y, upstream[..., None, None], retain_graph=True
        )[0]
        for m in masks[:400]
    )
    assert (total / 400 - at_y).abs().max() < 0.25 * upstream.abs().max(), "a mean over masks comes near"


def test_without_the_lipschitz_factor_the_bound_breaks(float64: None) -> None:
    y = features()[:, :, 0, 0].requires_grad_()
    out = chain_layer.batch_arms(y[..., None, None], torch.ones(6, 5), 1e-12, lipschitz=False)
    upstream = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    (grad,) = torch.autograd.grad(out, y, upstream[..., None, None])
    assert grad[:, 1].norm() > 100 * upstream[:, 1].norm(), "the nearly dead channel's gradient explodes"


def test_second_order_is_refused_by_the_running_version_and_right_in_the_batch_version(float64: None) -> None:
    """The running version's gradient is defined and has no derivative: what autograd would make of it is off by several
    percent.
    """
    y = torch.randn(4, 4, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    with pytest.raises(GanbenchError, match="take 'version: batch'"):
        torch.autograd.grad(layer(1.0, 4)(y).square().sum(), y, create_graph=True)
    batch = layer(1.0, 4, version="batch")
    assert torch.autograd.gradgradcheck(lambda v: chain_layer.batch_arms(v, torch.ones(4, 4), 1e-5, lipschitz=False), y)
    (first,) = torch.autograd.grad(batch(y).pow(3).sum(), y, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), y)

    class Released(torch.autograd.Function):
        """The gradient of the running version without decay, with Ŷ a saved number: differentiable in g alone."""

        @staticmethod
        def forward(ctx, v):
            psi = (v.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
            ctx.save_for_backward(v / psi, psi, psi.min())
            return v / psi * psi.min()

        @staticmethod
        def backward(ctx, g):
            unit, psi, scale = ctx.saved_tensors
            return (g * scale - (unit * g * scale).mean((0, 2, 3), keepdim=True).detach() * unit) / psi

    (theirs,) = torch.autograd.grad(Released.apply(y).pow(3).sum(), y, create_graph=True)
    torch.testing.assert_close(theirs, first)
    (wrong,) = torch.autograd.grad(theirs.square().sum(), y)
    assert abs(wrong.norm() / second.norm() - 1) > 0.05


def test_ablations_that_centre(float64: None) -> None:
    """0C: (Y − μ) normalised, at p = 0 centred alone. A0C: where M is 1, and Y elsewhere. Neither has 0MR."""
    y = features()
    centred = y - y.mean((0, 2, 3), keepdim=True)
    for version in ("batch", "running"):
        close = dict(rtol=1e-10 if version == "batch" else 1e-5, atol=1e-12)
        of = dict(version=version, eps=1e-12, decay=0.0)
        torch.testing.assert_close(layer(0.0, norm="centred", **of)(y), centred)
        assert layer(0.0, norm="adaptive-centred", **of)(y) is y
        mask = (torch.rand(6, 5, 1, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) <= 0.4).double()
        normal = slides(centred, torch.ones(()), 1e-12)
        torch.testing.assert_close(layer(0.4, norm="centred", **of)(y), (1 - mask) * centred + mask * normal, **close)
        one = layer(0.4, norm="adaptive-centred", **of)
        torch.testing.assert_close(one(y), (1 - mask) * y + mask * normal, **close)
        assert one.shared.squares == []


# --- in a network -------------------------------------------------------------------------------------------------


def network(**changes) -> tuple[chain.Chain, nn.Module]:
    """The part, and a narrow BigGAN D at 32 pixels with its layers."""
    torch.manual_seed(0)
    G, D = biggan.build(
        (3, 32, 32), 8, 3, width=0.0625, ch=64, head="projection", attention=0, shared_dim=0, z_chunks=1, init="xavier"
    )
    part = chain.build(**{**ARGUMENTS, **changes})
    part.build(G, D)
    return part, D


def d_step(part: chain.Chain, D: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> tuple[Side, Side]:
    """The announced passes of a D step."""
    sides = []
    for view, x in (("d-real", real), ("d-fake", fake)):
        part.before_pass(view, torch.Generator().manual_seed(1))
        sides.append(Side(x, x, D(x, torch.zeros(len(x), dtype=torch.long)), []))
        part.after_pass()
    return sides[0], sides[1]


@pytest.mark.parametrize(("blocks", "layers"), [("all", 10), ("down", 6), ("1", 3), ("2, 4", 5), ("3", 2)])
def test_where_the_layers_are(blocks: str, layers: int) -> None:
    """After conv1, conv2 and the skip's convolution; blocks 3 and 4 of BigGAN at 32 pixels have identity skips and do
    not halve.
    """
    _, D = network(blocks=blocks)
    assert sum(isinstance(m, chain_layer.ChainLayer) for m in D.modules()) == layers
    for block in D.blocks:
        for name in ("conv1", "conv2", "skip"):
            wrapped = getattr(block, name)
            assert not isinstance(wrapped, nn.Sequential) or [type(m) for m in wrapped] == [
                nn.Conv2d,
                chain_layer.ChainLayer,
            ]


@pytest.mark.parametrize(
    ("blocks", "says"), [("5", "'5' is none of 'all', 'down' and 1 to 4"), ("", "'' is none"), ("1,two", "'two'")]
)
def test_blocks_that_are_not_there(blocks: str, says: str) -> None:
    with pytest.raises(GanbenchError, match=says):
        network(blocks=blocks)
    with pytest.raises(GanbenchError, match="D has none"):
        chain.build(**ARGUMENTS).build(nn.Identity(), nn.Linear(1, 1))


def test_the_layers_sit_before_pooling_and_after_the_first_skips_own() -> None:
    """Sizes that the layers of the first two blocks see: conv1, conv2, skip."""
    part, D = network(blocks="down")
    sizes = []
    for m in D.modules():
        if isinstance(m, chain_layer.ChainLayer):
            m.register_forward_hook(lambda _, given, out: sizes.append(given[0].shape[2]))
    d_step(part, D, torch.randn(2, 3, 32, 32), torch.randn(2, 3, 32, 32))
    assert sizes[:6] == [32, 32, 16, 16, 16, 16], "block 1 pools before its skip's convolution, block 2 after"


def test_zero_mean_regularisation_of_constants() -> None:
    """λ·(p + p0)·C·k² for each layer and pass where Y is k everywhere; nothing from G's pass."""
    part, D = network(p0=0.1)
    with torch.no_grad():
        for block in D.blocks:
            for wrapped in (block.conv1, block.conv2, block.skip):
                if wrapped is not None:
                    wrapped[0].weight.zero_()
                    wrapped[0].bias.fill_(0.5)
    x = torch.randn(2, 3, 32, 32)
    for p in (0.0, 0.4):
        part.shared.p = p
        real, fake = d_step(part, D, x, x)
        part.before_pass("g-fake", torch.Generator().manual_seed(0))
        D(x, torch.zeros(2, dtype=torch.long))
        part.after_pass()
        moment = Moment(0, D, D, real, fake, x, None, torch.zeros(()), torch.Generator())
        assert part.d_penalty(moment).item() == pytest.approx(20 * (p + 0.1) * 2 * 10 * 16 * 0.25, rel=1e-5)
        assert part.d_penalty(moment) is None, "it is used up"


def test_real_and_fake_statistics_are_apart() -> None:
    """A pass of one view moves its own buffers; G's pass moves the fake statistics, and a gradient buffer of its
    own.
    """
    part, D = network()
    part.shared.p = 0.5
    x, label = torch.randn(4, 3, 32, 32), torch.zeros(4, dtype=torch.long)

    def moved(view: str) -> set[str]:
        before = {k: v.clone() for k, v in D.state_dict().items()}
        part.before_pass(view, torch.Generator().manual_seed(0))
        logits = D(x, label)
        part.after_pass()
        logits.sum().backward()
        return {k.rsplit(".", 1)[1] for k, v in D.state_dict().items() if not torch.equal(v, before[k])}

    assert moved("d-real") == {"square_real", "gradient_d_real"}
    assert moved("d-fake") == {"square_fake", "gradient_d_fake"}
    assert moved("g-fake") == {"square_fake", "gradient_g_fake"}
    part.shared.p = 0.0
    assert moved("d-real") == moved("g-fake") == set()
    with pytest.raises(GanbenchError, match="outside the training step's own passes"):
        D(x, label)


def test_p_rises_on_the_seventh_update_and_keeps_within_0_and_1() -> None:
    """All logits positive: r is 0.1, 0.19, 0.271, 0.3439, 0.40951, 0.468559, 0.5217…, first above τ at the seventh."""
    part = chain.build(**{**ARGUMENTS, "start": 3})

    def update(sign: float) -> tuple[float, float]:
        side = Side(torch.empty(0), torch.empty(0), sign * torch.ones(8), [])
        part.after_d(
            Moment(
                0,
                nn.Identity(),
                nn.Identity(),
                side,
                side,
                torch.empty(0),
                non_saturating.build(d_scale=1.0),
                torch.zeros(()),
                torch.Generator(),
            )
        )
        return part.r, part.shared.p

    assert [update(1.0) for _ in range(3)] == [(0.0, 0.0)] * 3, "before start"
    rows = [update(1.0) for _ in range(8)]
    assert [r for r, _ in rows] == pytest.approx([1 - 0.9**n for n in range(1, 9)])
    assert [p for _, p in rows] == pytest.approx([0] * 6 + [0.001, 0.002])
    again = chain.build(**{**ARGUMENTS, "start": 3})
    again.load_state_dict(part.state_dict())
    assert again.state_dict() == part.state_dict() == {"p": 0.002, "r": rows[-1][0], "d_steps": 11}
    for _ in range(1100):
        update(1.0)
    assert part.shared.p == 1.0
    for _ in range(1200):
        update(-1.0)
    assert part.shared.p == 0.0 and part.r == pytest.approx(-1)
