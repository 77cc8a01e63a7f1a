"""What ``plan`` and ``calibrate`` take."""

from __future__ import annotations

from benchmark.arguments.numbers import MOST_GPUS, time, whole
from benchmark.arguments.paths import text
from benchmark.arguments.shared import Command, which_runs


def add(command: Command) -> None:
    """Their arguments."""
    p = command("plan", "which runs are needed, and why", "+", results=True, profile=True)
    which_runs(p)
    p.add_argument(
        "--explain",
        action="store_true",
        help="the reason for every run, and its cost (of work not met before with --gpu, --gpus or --budget only: "
        "it is counted first)",
    )
    p.add_argument(
        "--gpu",
        type=text,
        metavar="DEVICE",
        help="costs on V100, A100, H100, RTX4090 or cpu (one core of this machine; default: cpu); "
        "of several kinds with their numbers: A100:4,V100:8",
    )
    p.add_argument(
        "--gpus", type=whole(1, MOST_GPUS), metavar="N", help="how long all runs take on so many of them (default: 1)"
    )
    p.add_argument(
        "--budget", type=time(), metavar="T", help="which cells to run for so many device hours: 500h, 90min, 2d"
    )
    p.add_argument("--json", action="store_true", help="for programs")
    p = command("calibrate", "measure how fast this machine is, for the costs that 'plan' predicts (about a minute)")
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
