"""One run from its first step to its result, resumable at any moment with the same bits."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmark.data.read import ImageSet
from benchmark.errors import GanbenchError
from benchmark.provenance import code_version, libraries, processor
from benchmark.recipe import Protocol, Recipe
from benchmark.train import checkpoint
from benchmark.train.evaluate import evaluate, sample_grid
from benchmark.train.gan import Gan
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step

CHECK_STEPS = 50  # steps between looks at whether the losses are finite and whether somebody wants us to stop

Tick = Callable[[int, int], bool]
"""(steps done, steps to do) to "stop now?"; called every ``CHECK_STEPS`` steps."""


def run(
    recipe: Recipe,
    protocol: Protocol,
    seed: int,
    data: ImageSet,
    folder: Path,  # checkpoints of this run
    *,
    until_epoch: int | None = None,  # end early, with a partial result that a later call carries on
    device: str = "cpu",
    threads: int = 1,  # CPU threads; part of the provenance, since it may change the last bits
    checkpoint_s: float = 60.0,  # wall seconds between checkpoints
    tick: Tick = lambda done, todo: False,
) -> dict[str, Any] | None:
    """Train (or go on training) and measure.

    Returns:
        The result: ``status`` ("finished", "partial" or "diverged"), ``steps``, ``epochs``, ``final``
        (the measurement at the end; None if diverged), ``history`` (the scheduled ones), ``samples``
        (base64 PNG), ``segments`` (which code ran which steps where), and the seconds spent. None when
        ``tick`` asked to stop: a checkpoint is kept.

    Raises:
        GanbenchError: the folder's checkpoint belongs to another recipe, seed or data.
        OSError: a checkpoint could not be written (a full disk); the ones before are intact.
    """
    torch.set_num_threads(threads)
    gan = Gan(recipe, seed, device)
    sampler = Sampler(data.images, recipe.batch_d, recipe.drop_last, seed, gan.device)
    per_epoch, total = recipe.steps_per_epoch(len(data.images)), recipe.total_steps(len(data.images))
    goal = total if until_epoch is None else min(total, until_epoch * per_epoch)

    identity = {"recipe": recipe.to_json(), "seed": seed, "content": data.content, "subset": data.subset}
    book = {"history": [], "segments": [], "train_s": 0.0, "eval_s": 0.0, "diverged": False}
    if saved := checkpoint.load(folder):
        _refuse_other(identity, saved["identity"], folder)
        gan.load_state_dict(saved["gan"])
        sampler.position = saved["position"]
        book = saved["book"]
    if gan.step < goal and not book["diverged"]:
        book["segments"].append(_segment(gan.step, device, threads))

    def save() -> None:
        checkpoint.save(folder, {"identity": identity, "gan": gan.state_dict(), "position": sampler.position, "book": book})

    def measure(final: bool) -> dict[str, Any]:
        started = time.perf_counter()
        entry = evaluate(gan, protocol, seed, gan.step, gan.step // per_epoch, final)
        book["eval_s"] += time.perf_counter() - started
        return entry

    saved_at = mark = time.perf_counter()
    while gan.step < goal and not book["diverged"]:
        loss_D, loss_G = train_step(gan, sampler.next)
        epoch_ends = gan.step % per_epoch == 0
        if not (epoch_ends or gan.step % CHECK_STEPS == 0 or gan.step == goal):
            continue
        book["diverged"] = not bool(torch.isfinite(loss_D + loss_G))
        book["train_s"] += time.perf_counter() - mark
        book["segments"][-1]["to_step"] = gan.step
        if epoch_ends and gan.step // per_epoch % protocol.every_epochs == 0 and not book["diverged"]:
            book["history"].append(measure(final=False))
        if tick(gan.step, goal):
            save()
            return None
        if time.perf_counter() - saved_at > checkpoint_s:
            save()
            saved_at = time.perf_counter()
        mark = time.perf_counter()

    final = None if book["diverged"] else _last_if_complete(book["history"], gan.step, protocol) or measure(final=True)
    save()
    status = "diverged" if book["diverged"] else "finished" if gan.step == total else "partial"
    result = {"status": status, "steps": gan.step, "total_steps": total, "epochs": gan.step / per_epoch, "subset": data.subset}
    result["final"] = final
    result |= {key: book[key] for key in ("history", "segments", "train_s", "eval_s")}
    return result | {"samples": sample_grid(gan, protocol, seed), "libraries": libraries()}


def _last_if_complete(history: list[dict[str, Any]], step: int, protocol: Protocol) -> dict[str, Any] | None:
    """The scheduled measurement of this very step, if it holds every metric and need not be made again."""
    last = history[-1] if history else {"step": -1}
    return last if last["step"] == step and all(m in last for m in protocol.metrics) else None


def _segment(step: int, device: str, threads: int) -> dict[str, Any]:
    place = torch.cuda.get_device_name() if device.startswith("cuda") else processor()
    return {"from_step": step, "to_step": step, **code_version(), "device": place, "threads": threads, "torch": str(torch.__version__)}


def _refuse_other(mine: dict[str, Any], theirs: dict[str, Any], folder: Path) -> None:
    if mine == theirs:
        return
    lines = Recipe.from_json(mine["recipe"]).differences(Recipe.from_json(theirs["recipe"]))
    lines += [f"{k}: {mine[k]!r} != {theirs[k]!r}" for k in ("seed", "content", "subset") if mine[k] != theirs[k]]
    raise GanbenchError(f"{folder} holds a checkpoint of another run; this one differs in\n  " + "\n  ".join(lines))
