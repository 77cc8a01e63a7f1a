"""The work of steps that has been counted: kept in the user's cache folder, by all that it depends on.

Recipes that differ in nothing that a step's work depends on share a count, and torch is imported only for recipes
that nobody has asked about yet. The counting is in ``count.py``.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from benchmark.canonical import content_hash
from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError, said
from benchmark.files import read_regular, write_whole
from benchmark.plan.keys import algorithm_versions
from benchmark.plan.work import Count
from benchmark.recipe import Recipe

COUNT_VERSION = 3
"""Raised when ``count.py`` counts otherwise."""

SAY_EVERY_S = 5.0

SHAPES_WORK = (
    "resolution",
    "channels",
    "network",
    "z_dim",
    "loss",
    "parts",
    "batch_d",
    "batch_g",
    "n_dis",
    "player_order",
    "share_fakes",
    "augment_once",
    "d_pass",
    "optimizer",
    "ema_buffers",
    "precision",
    "classes",
)
"""Fields of a recipe that a step's work depends on."""


class Counting:
    """Says on standard error how far the counting is, at its start and then now and then: a kind of step takes
    seconds.
    """

    def __init__(self, what: str = "counting the work of {} kinds of step") -> None:
        """``what`` is done, with a place for how many."""
        self._what = what
        self._last = -math.inf

    def __call__(self, done: int, todo: int) -> None:
        """``done`` of ``todo`` kinds are counted."""
        if time.monotonic() - self._last >= SAY_EVERY_S:
            self._last = time.monotonic()
            print(f"{self._what.format(todo)}, once: {done} done", file=sys.stderr, flush=True)


class Counts:
    """The counts that are known, by ``work_key``; new ones are made on demand and kept."""

    def __init__(self, path: Path | None = None) -> None:
        """A file that cannot be read, or holds something else, counts as empty; without a home, nothing is kept."""
        self.path = path
        if path is None:
            with suppress(GanbenchError):
                self.path = cache_folder() / "work.json"
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

    def why_not(self, recipe: Recipe) -> str:
        """Why the recipe's step could not be counted when it was tried; "" if it was, or was not tried."""
        return self.refused.get(self.key(recipe), "")

    def count_all(
        self, recipes: Iterable[tuple[Recipe, int]], say: Callable[[int, int], None] = lambda done, todo: None
    ) -> None:
        """Count what is not known yet, and keep it.

        Args:
            recipes: with the G steps of the whole run.
            say: told how many are done, of how many.

        A recipe whose plug-in is missing stays unknown. So does one that a plug-in refuses, that reads what the meta
        device does not have, or that is too much to be counted; it is noted in ``refused``.
        """
        todo = {key: pair for pair in recipes if (key := self.key(pair[0])) and key not in self._known}
        if not todo:
            return
        from benchmark.plan.count import count

        wasted_s = 0.0
        for done, (key, (recipe, steps)) in enumerate(todo.items()):
            say(done, len(todo))
            began = time.process_time()
            try:
                self._known[key] = count(recipe, steps, wasted_s)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # of plug-ins; the plan is made all the same, the run will say so
                wasted_s += time.process_time() - began
                self.refused[key] = (said(error).splitlines() or [type(error).__name__])[0]
            if done % 10 == 9:
                self._keep()
        self._keep()

    def _keep(self) -> None:
        """A cache folder that cannot be written costs time, nothing else."""
        if self.path is None:
            return
        self._known = _read(self.path) | self._known  # another process may have counted meanwhile
        with suppress(OSError):
            content = json.dumps({key: count.to_json() for key, count in self._known.items()})
            write_whole(self.path, content.encode())


def _read(path: Path | None) -> dict[str, Count]:
    if path is None:
        return {}
    try:
        return {key: Count.from_json(entry) for key, entry in json.loads(read_regular(path)).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def work_key(recipe: Recipe) -> str:
    """Equal for recipes whose steps are the same work: by content and by the versions of all that computes it.

    Raises:
        GanbenchError: a plug-in is missing.
    """
    plain = {name: value for name in SHAPES_WORK if (value := getattr(recipe, name)) is not None}
    return content_hash([COUNT_VERSION, algorithm_versions(recipe), recipe.ema is not None, plain])[:16]
