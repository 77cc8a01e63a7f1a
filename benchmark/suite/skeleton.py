"""What ``ganbench new`` writes: a suite, or a plug-in with one, which passes ``list --check`` and runs."""

from __future__ import annotations

import re
from pathlib import Path

from benchmark.errors import GanbenchError
from benchmark.suite.load import NAME, RESERVED
from benchmark.suite.skeleton_code import DATASET, EXTRACTOR, METHOD, NETWORK
from benchmark.suite.taken import taken

FOLDER = "plugins"
CODE = {"method": METHOD, "network": NETWORK, "extractor": EXTRACTOR, "dataset": DATASET}

SUITE = """\
# yaml-language-server: $schema=./ganbench.schema.json
# `ganbench list --check {name}.yaml` finds mistakes; `ganbench run {name}.yaml --profile ci` runs it in seconds.
suite: {name}
{plugins}paper: {{title: "Title of the paper", venue: "where it was published"}}

# How the paper's numbers are measured.
protocol:
  metrics: [FID]
  features: {features}
  input_resize: {input_resize}
  quantise: round
  real_split: train
  real: {images}
  generated: {images}
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
    dataset: {dataset}
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
    recipe: {{dataset: {small}, images: 64, steps: 4, batch_d: 16, batch_g: 16{narrow}}}
    protocol: {{features: {quick}, input_resize: bilinear, real_split: test, real: 64, generated: 64}}

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


def skeleton(kind: str, name: str) -> dict[Path, str]:
    """Files to write, by path: of a plug-in, also a suite beside them that tries it.

    Raises:
        GanbenchError: no suite, file or plug-in can be called that.
    """
    if not NAME.fullmatch(name) or name in RESERVED:
        raise GanbenchError(f"{name[:100]!r} cannot be a name: lower-case letters, digits and dashes, at most 100", 2)
    if kind == "suite":
        return {Path(f"{name}.yaml"): _suite(name)}
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise GanbenchError(f"{name!r} cannot be a file of Python: letters first, single dashes between words", 2)
    if name in taken(f"{kind}s"):
        raise GanbenchError(f"{kind} {name!r} is one of ganbench's own: choose another name", 2)
    file = Path(FOLDER, f"{kind}s", f"{name.replace('-', '_')}.py")
    text = CODE[kind].replace("{name}", name).replace("{{", "{").replace("}}", "}")
    return {file: text, Path(f"{name}.yaml"): _suite(name, kind)}


def _suite(name: str, kind: str = "suite") -> str:
    own, seen, shown = (kind == one for one in ("network", "extractor", "dataset"))
    return SUITE.format(
        name=name,
        plugins="" if kind == "suite" else f"plugins: ./{FOLDER}\n",
        network=f"{{name: {name}, width: 128}}" if own else "{name: sngan-cnn, width: 1.0}",
        narrow=", network: {width: 16}" if own else ", network: {width: 0.125}",
        features=name if seen else "inception-2015-12-05",
        input_resize="bilinear" if seen else "tf1-bilinear",
        quick=name if seen else "efficientnet-lite0",
        dataset=name if shown else "cifar10",
        small=name if shown else "shapes",
        images=4096 if shown else 50000,
        part=f"{name}: {{weight: 0.1}}" if kind == "method" else "spectral-norm: {player: D}",
    )
