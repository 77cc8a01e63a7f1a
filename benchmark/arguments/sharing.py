"""What ``merge`` and ``export`` take."""

from __future__ import annotations

from pathlib import Path

from benchmark.arguments.paths import new_file, path
from benchmark.arguments.shared import Command, only


def add(command: Command) -> None:
    """Their arguments."""
    p = command("merge", "take over the records of other labs; conflicts are shown, never averaged away", results=True)
    p.add_argument(
        "others",
        nargs="+",
        type=path,
        metavar="OTHER_RESULTS",
        help="a results folder, or a bundle that 'ganbench export' made",
    )
    p.add_argument(
        "--again",
        action="store_true",
        help="they are ours, made anew by 'run --again' where there was no room for them: they take the place of those "
        "that are there, which are kept beside, as ….json.before",
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
        type=new_file,
        default=Path("ganbench-bundle.zip"),
        metavar="FILE",
        help="the bundle to write (default: ganbench-bundle.zip)",
    )
    only(p)
