"""The command that makes one run again: the one that was given, for that run's cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.plan.plan import Run
from benchmark.process.shell import command, option, without
from benchmark.suite.filter import selects
from benchmark.suite.rerun import rerun


def again(words: Sequence[str], run: Run, results: Path = Path("results")) -> str:
    """A line for a shell, with ``--only`` naming the first cell that needs ``run``.

    Args:
        words: the command line that was given; none where a notebook made the run: then what makes the cell's runs up
            to this seed.
        results: the folder that its record is to be in.
    """
    if not words:
        return rerun(run.cells[0], max(run.seed + 1, run.planned or 0), str(results), looked=run.planned == 0)
    kept = without(words, {"--only": True})
    fixed = without(kept, {"--until-decided": False, "--budget": True})
    if fixed != kept:  # which adds seeds where verdicts are open, and a failed one is not
        kept = [fixed[0], "--seeds", str(run.seed + 1), "--looked", *fixed[1:]]
    end = kept.index("--") if "--" in kept else len(kept)
    return command(*kept[:end], *option("--only", selects(run.cells[0])), *kept[end:])
