"""Making runs and watching them: ``run`` and ``status``."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from pathlib import Path

from benchmark.commands.choosing import about
from benchmark.commands.columns import print_fitting
from benchmark.commands.lines import chosen_plan, count, first_seeds, plan_line
from benchmark.errors import GanbenchError, continued
from benchmark.files import kind
from benchmark.plan.plan import Plan
from benchmark.process import shell


def run(a: Namespace) -> int:
    """Make the runs that are needed."""
    from benchmark.schedule.launch import Options, run_plan

    _check(a)
    if a.weights:
        os.environ["GANBENCH_WEIGHTS"] = _weights(a.weights)
    options = Options(
        executor=a.executor,
        address=a.address,
        cpus=a.cpus,
        device=a.device,
        gpu_share=a.gpu_share,
        max_parallel=a.max_parallel,
        stop_at=None if a.time_limit is None else time.monotonic() + a.time_limit,
        threads=a.threads,
        layout=a.layout,
        until_epoch=a.until_epoch,
        checkpoints=a.checkpoints,
        checkpoint_s=a.checkpoint_every,
        tensorboard=a.tensorboard,
        command=tuple(a.words),
        hung_s=a.hung_after,
    )
    if a.until_decided:
        from benchmark.commands.deciding import until_decided

        return until_decided(a, options)
    made, _, unread = chosen_plan(a)
    print(plan_line(made), file=sys.stderr)
    _say_again(made, a)
    for finished in made.of("done")[:3]:
        print(f"  {finished.name}: {finished.reason}", file=sys.stderr)
    if len(made.of("done")) > 3:
        print(f"  … and {len(made.of('done')) - 3} more; see: {_explained(a)}", file=sys.stderr)
    summary = run_plan(made, a.results, options)
    for failure in summary.failures:
        print(continued(f"  {failure}"), file=sys.stderr)
    counts = ", ".join(f"{n} {state}" for state, n in summary.counts.items()) or "nothing to do"
    print(f"{counts}; {count(len(made.of('done')), 'run')} had a record already", file=sys.stderr)
    if summary.exit_code == 130:
        print("run the same command again to go on", file=sys.stderr)
    return summary.exit_code or unread


def _say_again(made: Plan, a: Namespace) -> None:
    """Which records are made anew, and why."""
    redone = [run for run in made.of("to do") if run.again]
    for run in redone[:3]:
        print(f"  again: {run.name}: {', '.join(run.changed)} changed", file=sys.stderr)
    if len(redone) > 3:
        print(f"  … and {len(redone) - 3} more; see: {_explained(a)}", file=sys.stderr)


def _weights(files: list[Path]) -> str:
    """What GANBENCH_WEIGHTS says of these files."""
    for file in files:
        if file.exists() and not file.is_file():
            raise GanbenchError(f"--weights {file} is {kind(file.stat().st_mode)}, not a file", 2)
        if os.pathsep in str(file) and len(files) > 1:
            raise GanbenchError(f"--weights {file}: of several files, none may have {os.pathsep!r} in its path", 2)
    return os.pathsep.join(os.path.abspath(file) for file in files)  # by its own name, where it is a link


def _explained(a: Namespace) -> str:
    """The command that gives the reason for every run of this one."""
    more = [*shell.option("--only", a.only)] if a.only is not None else []
    more += ["--until-epoch", str(a.until_epoch)] if a.until_epoch else []
    more += ["--again"] if a.again else []
    more += ["--seeds", str(a.seeds), *shell.option("--results", a.results), "--explain"]
    return about("plan", a.suites, a.profile, *more)


def _check(a: Namespace) -> None:
    """Raises GanbenchError on options that do not go together."""
    if a.address and a.executor == "inline":
        raise GanbenchError("--executor inline makes the runs in this process: leave it out, or leave out --address", 2)
    if a.address and a.cpus:
        raise GanbenchError(
            "--cpus is of a Ray that is started here: a cluster's nodes know their own; leave it out", 2
        )
    if a.executor == "inline" and a.threads > (there := os.cpu_count() or 1):
        raise GanbenchError(f"--threads: {a.threads:,} are more than this machine's {there} cores", 2)
    if not a.until_decided:
        if a.budget is not None:
            raise GanbenchError(
                "--budget says when 'run --until-decided' stops; 'plan --budget' says what to run for it", 2
            )
        return
    if a.budget is None:
        raise GanbenchError("--until-decided needs --budget, the device hours after which it stops: --budget 20h", 2)
    if a.again:
        raise GanbenchError("--until-decided adds seeds, and makes none anew: leave out --again", 2)
    if a.priority:
        raise GanbenchError("--until-decided chooses the order: leave out --priority", 2)
    if a.seeds != 1 or a.until_epoch is not None:
        raise GanbenchError(
            "--until-decided chooses the seeds, and runs them to their end: leave out --seeds and --until-epoch"
            f" (for a first seed of each cell: {first_seeds(a.words)})",
            2,
        )


def status(a: Namespace) -> int:
    """What runs, what is done, what failed."""
    from benchmark.schedule.state import describe, driver_alive, watch

    print_fitting((watch if a.watch else describe)(a.results))
    driver_alive(a.results)  # where that cannot be told, it is said, and is no success
    return 0
