"""What ``compare``, ``claims`` and ``report`` take."""

from __future__ import annotations

from pathlib import Path

from benchmark.arguments.paths import folder
from benchmark.arguments.shared import Command, only


def add(command: Command) -> None:
    """Their arguments."""
    p = command("compare", "published beside achieved, tier and verdict", "*", results=True, profile=True)
    p.add_argument("--format", choices=("table", "csv", "json"), default="table")
    only(p)
    p = command("claims", "each claim and its two verdicts", "*", results=True, profile=True)
    p.add_argument("--published-only", action="store_true", help="judge by the papers' own numbers alone")
    only(p)
    p = command(
        "report", "tables as Markdown, LaTeX and CSV, and the site: open index.html", "*", results=True, profile=True
    )
    p.add_argument("--out", type=folder, default=Path("report"), metavar="DIR", help="where to write (default: report)")
    p.add_argument("--png", action="store_true", help="also write every figure as PNG")
    only(p)
