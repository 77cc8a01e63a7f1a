"""What ``measure`` and ``enter`` take."""

from __future__ import annotations

from benchmark.arguments.numbers import MANY, MOST_SEEDS, numbers, whole
from benchmark.arguments.paths import old_file, path, text
from benchmark.arguments.shared import ELSEWHERE, Command, trust_plugins

QUANTISED = ("round", "floor", "min-max", "min-max-mimicry", "none")


def add(command: Command) -> None:
    """Their arguments."""
    _measure(command)
    _enter(command)


def _measure(command: Command) -> None:
    p = command("measure", "images that other code made, under a cell's own protocol", results=True, profile=True)
    p.add_argument(
        "source",
        type=path,
        metavar="SOURCE",
        help="a folder or zip archive of images, or an .npz or .npy of 8-bit ones",
    )
    p.add_argument(
        "--as",
        dest="cell",
        type=text,
        required=True,
        metavar="CELL",
        help=f"of which they are, as 'ganbench list' has it; {ELSEWHERE}",
    )
    p.add_argument(
        "--seed", type=whole(0, MOST_SEEDS), default=0, metavar="S", help="which of several trainings (default: 0)"
    )
    p.add_argument("--trained-by", type=text, metavar="TEXT", help='who trained it and how: "authors\' code, commit …"')
    p.add_argument(
        "--quantised", choices=QUANTISED, metavar="HOW", help=f"how they became 8-bit: {', '.join(QUANTISED)}"
    )
    p.add_argument("--resized", type=text, metavar="TEXT", help="how they came to their size, if resized")
    p.add_argument("--flipped", action="store_true", help="they were flipped left to right with probability 1/2")
    p.add_argument(
        "--fewer", action="store_true", help="measure fewer than the protocol asks for, too; the tier says so"
    )
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument("--threads", type=whole(1, MANY), default=1, metavar="N", help="CPU threads (default: 1)")
    p.add_argument("--weights", type=old_file, action="append", metavar="PATH", help="a file of weights, as for run")
    trust_plugins(p)


def _enter(command: Command) -> None:
    p = command("enter", "a number that somebody else measured: shown as reported, beside the others", results=True)
    p.add_argument("cell", type=text, metavar="CELL", help=f"that it is of, as 'ganbench list' has it; {ELSEWHERE}")
    p.add_argument(
        "numbers",
        nargs="+",
        type=numbers,
        metavar="METRIC=VALUE",
        help="FID=12.3; of several trainings a value each: FID=12.3,12.9,12.1",
    )
    p.add_argument(
        "--by", type=text, required=True, metavar="TEXT", help='who measured it, with what: "clean-fid 0.1.35"'
    )
    p.add_argument("--trained-by", type=text, metavar="TEXT", help="who trained it and how")
    p.add_argument(
        "--protocol",
        type=path,
        metavar="FILE",
        help="YAML with the protocol that it was measured under, field by field as 'ganbench show CELL' prints it; "
        "judged only if all of it is stated",
    )
