"""Whether a recipe's players can be built and see a batch, before anything trains: tried once, on torch's meta device.

What was tried and works is kept in the user's cache folder, with what it holds, by the keys of ``counted.py``; torch is
imported only for recipes that nobody has tried yet.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.files import read_regular, write_whole
from benchmark.outside.exits import Ends
from benchmark.plan.blocks import may_not_run
from benchmark.plan.counted import Counting, Counts, work_key
from benchmark.recipe import Recipe

RULES = 3  # of train/together.py and plan/trial.py: what was tried by others is tried again


def refusals(named: Mapping[str, Recipe], room: int | None = None, running: bool = False) -> list[str]:
    """Why recipes cannot be trained: what a plug-in refuses, or torch, or that they hold more than there is room for;
    each reason once, after the first of the names that it holds for. Nothing is said of recipes whose plug-ins are
    missing or may not run, and of networks too large to try.

    Args:
        room: bytes of the machine that is to train them; None: it is another one.
        running: the runs are to be made now, and one whose code ends the process fails alone: nothing is said of it.
    """
    keys = _keys(named)
    found = _tried({key: named[name] for name, key in keys.items()})
    reasons: dict[str, list[str]] = {}
    for name, key in keys.items():
        why = found.get(key)
        if isinstance(why, Ends) and running:
            continue
        if isinstance(why, str):
            reasons.setdefault(why, []).append(name)
        elif why and room is not None and why > room:
            reasons.setdefault(_too_large(why, room), []).append(name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {why}" for why, names in reasons.items()
    ]


def _tried(kinds: Mapping[str, Recipe]) -> dict[str, str | int]:
    """What ``trial`` says of each kind of run; of those that worked before, as it is kept."""
    path, counted = _file(), Counts()
    found: dict[str, str | int] = {key: n for key, n in _read(path).items() if key in kinds}
    found |= {key: c.checkpoint for key, r in kinds.items() if key not in found and (c := counted.known(r))}
    new = {key: recipe for key, recipe in kinds.items() if key not in found}
    if not new:
        return found
    from benchmark.plan.trial import trial

    say = Counting("trying the networks of {} kinds of run")
    tried: dict[str, str | int] = {}
    for done, (key, recipe) in enumerate(new.items()):
        say(done, len(new))
        if (result := trial(recipe)) is not None:
            tried[key] = result
    _keep(path, {key: n for key, n in tried.items() if isinstance(n, int)})
    return found | tried


def _too_large(held: int, room: int) -> str:
    return (
        f"its weights, gradients and optimisers take {held / 1e9:,.3g} GB, this machine has {room / 1e9:,.3g} GB: "
        "take a smaller width, or a machine with more"
    )


def room_here() -> int | None:
    """Bytes of this machine's memory; None where it does not say."""
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _keys(named: Mapping[str, Recipe]) -> dict[str, str]:
    found = {}
    for name, recipe in named.items():
        with suppress(GanbenchError):  # a plug-in is missing: said elsewhere
            if may_not_run(recipe) is None:
                found[name] = f"{work_key(recipe)}-{RULES}"
    return found


def _file() -> Path | None:
    """None without a home: then nothing is kept."""
    with suppress(GanbenchError):
        return cache_folder() / "built.json"
    return None


def _read(path: Path | None) -> dict[str, int]:
    if path is None:
        return {}
    try:
        return {key: int(n) for key, n in json.loads(read_regular(path)).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _keep(path: Path | None, held: Mapping[str, int]) -> None:
    """A cache folder that cannot be written costs time, nothing else."""
    if path is not None:
        with suppress(OSError):
            write_whole(path, json.dumps(_read(path) | dict(held)).encode())
