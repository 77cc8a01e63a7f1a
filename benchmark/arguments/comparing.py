"""What ``diff`` takes."""

from __future__ import annotations

from benchmark.arguments.paths import text
from benchmark.arguments.shared import ELSEWHERE, Command


def add(command: Command) -> None:
    """Its arguments."""
    p = command("diff", "two cells side by side: recipes, protocols, their kinds and sources", profile=True)
    p.add_argument("cells", nargs=2, type=text, metavar="CELL", help=f"as 'ganbench list' prints it; {ELSEWHERE}")
    p.add_argument("--all", action="store_true", help="also what both have alike")
