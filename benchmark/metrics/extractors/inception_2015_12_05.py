"""The InceptionV3 of the TensorFlow graph of 2015-12-05, as torch-fidelity ported it: what the papers measure with."""

from __future__ import annotations

import io
from typing import Any

from benchmark.metrics.fidelity import fidelity

DIMENSION = 2048
FLOPS = 11.4e9  # torchvision's documentation of inception_v3, the same layers: 5.71 G multiplications
RESIZE = "tf1-bilinear"
PROXY = False
CPU_BATCH = 64  # torch-fidelity's own: the last bits of features depend on it
PACKAGES = ("torch-fidelity", "torchvision")


def build(state: dict[str, Any]) -> Any:
    """torch-fidelity's network, fed with floats too: ``quantise: none`` has no 8-bit images."""
    import torch
    from torch import Tensor, nn

    resize = fidelity("interpolate_compat_tensorflow").interpolate_bilinear_2d_like_tensorflow1x
    network = fidelity("feature_extractor_inceptionv3").FeatureExtractorInceptionV3
    size = (network.INPUT_IMAGE_SIZE, network.INPUT_IMAGE_SIZE)

    class Inception(nn.Module):
        """torch-fidelity's layers, called one by one: its own forward pass takes bytes only."""

        def __init__(self) -> None:
            super().__init__()
            file = (
                io.BytesIO()
            )  # torch-fidelity loads a file without restrictions: it gets one that has been read with them
            torch.save(state, file)
            file.seek(0)
            self.network = network(
                "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=file
            )

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            """(N, 3, H, W) in [0, 255] to features (N, 2048) and logits (N, 1008), which leave out the bias."""
            x = (resize(x.float(), size=size, align_corners=False) - 128) / 128
            for name, layer in self.network.named_children():  # in the order of its forward pass
                if name != "fc":
                    x = layer(x)
            features = x.flatten(1)
            return features, features @ self.network.fc.weight.T

    return Inception()
