"""The theory paper's statistics against autograd's full Jacobian, finite differences and closed forms."""

import torch
from torch import nn

from benchmark.metrics.jacobian import generator_jacobian_norm, statistics, summarise
from benchmark.networks import mlp


def _pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    G, D = mlp.build((1, 4, 4), 6, None, width=0.05, bn_eps=0.8)
    G(torch.randn(64, 6)), D.train()
    return G.double().eval(), D.double().eval()


def test_each_quantity_equals_its_definition() -> None:
    G, D = _pair()
    z = torch.randn(37, 6, dtype=torch.float64)
    found = statistics(G, D, z)
    for i in range(0, 37, 6):
        zi = z[i : i + 1]
        x = G(zi).detach()
        score = torch.sigmoid(D(x)).item()
        J = torch.autograd.functional.jacobian
        expected = {
            "V_g": torch.log(torch.tensor(1 - score, dtype=torch.float64)),
            "D_G": torch.tensor(-score, dtype=torch.float64),
            "jac_D": J(lambda x: torch.sigmoid(D(x)).sum(), x).norm(),
            "jac_V": J(lambda z: torch.log(1 - torch.sigmoid(D(G(z)))).sum(), zi).norm(),
            "jac_G": J(lambda z: G(z), zi).norm(),
        }
        for name, value in expected.items():
            torch.testing.assert_close(found[name][i], value, rtol=1e-10, atol=1e-12)


def test_generator_jacobian_equals_finite_differences() -> None:
    G, _ = _pair()
    z, h = torch.randn(3, 6, dtype=torch.float64), 1e-6
    columns = [(G(z + h * e) - G(z - h * e)) / (2 * h) for e in torch.eye(6, dtype=torch.float64)]
    expected = torch.stack(columns).flatten(2).square().sum((0, 2)).sqrt()
    torch.testing.assert_close(generator_jacobian_norm(G, z), expected, rtol=1e-6, atol=0)


def test_linear_generator_has_its_weights_norm() -> None:
    G = nn.Sequential(nn.Linear(6, 16), nn.Unflatten(1, (1, 4, 4)))
    torch.testing.assert_close(generator_jacobian_norm(G, torch.randn(20, 6)), G[0].weight.norm().expand(20))


def test_chunks_change_nothing(monkeypatch) -> None:
    import benchmark.metrics.jacobian as room

    G, D = _pair()
    z = torch.randn(50, 6, dtype=torch.float64)
    whole = statistics(G, D, z)
    monkeypatch.setattr(room, "CHUNK", 7)
    monkeypatch.setattr(room, "JAC_G_CHUNK", {"cpu": 3})
    parts = statistics(G, D, z)
    for name in whole:
        torch.testing.assert_close(whole[name], parts[name], rtol=1e-12, atol=0)


def test_mean_loss_is_the_second_order_expansion_that_explains_the_papers_pairs() -> None:
    """E log(1−D) ≈ log(1−D̄) − ½ var/(1−D̄)²: the papers' (V_g, D) pairs agree with it, so V_g is log(1−D)."""
    for v_g, d, std in (
        (-0.657, 0.480, 0.033),
        (-0.667, 0.486, 0.027),
        (-0.696, 0.500, 0.022),
        (-0.670, 0.487, 0.026),
        (-0.701, 0.503, 0.031),
    ):
        expected = torch.log(torch.tensor(1 - d)) - 0.5 * std**2 / (1 - d) ** 2
        assert abs(expected.item() - v_g) < 2e-3


def test_summary_is_in_double_precision() -> None:
    values = {"V_g": torch.full((5000,), 0.1)}
    assert abs(summarise(values)["V_g"]["mean"] - torch.tensor(0.1).double().item()) < 1e-15
