"""What several commands take alike."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Protocol

from benchmark.arguments.numbers import MOST_EPOCHS, MOST_SEEDS, priority, whole
from benchmark.arguments.paths import folder, text

ELSEWHERE = "of a suite elsewhere, its file first: ./mine.yaml/1/M/mnist"
"""How a cell of a suite that has no name here is called."""


class Command(Protocol):
    """Adds a command: its name, what it is for, and which of the common arguments it takes."""

    def __call__(
        self, name: str, about: str, suites: str | None = None, *, results: bool = False, profile: bool = False
    ) -> ArgumentParser:
        """As ``command``, of one room."""


def command(
    commands: Any,
    room: str,
    name: str,
    about: str,
    suites: str | None = None,
    *,
    results: bool = False,
    profile: bool = False,
) -> ArgumentParser:
    """Add a command that stands in ``benchmark/commands/<room>.py``.

    Args:
        suites: how many it takes, in argparse's words; None: it takes none.
    """
    p: ArgumentParser = commands.add_parser(name, help=about, description=about)
    apart = profile and name != "measure"  # whose images are not ours
    p.set_defaults(room=room, function="list_cells" if name == "list" else name, apart=apart)
    if suites:
        p.add_argument(
            "suites", nargs=suites, type=text, metavar="SUITE", help="a name (theory), a file or a folder of suites"
        )
    if profile:
        of_profile(p)
    if results:
        p.add_argument(
            "--results",
            type=folder,
            metavar="DIR",
            help=f"where records are (default: results{'; of profile ci: results/ci' * apart})",
        )
    return p


def of_profile(p: ArgumentParser) -> None:
    """Under which profile."""
    p.add_argument(
        "--profile",
        type=text,
        metavar="P",
        help="full (the paper's own), reduced, ci or another that the suite has, as 'ganbench list SUITE' says "
        "(default: full, or what the suite states)",
    )


def only(p: ArgumentParser) -> None:
    """Which cells."""
    p.add_argument("--only", type=text, metavar="EXPR", help="choose cells: 'table=2 & dataset=cifar10 & method~GraN'")


def trust_plugins(p: ArgumentParser) -> None:
    """Whose code may run."""
    p.add_argument(
        "--trust-plugins",
        action="store_true",
        help="let plug-ins run also of suites that you did not name, or that are not in a folder beside their suite",
    )


def which_runs(p: ArgumentParser) -> None:
    """What ``plan`` and ``run`` plan alike."""
    p.add_argument("--seeds", type=whole(1, MOST_SEEDS), default=1, metavar="N", help="seeds 0 to N-1 (default: 1)")
    only(p)
    trust_plugins(p)
    p.add_argument(
        "--priority",
        type=priority,
        action="append",
        metavar="SUITE=N",
        help="runs of suites with a higher number start first (default: 0; may be given several times)",
    )
    p.add_argument(
        "--until-epoch",
        type=whole(1, MOST_EPOCHS),
        metavar="E",
        help="stop every run there with a partial record; a later run goes on",
    )
    p.add_argument(
        "--again",
        action="store_true",
        help="make those records anew whose parts' source has changed since, with VERSION as before; the old ones are "
        "kept beside, as ….json.before",
    )
    p.add_argument(
        "--looked",
        action="store_true",
        help="the number of seeds was chosen by a look at results, as where a run of --until-decided is made again: "
        "the records say so, and intervals are as wide as there",
    )
