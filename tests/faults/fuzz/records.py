"""Forged records, their keys, checksums and seals right: given to every reader, and then to all that judges them."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import orjson

from benchmark.canonical import canonical_text, content_hash
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
from benchmark.records.record import OUTCOME, RecordError
from benchmark.suite.load import load
from tests.faults.fuzz.mutations import check, mildly, mutated
from tests.test_collate import record_for
from tests.test_decide import write

Good = dict[str, Any]


def prepare(folder: Path) -> Good:
    """A suite of two cells, and two records of each."""
    suite = load(write(folder / "tiny.yaml"))
    made = []
    for cell in suite.cells:
        for seed in range(2):
            record = record_for(cell, seed, {"V_g": 1.0 + 0.01 * seed, "D_G": -0.5}, steps=2, total_steps=2, epochs=1.0)
            made.append(orjson.loads(store.file_bytes(record)))
    return {"suite": suite, "records": made}


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
    """One forged record among good ones."""
    records = list(good["records"])
    chosen = rng.randrange(len(records))
    change = rng.choice((mutated, mildly, mildly))
    records[chosen] = sealed(change(records[chosen], rng, rng.choice((1, 1, 1, 2, 4))))
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


def _merged(folder: Path, rng: random.Random) -> None:
    if rng.random() < 0.1:
        for problem in merge(folder / "mine", [folder / "theirs"])[2]:
            check(problem)


def _judged(good: Good, found: list[Any], folder: Path, rng: random.Random) -> None:
    """All that believes a record, without the net that catches what fails."""
    suite, joined = join_loaded(good["suite"], found, fixed=True)
    list(compared_rows(joined)), list(believed(joined)), judged_claims(suite, joined)
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
