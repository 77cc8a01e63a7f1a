"""What ``ganbench new`` writes: a suite, method or network to begin with, which passes ``list --check`` and runs."""

from __future__ import annotations

import re
from pathlib import Path

from benchmark.catalogue import plugins
from benchmark.errors import GanbenchError
from benchmark.suite.load import NAME, RESERVED

FOLDER = "plugins"

SUITE = """\
# yaml-language-server: $schema=./ganbench.schema.json
# `ganbench list --check {name}.yaml` finds mistakes; `ganbench run {name}.yaml --profile ci` runs it in seconds.
suite: {name}
{plugins}paper: {{title: "Title of the paper", venue: "where it was published"}}

# How the paper's numbers are measured.
protocol:
  metrics: [FID]
  features: inception-2015-12-05
  input_resize: tf1-bilinear
  quantise: round
  real_split: train
  real: 50000
  generated: 50000
  bn_mode: eval
  weights: raw
  checkpoint: last
  std_of: none
  seeds: 1
  # Where the paper says so:  stated: {{"section 5": [generated, real]}}
  notes: {{rest: "to be filled in: where each value comes from, if the paper does not state it"}}
  # On whose word a value stands: code (of the authors), lineage (what that builds on), inferred, or chosen by you.
  kinds: {{chosen: [rest]}}

tolerance:
  FID: {{relative: 0.05, source: "to be filled in: what still counts as the same number, and why"}}

# How each row was trained: every field, nothing has a hidden default.
recipes:
  baseline:
    dataset: cifar10
    split: train
    resolution: 32
    channels: 3
    data_percent: 100
    network: {network}
    z_dim: 128
    z_distribution: normal
    z_scale: 1.0
    loss: {{name: non-saturating, d_scale: 1.0}}
    parts: []
    batch_d: 64
    batch_g: 64
    n_dis: 1
    steps: 50000
    drop_last: true
    player_order: d-first
    share_fakes: false
    d_pass: separate
    optimizer: adam
    lr_g: 2.0e-4
    lr_d: 2.0e-4
    beta1: 0.5
    beta2: 0.999
    adam_eps: 1.0e-8
    precision: float32
    notes: {{rest: "to be filled in"}}
    kinds: {{chosen: [rest]}}
  ours:
    from: baseline
    parts+: [{part}]
    notes: {{parts: "to be filled in"}}
    kinds: {{chosen: [parts]}}

# A smaller version of all rows, to try them; `full` is the paper's own.
profiles:
  ci:
    recipe: {{dataset: shapes, images: 64, steps: 4, batch_d: 16, batch_g: 16{narrow}}}
    protocol: {{features: efficientnet-lite0, input_resize: bilinear, real_split: test, real: 64, generated: 64}}

# As the paper prints them: trailing zeros count, an empty entry is not-reported or not-converged.
tables:
  "1":
    caption: "The caption, as printed"
    metrics: {{FID: lower}}
    rows:
      baseline: {{FID: 20.5}}
      ours: {{FID: 18.0}}

claims:
  - id: ours-is-better
    quote: "The sentence of the paper, word for word"
    where: "section 6"
    holds: {{table: "1", best: ours}}
"""

METHOD = '''\
"""What the method does: its formula, and the paper and equation, or the released code, that it is from."""

from __future__ import annotations

from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods.part import DMoment, Part

VERSION = 1  # raised when what is computed changes: runs are made anew then


def build(*, weight: float) -> Part:
    """``weight``: of the penalty. Keyword arguments are what a suite may give; none has a hidden default."""
    if weight < 0:
        raise GanbenchError(f"{name}: weight must not be negative, found {{weight:g}}", 2)
    return Method(weight)


class Method(Part):
    """To be replaced: the mean of D's squared logits on real images, added to D's loss."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """A scalar added to D's loss. Part's docstring lists all moments of a training step."""
        return self.weight * moment.real.logits.square().mean()
'''

NETWORK = '''\
"""The architecture, and the paper or released code that it is from."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

VERSION = 1  # raised when what is computed changes: runs are made anew then


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: int
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W). ``width``: keyword arguments are what a suite may give."""
    return Generator(image_shape, z_dim, width), Discriminator(image_shape, width)


class Generator(nn.Module):
    """Noises (B, z_dim) to images (B, C, H, W) in [-1, 1]."""

    def __init__(self, shape: tuple[int, int, int], z_dim: int, width: int) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential(nn.Linear(z_dim, width), nn.ReLU(), nn.Linear(width, prod(shape)))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """``labels``: (B,) classes, where the recipe is conditional."""
        return torch.tanh(self.layers(z)).view(-1, *self.shape)


class Discriminator(nn.Module):
    """Images to logits (B,)."""

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(prod(shape), width), nn.Linear(width, 1)

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        """``taps``, where it is given, gets the maps of D's blocks, in order."""
        h = torch.relu(self.first(x.flatten(1)))
        if taps is not None:
            taps.append(h)
        return self.last(h).squeeze(1)
'''


def skeleton(kind: str, name: str) -> dict[Path, str]:
    """Files to write, by path: of a method or network, also a suite beside them that tries it.

    Raises:
        GanbenchError: no suite, file or plug-in can be called that.
    """
    if not NAME.fullmatch(name) or name in RESERVED:
        raise GanbenchError(f"{name[:100]!r} cannot be a name: lower-case letters, digits and dashes, at most 100", 2)
    if kind == "suite":
        return {Path(f"{name}.yaml"): _suite(name)}
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise GanbenchError(f"{name!r} cannot be a file of Python: letters first, single dashes between words", 2)
    if name in plugins(f"{kind}s"):
        raise GanbenchError(f"{kind} {name!r} is one of ganbench's own: choose another name", 2)
    file = Path(FOLDER, f"{kind}s", f"{name.replace('-', '_')}.py")
    text = METHOD.replace("{name}", name).replace("{{", "{").replace("}}", "}") if kind == "method" else NETWORK
    return {file: text, Path(f"{name}.yaml"): _suite(name, kind)}


def _suite(name: str, kind: str = "suite") -> str:
    own = kind == "network"
    return SUITE.format(
        name=name,
        plugins="" if kind == "suite" else f"plugins: ./{FOLDER}\n",
        network=f"{{name: {name}, width: 128}}" if own else "{name: sngan-cnn, width: 1.0}",
        narrow=", network: {width: 16}" if own else ", network: {width: 0.125}",
        part=f"{name}: {{weight: 0.1}}" if kind == "method" else "spectral-norm: {player: D}",
    )
