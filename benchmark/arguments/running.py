"""What ``run`` and ``status`` take."""

from __future__ import annotations

from argparse import ArgumentParser

from benchmark.arguments.numbers import CENTURY_S, MANY, cores, decimal, time, whole
from benchmark.arguments.paths import folder, folder_or_url, old_file, text
from benchmark.arguments.shared import Command, which_runs
from benchmark.train.layout import AUTO, CHANNELS_LAST, LAYOUTS


def add(command: Command) -> None:
    """Their arguments."""
    p = command("run", "make the runs that are needed", "+", results=True, profile=True)
    which_runs(p)
    _how_long(p)
    _where(p)
    _each_run(p)
    p = command("status", "what runs, what is done, what failed", results=True)
    p.add_argument("--watch", action="store_true", help="show it again and again until the driver ends")


def _how_long(p: ArgumentParser) -> None:
    p.add_argument(
        "--until-decided",
        action="store_true",
        help="add seeds to cells and claims that are inconclusive and could change, most informative per device hour "
        "first, until they are decided or the budget is spent",
    )
    p.add_argument(
        "--budget", type=time(), metavar="T", help="device hours after which --until-decided stops: 20h, 90min, 2d"
    )
    p.add_argument(
        "--time-limit",
        type=time(),
        metavar="T",
        help="then all runs write a checkpoint and stop, to be gone on with by the same command: 8h, 90min, 2d",
    )
    p.add_argument(
        "--hung-after",
        type=time(1.0),
        default=3600.0,
        metavar="T",
        help="start a run again, from its checkpoint, that gave no sign of life for so long; "
        "with --executor inline, end (default: 1h)",
    )


def _where(p: ArgumentParser) -> None:
    p.add_argument(
        "--executor", choices=("ray", "inline"), default="ray", help="inline: one after the other in this process"
    )
    p.add_argument("--address", type=text, metavar="A", help="join this Ray cluster instead of starting Ray here")
    p.add_argument("--cpus", type=cores, metavar="N", help="cores to use on this machine (default: all)")
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument(
        "--gpu-share",
        type=decimal(1e-4, 1.0, "0.5"),  # Ray counts ten-thousandths
        metavar="F",
        help="part of a GPU for every run, at most 1 (default: by each run's estimated memory)",
    )
    p.add_argument(
        "--max-parallel",
        type=whole(1, MANY),
        metavar="N",
        help="at most so many runs at a time (default: as many as fit)",
    )
    p.add_argument(
        "--checkpoints",
        type=folder_or_url,
        metavar="DIR",
        help="where checkpoints are kept: a folder, or a URL such as s3://bucket/runs (default: RESULTS/runs)",
    )
    p.add_argument(
        "--tensorboard", type=folder, metavar="DIR", help="also write what runs measure there, for TensorBoard"
    )


def _each_run(p: ArgumentParser) -> None:
    p.add_argument(
        "--threads",
        type=whole(1, MANY),
        default=1,
        metavar="N",
        help="CPU threads a run (default: 1; another number may change the last bits)",
    )
    layout = p.add_mutually_exclusive_group()
    layout.add_argument(
        "--layout",
        choices=LAYOUTS,
        default=AUTO,
        help="how maps and weights lie in memory; another may change the last bits, and the record says which "
        "(default: auto, by network and device what was measured to be faster)",
    )
    layout.add_argument(
        "--channels-last", action="store_const", const=CHANNELS_LAST, dest="layout", help="as --layout channels-last"
    )
    p.add_argument(
        "--weights",
        type=old_file,
        action="append",
        metavar="PATH",
        help="a file of weights, by its own name (vgg16-397923af.pth); another name is taken for the Inception "
        "network's; may be given several times (default: where torch keeps its downloads)",
    )
    p.add_argument(
        "--checkpoint-every",
        type=decimal(0.0, CENTURY_S, "60"),
        default=60.0,
        metavar="S",
        help="seconds between checkpoints (default: 60; 0: after every step)",
    )
