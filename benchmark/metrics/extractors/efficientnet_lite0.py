"""EfficientNet-Lite0, trained on ImageNet, at 64 pixels: installs as a package, so that a bare machine can measure.

Its numbers are on another scale than the papers': never comparable with a published FID, IS or KID.
"""

from __future__ import annotations

from typing import Any

DIMENSION = 1280
FLOPS = 65.2e6  # counted
RESIZE = "bilinear"
PROXY = True
PACKAGES = ("efficientnet-lite-pytorch",)
SIZE = 64
CPU_BATCH = 32  # 0.73 of the time of 64: what passes between the layers stays in the cache


def build(state: dict[str, Any]) -> Any:
    """The network of the package ``efficientnet-lite-pytorch``; images are resized to ``SIZE`` pixels (bilinear,
    antialiased).
    """
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from torch import Tensor, nn
    from torch.nn.functional import interpolate

    class Lite0(nn.Module):
        """Channels last in memory, whatever comes in."""

        def __init__(self) -> None:
            super().__init__()
            self.network = EfficientNet.from_name("efficientnet-lite0")
            self.network.load_state_dict(state)
            self.network.to(memory_format=torch.channels_last)  # 1.4 times as fast on a CPU

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            """(N, 3, H, W) in [0, 255] to features (N, 1280), the last maps' means, and logits (N, 1000)."""
            if x.shape[-2:] != (SIZE, SIZE):
                x = interpolate(x.float(), size=(SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True)
            x = ((x.float() - 127) / 128).contiguous(memory_format=torch.channels_last)
            features = self.network.extract_features(x).mean(dim=(2, 3))
            return features, self.network._fc(features)

    return Lite0()
