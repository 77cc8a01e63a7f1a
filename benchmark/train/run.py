"""One run from its first step to its result, resumable at any moment with the same bits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmark.data.read import ImageSet
from benchmark.errors import GanbenchError
from benchmark.metrics.names import HIGHER, IMAGE
from benchmark.metrics.real import real_key
from benchmark.metrics.store import Interrupted
from benchmark.provenance import code_version, libraries, processor
from benchmark.recipe import Protocol, Recipe
from benchmark.train import checkpoint
from benchmark.train.evaluate import evaluate, references, sample_grid
from benchmark.train.gan import Gan
from benchmark.train.probes import Probes
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step

log = logging.getLogger(__name__)

CHECK_STEPS = 50  # steps between looks at whether the losses are finite
LOOK_S = 2.0  # seconds after which a slow step's loop looks up all the same

Tick = Callable[[int, int], bool]
"""(steps done, steps to do) to "stop now?"; called every ``CHECK_STEPS`` steps or ``LOOK_S`` seconds."""

Tell = Callable[[dict[str, Any]], None]
"""Called with the newest measurement: each as it is made, and the last one of a run that goes on."""


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
    channels_last: bool = False,  # the memory layout of maps and weights; likewise
    checkpoint_s: float = 60.0,  # wall seconds between checkpoints
    tick: Tick = lambda done, todo: False,
    tell: Tell = lambda entry: None,
    saved: Callable[[], None] = lambda: None,  # called after each checkpoint; an OSError counts as one that could not be written
) -> dict[str, Any] | None:
    """Train (or go on training) and measure.

    Returns:
        The result: ``status`` ("finished", "partial" or "diverged"), ``steps``, ``epochs``, ``final``
        (the measurement that counts, the last or the best of all; None if diverged), ``history`` (the
        scheduled ones, and the last), ``samples``
        (base64 PNG), ``real`` and ``floor`` (the images compared with, ``metrics/floor.py``), ``imported`` (their statistics came from another machine), ``segments`` (which code ran which steps where), the seconds spent, and ``trouble``
        (why checkpoints could not be written; the result is whole all the same). None when ``tick``
        asked to stop: a checkpoint is kept.

    Raises:
        GanbenchError: the folder's checkpoint belongs to another recipe, seed or data.
        OSError: it was asked to stop and the checkpoint could not be written; the ones before are intact.
    """
    torch.set_num_threads(threads)
    session = Session(recipe, protocol, seed, data, folder, device, channels_last, tell, saved)
    session.refuse_a_best_that_was_not_looked_for()
    total = recipe.total_steps(len(data.images))
    try:
        floor, imported = _prepare(recipe, protocol, device, lambda: tick(session.gan.step, total))
    except Interrupted as error:
        log.warning("%s", error)
        return None
    goal = total if until_epoch is None else min(total, until_epoch * session.per_epoch)
    log.info("%s at step %s of %s, %s threads", "resumed" if session.gan.step else "started", f"{session.gan.step:,}", f"{goal:,}", threads)
    if session.gan.step < goal and not session.diverged:
        session.segments.append(_segment(session.gan.step, device, threads, channels_last))
        if not train(session, goal, checkpoint_s, tick):
            log.info("stopped at step %s; its checkpoint is kept", f"{session.gan.step:,}")
            return None
    final, history = (None, session.history) if session.diverged else session.final_measurement()
    session.save_if_possible()
    step = session.gan.step
    status = "diverged" if session.diverged else "finished" if step == total else "partial"
    log.info("%s at step %s; %.0f s of training, %.0f s of measuring", status, f"{step:,}", session.train_s, session.eval_s)
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


def _prepare(recipe: Recipe, protocol: Protocol, device: str, stopping: Callable[[], bool]) -> tuple[dict[str, Any] | None, bool]:
    """What measuring images needs, made before the first step: the real-against-real floor of a proxy, and whether statistics were imported."""
    if not any(m in IMAGE for m in protocol.metrics):
        return None, False
    from benchmark.metrics.floor import real_floor

    extractor, real, validation = references(recipe, protocol, device, stopping)
    return real_floor(recipe, protocol, extractor, real, validation, stopping), real.imported or bool(validation and validation.imported)


def train(session: Session, goal: int, checkpoint_s: float, tick: Tick) -> bool:
    """Step until ``goal`` or divergence, measuring when the protocol says; False if ``tick`` asked to stop."""
    gan, saved_at = session.gan, time.perf_counter()
    if gan.step == 0 and session.protocol.every_steps is not None and not session.history:
        session.history.append(session.measure(final=False))  # the initialisation: what training has to improve on
    mark = _now()
    while gan.step < goal and not session.diverged:
        loss_D, loss_G = train_step(gan, session.sampler.next)
        epoch_ends = gan.step % session.per_epoch == 0
        due = _due(session.protocol, gan.step, epoch_ends, session.per_epoch)
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
        mark = _now()
    return True


def _due(protocol: Protocol, step: int, epoch_ends: bool, per_epoch: int) -> bool:
    """Whether the protocol measures after this step."""
    by_epoch = protocol.every_epochs is not None and epoch_ends and step // per_epoch % protocol.every_epochs == 0
    return by_epoch or (protocol.every_steps is not None and step % protocol.every_steps == 0)


class Session:
    """A run in memory: the pair, its place in the data, and the book that is kept of it; opened from its checkpoint."""

    BOOK = ("histories", "segments", "train_s", "eval_s", "train_cpu_s", "eval_cpu_s", "diverged")

    def __init__(
        self,
        recipe: Recipe,
        protocol: Protocol,
        seed: int,
        data: ImageSet,
        folder: Path,
        device: str,
        channels_last: bool,
        tell: Tell = lambda entry: None,
        saved: Callable[[], None] = lambda: None,
    ) -> None:
        self.protocol, self.seed, self.folder, self.tell, self.saved = protocol, seed, folder, tell, saved
        self.gan = Gan(recipe, seed, device, recipe.total_steps(len(data.images)), channels_last)
        self.sampler = Sampler(data.images, data.labels, recipe.batch_d, recipe.drop_last, seed, self.gan.device, bool(recipe.hflip), self.gan.layout)
        self.per_epoch = recipe.steps_per_epoch(len(data.images))
        self.probes = Probes(recipe, protocol, data)
        self.identity = {"recipe": recipe.to_json(), "seed": seed, "content": data.content, "subset": data.subset}
        self.histories: dict[str, list[dict[str, Any]]] = {}  # by protocol: two ways of measuring are never mixed
        self.trouble = ""
        self.segments: list[dict[str, Any]] = []
        self.train_s, self.eval_s, self.diverged = 0.0, 0.0, False
        self.train_cpu_s: float | None = 0.0  # of this process; None where a part was not measured
        self.eval_cpu_s: float | None = 0.0
        if saved := checkpoint.load(folder):
            _refuse_other(self.identity, saved["identity"], folder)
            self.gan.load_state_dict(saved["gan"])
            self.sampler.position = saved["position"]
            for key in self.BOOK:
                setattr(self, key, saved["book"].get(key) if key.endswith("_cpu_s") else saved["book"][key])  # older checkpoints lack CPU seconds
        self.history = self.histories.setdefault(protocol.fingerprint(), [])
        if self.history:
            tell(self.history[-1])

    def save(self) -> None:
        """Write the checkpoint."""
        book = {key: getattr(self, key) for key in self.BOOK}
        checkpoint.save(self.folder, {"identity": self.identity, "gan": self.gan.state_dict(), "position": self.sampler.position, "book": book})
        self.saved()

    def save_if_possible(self) -> None:
        """Write the checkpoint; where that fails (a full disk), remember why and let the run go on."""
        try:
            self.save()
            self.trouble = ""
        except OSError as error:
            self.trouble = f"checkpoints could not be written: {error.strerror or error}"
            log.warning("%s: %s", self.folder, self.trouble)

    def refuse_a_best_that_was_not_looked_for(self) -> None:
        """Raises GanbenchError where steps were trained without this protocol's looks: their best cannot be known any more."""
        if self.protocol.checkpoint == "last":
            return
        looked = {e["step"] for e in self.history}
        due = (s for s in range(1, self.gan.step + 1) if _due(self.protocol, s, s % self.per_epoch == 0, self.per_epoch))
        if any(step not in looked for step in due):
            raise GanbenchError(f"{self.folder} was trained under another protocol, which did not look for the best checkpoint; move the folder away to train again")

    def spend(self, what: str, since: tuple[float, float]) -> None:
        """Count the wall and CPU seconds since a moment (``_now``) as "train" or "eval"."""
        wall, cpu = (now - then for now, then in zip(_now(), since))
        setattr(self, f"{what}_s", getattr(self, f"{what}_s") + wall)
        if (so_far := getattr(self, f"{what}_cpu_s")) is not None:
            setattr(self, f"{what}_cpu_s", so_far + cpu)

    def measure(self, final: bool) -> dict[str, Any]:
        """One measurement of the pair as it is."""
        started = _now()
        entry = evaluate(self.gan, self.protocol, self.seed, self.gan.step, self.gan.step // self.per_epoch, final)
        entry |= self.probes.measure(self.gan, self.seed, self.gan.step)
        self.spend("eval", started)
        self.tell(entry)
        log.info("step %s: %s", f"{self.gan.step:,}", ", ".join(f"{m} {v['value']:.6g}" if v["value"] is not None else f"{m} not finite" for m, v in entry.items() if isinstance(v, dict)))
        return entry

    def final_measurement(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The measurement that counts, and the history to show.

        It is the last one; or (protocol ``checkpoint: best``) the best of all trained ones by ``best_by``, and then the
        history shown has the last one too, so that best can be held against last.
        """
        last, by = self.last_measurement(), self.protocol.best_by
        if self.protocol.checkpoint == "last" or by is None:
            return last, self.history
        shown = self.history if last in self.history else [*self.history, last]
        sign = -1 if by in HIGHER else 1
        measured = [e for e in shown if e[by]["value"] is not None and e["step"] > 0]
        return min(measured, key=lambda e: sign * e[by]["value"], default=last), shown

    def last_measurement(self) -> dict[str, Any]:
        """The scheduled measurement of this very step if it holds every metric, else one made for the end."""
        last = self.history[-1] if self.history else {"step": -1}
        if last["step"] == self.gan.step and all(m in last for m in self.protocol.metrics):
            return last
        return self.measure(final=True)


def _now() -> tuple[float, float]:
    """Wall and CPU seconds, the latter of all threads of this process."""
    return time.perf_counter(), time.process_time()


def _segment(step: int, device: str, threads: int, channels_last: bool) -> dict[str, Any]:
    place = torch.cuda.get_device_name() if device.startswith("cuda") else processor()
    return {"from_step": step, "to_step": step, **code_version(), "device": place, "threads": threads, "channels_last": channels_last, "torch": str(torch.__version__)}


def _refuse_other(mine: dict[str, Any], theirs: dict[str, Any], folder: Path) -> None:
    if mine == theirs:
        return
    lines = Recipe.from_json(mine["recipe"]).differences(Recipe.from_json(theirs["recipe"]))
    lines += [f"{k}: {mine[k]!r} != {theirs[k]!r}" for k in ("seed", "content", "subset") if mine[k] != theirs[k]]
    raise GanbenchError(f"{folder} holds a checkpoint of another run; this one differs in\n  " + "\n  ".join(lines))
