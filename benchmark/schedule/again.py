"""The command that makes one run again: the one that was given, for that run's cell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from benchmark.plan.plan import Run
from benchmark.suite.filter import selects

ONLY = "--only"


def again(words: Sequence[str], run: Run) -> str:
    """A line for a shell: ``ganbench`` and ``words`` (the options that were given), with ``--only`` naming the first
    cell that needs ``run``.
    """
    kept: list[str] = []
    given = iter(words)
    for word in given:
        name = word.split("=", 1)[0]
        if len(name) > 2 and ONLY.startswith(name):  # argparse takes "--on" as well
            if "=" not in word:
                next(given, None)
            continue
        kept.append(word)
    return shlex.join(["ganbench", *kept, ONLY, selects(run.cells[0])])
