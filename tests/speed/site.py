"""The site of all five papers at 10,000 records: how long it takes to write, and each page to load in headless
Chromium.

    python -m tests.speed.site [--records 10000] [--rounds 5] [--out DIR]

The records are made up: every cell gets the same number of seeds, each with a history of 50 measurements and
a sample grid. Plug-ins and datasets that are not there count as there (version 1, one content), so that no cell is
empty. Load time is from the start of the navigation to the second frame painted after the load event, files on
disk and warm; of the pages a cell, the largest and the median one are loaded.
"""

from __future__ import annotations

import argparse
import base64
import io
import random
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

from benchmark.canonical import content_hash
from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import write_reports
from benchmark.data.cards import Card
from benchmark.data.subsets import subset_size
from benchmark.plan import keys
from benchmark.records.record import Record
from benchmark.suite.load import load_all
from benchmark.suite.model import Cell
from tests.browser import Browser, found

PEER = "none: seconds and bytes"
SHORT = "--records 500 --rounds 1"


def grid(noise: random.Random) -> str:
    """A sample grid of 256 px of noise, as a record holds it."""
    out = io.BytesIO()
    Image.frombytes("RGB", (256, 256), noise.randbytes(3 * 256 * 256)).resize((512, 512)).quantize(16).save(
        out, format="PNG"
    )
    return base64.b64encode(out.getvalue()).decode()


def record(cell: Cell, seed: int, noise: random.Random, samples: str) -> Record:
    """A whole record for ``cell``, near its published numbers."""
    card = keys.card(cell.recipe.dataset)
    versions = keys.algorithm_versions(cell.recipe)
    run = keys.run_key(cell.recipe, seed)
    values = {
        m: p.value if (p := cell.published.get(m)) and p.value is not None else 10.0
        for m in {*cell.published, *cell.protocol.metrics}
    }
    history = [
        {
            "step": s,
            "epoch": s / 100,
            **{m: {"value": v * (1 + 2 / (s + 1)) * noise.gauss(1, 0.03), "std": 0.1} for m, v in values.items()},
        }
        for s in range(0, 1000, 20)
    ]
    count = card.split(cell.recipe.split)["count"]
    total = cell.recipe.total_steps(subset_size(count, cell.recipe.data_percent, cell.recipe.images))
    segment = {
        "from_step": 0,
        "to_step": 1000,
        "ganbench": "0",
        "commit": "0" * 40,
        "device": f"device {seed % 3}",
        "threads": 1,
        "torch": "2",
    }
    return Record(
        run=run,
        evaluation=keys.evaluation_key(run, cell.protocol, cell.recipe),
        real=keys.real_key(cell.recipe, cell.protocol),
        seed=seed,
        profile=cell.profile,
        cell=cell.id,
        recipe=cell.recipe,
        protocol=cell.protocol,
        versions=versions,
        measure_version=keys.MEASURE_VERSION,
        status="finished",
        steps=total,
        total_steps=total,
        epochs=10.0,
        final=history[-1],
        history=history,
        samples=samples,
        train_s=3600.0,
        eval_s=60.0,
        content=card.content(cell.recipe.split, cell.recipe.resolution, cell.recipe.channels),
        subset=keys.subset_hash(count, cell.recipe.data_percent, cell.recipe.images, cell.recipe.subset),
        provenance={"segments": [segment], "libraries": {"torch": "2"}},
    )


def main() -> None:
    """Print the seconds and the sizes."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--out", type=Path, help="keep the site here")
    a = arguments.parse_args()
    keys.plugin = lambda room, name: SimpleNamespace(version=1)
    keys.subset_hash = lambda *which: content_hash(list(which))
    Card.content = lambda self, split, resolution, channels: f"{self.name} {split} {resolution} {channels}"
    noise = random.Random(0)
    grids = [grid(noise) for _ in range(20)]
    suites = load_all([])
    cells = [c for s in suites for c in s.cells]
    records = [record(cells[i % len(cells)], i // len(cells), noise, grids[i % 20]) for i in range(a.records)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        out = a.out or Path(scratch) / "site"
        began = time.perf_counter()
        joined = [(suite, join(suite, records)) for suite in suites]
        collated = time.perf_counter()
        write_reports(joined, "results", out)
        written = time.perf_counter()
        size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
        print(
            f"{a.records:,} records, {len(cells)} cells: joined in {collated - began:.1f} s, tables, claims "
            f"and site written in {written - collated:.1f} s; {size / 1e6:.1f} MB"
        )
        if found() is None:
            print("no page was loaded: there is no Chromium here; GANBENCH_CHROMIUM names one elsewhere")
            return
        by_size = sorted(out.glob("cells/*.html"), key=lambda p: p.stat().st_size)
        with Browser(Path(scratch) / "profile") as browser:
            for page in [*sorted(out.glob("*.html")), by_size[len(by_size) // 2], by_size[-1]]:
                times = [browser.open(page) for _ in range(a.rounds)]
                print(
                    f"{page.stat().st_size / 1e3:8.0f} kB  load median {statistics.median(times):.2f} s, "
                    f"longest {max(times):.2f} s  {page.name}"
                )
            print(f"console errors: {len(browser.errors)}")


if __name__ == "__main__":
    main()
