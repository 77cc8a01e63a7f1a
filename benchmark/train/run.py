"""One run from its first step to its result, resumable at any moment with the same bits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmark.data.read import ImageSet
from benchmark.metrics.names import IMAGE
from benchmark.metrics.real import real_key
from benchmark.metrics.store import Interrupted
from benchmark.pulse import TRAINING, doing
from benchmark.recipe import Protocol, Recipe
from benchmark.records.provenance import code_version, libraries, processor
from benchmark.sources import sources
from benchmark.train.evaluate import references, sample_grid
from benchmark.train.layout import AUTO, in_words, is_channels_last
from benchmark.train.session import Session, Tell, is_due, now
from benchmark.train.step import train_step

log = logging.getLogger(__name__)

CHECK_STEPS = 50  # steps between looks at whether the losses are finite
LOOK_S = 2.0  # seconds after which a slow step's loop looks up all the same

Tick = Callable[[int, int], bool]
"""(steps done, steps to do) to "stop now?"; called every ``CHECK_STEPS`` steps or ``LOOK_S`` seconds."""


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
    layout: str = AUTO,  # of maps and weights in memory, one of ``LAYOUTS``; likewise
    checkpoint_s: float = 60.0,  # wall seconds between checkpoints
    tick: Tick = lambda done, todo: False,
    tell: Tell = lambda entry: None,
    anew: bool = False,  # not from a checkpoint that parts of another source have made
    saved: Callable[[], None] = lambda: (
        None
    ),  # called after each checkpoint; an OSError counts as one that could not be written
) -> dict[str, Any] | None:
    """Train (or go on training) and measure.

    Returns:
        The result: ``status`` ("finished", "partial" or "diverged"), ``steps``, ``epochs``, ``final``
        (the measurement that counts, the last or the best of all; None if diverged), ``history`` (the
        scheduled ones, and the last), ``samples``
        (base64 PNG), ``real`` and ``floor`` (the images compared with, ``metrics/floor.py``), ``imported`` (their
        statistics came from another machine), ``segments`` (which code ran which steps where), the seconds spent, and
        ``trouble`` (why checkpoints could not be written; the result is whole all the same). None when ``tick``
        asked to stop: a checkpoint is kept.

    Raises:
        GanbenchError: the folder's checkpoint belongs to another recipe, seed or data.
        OSError: it was asked to stop and the checkpoint could not be written; the ones before are intact.
    """
    torch.set_num_threads(threads)
    channels_last = is_channels_last(layout, recipe.network[0], device)
    with doing("building its networks"):
        session = Session(recipe, protocol, seed, data, folder, device, channels_last, tell, saved, anew)
    session.refuse_a_best_that_was_not_looked_for()
    total = recipe.total_steps(len(data.images))
    try:
        floor, imported = _prepare(recipe, protocol, device, lambda: tick(session.gan.step, total))
    except Interrupted as error:
        log.warning("%s", error)
        return None
    goal = total if until_epoch is None else min(total, until_epoch * session.per_epoch)
    log.info(
        "%s at step %s of %s, %s threads, memory layout %s",
        "resumed" if session.gan.step else "started",
        f"{session.gan.step:,}",
        f"{goal:,}",
        threads,
        _layouts(session.segments, channels_last),
    )
    if session.gan.step < goal and not session.diverged:
        session.segments.append(_segment(recipe, session.gan.step, device, threads, channels_last))
        with doing(TRAINING):
            ended = train(session, goal, checkpoint_s, tick)
        if not ended:
            log.info("stopped at step %s; its checkpoint is kept", f"{session.gan.step:,}")
            return None
    final, history = (None, session.history) if session.diverged else session.final_measurement()
    session.save_if_possible()
    step = session.gan.step
    status = "diverged" if session.diverged else "finished" if step == total else "partial"
    log.info(
        "%s at step %s; %.0f s of training, %.0f s of measuring", status, f"{step:,}", session.train_s, session.eval_s
    )
    return {
        "status": status,
        "steps": step,
        "total_steps": total,
        "epochs": step / session.per_epoch,
        "content": data.content,
        "subset": data.subset,
        "real": real_key(recipe, protocol),
        "floor": floor,
        "imported": imported,
        "final": final,
        "history": history,
        "samples": sample_grid(session.gan, protocol, seed),
        "libraries": libraries(),
        "trouble": session.trouble,
        **{key: getattr(session, key) for key in ("segments", "train_s", "eval_s", "train_cpu_s", "eval_cpu_s")},
    }


def _prepare(
    recipe: Recipe, protocol: Protocol, device: str, stopping: Callable[[], bool]
) -> tuple[dict[str, Any] | None, bool]:
    """What measuring images needs, made before the first step: the real-against-real floor of a proxy, and whether
    statistics were imported.
    """
    if not any(m in IMAGE for m in protocol.metrics):
        return None, False
    from benchmark.metrics.floor import real_floor

    extractor, real, validation = references(recipe, protocol, device, stopping)
    return real_floor(recipe, protocol, extractor, real, validation, stopping), real.imported or bool(
        validation and validation.imported
    )


def train(session: Session, goal: int, checkpoint_s: float, tick: Tick) -> bool:
    """Step until ``goal`` or divergence, measuring when the protocol says; False if ``tick`` asked to stop."""
    gan, saved_at = session.gan, time.perf_counter()
    if gan.step == 0 and session.protocol.every_steps is not None and not session.history:
        session.history.append(session.measure(final=False))  # the initialisation: what training has to improve on
    mark = now()
    while gan.step < goal and not session.diverged:
        loss_D, loss_G = train_step(gan, session.sampler.next)
        epoch_ends = gan.step % session.per_epoch == 0
        due = is_due(session.protocol, gan.step, epoch_ends, session.per_epoch)
        check = epoch_ends or due or gan.step % CHECK_STEPS == 0 or gan.step == goal
        if not check and time.perf_counter() - mark[0] < LOOK_S:
            continue
        if check:  # at fixed steps, so that a diverged run ends at the same one however it was interrupted
            session.diverged = not bool(torch.isfinite(loss_D + loss_G))
        session.spend("train", mark)
        session.segments[-1]["to_step"] = gan.step
        if due and not session.diverged:
            session.history.append(session.measure(final=False))
        if tick(gan.step, goal):
            session.save()
            return False
        if time.perf_counter() - saved_at > checkpoint_s:
            session.save_if_possible()
            saved_at = time.perf_counter()
        mark = now()
    return True


def _layouts(before: list[dict[str, Any]], channels_last: bool) -> str:
    """This stretch's, and the last one's where that is another."""
    last = before[-1].get("channels_last") is True if before else channels_last
    return in_words(channels_last) + f" (until here {in_words(last)})" * (last != channels_last)


def _segment(recipe: Recipe, step: int, device: str, threads: int, channels_last: bool) -> dict[str, Any]:
    place = torch.cuda.get_device_name() if device.startswith("cuda") else processor()
    return {
        "from_step": step,
        "to_step": step,
        **code_version(),
        "device": place,
        "threads": threads,
        "channels_last": channels_last,
        "torch": str(torch.__version__),
        "libraries": libraries(),
        "sources": sources(recipe),
    }
