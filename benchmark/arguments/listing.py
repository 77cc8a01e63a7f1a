"""What ``list``, ``show`` and ``published`` take."""

from __future__ import annotations

from benchmark.arguments.paths import text
from benchmark.arguments.shared import ELSEWHERE, Command, only, trust_plugins


def add(command: Command) -> None:
    """Their arguments."""
    p = command("list", "suites, tables, cells, and what each still needs", "*", profile=True)
    p.add_argument("--json", action="store_true", help="for programs")
    p.add_argument(
        "--check", action="store_true", help="look for mistakes in the suite files instead; exit 1 if there are any"
    )
    only(p)
    trust_plugins(p)
    p = command(
        "show", "one cell: resolved recipe, protocol, published numbers, runs so far", results=True, profile=True
    )
    p.add_argument(
        "cell",
        type=text,
        metavar="CELL",
        help=f"as 'ganbench list' prints it: theory/1/B_z=10^0[MLP]/mnist; {ELSEWHERE}",
    )
    p = command("published", "every published number, tidy", "*")
    p.add_argument("--format", choices=("csv", "json"), default="csv")
    only(p)
