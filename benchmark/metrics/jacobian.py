"""The theory paper's statistics of a pair of players, one value a noise (Tables 1 and 2, Figures 1, 3, 4).

With f = D's logit, D = σ(f) and V_g = log(1 − D(G(z))) (the paper's ψ3 = log, section 3):

    V_g     log(1 − D(G(z))) = −softplus(f)
    D_G     −D(G(z)): the paper prints the sign so that lower is better
    jac_D   ‖∂D(x)/∂x‖_F at x = G(z), of the sigmoid output: at most 1/4 under spectral norm on D
    jac_V   ‖∂V_g/∂z‖_F; its maximum over the noises is the paper's L_Vg
    jac_G   ‖∂G(z)/∂z‖_F, the whole (pixels × z_dim) Jacobian

Every value is exact (forward and reverse mode, no sampling of directions). G must couple no
samples: with BatchNorm that means eval mode.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.func import jvp, vmap
from torch.nn.functional import softplus

from benchmark.pulse import beat

QUANTITIES = ("V_g", "D_G", "jac_D", "jac_V", "jac_G")
CHUNK = 500  # noises at a time
JAC_G_CHUNK = {
    "cpu": 16,
    "cuda": 250,
}  # each holds z_dim tangents: on a CPU they should stay in the cache (measured: 24 s against 62 s)


def statistics(G: nn.Module, D: nn.Module, z: Tensor, quantities: Collection[str] = QUANTITIES) -> dict[str, Tensor]:
    """Each quantity for each noise.

    Args:
        G, D: the players, in eval mode.
        z: (n, z_dim) noises.
        quantities: a subset of ``QUANTITIES``; ``jac_G`` costs z_dim times a forward pass of G.

    Returns:
        float32 (n,) for each quantity asked for.
    """
    chunks = [_chunk(G, D, part, quantities) for part in z.split(CHUNK)]
    return {name: torch.cat([c[name] for c in chunks]) for name in chunks[0]}


def _chunk(G: nn.Module, D: nn.Module, z: Tensor, quantities: Collection[str]) -> dict[str, Tensor]:
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        x = G(z)
        f = D(x)
        v_g = -softplus(f)
        score = torch.sigmoid(f)
        (dx,) = torch.autograd.grad(score.sum(), x, retain_graph=True)
        (dz,) = torch.autograd.grad(v_g.sum(), z)
    values = {"V_g": v_g, "D_G": -score, "jac_D": dx.flatten(1).norm(dim=1), "jac_V": dz.norm(dim=1)}
    if "jac_G" in quantities:
        parts = z.split(JAC_G_CHUNK.get(z.device.type, CHUNK))
        norms = []
        for part in parts:
            beat()
            norms.append(generator_jacobian_norm(G, part))
        values["jac_G"] = torch.cat(norms)
    return {name: value.detach() for name, value in values.items() if name in quantities}


@torch.no_grad()
def generator_jacobian_norm(G: nn.Module, z: Tensor) -> Tensor:
    """‖∂G(z)/∂z‖_F for each row of ``z`` (n, z_dim): (n,). Forward mode, all directions at once."""
    basis = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    columns = vmap(lambda direction: jvp(G, (z,), (direction.expand_as(z),))[1])(basis)  # (z_dim, n, C, H, W)
    return columns.flatten(2).square().sum(dim=(0, 2)).sqrt()


def summarise(values: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """Mean, standard deviation over the noises (n − 1) and maximum of each quantity, accumulated in float64."""
    return {
        name: {"mean": v.double().mean().item(), "std": v.double().std().item(), "max": v.max().item()}
        for name, v in values.items()
    }
