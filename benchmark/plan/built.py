"""Whether a recipe's players can be built and see a batch, before anything trains: tried once, on torch's meta device.

What was tried and works is kept in the user's cache folder, by the keys of ``counted.py``; torch is imported only for
recipes that nobody has tried yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.files import read_regular, write_whole
from benchmark.plan.counted import Counting, Counts, work_key
from benchmark.recipe import Recipe

RULES = 2  # of train/together.py and plan/trial.py: what was tried by others is tried again


def refusals(named: Mapping[str, Recipe]) -> list[str]:
    """Why recipes cannot be trained: what a plug-in refuses, or torch; each reason once, after the first of the names
    that it holds for. Nothing is said of recipes whose plug-ins are missing, and of networks too large to try.
    """
    keys = _keys(named)
    path = _file()
    tried = _read(path)
    counted = Counts()
    kinds = {key: named[name] for name, key in keys.items() if key not in tried and not counted.known(named[name])}
    if not kinds:
        return []
    from benchmark.plan.trial import trial

    say, found = Counting("trying the networks of {} kinds of run"), {}
    for done, (key, recipe) in enumerate(kinds.items()):
        say(done, len(kinds))
        found[key] = trial(recipe)
    _keep(path, [key for key, why in found.items() if why is None])
    reasons: dict[str, list[str]] = {}
    for name, key in keys.items():
        if why := found.get(key):
            reasons.setdefault(why, []).append(name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {why}" for why, names in reasons.items()
    ]


def _keys(named: Mapping[str, Recipe]) -> dict[str, str]:
    found = {}
    for name, recipe in named.items():
        with suppress(GanbenchError):  # a plug-in is missing: said elsewhere
            found[name] = f"{work_key(recipe)}-{RULES}"
    return found


def _file() -> Path | None:
    """None without a home: then nothing is kept."""
    with suppress(GanbenchError):
        return cache_folder() / "built.json"
    return None


def _read(path: Path | None) -> set[str]:
    if path is None:
        return set()
    try:
        return {key for key in json.loads(read_regular(path)) if isinstance(key, str)}
    except (OSError, ValueError, TypeError, RecursionError):
        return set()


def _keep(path: Path | None, keys: Iterable[str]) -> None:
    """A cache folder that cannot be written costs time, nothing else."""
    if path is not None:
        with suppress(OSError):
            write_whole(path, json.dumps(sorted(_read(path) | set(keys))).encode())
