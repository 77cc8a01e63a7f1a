"""The command that makes a cell's runs again, and no others."""

from __future__ import annotations

import re
import shlex

from benchmark.suite.model import Cell


def rerun(c: Cell, seeds: int, results: str, until_epoch: int | None = None) -> str:
    """``ganbench run …`` for one cell, quoted for a shell.

    Args:
        seeds: 0 to ``seeds`` − 1.
    """
    tests = {"table": c.table, "method": c.method, "backbone": c.backbone, "dataset": c.dataset, "data_percent": f"{c.data_percent:g}", "resolution": str(c.resolution)}
    only = " & ".join(f"{name}={_quoted(value)}" for name, value in tests.items() if value)
    words = ["ganbench", "run", c.paper, "--profile", c.profile, "--seeds", str(seeds), "--only", only]
    if until_epoch is not None:
        words += ["--until-epoch", str(until_epoch)]
    return shlex.join([*words, "--results", results])


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w.^@%+†‡-]+", value):
        return value
    return f"'{value}'" if '"' in value else f'"{value}"'
