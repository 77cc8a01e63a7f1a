"""The command that makes a cell's runs again, and no others."""

from __future__ import annotations

import shlex

from benchmark.suite.filter import COORDINATES, selects
from benchmark.suite.model import Cell


def rerun(c: Cell, seeds: int, results: str, until_epoch: int | None = None) -> str:
    """``ganbench run …`` for one cell, quoted for a shell.

    Args:
        seeds: 0 to ``seeds`` − 1.
    """
    words = ["ganbench", "run", c.paper, "--profile", c.profile, "--seeds", str(seeds), "--only", selects(c, COORDINATES)]
    if until_epoch is not None:
        words += ["--until-epoch", str(until_epoch)]
    return shlex.join([*words, "--results", results])
