"""What ``new`` and ``schema`` take."""

from __future__ import annotations

from benchmark.arguments.paths import text
from benchmark.arguments.shared import Command

KINDS = ("suite", "method", "network", "extractor", "dataset")


def add(command: Command) -> None:
    """Their arguments."""
    p = command("new", "write a suite or a plug-in to begin with, which runs: ganbench new method wild")
    p.add_argument("kind", choices=KINDS, metavar="KIND", help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}")
    p.add_argument("name", type=text, metavar="NAME", help="lower-case letters, digits and dashes")
    command("schema", "the JSON Schema of suite files, for editors that check as one writes")
