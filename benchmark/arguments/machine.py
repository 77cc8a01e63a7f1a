"""What ``data`` and ``doctor`` take."""

from __future__ import annotations

from benchmark.arguments.paths import name_or_path, new_file, old_file, text
from benchmark.arguments.shared import Command, only


def add(command: Command) -> None:
    """Their arguments."""
    p = command("data", "datasets: cards, sources, checksums; features of real images that are kept", profile=True)
    actions = ("list", "fetch", "add", "verify", "stats")
    p.add_argument("action", choices=actions, metavar="ACTION", help=", ".join(actions))
    p.add_argument(
        "names",
        nargs="*",
        type=name_or_path,
        metavar="NAME",
        help="datasets, and with list, fetch and verify weights; for 'add': NAME FOLDER (or an archive); for 'stats': "
        "suites whose real images are to be measured now (none: list what is kept)",
    )
    p.add_argument("--force", action="store_true", help="with fetch: replace files that are there")
    p.add_argument(
        "--for",
        dest="suites",
        nargs="+",
        type=text,
        metavar="SUITE",
        help="with fetch: all that these suites need and that can be fetched; what cannot is said",
    )
    p.add_argument(
        "--export",
        type=new_file,
        metavar="FILE",
        help="with stats and suites: write the kept statistics of their one set of real images",
    )
    p.add_argument(
        "--import",
        type=old_file,
        metavar="FILE",
        dest="import_file",
        help="with stats: take over a file that --export wrote, after checking it",
    )
    only(p)
    p = command("doctor", "this machine: torch, GPU, Ray, disk, datasets, weights, and what is missing", results=True)
    p.add_argument(
        "--golden", action="store_true", help="also measure CIFAR-10's own images, whose IS and FID are known (minutes)"
    )
