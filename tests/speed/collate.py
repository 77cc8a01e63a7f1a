"""How long it takes to collate many records to all tables and claims, and in how much memory.

    python tests/speed/collate.py [--records 1000 10000 100000] [--samples-kb 20]

Writes records in the true format, as many seeds of every cell of the five papers as it takes, to a temporary folder,
then collates them in fresh processes: once with no index of the folder (every record is read and checked in
full), and once with the index that this leaves. What is not built here (networks, readers) is given a version and a
content of its own, so that every cell has a key.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmark.canonical import content_hash
from benchmark.data.cards import Card
from benchmark.data.subsets import subset_size
from benchmark.errors import GanbenchError
from benchmark.keys import evaluation_key, run_key
from benchmark.plan import keys
from benchmark.recipe import Protocol, Recipe
from benchmark.records import store
from benchmark.records.record import Record
from benchmark.suite.load import load_all
from benchmark.suite.model import Cell

PEER = "its own first reading, without an index of the folder"
SHORT = "--records 500 --samples-kb 2"


def stand_in() -> None:
    """Keys for the cells whose networks, methods or readers are not built here."""
    plugin, content = keys.plugin, Card.content

    def any_plugin(room: str, name: str):
        try:
            return plugin(room, name)
        except GanbenchError:
            return argparse.Namespace(version=1)

    def any_content(self: Card, split: str, resolution: int, channels: int) -> str:
        try:
            return content(self, split, resolution, channels)
        except GanbenchError:
            return content_hash([self.name, split])

    real_key = keys.real_key

    def any_real(recipe: Recipe, protocol: Protocol) -> str | None:
        try:
            return real_key(recipe, protocol)
        except GanbenchError:
            return None

    keys.plugin, keys.real_key, Card.content = any_plugin, any_real, any_content


def write(results: Path, count: int, samples_kb: int) -> int:
    """``count`` records below ``results``, seed by seed over all cells; returns how many cells they serve."""
    rng = np.random.default_rng(0)
    os.fsync = lambda file: None  # the disk's patience is not what is measured
    cells = {
        (c.recipe.fingerprint(), c.protocol.fingerprint()): c for s in load_all([]) for c in s.cells if c.published
    }
    pool = base64.b64encode(rng.bytes(samples_kb * 800)).decode()
    known = [(cell, *_data(cell), keys.algorithm_versions(cell.recipe)) for cell in cells.values()]
    for i in range(count):
        cell, content, subset, images, versions = known[i % len(known)]
        record = _record(cell, i // len(known), content, subset, images, versions, pool, rng)
        store.write(results, f"{cell.paper}/{cell.slug}", record)
    return len(known)


def _data(cell: Cell) -> tuple[str, str, int]:
    from benchmark.data.cards import card

    r = cell.recipe
    c = card(r.dataset)
    count = c.split(r.split)["count"]
    return (
        c.content(r.split, r.resolution, r.channels),
        keys.subset_hash(count, r.data_percent, r.images, r.subset),
        subset_size(count, r.data_percent, r.images),
    )


def _record(
    cell: Cell, seed: int, content: str, subset: str, images: int, versions: dict, pool: str, rng: np.random.Generator
) -> Record:
    r, p = cell.recipe, cell.protocol
    total = r.total_steps(images)
    every = p.every_steps or (p.every_epochs or 1) * r.steps_per_epoch(images)
    steps = [*range(every, total, every), total]
    values = {
        m: abs(cell.published[m].value if m in cell.published and cell.published[m].value else 20.0) for m in p.metrics
    }
    sign = {m: -1 if m in ("V_g", "D_G") else 1 for m in p.metrics}
    noise = rng.normal(1, 0.02, (len(steps), len(values)))
    history = [
        {
            "step": s,
            "epoch": round(s / r.steps_per_epoch(images), 3),
            **{m: {"value": float(sign[m] * v * x), "std": float(0.01 * v)} for (m, v), x in zip(values.items(), row)},
        }
        for s, row in zip(steps, noise)
    ]
    run = run_key(r, content, subset, seed, versions)
    real = keys.real_key(r, p)
    segment = {
        "from_step": 0,
        "to_step": total,
        "ganbench": "0.1.0",
        "commit": "0" * 40,
        "torch": "2.13.0",
        "threads": 1,
        "device": "cpu",
    }
    return Record(
        run=run,
        evaluation=evaluation_key(run, p, keys.MEASURE_VERSION, real),
        real=real,
        seed=seed,
        profile="full",
        cell=cell.id,
        recipe=r,
        protocol=p,
        versions=versions,
        measure_version=keys.MEASURE_VERSION,
        status="finished",
        steps=total,
        total_steps=total,
        epochs=total / r.steps_per_epoch(images),
        final=history[-1],
        history=history,
        samples=f"{seed:08d}{pool}",
        train_s=3600.0,
        eval_s=60.0,
        content=content,
        subset=subset,
        provenance={"segments": [segment]},
    )


def collate(results: Path) -> str:
    """All tables, claims and rankings of all papers, in this process, from its start."""
    began = time.perf_counter()
    import benchmark

    stand_in()
    found = benchmark.collate(results=results)
    took = time.perf_counter() - began
    own, helpers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = [f"{usage.ru_utime + usage.ru_stime:.2f}" for usage in (own, helpers)]
    peak = own.ru_maxrss / 1024
    judged = int((found.verdicts["seeds"] > 0).sum())
    return (
        f"{took:.2f} s ({cpu[0]} CPU s of this process, {cpu[1]} of those that help it check), {peak:,.0f} MiB "
        f"at most, {judged} numbers with results, {len(found.claims)} claims"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--samples-kb", type=int, default=20)
    parser.add_argument("--collate", type=Path)
    a = parser.parse_args()
    if a.collate:
        print(collate(a.collate))
        return
    stand_in()
    for count in a.records:
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            cells = write(results, count, a.samples_kb)
            size = sum(p.stat().st_size for p in results.rglob("*.json")) / 1e6
            print(f"{count:,} records of {cells} cells' runs, {size:,.0f} MB")
            environment = os.environ | {
                "GANBENCH_CACHE": f"{folder}/cache",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            }
            for name in ("first time", "again", "again"):
                done = subprocess.run(
                    [sys.executable, __file__, "--collate", str(results)],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                print(f"  {name}: {done.stdout.strip() or done.stderr[-2000:]}", flush=True)


if __name__ == "__main__":
    main()
