"""What is run and how it is measured: ``Recipe`` and ``Protocol``, flat, typed, hashed by content."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from dataclasses import dataclass
from typing import Any

from benchmark.canonical import canonical_text, content_hash, json_fields, json_text
from benchmark.errors import GanbenchError

NamedArgs = tuple[str, dict[str, Any]]
"""A file of ``networks/`` or ``methods/`` by name, with the arguments of its class."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that determines training, resolved: no default is hidden in the code that reads it.

    A field whose mechanism is absent is ``None`` and is left out of the fingerprint, so that a
    mechanism added to this class later renames no run that does not use it.
    """

    dataset: str
    split: str  # the split that is trained on
    resolution: int  # pixels a side
    channels: int  # 1 (grey) or 3 (RGB)
    data_percent: float  # share of the split that is trained on, in percent
    images: int | None = None  # first N images of a seeded permutation of the split; None: all
    subset: str | None = None  # how data_percent is drawn, if not as the first part of our own seeded permutation
    crop: str | None = None  # what is cut out of a source image first: "center" (largest square), "center-178"
    resize: str | None = None  # filter from the source's (cropped) size to the resolution: "bilinear"
    hflip: bool | None = None  # real images are flipped left to right with probability 1/2
    network: NamedArgs
    z_dim: int
    z_distribution: str  # "normal" (standard deviation z_scale) or "uniform" (on [-z_scale, z_scale])
    z_scale: float
    loss: NamedArgs
    parts: tuple[NamedArgs, ...] = ()  # in the order in which they act
    batch_d: int  # real images a D step
    batch_g: int  # fakes a G step
    n_dis: int  # D steps a G step
    epochs: int | None = None  # exactly one of epochs and steps; an epoch is one pass of D over the data
    steps: int | None = None  # G steps
    drop_last: bool  # drop the last partial batch of an epoch
    player_order: str  # within a step: "g-first", "d-first" (all n_dis), or "g-after-first-d"
    share_fakes: bool  # both players' steps see the same fakes, detached where D's step uses them
    augment_once: bool | None = None  # of share_fakes: what D sees of them is made once, for both players' steps
    share_noise: bool | None = None  # G's step makes its fakes of the noises of the D step before it
    d_pass: str  # real and fake through D "separate"ly or "joint"ly
    optimizer: str  # "adam"
    lr_g: float
    lr_d: float
    beta1: float
    beta2: float
    beta2_d: float | None = None  # D's, where it is not G's
    adam_eps: float
    lr_decay: str | None = None  # "linear": both rates fall to 0 at the last step
    lr_decay_start: int | None = None  # G step at which they begin to
    weight_decay_g: float | None = None  # Adam's L2 term
    weight_decay_d: float | None = None
    ema: float | None = None  # decay of the running average of G's weights, a G step
    ema_start: int | None = None  # the average is pegged to the weights before this G step, counted from 0
    ema_buffers: bool | None = None  # BatchNorm's statistics are averaged too
    # of training's passes and losses: "float32", or "bfloat16" by autocast; weights, optimisers and measuring are
    # float32
    precision: str
    classes: int | None = None  # G and D are conditional on that many classes; None: unconditional

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise GanbenchError("a recipe needs exactly one of 'epochs' and 'steps'", 2)
        if self.share_fakes and (self.batch_g != self.batch_d or (self.player_order != "g-first" and self.n_dis > 1)):
            raise GanbenchError("share_fakes needs equal batch_g and batch_d, and n_dis 1 if D goes first", 2)

        if self.augment_once and not self.share_fakes:
            raise GanbenchError("augment_once needs share_fakes", 2)
        if self.share_noise and (self.share_fakes or self.batch_g != self.batch_d or self.player_order == "g-first"):
            raise GanbenchError("share_noise needs equal batch_g and batch_d, D first, and no share_fakes", 2)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, fields in order, absent mechanisms left out."""
        return json_fields(self)

    @functools.cached_property
    def canonical(self) -> str:
        """``to_json`` as canonical text, which stands for the recipe wherever it is hashed or compared in bulk."""
        return canonical_text(self.to_json())

    def fingerprint(self) -> str:
        """sha256 of what determines training."""
        return self._fingerprint

    @functools.cached_property
    def _fingerprint(self) -> str:
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @functools.cached_property
    def text(self) -> bytes:
        """``to_json`` as a record's file has it."""
        return json_text(self.to_json())

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        """The inverse of ``to_json``.

        Raises:
            GanbenchError: a key is unknown or missing (a record of another version, or tampered).
        """
        names = {f.name for f in dataclasses.fields(cls)}
        if unknown := set(data) - names:
            raise GanbenchError(f"recipe has unknown fields {sorted(unknown)}: written by a newer ganbench?")
        data = dict(data)
        for key in ("network", "loss"):
            data[key] = _named(data.get(key), key)
        data["parts"] = tuple(_named(part, "parts") for part in data.get("parts", ()))
        try:
            return cls(**data)
        except TypeError as error:
            raise GanbenchError(f"recipe is incomplete: {error}") from None

    def steps_per_epoch(self, images: int) -> int:
        """G steps while D sees every one of ``images`` training images once."""
        batches = images // self.batch_d if self.drop_last else -(-images // self.batch_d)
        return -(-batches // self.n_dis)

    def total_steps(self, images: int) -> int:
        """G steps of the whole run on ``images`` training images."""
        return self.steps if self.steps is not None else (self.epochs or 0) * self.steps_per_epoch(images)

    def differences(self, other: Recipe) -> list[str]:
        """One line for each field in which two recipes differ: ``field: mine != theirs``."""
        mine, theirs = self.to_json(), other.to_json()
        return [
            f"{key}: {mine.get(key, 'absent')!r} != {theirs.get(key, 'absent')!r}"
            for key in sorted(mine.keys() | theirs.keys())
            if mine.get(key) != theirs.get(key)
        ]


DESCRIBES = ("seeds", "std_of")
"""Fields of a protocol that say what the paper's number is, and change no measurement."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a number is measured. Absent mechanisms are ``None``, as in ``Recipe``."""

    metrics: tuple[str, ...]
    features: str | None = None  # feature extractor: "inception-2015-12-05"
    input_resize: str | None = None  # to the extractor's input: "tf1-bilinear"
    # generated images to 8 bits: "round", "floor", "min-max" (over all images), "min-max-mimicry" (IS: over 50), "none"
    quantise: str | None = None
    real_split: str | None = None  # the images that are compared with
    real: int | None = None  # how many of them
    generated: int  # fresh noises (theory) or images a measurement
    sample_batch: int | None = None  # generated at once: it matters where bn_mode is train
    is_generated: int | None = None  # images that IS is over, where FID is over fewer or more; None: generated
    is_splits: int | None = None
    kid_subsets: int | None = None
    kid_subset_size: int | None = None
    bn_mode: str  # G's and D's mode when measured: "eval" or "train"
    weights: str  # "raw" or "ema"
    checkpoint: str  # "last" or "best"
    std_of: str  # what the ± of a single run is over: "noises", "splits", "none"
    best_by: str | None = None  # the metric that chooses the best checkpoint
    every_steps: int | None = None  # measure the initialisation, every so many G steps, and at the end
    every_epochs: int | None = None  # measure after every such epoch, and at the end
    jac_G_every_epochs: int | None = None  # the dear one, ‖∂G/∂z‖_F, more rarely; None: at the end only
    probe_images: int | None = None  # of each of real, fake and held-out, that D is probed with
    seeds: int | None = None  # how many runs the published number is over; None: not stated

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, absent mechanisms left out."""
        return json_fields(self)

    @functools.cached_property
    def text(self) -> bytes:
        """``to_json`` as a record's file has it."""
        return json_text(self.to_json())

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Protocol:
        """The inverse of ``to_json``; raises GanbenchError on unknown or missing fields."""
        try:
            return cls(**{**data, "metrics": tuple(data["metrics"])})
        except (TypeError, KeyError) as error:
            raise GanbenchError(f"protocol is not of this version: {error}") from None

    @property
    def extractor(self) -> str:
        """The feature extractor, where images are measured; raises GanbenchError if the protocol names none."""
        if self.features is None:
            raise GanbenchError("the protocol measures images and does not say features", 2)
        return self.features

    def fingerprint(self) -> str:
        """sha256 of what decides the measurement; what ``DESCRIBES`` names is said of the paper's number."""
        return self._fingerprint

    @functools.cached_property
    def _fingerprint(self) -> str:
        decides = {k: v for k, v in self.to_json().items() if k not in DESCRIBES}
        return content_hash({**decides, "metrics": sorted(self.metrics)})


def _named(value: Any, key: str) -> NamedArgs:
    match value:
        case [str(name), dict(arguments)]:
            return name, dict(arguments)
    raise GanbenchError(f"recipe field '{key}' must be [name, {{arguments}}], found {value!r}")
