"""What a run will cost on a device, before it is made: seconds of training and of measuring, memory, disk.

Recipes that differ in nothing that a step's work depends on share a count, and counts are kept in the user's cache
folder: torch is imported only for recipes that nobody has asked about yet. Finished records on the same device
correct the prediction (``Measured``).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.canonical import content_hash
from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.metrics import extractors
from benchmark.metrics.names import IMAGE, NEEDS
from benchmark.plan.devices import Device
from benchmark.plan.keys import algorithm_versions
from benchmark.plan.work import Count, Work
from benchmark.recipe import Protocol, Recipe
from benchmark.record import Record

COUNT_VERSION = 1
"""Raised when ``count.py`` counts otherwise."""

SHAPES_WORK = (
    "resolution", "channels", "network", "z_dim", "loss", "parts", "batch_d", "batch_g", "n_dis",
    "player_order", "share_fakes", "d_pass", "optimizer", "ema_buffers", "precision", "classes",
)  # fmt: skip
"""Fields of a recipe that a step's work depends on."""

PAIR = 270.0  # bytes to and fro for a distance between two images, beside its product: 22 ns at 12 GB/s, as measured
EIGEN = 18.0  # FLOPs of a Fréchet distance over D³: half a second at 1,280 features and 75 GFLOP/s, as measured
FEWEST_STEPS = 20  # of a record that says how long a step takes: the first steps of a run are slower


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


class Counts:
    """The counts that are known, by ``work_key``; new ones are made on demand and kept."""

    def __init__(self, path: Path | None = None) -> None:
        """A file that cannot be read, or holds something else, counts as empty."""
        self.path = path or cache_folder() / "work.json"
        self._known = _read(self.path)
        self._keys: dict[str, str] = {}
        self.refused: dict[str, str] = {}  # work_key -> why it could not be counted

    def known(self, recipe: Recipe) -> Count | None:
        """The count if it is there; imports no torch. None also where a plug-in is missing."""
        return self._known.get(self.key(recipe))

    def key(self, recipe: Recipe) -> str:
        """``work_key``, made once a recipe; "" where a plug-in is missing."""
        if recipe.canonical not in self._keys:
            try:
                self._keys[recipe.canonical] = work_key(recipe)
            except GanbenchError:
                self._keys[recipe.canonical] = ""
        return self._keys[recipe.canonical]

    def count_all(self, recipes: Iterable[tuple[Recipe, int]], say: Callable[[int, int], None] = lambda done, todo: None) -> None:
        """Count what is not known yet, and keep it.

        Args:
            recipes: with the G steps of the whole run.
            say: told how many are done, of how many.

        A recipe whose plug-in is missing stays unknown. So does one that a plug-in refuses, or that reads what the meta device does not have; it is noted in ``refused``.
        """
        todo = {key: pair for pair in recipes if (key := self.key(pair[0])) and key not in self._known}
        if not todo:
            return
        from benchmark.plan.count import count

        for done, (key, (recipe, steps)) in enumerate(todo.items()):
            say(done, len(todo))
            try:
                self._known[key] = count(recipe, steps)
            except (GanbenchError, RuntimeError) as error:  # the plan is made all the same: the run itself will say so
                self.refused[key] = str(error).splitlines()[0]
            if done % 10 == 9:
                self._keep()
        self._keep()

    def _keep(self) -> None:
        self._known = _read(self.path) | self._known  # another process may have counted meanwhile
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps({key: count.to_json() for key, count in self._known.items()}), encoding="utf-8")
        os.replace(temporary, self.path)


def _read(path: Path) -> dict[str, Count]:
    try:
        return {key: Count.from_json(entry) for key, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def work_key(recipe: Recipe) -> str:
    """Equal for recipes whose steps are the same work: by content and by the versions of all that computes it.

    Raises:
        GanbenchError: a plug-in is missing.
    """
    plain = {name: value for name in SHAPES_WORK if (value := getattr(recipe, name)) is not None}
    return content_hash([COUNT_VERSION, algorithm_versions(recipe), recipe.ema is not None, plain])[:16]


class Measured:
    """What finished records say of steps on one device.

    On a CPU the seconds are CPU seconds where a record holds them, elsewhere wall seconds. Both are longer on a busy
    machine, never shorter, CPU seconds by far the less (1.5 times, where wall seconds were 14). So a record of the same
    work gives the step's seconds itself, the fastest of all such records. Otherwise the prediction is multiplied by the
    lower quartile of the ratios of measured to predicted seconds, over records of the same network; without such
    records it stays as it is.
    """

    def __init__(self, records: Iterable[Record], names: Callable[[str], bool], counts: Counts, device: Device) -> None:
        """``names``: whether a record's name of a device means ``device``. Records of less than 20 steps, on several devices or threads or with channels last say nothing."""
        exact: dict[str, list[float]] = {}
        ratios: dict[str, list[float]] = {}
        for record in records:
            segments = record.provenance.get("segments", [])
            if record.steps < FEWEST_STEPS or not segments or not all(names(str(s.get("device"))) and s.get("threads") == 1 and not s.get("channels_last") for s in segments):
                continue
            if not (key := counts.key(record.recipe)):  # a plug-in of another version
                continue
            cpu_s = record.train_cpu_s if device.name == "cpu" else None
            seconds = (record.train_s if cpu_s is None else cpu_s) / record.steps
            exact.setdefault(key, []).append(seconds)
            if known := counts.known(record.recipe):
                ratios.setdefault(record.recipe.network[0], []).append(seconds / device.seconds(known.step))
        self._exact = {key: (min(found), len(found)) for key, found in exact.items()}
        self._ratios = {network: (sorted(found)[len(found) // 4], len(found)) for network, found in ratios.items()}

    def step(self, key: str, network: str, predicted: float) -> tuple[float, str]:
        """Seconds of a step, and where they are from."""
        if key in self._exact:
            seconds, n = self._exact[key]
            return seconds, f"measured, {n} record{'s' * (n > 1)}"
        if network in self._ratios:
            ratio, n = self._ratios[network]
            return predicted * ratio, f"counted, x {ratio:.2f} by {n} record{'s' * (n > 1)} of {network}"
        return predicted, "counted"


def cost(recipe: Recipe, protocol: Protocol, images: int, counts: Counts, device: Device, host: Device, measured: Measured | None = None) -> Cost:
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
    epochs, dear = total // per_epoch, 1
    looks = {total}
    if protocol.every_steps is not None:
        looks |= set(range(0, total + 1, protocol.every_steps))
    if protocol.every_epochs is not None:
        looks |= set(range(protocol.every_epochs * per_epoch, total + 1, protocol.every_epochs * per_epoch))
    if protocol.jac_G_every_epochs is not None and protocol.every_epochs is not None:
        dear = max(1, epochs // math.lcm(protocol.jac_G_every_epochs, protocol.every_epochs))
    return len(looks), dear if "jac_G" in protocol.metrics else 0


def look_seconds(recipe: Recipe, protocol: Protocol, counted: Count, device: Device, host: Device) -> float:
    """One measurement without ``jac_G``: G makes the images, an extractor sees them, the host compares; or the statistics of noises."""
    n, batches = protocol.generated, protocol.generated / recipe.batch_g
    seconds = 0.0
    if any(m in NEEDS for m in protocol.metrics):  # forward and backward once each
        seconds += device.seconds((counted.sample + counted.judge) * (3 * batches))
    if any(m in IMAGE for m in protocol.metrics) and protocol.features is not None:
        seconds += device.seconds(counted.sample * batches) + n * extraction_seconds(protocol.features, device)
        size = extractors.dimension(protocol.features)
        frechet = sum(m in ("FID", "tFID", "vFID") for m in protocol.metrics) * EIGEN * size**3
        pairs = float(n + (protocol.real or n)) ** 2 if {"precision", "recall"} & set(protocol.metrics) else 0.0  # distances, all with all
        kernel = 6.0 * (protocol.kid_subsets or 0) * (protocol.kid_subset_size or 0) ** 2 * size if "KIDx1000" in protocol.metrics else 0.0
        seconds += host.seconds(Work(matmul=frechet + 2.0 * size * pairs + kernel + 2.0 * n * size**2, bytes=PAIR * pairs))
    return seconds


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
        "flops_per_step": one.count.step.flops, "memory_bytes": one.count.memory, "disk_bytes": one.count.checkpoint, "parameters": one.count.parameters,
        "step_s": one.step_s, "train_s": one.train_s, "eval_s": one.eval_s, "measurements": one.looks, "from": one.known_from,
    }  # fmt: skip
