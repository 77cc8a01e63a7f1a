"""The README's pictures: ``python -m docs.pictures.make`` from the repository's root, with Chromium.

``report.png`` is the start page of ``ganbench report suites`` on the committed records. ``run.svg`` is the table that
``run`` draws, of committed runs as they were in the middle: steps, speed and measurements are their records'.
"""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console

from benchmark.pulse import TRAINING
from benchmark.records.record import Record
from benchmark.records.store import read_all
from benchmark.schedule.screen import drawn
from tests.browser import Browser

HERE = Path(__file__).parent
WIDTH, HEIGHT, COLOURS, COLUMNS = 1280, 860, 128, 140
CELLS = ("theory/1/B_z=10^-2[MLP]/mnist", "gran/2/GraND-GAN/cifar10", "pgn/II/PGN-GAN[CNN]/cifar10")


def main() -> int:
    """Both."""
    records, _ = read_all(Path("results"))
    (HERE / "run.svg").write_text(live_table([row(r) for c in CELLS for r in records if r.cell == c]), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        made = [sys.executable, "-m", "benchmark", "report", "suites", "--out", folder]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        with Browser(Path(folder) / "profile", WIDTH, HEIGHT) as page:
            page.open(Path(folder) / "index.html")
            shot = page.send("Page.captureScreenshot", format="png")["data"]
    with Image.open(io.BytesIO(base64.b64decode(shot))) as picture:
        picture.convert("RGB").quantize(COLOURS).save(HERE / "report.png", optimize=True)
    return 0


def row(record: Record) -> dict[str, Any]:
    """What the table shows of a run at its middle measurement."""
    then = record.history[len(record.history) // 2]
    rate = record.steps / record.train_s
    return {
        "name": f"{record.cell} seed {record.seed}", "phase": TRAINING, "step": then["step"], "of": record.total_steps,
        "rate": rate, "eta_s": (record.total_steps - then["step"]) / rate,
        "last": {"step": then["step"]} | {m: e["value"] for m, e in then.items() if isinstance(e, dict)},
        "device": record.provenance["segments"][-1]["device"],
    }  # fmt: skip


def live_table(rows: list[dict[str, Any]]) -> str:
    """As a terminal shows it; without the fonts that rich would have a page load."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(drawn(rows, f"{len(rows)} running", COLUMNS, 40))
    text = console.export_svg(title="ganbench run", unique_id="run")
    return re.sub(r"@font-face \{.*?\}\s*", "", text, flags=re.S)


if __name__ == "__main__":
    sys.exit(main())
