"""Measuring a pair in training, without disturbing it: its own noise, its own modes, everything put back."""

from __future__ import annotations

import base64
import contextlib
import io
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from benchmark.methods.spectral_layer import power_iteration
from benchmark.metrics.images import NotFinite, Source
from benchmark.metrics.jacobian import statistics, summarise
from benchmark.metrics.names import IMAGE, NEEDS
from benchmark.recipe import Protocol, Recipe
from benchmark.train.batches import generate
from benchmark.train.gan import Gan
from benchmark.train.streams import stream

if TYPE_CHECKING:
    from benchmark.metrics.extract import Extracted
    from benchmark.metrics.extractors import Extractor

GRID = 8  # samples a side of the grid that a record carries


def evaluate(gan: Gan, protocol: Protocol, seed: int, step: int, epoch: int, final: bool) -> dict[str, Any]:
    """One history entry: ``{"step", "epoch", metric: {"value", "std", "max"}, …}``.

    The noises are fresh at every measurement ("5000 new noises are sampled randomly at every
    epoch", theory paper, Appendix C) and a function of (seed, step) alone, so that measuring
    more or less often changes no number. A value that is not finite is None.
    """
    entry: dict[str, Any] = {"step": step, "epoch": epoch}
    if any(m in IMAGE for m in protocol.metrics):
        entry |= _images(gan, protocol, seed, step)
    every = protocol.jac_G_every_epochs
    dear = final or (every is not None and epoch % every == 0)
    metrics = [m for m in protocol.metrics if m in NEEDS and (m != "jac_G" or dear)]
    if not metrics:
        return entry
    z = gan.noise(protocol.generated, stream(seed, "evaluation", step))
    with _sampled(gan, protocol) as G, _measured(gan.D, "eval"):
        summary = summarise(statistics(G, gan.D, z, {NEEDS[m] for m in metrics}))
    for metric in metrics:
        s = summary[NEEDS[metric]]
        if (
            metric == "L_Vg_Bz"
        ):  # the maximum over the noises, times B_z read as the paper's table does: the half-width s
            entry[metric] = {"value": _finite(s["max"] * gan.recipe.z_scale)}
        else:
            entry[metric] = {"value": _finite(s["mean"]), "std": _finite(s["std"]), "max": _finite(s["max"])}
    return entry


def _images(gan: Gan, protocol: Protocol, seed: int, step: int) -> dict[str, Any]:
    """IS, FID, KID, precision and recall of fresh images against the protocol's real ones."""
    from benchmark.metrics.measure import extract_generated, measure

    extractor, real, validation = references(gan.recipe, protocol, str(gan.device))
    try:
        with torch.no_grad(), _sampled(gan, protocol) as G:
            generated = extract_generated(_generated(gan, G, protocol, seed, step), extractor, protocol)
        found = measure(protocol, generated, real, validation)
    except NotFinite:  # a result, not a failure: the collator counts a value that is None as diverged
        return {metric: {"value": None} for metric in protocol.metrics if metric in IMAGE}
    return {metric: {key: _finite(value) for key, value in numbers.items()} for metric, numbers in found.items()}


def _generated(gan: Gan, G: nn.Module, protocol: Protocol, seed: int, step: int) -> Source:
    """The images of one measurement, a function of (seed, step) alone; whole batches, as BatchNorm in train mode
    needs.
    """
    from benchmark.metrics.measure import images_needed

    size, count = protocol.sample_batch or gan.recipe.batch_g, images_needed(protocol)

    def batches() -> Iterator[torch.Tensor]:
        """The same images each time it is called; (B, C, H, W) float32 on the CPU."""
        rng = stream(seed, "evaluation", step)
        for _ in range(-(-count // size)):
            z = gan.noise(size, rng)
            yield generate(G, z, gan.labels(size, rng), rng)[0].float().cpu().contiguous()

    return batches


_held: dict[
    tuple[str, ...], tuple[Extractor, Extracted, Extracted | None]
] = {}  # of the run that this process is making


def references(
    recipe: Recipe, protocol: Protocol, device: str, stopping: Callable[[], bool] = lambda: False
) -> tuple[Extractor, Extracted, Extracted | None]:
    """The extractor and what is compared with, once a run.

    Args:
        stopping: asked while another worker computes them; True ends the wait with ``Interrupted``.

    Raises:
        GanbenchError: weights, real images or packages are missing or wrong: better before a run than after it.
    """
    from benchmark.metrics.extractors import load
    from benchmark.metrics.real import validation_split
    from benchmark.metrics.reference import reference

    key = (recipe.fingerprint(), protocol.fingerprint(), device)
    if key not in _held:
        with torch.random.fork_rng(devices=[]):  # building a network draws from the global stream
            extractor = load(protocol.extractor, device=device)
        validation = (
            reference(recipe, protocol, extractor, split=validation_split(recipe.dataset), stopping=stopping)
            if "vFID" in protocol.metrics
            else None
        )
        _held.clear()
        _held[key] = extractor, reference(recipe, protocol, extractor, stopping=stopping), validation
    return _held[key]


def sample_grid(gan: Gan, protocol: Protocol, seed: int) -> str:
    """8×8 samples of G as a PNG in base64; the same noises at every step of a seed. A conditional G shows a class a
    row.
    """
    from PIL import Image

    classes = gan.recipe.classes
    labels = None if classes is None else (torch.arange(GRID * GRID, device=gan.device) // GRID) % classes
    with torch.no_grad(), _sampled(gan, protocol) as G:
        rng = stream(seed, "samples")
        images = generate(G, gan.noise(GRID * GRID, rng), labels, rng)[0]
    pixels = images.nan_to_num().clamp(-1, 1).add(1).mul(127.5).round().byte().cpu()
    _, channels, height, width = pixels.shape
    grid = (
        pixels.view(GRID, GRID, channels, height, width)
        .permute(0, 3, 1, 4, 2)
        .reshape(GRID * height, GRID * width, channels)
    )
    buffer = io.BytesIO()
    Image.fromarray(grid.squeeze(2).numpy()).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


@contextlib.contextmanager
def _sampled(gan: Gan, protocol: Protocol) -> Iterator[nn.Module]:
    """The G that the protocol samples, in its mode."""
    G = gan.G_of(protocol.weights)
    with _measured(G, protocol.bn_mode):
        if protocol.weights == "ema":
            power_iteration(G)
        yield G


@contextlib.contextmanager
def _measured(player: nn.Module, mode: str) -> Iterator[None]:
    """The player in ``mode``; its buffers (running statistics, spectral norm's vectors) and modes are put back."""
    training = {module: module.training for module in player.modules()}
    buffers = {name: buffer.clone() for name, buffer in player.named_buffers()}
    player.train(mode == "train")
    try:
        yield
    finally:
        for module, was in training.items():
            module.training = was
        with torch.no_grad():
            for name, buffer in player.named_buffers():
                buffer.copy_(buffers[name])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
