"""The command that makes a cell's runs again, and no others."""

from __future__ import annotations

from benchmark.process.shell import command, option
from benchmark.suite.filter import COORDINATES, selects
from benchmark.suite.find import called
from benchmark.suite.model import Cell


def rerun(c: Cell, seeds: int, results: str, until_epoch: int | None = None, looked: bool = False) -> str:
    """``ganbench run …`` for one cell, for a shell in the folder that this process works in.

    Args:
        seeds: 0 to ``seeds`` − 1.
        looked: so many were chosen by a look, and whoever makes them again is to have the same intervals
            (``collate/statistics/looks.py``).
    """
    words = ["run", called(c.paper, c.path), *option("--profile", c.profile), "--seeds", str(seeds)]
    words += option("--only", selects(c, COORDINATES))
    if until_epoch is not None:
        words += ["--until-epoch", str(until_epoch)]
    if looked:
        words.append("--looked")
    return command(*words, *option("--results", results))
