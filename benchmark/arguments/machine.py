"""What ``data`` and ``doctor`` take."""

from __future__ import annotations

from argparse import ArgumentParser

from benchmark.arguments.paths import name_or_path, new_file, old_file, path, text
from benchmark.arguments.shared import Command, of_profile, only


def add(command: Command) -> None:
    """Their arguments."""
    _data(command)
    p = command("doctor", "this machine: torch, GPU, Ray, disk, datasets, weights, and what is missing", results=True)
    p.add_argument(
        "--golden", action="store_true", help="also measure CIFAR-10's own images, whose IS and FID are known (minutes)"
    )


def _data(command: Command) -> None:
    """Each action takes what it needs, and nothing else."""
    p = command("data", "datasets: cards, sources, checksums; features of real images that are kept")
    actions = p.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, about: str) -> ArgumentParser:
        """One of them."""
        made: ArgumentParser = actions.add_parser(name, help=about, description=about)
        return made

    _names(action("list", "datasets and weights: what they are, and what of them is here"), "*")
    _fetch(action("fetch", "download datasets and weights from their public addresses, checked by their hashes"))
    p = action("add", "take over a dataset from files that are here: hashed and checked")
    p.add_argument("name", type=name_or_path, metavar="NAME", help="of the dataset, as 'ganbench data list' has it")
    p.add_argument("source", type=path, metavar="FOLDER", help="where its files lie, or an archive of them")
    p.add_argument(
        "--new", action="store_true", help="a set of images of your own, under a name of your own: its card is written"
    )
    _names(action("verify", "check the files of datasets and weights, every one"), "+")
    _stats(action("stats", "measure the real images of suites now, or list what is kept of them"))


def _names(p: ArgumentParser, many: str) -> None:
    p.add_argument("names", nargs=many, type=name_or_path, metavar="NAME", help="of datasets and weights")


def _fetch(p: ArgumentParser) -> None:
    _names(p, "*")
    p.add_argument("--force", action="store_true", help="replace files that are there")
    p.add_argument(
        "--for",
        dest="suites",
        nargs="+",
        type=text,
        metavar="SUITE",
        help="all that these suites need and that can be fetched; what cannot is said",
    )
    of_profile(p)
    only(p)


def _stats(p: ArgumentParser) -> None:
    p.add_argument(
        "names", nargs="*", type=name_or_path, metavar="SUITE", help="whose real images are measured (none: list)"
    )
    of_profile(p)
    only(p)
    p.add_argument(
        "--export", type=new_file, metavar="FILE", help="write the kept statistics of the suites' one set of images"
    )
    p.add_argument(
        "--import",
        type=old_file,
        metavar="FILE",
        dest="import_file",
        help="take over a file that --export wrote, after checking it",
    )
