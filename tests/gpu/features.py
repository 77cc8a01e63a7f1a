"""Feature extractors on the device beside the CPU, in float32 without TF32, through the code that measures with them.

Where an extractor's weights are not here, its network has random ones: what is tried is arithmetic. On a GPU the
distance that TF32 would make is told, too; it shows that the limit could tell.
"""

from __future__ import annotations

import importlib
import unittest.mock
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.metrics import extractors
from benchmark.metrics.extract import extract
from benchmark.metrics.extractors import BATCH, Extractor
from benchmark.metrics.fidelity import fidelity
from tests.gpu.machine import clock, release, tf32
from tests.gpu.pair import distance

LIMIT = 1e-4
IMAGES = {"cpu": 16, "cuda": 128}


def features(name: str, device: str) -> dict[str, Any]:
    """Distances of features, logits and the features' covariance, and images a second on the device."""
    x = torch.randint(
        0, 256, (IMAGES[device.split(":")[0]], 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    try:
        own, there = _load(name, "cpu"), _load(name, device)
    except ImportError as error:
        return {"state": "not tried", "why": f"{error}; the wheels are in tests/gpu/__init__.py"}
    exact = extract(lambda: iter([x]), own, None)
    mark = clock(device)
    found = extract(lambda: iter([x]), there, None)
    seconds = clock(device) - mark
    apart = {
        "features": distance([_of(found.features)], [_of(exact.features)]),
        "logits": distance([_of(found.logits)], [_of(exact.logits)]),
        "covariance": distance(*([torch.from_numpy(side.moments.covariance)] for side in (found, exact))),
    }
    told: dict[str, Any] = apart | {"images_s": len(x) / seconds, "weights": own.sha256}
    if device != "cpu":
        with tf32(True), torch.no_grad():
            told["TF32 would be"] = distance(
                [there.module(x[:BATCH].to(device))[0].cpu()], [_of(exact.features)[:BATCH]]
            )
    release()
    wrong = [f"{k} {v:.2g} > {LIMIT}" for k, v in apart.items() if not v <= LIMIT]
    return told | {"state": "failed" if wrong else "ok", "why": "; ".join(wrong)}


def _of(tensor: Tensor | None) -> Tensor:
    assert tensor is not None  # extract keeps what it is asked for
    return tensor


def _load(name: str, device: str) -> Extractor:
    """With its weights if they are here; raises ImportError where a package is not."""
    if extractors.missing(name) is None:
        return extractors.load(name, device=device)
    file = importlib.import_module(f"benchmark.metrics.extractors.{name.replace('-', '_')}")
    torch.manual_seed(0)
    module = file.build(_random(NETWORKS[name]())).to(device).eval().requires_grad_(False)
    return Extractor(name, "random", file.DIMENSION, module)


def _random(network: nn.Module) -> dict[str, Tensor]:
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)  # the maps neither vanish nor explode on their way
    return network.state_dict()


def _inception() -> nn.Module:
    """torch-fidelity's network, which otherwise asks for its weights when it is made."""
    try:
        module = fidelity("feature_extractor_inceptionv3")
    except Exception as error:
        raise ImportError(str(error)) from None
    kind = module.FeatureExtractorInceptionV3
    with (
        unittest.mock.patch.object(module, "load_state_dict_from_url", lambda *a, **k: {}),
        unittest.mock.patch.object(kind, "load_state_dict", lambda *a: None),
    ):
        return kind("random", ["2048", "logits_unbiased"])


def _lite0() -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    return EfficientNet.from_name("efficientnet-lite0")


NETWORKS = {"efficientnet-lite0": _lite0, "inception-2015-12-05": _inception}
