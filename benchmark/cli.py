"""The command line: parse, call, print. Every import that costs something is made by the command that needs it."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

from benchmark import __version__, console

DESCRIPTION = (
    "Reproducibility benchmark harness for GAN papers: what they published, what we get, whether their claims hold."
)
ROOMS = {  # which file of benchmark/commands/ a command stands in
    **dict.fromkeys(("list", "show", "published"), "listing"),
    **dict.fromkeys(("plan", "calibrate"), "planning"),
    **dict.fromkeys(("run", "status"), "running"),
    **dict.fromkeys(("compare", "claims", "report"), "judging"),
    **dict.fromkeys(("merge", "export"), "sharing"),
    **dict.fromkeys(("data", "doctor"), "machine"),
}


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser(
        prog="ganbench",
        description=DESCRIPTION,
        epilog="A SUITE is a name (theory), a file (suites/theory.yaml) or a folder.",
    )
    top.add_argument("--version", action="version", version=f"ganbench {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(
        name: str, text: str, suites: str | None = None, results: bool = False, profile: bool = False
    ) -> argparse.ArgumentParser:
        p = commands.add_parser(name, help=text, description=text)
        p.set_defaults(room=ROOMS[name], function="list_cells" if name == "list" else name)
        if suites:
            p.add_argument("suites", nargs=suites, metavar="SUITE")
        if profile:
            p.add_argument(
                "--profile",
                metavar="P",
                help="full (the paper's own), reduced, ci; default: full, or what the suite states",
            )
        if results:
            p.add_argument(
                "--results",
                type=Path,
                default=Path("results"),
                metavar="DIR",
                help="where records are (default: results)",
            )
        return p

    only = {"metavar": "EXPR", "help": "choose cells: 'table=2 & dataset=cifar10 & method~GraN'"}
    p = command("list", "suites, tables, cells, and what each still needs", "*", profile=True)
    p.add_argument("--json", action="store_true", help="for programs")
    p.add_argument(
        "--check", action="store_true", help="look for mistakes in the suite files instead; exit 1 if there are any"
    )
    p = command(
        "show", "one cell: resolved recipe, protocol, published numbers, runs so far", results=True, profile=True
    )
    p.add_argument("cell", metavar="CELL", help="as 'ganbench list' prints it: theory/1/B_z=10^0[MLP]/mnist")
    p = command("published", "every published number, tidy", "*")
    p.add_argument("--format", choices=("csv", "json"), default="csv")
    for name, text in (("plan", "which runs are needed, and why"), ("run", "make the runs that are needed")):
        p = command(name, text, "+", results=True, profile=True)
        p.add_argument("--seeds", type=_positive, default=1, metavar="N", help="seeds 0 to N-1 (default: 1)")
        p.add_argument("--only", **only)
        p.add_argument(
            "--priority",
            type=_priority,
            action="append",
            metavar="SUITE=N",
            help="runs of suites with a higher number start first (default: 0; may be given several times)",
        )
        p.add_argument(
            "--until-epoch",
            type=_positive,
            metavar="E",
            help="stop every run there with a partial record; a later run goes on",
        )
        p.add_argument(
            "--looked",
            action="store_true",
            help="the number of seeds was chosen by a look at results, as where a run of --until-decided is made again: the records say so, and intervals are as wide as there",
        )
        if name == "plan":
            p.add_argument(
                "--explain",
                action="store_true",
                help="the reason for every run, and its cost (of work not met before with --gpu, --gpus or --budget only: it is counted first)",
            )
            p.add_argument(
                "--gpu",
                metavar="DEVICE",
                help="costs on V100, A100, H100, RTX4090 or cpu (one core of this machine; default: cpu); of several kinds with their numbers: A100:4,V100:8",
            )
            p.add_argument(
                "--gpus", type=_positive, metavar="N", help="how long all runs take on so many of them (default: 1)"
            )
            p.add_argument(
                "--budget", type=_time, metavar="T", help="which cells to run for so many device hours: 500h, 90min, 2d"
            )
            p.add_argument("--json", action="store_true", help="for programs")
        else:
            _run_options(p)
    p = command("calibrate", "measure how fast this machine is, for the costs that 'plan' predicts (about a minute)")
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    p = command("status", "what runs, what is done, what failed", results=True)
    p.add_argument("--watch", action="store_true", help="show it again and again until the driver ends")
    p = command("compare", "published beside achieved, tier and verdict", "+", results=True, profile=True)
    p.add_argument("--format", choices=("table", "csv", "json"), default="table")
    p = command("claims", "each claim and its two verdicts", "*", results=True, profile=True)
    p.add_argument("--published-only", action="store_true", help="judge by the papers' own numbers alone")
    p = command(
        "report", "tables as Markdown, LaTeX and CSV, and the site: open index.html", "+", results=True, profile=True
    )
    p.add_argument("--out", type=Path, default=Path("report"), metavar="DIR", help="where to write (default: report)")
    p.add_argument("--png", action="store_true", help="also write every figure as PNG")
    p = command("data", "datasets: cards, sources, checksums; features of real images that are kept", profile=True)
    p.add_argument("action", choices=("list", "fetch", "add", "verify", "stats"))
    p.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="datasets; for 'add': NAME FOLDER (or an archive); for 'stats': suites whose real images are to be measured now (none: list what is kept)",
    )
    p.add_argument("--force", action="store_true", help="with fetch: replace files that are there")
    p.add_argument(
        "--export",
        type=Path,
        metavar="FILE",
        help="with stats and suites: write the kept statistics of their one set of real images",
    )
    p.add_argument(
        "--import",
        type=Path,
        metavar="FILE",
        dest="import_file",
        help="with stats: take over a file that --export wrote, after checking it",
    )
    p.add_argument("--only", **only)
    p = command("merge", "take over the records of other labs; conflicts are shown, never averaged away", results=True)
    p.add_argument(
        "others",
        nargs="+",
        type=Path,
        metavar="OTHER_RESULTS",
        help="a results folder, or a bundle that 'ganbench export' made",
    )
    p = command(
        "export",
        "the records of suites, with their plan and hashes, as one zip file to send to another lab",
        "+",
        results=True,
        profile=True,
    )
    p.add_argument(
        "--out",
        type=Path,
        default=Path("ganbench-bundle.zip"),
        metavar="FILE",
        help="the bundle to write (default: ganbench-bundle.zip)",
    )
    p.add_argument("--only", **only)
    p = command("doctor", "this machine: torch, GPU, Ray, disk, datasets, weights, and what is missing", results=True)
    p.add_argument(
        "--golden", action="store_true", help="also measure CIFAR-10's own images, whose IS and FID are known (minutes)"
    )
    return top


def _run_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--until-decided",
        action="store_true",
        help="add seeds to cells and claims that are inconclusive and could change, most informative per device hour first, until they are decided or the budget is spent",
    )
    p.add_argument(
        "--budget", type=_time, metavar="T", help="device hours after which --until-decided stops: 20h, 90min, 2d"
    )
    p.add_argument(
        "--executor", choices=("ray", "inline"), default="ray", help="inline: one after the other in this process"
    )
    p.add_argument("--address", metavar="A", help="join this Ray cluster instead of starting Ray here")
    p.add_argument("--cpus", type=_positive, metavar="N", help="cores to use on this machine (default: all)")
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument(
        "--gpu-share",
        type=_share,
        metavar="F",
        help="part of a GPU for every run, at most 1 (default: by each run's estimated memory)",
    )
    p.add_argument(
        "--max-parallel", type=_positive, metavar="N", help="at most so many runs at a time (default: as many as fit)"
    )
    p.add_argument(
        "--time-limit",
        type=_time,
        metavar="T",
        help="then all runs write a checkpoint and stop, to be gone on with by the same command: 8h, 90min, 2d",
    )
    p.add_argument(
        "--threads",
        type=_positive,
        default=1,
        metavar="N",
        help="CPU threads a run (default: 1; another number may change the last bits)",
    )
    p.add_argument(
        "--channels-last",
        action="store_true",
        help="the other memory layout of convolutions: often faster, and may change the last bits; the record says so",
    )
    p.add_argument(
        "--weights",
        type=Path,
        metavar="PATH",
        help="the Inception network's weights file (default: where torch-fidelity keeps it)",
    )
    p.add_argument(
        "--checkpoints",
        metavar="DIR",
        help="where checkpoints are kept: a folder, or a URL such as s3://bucket/runs (default: RESULTS/runs)",
    )
    p.add_argument(
        "--checkpoint-every", type=float, default=60.0, metavar="S", help="seconds between checkpoints (default: 60)"
    )
    p.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="also write what runs measure there, for TensorBoard"
    )
    p.add_argument(
        "--hung-after",
        type=_time,
        default=3600.0,
        metavar="T",
        help="start a run again, from its checkpoint, that gave no sign of life for so long; with --executor inline, end (default: 1h)",
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 1e-4 <= value <= 1:  # Ray counts ten-thousandths
        raise argparse.ArgumentTypeError("must be at least 0.0001 and at most 1")
    return value


def _priority(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} is no priority such as gran=2")
    return name, int(number)


def _time(text: str) -> float:
    from benchmark.plan.budget import parse_hours

    try:
        return parse_hours(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 500h, 90min or 2d") from None


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 1 failed or missing, 2 bad usage or suite, 130 interrupted)."""
    words = sys.argv[1:] if argv is None else argv
    return console.run(lambda: _run(words)) if argv is None and console.is_ours() else _run(words)


def _run(words: list[str]) -> int:
    arguments = parser().parse_args(words)
    arguments.words = words
    from benchmark.errors import GanbenchError

    try:
        return getattr(import_module(f"benchmark.commands.{arguments.room}"), arguments.function)(arguments)
    except GanbenchError as error:
        print(f"ganbench: {error}", file=sys.stderr, flush=True)
        if error.at_once:
            os._exit(error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1 if arguments.command == "run" else 0
    except OSError as error:  # of a disk or a folder, where no better words were found
        if os.environ.get("GANBENCH_DEBUG"):
            raise
        where = f"{error.filename}: " if error.filename is not None else ""
        print(f"ganbench: cannot go on: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except Exception as error:  # a bug of ours: one line, and how to see more
        if os.environ.get("GANBENCH_DEBUG"):
            raise
        print(
            f"ganbench: unexpected {type(error).__name__}: {error}\n(set GANBENCH_DEBUG=1 for the traceback, and please report it)",
            file=sys.stderr,
        )
        return 1
