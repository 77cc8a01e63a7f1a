"""A run in memory, and what is kept of it on disk: what ``run.py`` steps through."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmark.data.read import ImageSet
from benchmark.errors import GanbenchError
from benchmark.metrics.names import HIGHER
from benchmark.pulse import doing
from benchmark.recipe import Protocol, Recipe
from benchmark.sources import changed
from benchmark.train import checkpoint
from benchmark.train.evaluate import evaluate
from benchmark.train.gan import Gan
from benchmark.train.kept import Odd, check
from benchmark.train.probes import Probes
from benchmark.train.sampler import Sampler

log = logging.getLogger(__name__)

Tell = Callable[[dict[str, Any]], None]
"""Called with the newest measurement: each as it is made, and the last one of a run that goes on."""


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
        anew: bool = False,
    ) -> None:
        self.protocol, self.seed, self.folder, self.tell, self.saved = protocol, seed, folder, tell, saved
        total = recipe.total_steps(len(data.images))
        self._make: Callable[[], Gan] = lambda: Gan(recipe, seed, device, total, channels_last)
        self.gan = self._make()
        self.sampler = Sampler(
            data.images,
            data.labels,
            recipe.batch_d,
            recipe.drop_last,
            seed,
            self.gan.device,
            bool(recipe.hflip),
            self.gan.layout,
        )
        self.per_epoch = recipe.steps_per_epoch(len(data.images))
        self.probes = Probes(recipe, protocol, data)
        self.identity = {"recipe": recipe.to_json(), "seed": seed, "content": data.content, "subset": data.subset}
        self.histories: dict[str, list[dict[str, Any]]] = {}  # by protocol: two ways of measuring are never mixed
        self.trouble = ""
        self.segments: list[dict[str, Any]] = []
        self.train_s, self.eval_s, self.diverged = 0.0, 0.0, False
        self.train_cpu_s: float | None = 0.0  # of this process; None where a part was not measured
        self.eval_cpu_s: float | None = 0.0
        self.anew = anew
        checkpoint.load(folder, self._resume, _most_bytes(self.gan))
        self.history = self.histories.setdefault(protocol.fingerprint(), [])
        if self.history:
            tell(self.history[-1])

    def _resume(self, kept: dict[str, Any]) -> None:
        """Go on from a checkpoint, or be as before; raises GanbenchError where it is of another run, or another error
        where it is none.
        """
        check(kept, self.gan)
        _refuse_other(self.identity, kept["identity"], self.folder)
        if self.anew and (files := changed(kept["book"]["segments"], self.gan.recipe)):
            log.info("its checkpoint is not gone on from: %s changed", ", ".join(files))
            return
        try:
            self.gan.load_state_dict(kept["gan"])
        except Exception:
            self.gan = self._make()
            raise
        self.sampler.position = kept["position"]
        for key in self.BOOK:
            # Older checkpoints lack CPU seconds.
            setattr(self, key, kept["book"].get(key) if key.endswith("_cpu_s") else kept["book"][key])

    def save(self) -> None:
        """Write the checkpoint."""
        book = {key: getattr(self, key) for key in self.BOOK}
        checkpoint.save(
            self.folder,
            {"identity": self.identity, "gan": self.gan.state_dict(), "position": self.sampler.position, "book": book},
        )
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
        """Raises GanbenchError where steps were trained without this protocol's looks: their best cannot be known any
        more.
        """
        if self.protocol.checkpoint == "last":
            return
        looked = {e["step"] for e in self.history}
        due = (
            s for s in range(1, self.gan.step + 1) if is_due(self.protocol, s, s % self.per_epoch == 0, self.per_epoch)
        )
        if any(step not in looked for step in due):
            raise GanbenchError(
                f"{self.folder} was trained under another protocol, which did not look for the best "
                "checkpoint; move the folder away to train again"
            )

    def spend(self, what: str, since: tuple[float, float]) -> None:
        """Count the wall and CPU seconds since a moment (``now``) as "train" or "eval"."""
        wall, cpu = (later - then for later, then in zip(now(), since))
        setattr(self, f"{what}_s", getattr(self, f"{what}_s") + wall)
        if (so_far := getattr(self, f"{what}_cpu_s")) is not None:
            setattr(self, f"{what}_cpu_s", so_far + cpu)

    def measure(self, final: bool) -> dict[str, Any]:
        """One measurement of the pair as it is."""
        started = now()
        with doing("measuring"):
            entry = evaluate(self.gan, self.protocol, self.seed, self.gan.step, self.gan.step // self.per_epoch, final)
            entry |= self.probes.measure(self.gan, self.seed, self.gan.step)
        self.spend("eval", started)
        self.tell(entry)
        log.info(
            "step %s: %s",
            f"{self.gan.step:,}",
            ", ".join(
                f"{m} {v['value']:.6g}" if v["value"] is not None else f"{m} not finite"
                for m, v in entry.items()
                if isinstance(v, dict)
            ),
        )
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


def is_due(protocol: Protocol, step: int, epoch_ends: bool, per_epoch: int) -> bool:
    """Whether the protocol measures after this step."""
    by_epoch = protocol.every_epochs is not None and epoch_ends and step // per_epoch % protocol.every_epochs == 0
    return by_epoch or (protocol.every_steps is not None and step % protocol.every_steps == 0)


def now() -> tuple[float, float]:
    """Wall and CPU seconds, the latter of all threads of this process."""
    return time.perf_counter(), time.process_time()


def _most_bytes(gan: Gan) -> int:
    """Of a checkpoint: the tensors with Adam's moments and those of parts, and a long history."""
    sizes = [module.state_dict() for module in (gan.G, *gan.judges, *([gan.average.G] if gan.average else []))]
    weights = sum(value.nbytes for state in sizes for value in state.values() if isinstance(value, torch.Tensor))
    return 8 * weights + 2**28


def _refuse_other(mine: dict[str, Any], theirs: dict[str, Any], folder: Path) -> None:
    if mine == theirs:
        return
    try:
        other = Recipe.from_json(theirs["recipe"])
    except GanbenchError as error:
        raise Odd(f"identity: {error}") from None
    lines = Recipe.from_json(mine["recipe"]).differences(other)
    lines += [f"{k}: {mine[k]!r} != {theirs[k]!r}" for k in ("seed", "content", "subset") if mine[k] != theirs[k]]
    raise GanbenchError(f"{folder} holds a checkpoint of another run; this one differs in\n  " + "\n  ".join(lines))
