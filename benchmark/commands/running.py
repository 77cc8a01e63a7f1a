"""Making runs and watching them: ``run`` and ``status``."""

from __future__ import annotations

import os
import sys
from argparse import Namespace

from benchmark.commands.lines import chosen_plan, count, plan_line


def run(a: Namespace) -> int:
    """Make the runs that are needed."""
    from benchmark.schedule.launch import Options, run_plan

    if a.weights:
        os.environ["GANBENCH_WEIGHTS"] = str(a.weights.resolve())
    made, _ = chosen_plan(a)
    print(plan_line(made), file=sys.stderr)
    for finished in made.of("done")[:3]:
        print(f"  {finished.name}: {finished.reason}", file=sys.stderr)
    if len(made.of("done")) > 3:
        print(f"  … and {len(made.of('done')) - 3} more (ganbench plan --explain)", file=sys.stderr)
    options = Options(
        executor=a.executor,
        address=a.address,
        cpus=a.cpus,
        device=a.device,
        gpu_share=a.gpu_share,
        max_parallel=a.max_parallel,
        time_limit_s=a.time_limit,
        threads=a.threads,
        channels_last=a.channels_last,
        until_epoch=a.until_epoch,
        checkpoints=a.checkpoints,
        checkpoint_s=a.checkpoint_every,
        hung_s=a.hung_after,
    )
    summary = run_plan(made, a.results, options)
    for failure in summary.failures:
        print(f"  {failure}", file=sys.stderr)
    counts = ", ".join(f"{n} {state}" for state, n in summary.counts.items()) or "nothing to do"
    print(f"{counts}; {count(len(made.of('done')), 'run')} had a record already", file=sys.stderr)
    if summary.exit_code == 130:
        print("run the same command again to go on", file=sys.stderr)
    return summary.exit_code


def status(a: Namespace) -> int:
    """What runs, what is done, what failed."""
    from benchmark.schedule.state import describe

    print(describe(a.results))
    return 0
