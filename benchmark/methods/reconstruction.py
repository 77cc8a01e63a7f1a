"""FastGAN's self-supervision of D (Liu et al. 2021, section 3.2): its maps of real images must say what they saw.

A decoder for each map that the recipe names, trained with D on real images, as D sees them:

    weight · Σ_names d(decoder(map), target)        added to D's loss

    whole      the last map, against the image
    small      the last map of the small image, against the image too
    quadrant   one quadrant of the map before the last, against that quadrant of the image; which one is drawn anew in
               each step, one for the batch

Targets are brought to the decoder's size by taking every n-th pixel. d is ``perceptual.py``'s distance, which FastGAN's
code sums over the batch, beside a mean of the adversarial loss: ``reduction: sum``.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError, nearest
from benchmark.methods.part import DMoment, Part
from benchmark.methods.perceptual import distance
from benchmark.methods.spectral_layer import normalise

VERSION = 1
WEIGHTS = {"features": {"vgg16": ("vgg16", "lpips-vgg"), "efficientnet-lite0": ("efficientnet-lite0",)}}


def build(
    *,
    decoders: str,
    features: Literal["vgg16", "efficientnet-lite0"],
    reduction: Literal["sum", "mean"],
    spectral_norm: bool,
    weight: float,
) -> Part:
    """The part, for a D whose maps can be decoded (``networks/__init__.py``).

    Args:
        decoders: names of maps with commas: of whole, small, quadrant, those that D has.
        features: the distance's network; "vgg16" is LPIPS, the other a proxy for where its weights are not here.
        reduction: of the distances of a batch.
        spectral_norm: the decoders' layers are normalised as D's are by the part ``spectral-norm``.
        weight: of the sum.
    """
    return Reconstruction([name.strip() for name in decoders.split(",")], features, reduction, spectral_norm, weight)


class Reconstruction(Part):
    """Owns the decoders and the frozen distance."""

    needs_features = True

    def __init__(self, names: list[str], features: str, reduction: str, spectral_norm: bool, weight: float) -> None:
        self.names, self.features, self.spectral_norm = names, features, spectral_norm
        self.mean, self.weight = reduction == "mean", weight

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError where D has no such map, or a name is there twice."""
        known = getattr(D, "decodable", None)
        if known is None:
            raise GanbenchError("reconstruction decodes maps of D, and this network's D has none to decode", 2)
        for name in self.names:
            if name not in known:
                raise GanbenchError(f"reconstruction: this D has no map {name!r}{nearest(name, known)}", 2)
        if len(set(self.names)) < len(self.names):
            raise GanbenchError(f"reconstruction: decoders {','.join(self.names)!r} names one twice", 2)
        self.taps = {name: known[name][0] for name in self.names}
        decoder_of: Any = D.decoder
        self.decoders = nn.ModuleDict({name: decoder_of(name) for name in self.names})
        if self.spectral_norm:
            for layer in self.decoders.modules():
                if isinstance(layer, (nn.Linear, nn.Conv2d)):
                    normalise(layer)
        self.distance = distance(self.features)
        return G, D

    def modules(self) -> list[nn.Module]:
        """The decoders."""
        return [self.decoders]

    def frozen(self) -> list[nn.Module]:
        """The distance's network."""
        return [self.distance]

    def d_penalty(self, moment: DMoment) -> Tensor:
        """The weighted sum over decoders."""
        side = moment.real
        found = []
        for name in self.names:
            features, target = side.features[self.taps[name]], side.seen
            if name == "quadrant":
                place = int(torch.randint(4, (), generator=moment.rng, device="cpu"))
                features, target = quadrant(features, place), quadrant(target, place)
            image = self.decoders[name](features)
            apart = self.distance(image, F.interpolate(target, image.shape[2:]).to(image.dtype))
            found.append(apart.mean() if self.mean else apart.sum())
        return self.weight * torch.stack(found).sum()


def quadrant(x: Tensor, place: int) -> Tensor:
    """(B, C, H, W) to (B, C, H/2, W/2): 0 top left, 1 top right, 2 bottom left, 3 bottom right."""
    down, right = divmod(place, 2)
    height, width = x.shape[2] // 2, x.shape[3] // 2
    return x[:, :, down * height : (down + 1) * height, right * width : (right + 1) * width]
