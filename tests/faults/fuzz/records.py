"""Forged records, their keys, checksums and seals right: given to every reader, and then to all that judges them."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from pathlib import Path
from typing import Any

import orjson

from benchmark.canonical import canonical_text, content_hash
from benchmark.collate.judging.decide import in_order, open_questions
from benchmark.collate.judging.join import join_loaded
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.render import markdown, to_csv
from benchmark.collate.presenting.report import judged_claims, write_reports
from benchmark.collate.presenting.table import view
from benchmark.collate.presenting.tidy import believed, compared_rows
from benchmark.errors import GanbenchError
from benchmark.plan.plan import make_plan
from benchmark.records import store
from benchmark.records.bundle import export
from benchmark.records.furthest import by_evaluation
from benchmark.records.merge import merge
from benchmark.records.record import OUTCOME, Record, RecordError
from benchmark.suite.load import load
from benchmark.suite.model import Cell
from tests.faults.fuzz.mutations import check, mildly, mutated
from tests.test_collate import record_for
from tests.test_decide import SUITE

Good = dict[str, Any]
SEEDS, EPOCHS = 4, 8
SPREADS = (0.0, 1e-9, 0.01, 0.3)
CLAIMS = "claims:\n" + "".join(
    f'  - {{id: c{n}, quote: q, where: w, holds: {{table: "1", {form}}}}}\n'
    for n, form in enumerate(
        (
            "metrics: [V_g, D_G], better: {A: B}, by: 5%",
            "metrics: [V_g], better: {A: C}",
            "metrics: [V_g, D_G], better: {A: [B, C]}",
            "metrics: [V_g], close: {A: [B, C]}, within: 5%",
            "metrics: [V_g], best: A",
            "metrics: [V_g], ascending: [A, B], times: {A: 0.5}",
            "metrics: [V_g, D_G], better: {A: [B, C]}, of: unsteadiness",
            "metrics: [V_g], better: {A: [B, C]}, of: rise",
            "metrics: [V_g], better: {A: [B, C]}, of: steps",
            "better: {A: [B, C]}, of: seconds",
            "metrics: [V_g, D_G], diverges: [A, B], by: 10%",
            "metrics: [V_g, D_G], at-most: {A: 1.1, B: -0.4, C: 0}",
            "metrics: [V_g], at-least: {A: 0.9}, of: halfway",
            "metrics: [V_g], at-most: {A: 1.5}, of: peak",
            "metrics: [D_G], at-most: {A: 0.1}, of: halfway-most",
            "metrics: [V_g], at-most: {A: 1, C: 1}, of: halfway-most",
            "metrics: [V_g], at-most: {A: 0.1}, of: halfway-away, from: 1",
            "metrics: [V_g, D_G], better: {A: [B, C]}, of: halfway-spread",
        )
    )
)
"""One of every form; row C is measured otherwise."""


def prepare(folder: Path) -> Good:
    """A suite of three cells, and records of seeds that are equal, alike or apart."""
    path = folder / "tiny.yaml"
    third = "C: {recipe: base, protocol: {generated: 41}, V_g: 1.0, D_G: -0.5}"
    text = SUITE.format(band="0.1", a="1.0", b="1.0")
    text = text.replace("epochs: 1,", f"epochs: {EPOCHS},").replace(" B: {", f" {third}, B: {{")
    path.write_text(text + CLAIMS, encoding="utf-8")
    suite = load(path)
    made = {}
    for cell, seed, spread in itertools.product(suite.cells, range(SEEDS), SPREADS):
        made[cell.id, seed, spread] = orjson.loads(store.file_bytes(_record(cell, seed, spread)))
    return {"suite": suite, "records": made}


def _record(cell: Cell, seed: int, spread: float) -> Record:
    """Of a run that is sound: measured after each epoch, and finished."""
    history = [
        {"step": 2 * epoch, "epoch": epoch}
        | {
            name: {"value": value, "std": 0.05, "max": value, "most": value + spread}
            for name, value in (
                ("V_g", 1.0 + spread * (seed - 1.4 + epoch % 2)),
                ("D_G", -0.5 + spread * (seed % 3 - 1 / epoch)),
            )
        }
        for epoch in range(1, EPOCHS + 1)
    ]
    steps = 2 * EPOCHS
    return record_for(
        cell,
        seed,
        {},
        steps=steps,
        total_steps=steps,
        epochs=float(EPOCHS),
        final=history[-1],
        history=history,
        train_cpu_s=3.0 + seed,
        segments=[{"commit": "0" * 40, "device": "CPU (x86_64)", "threads": 1, "torch": "2.13.0"}],
    )


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """With the keys and checksums of what it holds now, as far as such can be made."""
    try:
        text = {key: canonical_text(data[key]) for key in ("content", "recipe", "seed", "subset", "versions")}
        whole = ",".join(f'"{key}":{text[key]}' for key in sorted(text))
        data["run"] = _hashed("{" + whole + "}")[:16]
        decides = {k: v for k, v in data["protocol"].items() if k not in ("seeds", "std_of")}
        decides = content_hash({**decides, "metrics": sorted(data["protocol"]["metrics"])})
        real = [data["real"]] if data.get("real") else []
        data["evaluation"] = content_hash([data["run"], decides, data["measure_version"], *real])[:16]
        held = {key: data[key] for key in OUTCOME} | ({"floor": data["floor"]} if data.get("floor") else {})
        data["outcome"] = content_hash(held)
        data["seal"] = content_hash([data["outcome"], data.get("planned")])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        pass  # of such a shape that there is nothing to seal: given to the reader as it is
    return data


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def case(good: Good, rng: random.Random, folder: Path) -> str:
    """One forged record among good ones, of some cells more than of others."""
    records = _drawn(good, rng)
    chosen = rng.randrange(len(records))
    change = rng.choice((mutated, mildly, mildly, mildly))
    records[chosen] = sealed(change(records[chosen], rng, rng.choice((0, 1, 1, 2, 4))))
    place = folder / "theirs/records/tiny"
    place.mkdir(parents=True)
    for n, data in enumerate(records):
        (place / f"{n}.json").write_text(json.dumps(data), encoding="utf-8")
    _merged(folder, rng)
    try:
        store.read(place / f"{chosen}.json")
    except RecordError as error:
        return f"refused: {check(str(error).removeprefix(str(folder)))}"
    found, problems = store.read_all(folder / "theirs")
    assert len(found) + len(problems) == len(records)
    _judged(good, found, folder, rng)
    return "accepted"


def _drawn(good: Good, rng: random.Random) -> list[dict[str, Any]]:
    """None to four seeds of each cell, at least one record in all; of a plan of as many, of more, or of none."""
    made: list[dict[str, Any]] = []
    while not made:
        for cell in good["suite"].cells:
            n, spread = rng.choice((0, 1, 2, 3, SEEDS)), rng.choice(SPREADS)
            plan = {"planned": rng.choice((n, n, n, 0, SEEDS))}
            made += [sealed(good["records"][cell.id, seed, spread] | plan) for seed in range(n)]
    return made


def _merged(folder: Path, rng: random.Random) -> None:
    if rng.random() < 0.1:
        for problem in merge(folder / "mine", [folder / "theirs"])[2]:
            check(problem)


def _judged(good: Good, found: list[Any], folder: Path, rng: random.Random) -> None:
    """All that believes a record, without the net that catches what fails."""
    suite, joined = join_loaded(good["suite"], found, fixed=True)
    list(compared_rows(joined)), list(believed(joined))
    claims = judged_claims(suite, joined)
    every = [j for rows in joined.values() for j in rows]
    asked, _ = open_questions(every, {t.key: t.tolerance for t in suite.tables}, claims)
    in_order(asked, dict.fromkeys((j.cell.id for j in every), 1.0), {j.cell.id: j.cell.id for j in every})
    for table in suite.tables:
        shown = view(table, joined[table.key])
        markdown(shown), latex(shown), to_csv(shown), rankings(table, joined[table.key])
    make_plan(suite.cells, range(4), by_evaluation(found))
    if rng.random() < 0.1:
        try:
            write_reports([(suite, joined)], "results", folder / "report")
            export([suite], suite.cells, found, folder / "out.zip")
        except GanbenchError as error:
            check(str(error))
