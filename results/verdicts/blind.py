"""False verdicts and power, through ``compare``'s own path: records of known truths, judged as any others.

    python results/verdicts/blind.py [PASSES]        # writes blind.md beside it (some minutes on one core)

A suite of its own prints 10 for every number, with a band of 5 %. Each of its runs has a real record, made by the
planner's own keys; draws change what was measured and how many seeds the plan asked for. All are judged by
``join_loaded``, as ``compare`` does; at the start, one draw is written to a folder, judged by ``ganbench compare``, and
has to come out the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmark.cli import main as ganbench
from benchmark.collate.judging import join as joining
from benchmark.collate.judging import number as judging
from benchmark.collate.judging.join import join_loaded
from benchmark.plan.make_record import make_record
from benchmark.plan.plan import make_plan
from benchmark.records import store
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.model import Suite

CELLS, MOST, PASSES = 30, 20, 3
METRICS = (
    *("V_g", "D_G", "jac_D", "jac_G", "jac_V", "L_Vg_Bz"),
    *(
        "D_real",
        "D_fake",
        "D_test",
        "gap_real_fake",
        "gap_real_test",
        "d_weight_grad",
        "feature_grad",
        "effective_rank",
    ),
)
FIXED = (2, 3, 4, 5, 7, 10, 20)
LOOKS = (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20)
STOOD = ((2, 4), (2, 20), (3, 4), (3, 7), (3, 20), (5, 7), (5, 20))  # a first plan, and seeds in all
UNDONE = (3, 10)
EDGE_SPREADS = (0.01, 0.05)
PRINTED, BAND, COLLAPSE = 10.0, 0.05, 0.1
DECIDED = ("reproduced", "better", "not reproduced")
SUITE = """suite: blind
paper: {{title: Blind, venue: here}}
protocol: {{metrics: [{metrics}], probe_images: 16, generated: 40, bn_mode: eval, weights: raw, checkpoint: last, every_epochs: 1, std_of: none}}
tolerance: {{{bands}}}
recipes:
{recipes}
tables:
  "1": {{caption: c, std_of: none, metrics: {{{lower}}}, rows: {{{rows}}}}}
"""
RECIPE = """{{dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100, images: 64,
    network: {{name: mlp, width: 0.05, bn_eps: 0.8}}, z_dim: 4, z_distribution: normal, z_scale: 1.0,
    loss: {{name: non-saturating, d_scale: 1.0}}, batch_d: 32, batch_g: 32, n_dis: 1, epochs: 1, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate, optimizer: adam, lr_g: {lr}e-6, lr_d: 2.0e-4,
    beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}}"""

Noise = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def log_normal(sigma: float, sign: int = 1) -> Noise:
    """Skewed noise of mean 0 and standard deviation 1."""
    mean, scale = np.exp(sigma**2 / 2), np.sqrt((np.exp(sigma**2) - 1) * np.exp(sigma**2))
    return lambda rng, shape: sign * (rng.lognormal(0, sigma, shape) - mean) / scale


SHAPES: dict[str, Noise] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "heavy-tailed (t, 3 degrees)": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
    "skewed (log-normal, σ 0.4; skewness 1.3)": log_normal(0.4),
    "strongly skewed (log-normal, σ 0.6; skewness 2.3)": log_normal(0.6),
    "one run in ten collapses to three times the number": lambda rng, shape: rng.standard_normal(shape),
    "beyond: exponential (skewness 2, its mode at its very end)": lambda rng, shape: rng.exponential(1, shape) - 1,
}


@dataclasses.dataclass
class Blind:
    """The suite, and a record of every run: what is drawn goes into copies of them."""

    suite: Suite
    records: list[list[Record]]  # cell, seed

    def judged(self, drawn: np.ndarray, n: int, planned: int) -> list[str]:
        """(cells × metrics) verdicts by the first ``n`` seeds of (cells, metrics, seeds) numbers, of which so many were
        ``planned`` first, and the others added by looks.
        """
        joined = join_loaded(self.suite, self.of(drawn, n, planned), fixed=True)[1]
        (cells,) = joined.values()
        return [cell.entries[metric].verdict.name for cell in cells for metric in METRICS]

    def of(self, drawn: np.ndarray, n: int, planned: int) -> list[Record]:
        """The records of such numbers."""
        return [
            with_values(self.records[c][seed], drawn[c, :, seed].tolist(), planned if seed < planned else 0)
            for c in range(len(self.records))
            for seed in range(n)
        ]


def with_values(record: Record, values: list[float], planned: int) -> Record:
    """A record with other results."""
    final = {"step": record.steps, "epoch": 1} | {m: {"value": v, "std": 0.05} for m, v in zip(METRICS, values)}
    return dataclasses.replace(record, final=final, history=[final], planned=planned)


def made(folder: Path) -> Blind:
    """The suite in ``folder``, and its records."""
    path = folder / "blind.yaml"
    path.write_text(
        SUITE.format(
            metrics=", ".join(METRICS),
            bands=", ".join(f"{m}: {{relative: {BAND}, source: simulated}}" for m in METRICS),
            lower=", ".join(f"{m}: lower" for m in METRICS),
            recipes="\n".join(f"  r{i}: {RECIPE.format(lr=i + 1)}" for i in range(CELLS)),
            rows=", ".join(
                f"r{i}: {{recipe: r{i}, {', '.join(f'{m}: {PRINTED}' for m in METRICS)}}}" for i in range(CELLS)
            ),
        ),
        encoding="utf-8",
    )
    suite = load(path)
    result = {
        "status": "finished",
        "steps": 2,
        "total_steps": 2,
        "epochs": 1.0,
        "final": {"step": 2},
        "history": [],
        "samples": "",
        "train_s": 1.0,
        "eval_s": 1.0,
        "segments": [{"commit": "0" * 40}],
        "libraries": {},
    }
    runs = [make_plan([cell], range(MOST), {}).runs for cell in suite.cells]
    return Blind(suite, [[make_record(run, result | run.data()) for run in of_cell] for of_cell in runs])


def compared(blind: Blind, drawn: np.ndarray, n: int, folder: Path) -> list[str]:
    """As ``Blind.judged``, by the command line, from files."""
    for record in blind.of(drawn, n, n):
        store.write(folder / "results", record.cell, record)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        ganbench(["compare", str(blind.suite.path), "--results", str(folder / "results"), "--format", "json"])
    rows = {(row["cell"], row["metric"]): row["verdict"] for row in json.loads(out.getvalue())}
    return [rows[cell.id, metric] for cell in blind.suite.cells for metric in METRICS]


def draw(shape: str, spread: float, off: float, rng: np.random.Generator) -> np.ndarray:
    """(cells, metrics, seeds) numbers whose true mean, of runs that do not collapse, is ``off`` bands above 10."""
    mean = PRINTED * (1 + BAND * off)
    values = mean + PRINTED * spread * SHAPES[shape](rng, (CELLS, len(METRICS), MOST))
    if "collapses" in shape:
        values = np.where(rng.random((CELLS, 1, MOST)) < COLLAPSE, 3 * values, values)
    return values


@dataclasses.dataclass
class Seen:
    """Verdicts of one truth: by number of seeds, all of which were planned; at looks after each seed; and by so many
    seeds, of which so many were a first plan.
    """

    fixed: dict[int, np.ndarray]
    looked: dict[int, np.ndarray]
    after: dict[tuple[int, int], np.ndarray]  # first plan, seeds

    def rate(self, n: int, *names: str) -> float:
        """Percent of these verdicts by ``n`` planned seeds."""
        return 100 * float(np.isin(self.fixed[n], names).mean())

    def first(self, planned: int, *names: str) -> float:
        """Percent whose first verdict is one of these: ``planned`` seeds judged, then looks up to 20; 0: looks only."""
        so_far = self.fixed[planned].copy() if planned else np.full_like(self.looked[3], "inconclusive")
        for n in (n for n in LOOKS if n > planned):
            so_far = np.where(np.isin(so_far, DECIDED), so_far, self.looked[n])
        return 100 * float(np.isin(so_far, names).mean())


def seen(blind: Blind, shape: str, spread: float, off: float, passes: int, looks: bool) -> Seen:
    """One truth, drawn ``passes`` times over the whole suite."""
    rng = np.random.default_rng([len(shape), int(1000 * spread), int(1000 * abs(off))])
    draws = [draw(shape, spread, off, rng) for _ in range(passes)]
    by = {n: np.concatenate([blind.judged(d, n, n) for d in draws]) for n in FIXED}
    at = {n: np.concatenate([blind.judged(d, n, 0) for d in draws]) for n in LOOKS} if looks else {}
    plans = ((UNDONE,) if not off else STOOD) if looks else ()
    after = {(k, n): np.concatenate([blind.judged(d, n, k) for d in draws]) for k, n in plans}
    return Seen(by, at, after)


def tables(blind: Blind, passes: int) -> Iterator[str]:
    """The page, line by line."""
    edge = {shape: {s: seen(blind, shape, s, 1.0001, passes, looks=True) for s in EDGE_SPREADS} for shape in SHAPES}
    equal = {
        shape: {s: seen(blind, shape, s, 0.0, passes, looks=s == 0.02) for s in (0.01, 0.02, 0.05)} for shape in SHAPES
    }
    twice = {shape: {0.05: seen(blind, shape, 0.05, 2.0, passes, looks=False)} for shape in SHAPES}
    yield from _head(passes)
    yield from _worst("`reproduced`, the truth at the band's very edge", edge, ("reproduced",))
    yield from _worst("`better` or `not reproduced`, the truth being equal", equal, ("better", "not reproduced"))
    yield from _worst("`reproduced`, the truth at twice the tolerance", twice, ("reproduced",))
    yield from _looked(edge, equal)
    yield from _stands(edge, equal)
    yield from _power(equal)
    yield from _collapses(equal)


Truths = dict[str, dict[float, Seen]]


def _head(passes: int) -> Iterator[str]:
    yield from (
        "# False verdicts and power, through `compare`",
        "",
        f"Made by `python results/verdicts/blind.py {passes}`: every number is printed as {PRINTED:g}, with a band of {100 * BAND:g} %, and judged from records whose truth is known;",
        f"{passes * CELLS * len(METRICS):,} numbers for every truth, so that 5.0 is known to ±{196 * np.sqrt(0.05 * 0.95 / (passes * CELLS * len(METRICS))):.1f}. What the columns mean, and what is promised: [README](README.md).",
    )


def _worst(title: str, truths: Truths, names: tuple[str, ...]) -> Iterator[str]:
    spreads = [f"{100 * s:g}" for s in next(iter(truths.values()))]
    at = (
        f"At the worst of seed spreads of {', '.join(spreads)} %."
        if len(spreads) > 1
        else f"Seeds vary by {spreads[0]} %."
    )
    yield from ("", f"## Percent falsely {title}", "", at, "")
    yield from ("| seed noise | " + " | ".join(f"{n} seeds" for n in FIXED) + " |", "|" + "---|" * (len(FIXED) + 1))
    for shape, by in truths.items():
        yield f"| {shape} | " + " | ".join(f"{max(s.rate(n, *names) for s in by.values()):.1f}" for n in FIXED) + " |"


def _looked(edge: Truths, equal: Truths) -> Iterator[str]:
    yield from (
        "",
        f"## Percent falsely `reproduced` at any look, up to {MOST} seeds, and what is decided at equal truth",
        "",
        f"Looked at after {', '.join(map(str, LOOKS))} seeds; those of equal truth vary by 2 %.",
        "",
        "| seed noise | `--until-decided` | 2 planned, then looks | 3 planned, then looks | 5 planned, then looks | "
        "equal, `--until-decided`: `reproduced` | equal, 3 planned: `reproduced` | equal: falsely `better` or `not reproduced` |",
        "|" + "---|" * 8,
    )
    for shape, by in edge.items():
        same = equal[shape][0.02]
        shares = [max(s.first(k, "reproduced") for s in by.values()) for k in (0, 2, 3, 5)]
        shares += [same.first(0, "reproduced"), same.rate(3, "reproduced"), same.first(0, "better", "not reproduced")]
        yield f"| {shape} | " + " | ".join(f"{share:.1f}" for share in shares) + " |"


def _stands(edge: Truths, equal: Truths) -> Iterator[str]:
    """What a verdict is after all seeds, one that fell before and stands included."""
    yield from (
        "",
        "## Percent falsely `reproduced` after so many seeds, those that stand included",
        "",
        "The truth at the band's very edge, at the worst spread: a first plan, and seeds that were added by looks. Of verdicts by a first plan of "
        "three at equal truth (seeds that vary by 2 %), so many are another after ten seeds.",
        "",
        "| seed noise | " + " | ".join(f"{k} planned, {n} seeds" for k, n in STOOD) + " | equal: undone |",
        "|" + "---|" * (len(STOOD) + 2),
    )
    for shape, by in edge.items():
        same = equal[shape][0.02]
        shares = [max(100 * float((s.after[of] == "reproduced").mean()) for s in by.values()) for of in STOOD]
        fell = same.fixed[3] == "reproduced"
        shares.append(100 * float((same.after[UNDONE][fell] != "reproduced").mean()))
        yield f"| {shape} | " + " | ".join(f"{share:.1f}" for share in shares) + " |"


def _power(equal: Truths) -> Iterator[str]:
    yield from ("", "## Percent `reproduced` at equal truth", "")
    yield from (
        "| seed noise | seed spread | " + " | ".join(f"{n} seeds" for n in FIXED) + " |",
        "|" + "---|" * (len(FIXED) + 2),
    )
    for shape, by in equal.items():
        for spread, found in by.items():
            shares = " | ".join(f"{found.rate(n, 'reproduced'):.0f}" for n in FIXED)
            yield f"| {shape} | {100 * spread:g} % | {shares} |"


def _collapses(equal: Truths) -> Iterator[str]:
    found = next(by for shape, by in equal.items() if "collapses" in shape)[0.01]
    yield from (
        "",
        "## Where one run in ten collapses: verdicts at equal truth, seeds that vary by 1 %, in percent",
        "",
    )
    yield from ("A run collapses in all of its numbers at once, so that these are of few runs.", "")
    yield from (
        "| seeds | none of them collapsed | `reproduced` | `reproduced where it trains` | `better` or `not reproduced` |",
        "|" + "---|" * 5,
    )
    for n in FIXED:
        shares = [100 * (1 - COLLAPSE) ** n, found.rate(n, "reproduced"), found.rate(n, "reproduced where it trains")]
        yield f"| {n} | " + " | ".join(f"{s:.1f}" for s in (*shares, found.rate(n, "better", "not reproduced"))) + " |"


def run(passes: int) -> str:
    """The page."""
    with tempfile.TemporaryDirectory() as folder:
        blind = made(Path(folder))
        drawn = draw("normal", 0.02, 0.0, np.random.default_rng(0))
        if compared(blind, drawn, 3, Path(folder)) != blind.judged(drawn, 3, 3):
            raise SystemExit("`ganbench compare` says otherwise than this script")
        judging.needed = lambda *of: ""  # how many more seeds would decide: no part of a verdict, and half of the time
        joining.caveats = lambda records: ()  # nor is what rests on somebody's word
        return "\n".join(tables(blind, passes)) + "\n"


if __name__ == "__main__":
    page = run(int(sys.argv[1]) if len(sys.argv) > 1 else PASSES)
    Path(__file__).with_suffix(".md").write_text(page, encoding="utf-8")
