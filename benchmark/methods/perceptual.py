"""How far two images are apart as a network trained on ImageNet sees them; for parts, which declare its ``WEIGHTS``.

With maps f_l of both images, each pixel's vector of channels divided by its length:

    vgg16                LPIPS 0.1 (Zhang et al. 2018), "net-lin" on VGG16's five maps: Σ_l mean over pixels of
                         Σ_c w_lc (f_lc(x) − f_lc(y))², by the authors' package ``lpips``, which has the w in it.
                         FastGAN's and FreGAN's ``PerceptualLoss(model='net-lin', net='vgg')`` is this
    efficientnet-lite0   a proxy for where VGG16's weights are not here: the same with w = 1 on EfficientNet-Lite0's
                         last map at each of its five scales. No paper's numbers are made with it

Images are (B, C, H, W) in [-1, 1]; a grey one counts as three equal colours. The networks are frozen: gradients pass
through them to the images.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError, nearest
from benchmark.torchvision import beside_torchvision
from benchmark.weights.read import state

WEIGHTS = {"features": {"vgg16": ("vgg16", "lpips-vgg"), "efficientnet-lite0": ("efficientnet-lite0",)}}
"""What a part with an argument ``features`` that is handed to ``distance`` declares."""

SCALES = (0, 2, 4, 10, 15)  # EfficientNet-Lite0's blocks with the last map at each scale, 1/2 to 1/32 of the image
EPS = 1e-10


def distance(features: str) -> nn.Module:
    """The frozen network: two images (B, C, H, W) to their distances (B,), which carry gradient to both.

    It is made without a random number; under ``torch.device("meta")``, for counting, also without its weights.

    Raises:
        GanbenchError: there is no such network, its weights or a package are not here, or the file is another.
    """
    if features not in WEIGHTS["features"]:
        raise GanbenchError(f"no features {features!r}{nearest(features, WEIGHTS['features'])}", 2)
    wanted = torch.get_default_device().type
    with torch.device("meta"):
        network: nn.Module = Lpips() if features == "vgg16" else Proxy()
    if wanted != "meta":
        tensors = _lpips_state(network) if features == "vgg16" else _proxy_state()
        network.load_state_dict(tensors, assign=True)
    return network.to(torch.get_default_dtype()).eval().requires_grad_(False)  # D's; the weights are float32


class Lpips(nn.Module):
    """The package's network, which it would fetch VGG16's weights for if it were let."""

    def __init__(self) -> None:
        super().__init__()
        package = beside_torchvision("lpips", "lpips")
        with warnings.catch_warnings():  # it calls torchvision as one did before version 0.13
            warnings.simplefilter("ignore", UserWarning)
            self.net = package.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False)
        with torch.device("cpu"):
            self.net.scaling_layer = package.ScalingLayer()  # its two constants are in no file

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Distances (B,)."""
        return self.net(x, y).flatten()


def _lpips_state(network: nn.Module) -> dict[str, Any]:
    """VGG16's convolutions and the linear weights, by the package's names."""
    vgg, linear = state("vgg16"), state("lpips-vgg")
    found = {name: tensor for name, tensor in network.state_dict().items() if "scaling_layer" in name}
    for slice_, layers in enumerate(((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)), 1):
        for layer in layers:
            for kind in ("weight", "bias"):
                found[f"net.net.slice{slice_}.{layer}.{kind}"] = vgg[f"features.{layer}.{kind}"]
    for n in range(5):
        weight = linear[f"lin{n}.model.1.weight"]
        found |= {f"net.lin{n}.model.1.weight": weight, f"net.lins.{n}.model.1.weight": weight}
    return found


class Proxy(nn.Module):
    """EfficientNet-Lite0 up to its last block."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite0")
        self.stem = nn.Sequential(network._conv_stem, network._bn0, network._swish)
        self.blocks = network._blocks

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Distances (B,)."""
        apart = [(f - g).square().sum(1).mean((1, 2)) for f, g in zip(self.maps(x), self.maps(y))]
        return torch.stack(apart).sum(0)

    def maps(self, images: Tensor) -> list[Tensor]:
        """The five maps, each pixel's channels a vector of length 1."""
        h = self.stem((images.expand(-1, 3, -1, -1) * 127.5 + 0.5) / 128)  # of bytes: (x − 127)/128
        found = []
        for n, block in enumerate(self.blocks):
            h = block(h)
            if n in SCALES:
                found.append(h / (h.square().sum(1, keepdim=True) + EPS).sqrt())
        return found


def _proxy_state() -> dict[str, Any]:
    """What there is of the network up to its last block."""
    names = {"_conv_stem": "stem.0", "_bn0": "stem.1", "_blocks": "blocks"}
    given = state("efficientnet-lite0")
    return {
        f"{names[part]}.{rest}": tensor
        for part, _, rest, tensor in ((*name.partition("."), tensor) for name, tensor in given.items())
        if part in names
    }
