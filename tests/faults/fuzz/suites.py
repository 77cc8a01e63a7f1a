"""Suites with one thing or several that are not as they should be: loaded under every profile, planned and rendered."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import yaml

from benchmark.collate.judging.join import join
from benchmark.collate.presenting.latex import latex
from benchmark.collate.presenting.render import markdown, to_csv
from benchmark.collate.presenting.report import judged_claims
from benchmark.collate.presenting.table import view
from benchmark.collate.presenting.tidy import compared_rows
from benchmark.errors import GanbenchError
from benchmark.plan.cost import measurements
from benchmark.plan.plan import make_plan
from benchmark.suite.lint import lint
from benchmark.suite.load import load
from benchmark.suite.tidy import published_rows
from tests.faults.fuzz.mutations import check, damaged, mildly, mutated
from tests.test_decide import write

CLAIMS = """
claims:
  - {id: one, quote: q, where: "section 1", holds: {better: {A: B}, table: "1", by: 5%}}
  - {id: two, quote: q, where: "section 2", holds: {ascending: [A, B], table: "1", times: {A: 0.01}, in: most}}
  - {id: three, quote: q, where: "section 3", holds: [{best: [A], table: "1"}, {close: {A: B}, within: 5%, table: "1"}]}
"""
MANY = (5, 20, 20, 300, 3_000)


def prepare(folder: Path) -> dict[str, Any]:
    """A small suite with a profile and claims, and one that includes it; as text and as data."""
    text = write(folder / "tiny.yaml").read_text() + CLAIMS
    text = text.replace("profiles: {reduced: {recipe: {images: 32}}}", PROFILES)
    return {"text": text, "data": _as_suites_read(yaml.safe_load(text))}


def _as_suites_read(value: Any) -> Any:
    """``on:`` is a key, which YAML itself takes for true."""
    if isinstance(value, dict):
        return {"on" if key is True else key: _as_suites_read(part) for key, part in value.items()}
    return [_as_suites_read(part) for part in value] if isinstance(value, list) else value


PROFILES = (
    """profiles: {reduced: {recipe: {images: 32, on: {"dataset=shapes": {epochs: 2}}}, protocol: {generated: 20}}}"""
)


def case(good: dict[str, Any], rng: random.Random, folder: Path) -> str:
    """One suite."""
    path = folder / "tiny.yaml"
    match rng.randrange(12):
        case 0:
            path.write_bytes(damaged(good["text"].encode(), rng))
        case 1:
            path.write_text(_retyped(good["text"], rng), encoding="utf-8", errors="replace")
        case 2:
            path.write_text(_many(good["data"], rng), encoding="utf-8")
        case 3:
            path = _including(good["text"], rng, folder)
        case _:
            data = rng.choice((mutated, mildly, mildly))(good["data"], rng, rng.choice((1, 1, 1, 2)))
            path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8", errors="replace")
    try:
        return _used(path, rng)
    except GanbenchError as error:
        return f"refused: {check(str(error).removeprefix(str(folder)))}"


def _used(path: Path, rng: random.Random) -> str:
    """All that believes a suite; nothing is trained, and nothing counted by torch."""
    suite = load(path)
    for profile in suite.profiles:
        if "+" not in profile:
            load(path, profile)
    list(published_rows([suite]))
    joined = join(suite, [])
    list(compared_rows(joined)), judged_claims(suite, joined)
    for table in suite.tables:
        shown = view(table, joined[table.key])
        markdown(shown), latex(shown), to_csv(shown)
    for run in make_plan(suite.cells, range(2), {}).runs:
        if run.images and run.recipe.steps_per_epoch(run.images):
            measurements(run.recipe, run.protocol, run.images)
    if rng.random() < 0.05:
        for problem in lint([path]):
            assert " at 0x" not in problem, problem
    return "accepted"


def _retyped(text: str, rng: random.Random) -> str:
    """One number or word in the text is another."""
    spans = [m.span() for m in re.finditer(r"-?[\d.]+(e-?\d+)?|[A-Za-z_]+", text)]
    start, end = rng.choice(spans)
    value = rng.choice(("1e308", "-1e308", "5e-324", "1e155", "9007199254740991", "1e18", "0", "-0", ".inf", "0x10"))
    value = rng.choice(
        (value, value, "~", "''", "[1, 2]", "{a: b}", "&a x", "*a", "!!python/object:os.system x", "1" * 400)
    )
    return text[:start] + value + text[end:]


def _many(data: dict[str, Any], rng: random.Random) -> str:
    """As many of something as a small file can have."""
    data, n = json.loads(json.dumps(data)), rng.choice(MANY)
    table = data["tables"]["1"]
    match rng.randrange(8):
        case 0:
            table["rows"] = {f"r{i}": {"recipe": "base"} for i in range(n)}
            table["columns"] = [{"data_percent": 100 - i / n} for i in range(rng.choice(MANY))]
        case 1:
            data["recipes"] |= {f"r{i}": {"from": f"r{i - 1}" if i else "base"} for i in range(n)}
        case 2:
            data["claims"] = [{**data["claims"][0], "id": f"c{i}"} for i in range(n)]
        case 3:
            data["recipes"]["base"]["on"] = {f"data_percent<{i}": {"images": 32} for i in range(n)}
        case 4:
            table["notes"] = {f"method=A | method=x{i}": "n" for i in range(n)}
        case 5:
            data["profiles"] |= {f"p{i}": {"recipe": {"images": 8}} for i in range(n)}
        case 6:
            data["recipes"]["base"]["parts"] = [{"spectral-norm": {"player": "D"}}] * n
        case 7:
            table["rows"] = {f"r{i}": {"recipe": "base", "V_g": 1.0, "D_G": 1.0} for i in range(n // 2)}
            names = list(table["rows"])
            data["claims"] = [{**data["claims"][0], "holds": {"best": names, "table": "1"}}] * 1
    return json.dumps(data)


def _including(text: str, rng: random.Random, folder: Path) -> Path:
    """Chains, circles, doubled includes, and names of other places."""
    (folder / "tiny.yaml").write_text(text, encoding="utf-8")
    length, last = rng.choice((2, 9, 12, 15, 400)), "tiny"
    for i in range(length):
        name = f"s{i}"
        twice = [{"suite": last, "only": "method=A"}, {"suite": last, "only": "method=B"}]
        entries = twice if rng.random() < 0.7 else [{"suite": last}]
        (folder / f"{name}.yaml").write_text(json.dumps({"suite": name, "include": entries}), encoding="utf-8")
        last = name
    odd = rng.choice(("../x", "/etc/passwd", last, "tiny", ".", "", "x/y", "a" * 5000, "top"))
    top = folder / "top.yaml"
    top.write_text(json.dumps({"suite": "top", "include": [{"suite": rng.choice((last, odd))}]}), encoding="utf-8")
    return top
