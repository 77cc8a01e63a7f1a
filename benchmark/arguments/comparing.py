"""What ``diff`` takes."""

from __future__ import annotations

from benchmark.arguments.paths import text
from benchmark.arguments.shared import Command


def add(command: Command) -> None:
    """Its arguments."""
    p = command("diff", "two cells side by side: recipes, protocols, their kinds and sources", profile=True)
    p.add_argument("cells", nargs=2, type=text, metavar="CELL", help="as 'ganbench list' prints it")
    p.add_argument("--all", action="store_true", help="also what both have alike")
