"""The recipes that stand for all in calibrating: networks of every kind, and what costs otherwise than they do."""

from __future__ import annotations

from typing import Any

from benchmark.recipe import Recipe

_COMMON: dict[str, Any] = dict(
    dataset="shapes",
    split="train",
    data_percent=100.0,
    z_distribution="normal",
    z_scale=1.0,
    n_dis=1,
    steps=1000,
    drop_last=True,
    player_order="d-first",
    share_fakes=False,
    d_pass="separate",
    optimizer="adam",
    lr_g=2e-4,
    lr_d=2e-4,
    beta1=0.0,
    beta2=0.9,
    adam_eps=1e-8,
    precision="float32",
    channels=3,
    loss=("hinge", {"margin": 1.0, "margin_jitter": 0.0}),
)


_SNGAN: dict[str, Any] = {"pool": "sum", "upsample": "nearest", "shortcut": "raw", "head": "linear"}


_BIGGAN: dict[str, Any] = {
    "width": 0.125,
    "ch": 64,
    "head": "projection",
    "attention": 0,
    "shared_dim": 0,
    "z_chunks": 1,
    "init": "N02",
}


_SN = ("spectral-norm", {"player": "D"})


_GP = ("gradient-penalty", {"weight": 10.0, "target": 1.0, "sides": "two"})


def _recipe(network: tuple[str, dict[str, Any]], resolution: int, batch: int, **changes: Any) -> Recipe:
    return Recipe(
        **(
            _COMMON
            | {"network": network, "resolution": resolution, "batch_d": batch, "batch_g": batch, "z_dim": 128}
            | changes
        )
    )


REPRESENTATIVE: dict[str, Recipe] = {
    "mlp": _recipe(
        ("mlp", {"width": 1.0, "bn_eps": 0.8}),
        28,
        64,
        channels=1,
        z_dim=100,
        loss=("non-saturating", {"d_scale": 0.5}),
        parts=(_SN,),
    ),
    "resnet, tiny batch": _recipe(("sngan-resnet", {"width": 0.0625, **_SNGAN}), 32, 4, parts=(_SN,)),
    "resnet, narrow": _recipe(("sngan-resnet", {"width": 0.125, **_SNGAN}), 32, 32, parts=(_SN,)),
    "resnet, penalty": _recipe(("sngan-resnet", {"width": 0.125, **_SNGAN}), 32, 16, parts=(_GP,)),
    "resnet, normalised gradient": _recipe(("sngan-resnet", {"width": 0.125, **_SNGAN}), 48, 16, parts=(("gn", {}),)),
    "resnet, wide": _recipe(("sngan-resnet", {"width": 0.5, **_SNGAN}), 32, 8, parts=(_SN,)),
    "convolutions": _recipe(("dcgan", {"width": 0.25, "g_norm": "batch", "d_norm": "batch"}), 32, 32),
    "many layers": _recipe(
        ("biggan", _BIGGAN), 32, 8, classes=10, d_pass="joint", parts=(_SN, ("spectral-norm", {"player": "G"}))
    ),
    "mlp, large batch": _recipe(("mlp", {"width": 1.0, "bn_eps": 0.8}), 28, 512, channels=1, z_dim=100, parts=(_SN,)),
    "resnet, large images": _recipe(("sngan-resnet", {"width": 0.0625, **_SNGAN}), 128, 4),
    "mlp, tiny batch": _recipe(
        ("mlp", {"width": 0.25, "bn_eps": 0.8}),
        28,
        16,
        channels=1,
        z_dim=100,
        loss=("non-saturating", {"d_scale": 0.5}),
    ),
    "convolutions, tiny batch, penalty": _recipe(
        ("dcgan", {"width": 0.125, "g_norm": "batch", "d_norm": "none"}), 32, 4, parts=(_GP,)
    ),
    "resnet, tiny batch, penalty": _recipe(
        ("sngan-resnet", {"width": 0.0625, **_SNGAN, "upsample": "bilinear"}), 32, 4, parts=(_GP,)
    ),
    "resnet, large images and batch, penalty": _recipe(
        ("sngan-resnet", {"width": 0.125, **_SNGAN, "upsample": "bilinear"}), 64, 32, parts=(_GP,)
    ),
}
"""Steps from a few thousandths of a second to about half of one: bound by calls, by bytes, by narrow and by wide
convolutions.
"""
