"""Everything that ganbench does on a GPU, tried on one: steps of every recipe, resume, memory, features, speed.

    python -m tests.gpu --out DIR [--minutes 9]                on the GPU that torch sees
    python -m tests.gpu --out DIR --device cpu --threads 1     the rehearsal: all of it on a CPU, few images a step

In DIR, gpu.json holds what was found with the code, libraries and device that found it, and gpu.md its tables. What was
not begun in time is listed as not reached; the same command goes on with that, and with what failed. Exit code 0 if all
was reached and held, 1 if something failed or was not reached. tests/gpu/__init__.py says which wheels are needed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmark.errors import GanbenchError
from benchmark.plan.counted import Counting, Counts
from benchmark.plan.devices import NAMES, Device, like, named, this_device
from tests.gpu import report
from tests.gpu.agenda import SECTIONS, Item, agenda, work
from tests.gpu.book import Book
from tests.gpu.recipes import Entry, entries


def main(arguments: list[str] | None = None) -> int:
    """Try it; the exit code."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(
        "python -m tests.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for gpu.json and gpu.md")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0, help="nothing is begun after so many (default: 9)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's)")
    parser.add_argument("--images", type=int, default=4, help="at most, of a step on the CPU (default: 4)")
    parser.add_argument("--only", choices=SECTIONS, nargs="+", default=SECTIONS, help="of what is tried, these")
    parser.add_argument(
        "--planner",
        choices=NAMES,
        help="whose prediction stands beside (default: the device's, H100's where it has none)",
    )
    a = parser.parse_args(arguments)
    if min(a.images, a.threads or 1) < 1:
        parser.error("--images and --threads are at least 1")
    torch.set_num_threads(a.threads or torch.get_num_threads())
    try:
        _ready(a.device, a.out)
        kinds, blocked = entries()
        return run(kinds, blocked, a, began)
    except GanbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; what was found is kept", file=sys.stderr)
        return 130


def _ready(device: str, out: Path) -> None:
    """Raises GanbenchError where there is no such device, or the folder cannot be made."""
    try:
        this_device(device)
    except GanbenchError as error:
        raise GanbenchError(f"{error}; --device cpu rehearses", error.exit_code) from None
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GanbenchError(f"--out {out}: {error.strerror}", 2) from None


def run(kinds: list[Entry], blocked: dict[str, str], a: argparse.Namespace, began: float) -> int:
    """Of these recipes, what the command line asks for; the exit code.

    Args:
        began: the moment (``time.monotonic``) from which the minutes count.
    """
    counts = Counts()
    counts.count_all(((e.recipe, e.total_steps) for e in kinds), Counting())
    planner = _planner(a.device) if a.planner is None else named(a.planner)
    items = [item for item in agenda(kinds, a.device, counts, planner, a.images) if item.section in a.only]
    book = Book(a.out, a.device, a.images, items, blocked)
    todo = book.todo()
    print(f"{len(kinds)} kinds of step, {len(blocked)} cells not implemented", flush=True)
    print(f"{len(items)} to try, {len(items) - len(todo)} known from before", flush=True)

    def told(item: Item, found: dict[str, Any]) -> None:
        book.keep(item, found)  # and the tables with it: whoever ends this process early has both
        (a.out / report.NAME).write_text(report.markdown(book.to_json(), kinds), encoding="utf-8")
        print(f"{item.section} {item.name}: {found['state']}{': ' * bool(found['why'])}{found['why']}", flush=True)

    work(todo, began + 60 * a.minutes, told)
    failed, left = book.names("failed"), book.names("not reached")
    print(f"{len(failed)} failed, {len(left)} not reached; {a.out / report.NAME}")
    return 1 if book.todo() else 0


def _planner(device: str) -> Device:
    return named("cpu") if device == "cpu" else like(this_device(device)) or named("H100")


if __name__ == "__main__":
    sys.exit(main())
