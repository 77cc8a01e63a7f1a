"""The InceptionV3 of the TensorFlow graph of 2015-12-05, as torch-fidelity ported it: what the papers measure with."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from benchmark.data.home import expanded, is_file
from benchmark.metrics.fidelity import fidelity

DIMENSION = 2048
FLOPS = 11.4e9  # torchvision's documentation of inception_v3, the same layers: 5.71 G multiplications
RESIZE = "tf1-bilinear"
PROXY = False
CPU_BATCH = 64  # torch-fidelity's own: the last bits of features depend on it
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
PACKAGES = ("torch-fidelity", "torchvision")
FILE = "weights-inception-2015-12-05-6726825d.pth"
MISSING = (
    f"get {FILE} from torch-fidelity's release v0.2.0 (github.com/toshas/torch-fidelity) and give its path with "
    "--weights, or in GANBENCH_WEIGHTS"
)


def weights() -> Path | None:
    """The file that ``$GANBENCH_WEIGHTS`` names, else the one where torch-fidelity's own download puts it.

    Raises:
        GanbenchError: nobody can say whether it is there.
    """
    if chosen := os.environ.get("GANBENCH_WEIGHTS"):
        path = expanded(chosen, "GANBENCH_WEIGHTS")
        return path if is_file(path, "GANBENCH_WEIGHTS") else None
    home = os.environ.get("TORCH_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/torch"
    path = expanded(home, "TORCH_HOME") / "hub" / "checkpoints" / FILE
    return path if is_file(path, "TORCH_HOME") else None


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
