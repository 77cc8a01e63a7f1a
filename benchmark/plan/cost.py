"""What a run will cost on a device, before it is made: seconds of training and of measuring, memory, disk.

The work of its steps is counted (``counted.py``); finished records on the same device correct the prediction
(``measured.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from benchmark.metrics import extractors
from benchmark.metrics.names import IMAGE, NEEDS
from benchmark.plan.counted import Counts
from benchmark.plan.devices import Device
from benchmark.plan.measured import Measured
from benchmark.plan.work import Count, Work
from benchmark.recipe import Protocol, Recipe

PAIR = 270.0  # bytes to and fro for a distance between two images, beside its product: 22 ns at 12 GB/s, as measured
# of a Fréchet distance, at 100 GFLOP/s of matrix products and 10 GB/s, as measured with 64 to 5,000 images in 1,280
# dimensions
MOMENTS = 300.0  # bytes for a pair of entries of the covariances
EIGENVALUES = 8.0  # FLOPs over D³
FACTORS, SINGULAR = (
    3.3,
    14.0,
)  # FLOPs over D² times the rank, and over the smaller rank² times the larger, where images are fewer than dimensions


@dataclass(frozen=True)
class Cost:
    """Of one training run and its measurements, on one device."""

    count: Count
    step_s: float  # seconds of a step: predicted, and corrected by records if there are any
    train_s: float
    look_s: float  # seconds of one measurement
    looks: int  # how many
    known_from: str  # "counted", or which records corrected it

    @property
    def eval_s(self) -> float:
        """Seconds of all measurements."""
        return self.look_s * self.looks

    @property
    def total_s(self) -> float:
        """Seconds of the run."""
        return self.train_s + self.eval_s


def cost(
    recipe: Recipe,
    protocol: Protocol,
    images: int,
    counts: Counts,
    device: Device,
    host: Device,
    measured: Measured | None = None,
) -> Cost:
    """Of a run whose recipe's work is known.

    Args:
        images: training images.
        host: what computes the distances between features, whatever trains.

    Raises:
        KeyError: the work is not counted yet.
    """
    counted = counts.known(recipe)
    if counted is None:
        raise KeyError(recipe.network[0])
    predicted, source = device.seconds(counted.step), "counted"
    if measured is not None:
        predicted, source = measured.step(counts.key(recipe), recipe.network[0], predicted)
    steps = recipe.total_steps(images)
    looks, dear = measurements(recipe, protocol, images)
    look_s = look_seconds(recipe, protocol, counted, device, host)
    look_s += dear / looks * device.seconds(_generator_jacobian(recipe, protocol, counted))
    return Cost(counted, predicted, device.start_s + steps * predicted, look_s, looks, source)


def measurements(recipe: Recipe, protocol: Protocol, images: int) -> tuple[int, int]:
    """How often a run is measured, and how many of these times with the dear ``jac_G`` (``train/run.py``)."""
    total, per_epoch = recipe.total_steps(images), recipe.steps_per_epoch(images)
    epochs, dear, steps = total // per_epoch, 1, protocol.every_steps
    of_epochs = None if protocol.every_epochs is None else protocol.every_epochs * per_epoch
    periods = {period for period in (steps, of_epochs) if period is not None}
    looks = sum(total // period for period in periods)  # of both together, those that fall on one step count once
    looks -= total // math.lcm(*periods) if len(periods) > 1 else 0
    looks += (steps is not None) + all(total % period for period in periods)  # the initialisation, and the end
    if protocol.jac_G_every_epochs is not None and protocol.every_epochs is not None:
        dear = max(1, epochs // math.lcm(protocol.jac_G_every_epochs, protocol.every_epochs))
    return looks, dear if "jac_G" in protocol.metrics else 0


def look_seconds(recipe: Recipe, protocol: Protocol, counted: Count, device: Device, host: Device) -> float:
    """One measurement without ``jac_G``: G makes the images, an extractor sees them, the host compares; or the
    statistics of noises.
    """
    n, batches = protocol.generated, protocol.generated / recipe.batch_g
    seconds = 0.0
    if any(m in NEEDS for m in protocol.metrics):  # forward and backward once each
        seconds += device.seconds((counted.sample + counted.judge) * (3 * batches))
    if any(m in IMAGE for m in protocol.metrics) and protocol.features is not None:
        made, seen = made_and_seen(protocol)
        seconds += device.seconds(counted.sample * (made / recipe.batch_g)) + seen * extraction_seconds(
            protocol.features, device
        )
        size = extractors.dimension(protocol.features)
        distances = sum(m in ("FID", "tFID", "vFID") for m in protocol.metrics)
        pairs = (
            float(n + (protocol.real or n)) ** 2 if {"precision", "recall"} & set(protocol.metrics) else 0.0
        )  # distances, all with all
        kernel = (
            6.0 * (protocol.kid_subsets or 0) * (protocol.kid_subset_size or 0) ** 2 * size
            if "KIDx1000" in protocol.metrics
            else 0.0
        )
        seconds += host.seconds(
            frechet(size, n, protocol.real or n) * distances
            + Work(matmul=2.0 * size * pairs + kernel + 2.0 * n * size**2, bytes=PAIR * pairs)
        )
    return seconds


def frechet(dimension: int, generated: int, real: int) -> Work:
    """A distance of ``metrics/frechet.py``: by eigenvalues where there are more images than dimensions, else by pivoted
    factors; by both where only the real ones are more.
    """
    fewer, more = sorted(float(min(n, dimension)) for n in (generated, real))
    flops = EIGENVALUES * dimension**3 if real > dimension else 0.0
    if generated <= dimension or real <= dimension:
        flops += FACTORS * dimension**2 * (fewer + more) + 2.0 * fewer * more * dimension + SINGULAR * fewer**2 * more
    return Work(matmul=flops, bytes=MOMENTS * dimension**2)


def made_and_seen(protocol: Protocol) -> tuple[int, int]:
    """Images that G makes for one measurement, and those that an extractor sees of them (``metrics/measure.py``).

    Scaling by the range of all makes them once more, for the range; an IS of its own scaling or number of images, too.
    """
    n, quantise = protocol.generated, protocol.quantise or ""
    own_is = "IS" in protocol.metrics and (protocol.is_generated or quantise == "min-max-mimicry")
    of_is = (protocol.is_generated or n) if own_is else 0
    ranged = n if quantise.startswith("min-max") else 0
    if own_is and quantise == "min-max":
        ranged += of_is
    return n + ranged + of_is, n + of_is


def extraction_seconds(features: str, device: Device) -> float:
    """One image through a feature extractor: as measured on the device, or by its FLOPs."""
    if device.image_s and features in device.image_s:
        return device.image_s[features]
    flops = extractors.flops(features)
    return device.seconds(Work(conv=flops, padded=flops))


def _generator_jacobian(recipe: Recipe, protocol: Protocol, counted: Count) -> Work:
    """``jac_G``: z_dim tangents of every noise, and the images themselves."""
    return counted.sample * (protocol.generated / recipe.batch_g * (recipe.z_dim + 1))


def summary(one: Cost) -> dict[str, Any]:
    """For programs: FLOPs, bytes and seconds."""
    return {
        "flops_per_step": one.count.step.flops,
        "memory_bytes": one.count.memory,
        "disk_bytes": one.count.checkpoint,
        "parameters": one.count.parameters,
        "step_s": one.step_s,
        "train_s": one.train_s,
        "eval_s": one.eval_s,
        "measurements": one.looks,
        "from": one.known_from,
    }
