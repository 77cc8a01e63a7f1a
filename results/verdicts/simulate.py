"""How often the collator's verdicts are right: results drawn from a known truth, judged blind by the code that judges
real ones.

    python results/verdicts/simulate.py [DRAWS]        # writes simulate.md beside it (a few minutes)

A number's truth: the paper's mean, ours (shifted by an effect), the seed noise of both, seeds that diverge or collapse,
cells that were measured under another protocol. The paper prints one draw from its truth, rounded as it
rounds; we draw our seeds; ``judge``, ``judge_claim`` and ``rankings`` see only that.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import special

from benchmark.collate.judging import number as judging
from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import judge
from benchmark.collate.statistics.interval import _resamples, estimate
from benchmark.suite.load import load
from benchmark.suite.model import Cell, Published, Suite, Table, Tolerance

SUITES = Path(__file__).parents[2] / "suites"
BAND = Tolerance(0.05, "simulated")
EXACT, PROXY = Tier("exact", ()), Tier("proxy", ("generated: 50000 -> 5000",))
SEEDS = (3, 5, 10)
DECIDED = ("reproduced", "better", "not reproduced")

NOISES: dict[str, tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], float]] = {
    "normal": (lambda rng, shape: rng.normal(0, 1, shape), 0.0),
    "skewed (log-normal, σ 0.4)": (lambda rng, shape: rng.lognormal(0, 0.4, shape), float(np.exp(0.08))),
    "heavy-tailed (t, 4 degrees)": (lambda rng, shape: rng.standard_t(4, shape), 0.0),
}

Verdicts = Counter[tuple[str, str, str]]


def coverage(noise: str, n: int, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """Share of 95 % intervals of the mean that hold the true mean, by method; ``ours`` is what verdicts go by."""
    draw, truth = NOISES[noise]
    x = draw(rng, (draws, n))
    mean, own = x.mean(1), x.std(1, ddof=1)
    weights = _resamples(n)
    means = x @ weights.T
    low, high = np.quantile(means, [0.025, 0.975], axis=1)
    found = {"percentile": np.mean((low <= truth) & (truth <= high))}
    z0 = special.ndtri(np.clip((means < mean[:, None]).mean(1) + 0.5 * (means == mean[:, None]).mean(1), 0.001, 0.999))
    left = (x.sum(1, keepdims=True) - x) / (n - 1)
    d = left.mean(1, keepdims=True) - left
    a = (d**3).sum(1) / (6 * (d**2).sum(1) ** 1.5)
    ranked, rows = np.sort(means, 1), np.arange(draws)
    ends = [
        ranked[rows, (special.ndtr(z0 + (z0 + z) / (1 - a * (z0 + z))) * (means.shape[1] - 1)).astype(int)]
        for z in (-1.96, 1.96)
    ]
    found["BCa"] = np.mean((ends[0] <= truth) & (truth <= ends[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = (means - mean[:, None]) / np.sqrt(np.maximum((x * x) @ weights.T - means**2, 0) * n / (n - 1))
        scaled[~(np.abs(scaled) < 1e6)] = np.nan
    low, high = np.nanquantile(scaled, [0.025, 0.975], axis=1)
    found["bootstrap-t"] = np.mean((mean - high * own <= truth) & (truth <= mean - low * own))
    judged = [estimate(row) for row in x.tolist()]
    found["t"] = np.mean([abs(e.mean - truth) <= e.half for e in judged])
    found["ours"] = np.mean([e.bounds[0] <= truth <= e.bounds[1] for e in judged])
    return {k: float(v) for k, v in found.items()}


def one_number(
    n: int,
    effect: float,
    spread: float,
    draws: int,
    rng: np.random.Generator,
    collapse: float = 0.0,
    noise: str = "normal",
    printed_spread: float | None = None,
) -> Verdicts:
    """(verdict, truth by the printed number, truth by the paper's mean) of a paper mean of 20 with a band of 5 %.

    Args:
        effect: our true mean beyond the paper's, in bands (worse is positive).
        spread: seed standard deviation as a share of the mean, theirs and ours.
        collapse: probability that one of our seeds ends, unnoticed, at three times the number.
        noise: the distribution of the seeds, theirs and ours.
        printed_spread: theirs, where it is another: 0 prints the paper's mean itself.
    """
    draw, centre = NOISES[noise]
    scale = _scale(noise)
    mean = 20 * (1 + 0.05 * effect)
    theirs = spread if printed_spread is None else printed_spread
    printed = np.round(20 + 20 * theirs * (draw(rng, (draws, 1))[:, 0] - centre) / scale, 2)
    ours = mean + mean * spread * (draw(rng, (draws, n)) - centre) / scale
    ours[rng.random((draws, n)) < collapse] *= 3
    found: Verdicts = Counter()
    for v, values in zip(printed.tolist(), ours.tolist()):
        verdict = judge(
            Published(f"{v:.2f}", v, None, None, "own"), estimate(values), 0, [EXACT], "lower", BAND, ""
        ).name
        found[verdict, truth(mean - v, 0.05 * v), truth(mean - 20, 1.0 + 1e-9)] += 1
    return found


@functools.cache
def _scale(noise: str) -> float:
    """Its standard deviation, by a large draw: heavy tails have no handier one."""
    return float(NOISES[noise][0](np.random.default_rng(0), (400_000, 1)).std())


def truth(off: float, band: float) -> str:
    """What a true mean that is off by so much deserves, lower being better."""
    return "reproduced" if abs(off) <= band else "not reproduced" if off > 0 else "better"


def false_rates(found: Verdicts, name: str) -> tuple[float, float]:
    """How often ``name`` was given wrongly: by the printed number, and by the paper's mean."""
    total = found.total()
    return sum(k for (v, a, _), k in found.items() if v == name != a) / total, sum(
        k for (v, _, b), k in found.items() if v == name != b
    ) / total


@dataclasses.dataclass
class Tally:
    """What whole suites came to."""

    verdicts: Verdicts  # (verdict, truth by the printed number, truth by the paper's mean) of what may be judged
    barred: Counter[str]  # verdicts on numbers that may not be: another protocol, or a seed lost
    claims: Counter[tuple[str, str]]  # (verdict, truth)
    tau: list[bool]  # whether an interval held the true τ
    chance: list[bool]  # whether an interval held the true probability of improvement


def whole_suite(suite: Suite, n: int, draws: int, rng: np.random.Generator, trouble: bool) -> Tally:
    """A suite's tables and claims, drawn and judged ``draws`` times, every time from a new truth.

    Args:
        trouble: some cells lose a seed, and some were measured by another protocol; claims over them are not judged.
    """
    tally = Tally(Counter(), Counter(), Counter(), [], [])
    for _ in range(draws):
        drawn, certain = _draw(suite, n, rng, trouble, tally)
        cells = [j for rows in drawn.values() for j in rows]
        known = [j for rows in certain.values() for j in rows]
        for claim in (c for c in suite.claims if not any(n.of for n in c.numbers())):  # made-up cells have no runs
            tally.claims[judge_claim(claim, cells).achieved.name, judge_claim(claim, known).achieved.name] += 1
        for table in suite.tables:
            _count_rankings(table, drawn, certain, tally)
    return tally


Drawn = dict[str, list[Joined]]


def _draw(suite: Suite, n: int, rng: np.random.Generator, trouble: bool, tally: Tally) -> tuple[Drawn, Drawn]:
    """One world: what the collator sees, and the same without noise; its verdicts go to the tally."""
    seen: Drawn = {}
    certain: Drawn = {}
    for table in suite.tables:
        seen[table.key], certain[table.key] = [], []
        for cell in table.cells:
            lost = trouble and rng.random() < 0.05  # a seed diverged
            tier = PROXY if trouble and rng.random() < 0.1 else EXACT  # measured otherwise, and off by as much again
            entries = {
                m: _number(cell, m, direction, table.tolerance.get(m, BAND), n, lost, tier, rng, tally)
                for m, direction in table.metrics.items()
            }
            seen[table.key].append(Joined(cell, (None,), tier, {m: e for m, (e, _) in entries.items()}))
            certain[table.key].append(Joined(cell, (None,), EXACT, {m: e for m, (_, e) in entries.items()}))
    return seen, certain


def _number(
    cell: Cell,
    metric: str,
    direction: str,
    band: Tolerance,
    n: int,
    lost: bool,
    tier: Tier,
    rng: np.random.Generator,
    tally: Tally,
) -> tuple[Entry, Entry]:
    """One number, as seen and for certain. What the paper does not print gets a truth all the same: claims of ours may
    need it.
    """
    printed = cell.published.get(metric)
    theirs = printed.value if printed and printed.value is not None else rng.uniform(10, 60)
    spread = np.exp(rng.uniform(np.log(0.005), np.log(0.06)))
    effect = rng.choice([0, rng.uniform(-1, 1), rng.uniform(-4, 4)], p=[0.5, 0.25, 0.25]) + (
        rng.uniform(-4, 4) if tier is PROXY else 0
    )
    ours = theirs * (1 + band.relative * effect)
    v = round(float(rng.normal(theirs, abs(theirs) * spread)), 3)
    published = (
        dataclasses.replace(printed, value=v, text=f"{v}", std=None)
        if printed and printed.value is not None
        else printed
    )
    achieved = estimate(rng.normal(ours, abs(ours) * spread, n).tolist())
    verdict = judge(published, achieved, int(lost), [tier], direction, band, "")
    if published and published.value is not None:
        sign = 1 if direction == "lower" else -1
        if lost or tier is PROXY or published.origin == "quoted":
            tally.barred[verdict.name] += 1
        else:
            tally.verdicts[
                verdict.name,
                truth(sign * (ours - v), band.relative * abs(v)),
                truth(sign * (ours - theirs), (band.relative + 1e-9) * abs(theirs)),
            ] += 1
    certain = estimate([ours * (1 + 1e-4 * k) for k in (-1, 0, 1)])
    nothing = dataclasses.replace(verdict, name="")
    return Entry(cell, metric, direction, published, achieved, spread, verdict), Entry(
        cell, metric, direction, published, certain, spread, nothing
    )


def _count_rankings(table: Table, drawn: Drawn, certain: Drawn, tally: Tally) -> None:
    known = {j.cell.id: j for j in certain[table.key]}
    for ranking in rankings(table, drawn[table.key]):
        if ranking.low is None:
            continue
        means = {
            i: known[i].entries[ranking.metric] for pair in ranking.improvements for i in (pair.better, pair.worse)
        }
        better = 1 if table.metrics[ranking.metric] == "lower" else -1
        order = [
            1 if better * (means[p.worse].achieved.mean - means[p.better].achieved.mean) > 0 else -1
            for p in ranking.improvements
        ]
        tally.tau.append(ranking.low - 1e-9 <= sum(order) / len(order) <= ranking.high + 1e-9)
        for p in ranking.improvements[:3]:
            a, b = means[p.better], means[p.worse]
            z = (
                better
                * (b.achieved.mean - a.achieved.mean)
                / np.hypot(a.spread * a.achieved.mean, b.spread * b.achieved.mean)
            )
            tally.chance.append(bool(p.low <= special.ndtr(z) <= p.high))


def main(draws: int) -> str:
    judging.needed = lambda *of: ""  # what an open verdict says besides: no part of it, and most of the time
    rng = np.random.default_rng(20260101)
    head = _HEAD.format(draws=draws, of=f"{draws:,}", worlds=2 * max(2, draws // 100))
    return "\n".join([head, *_coverage_table(draws, rng), *_number_table(draws, rng), *_suite_table(draws, rng)]) + "\n"


def _coverage_table(draws: int, rng: np.random.Generator) -> list[str]:
    lines = [
        "",
        "## Coverage of 95 % intervals of the mean, in percent",
        "",
        "| seed noise | seeds | t | percentile | BCa | bootstrap-t | what verdicts go by |",
        "|---|---|---|---|---|---|---|",
    ]
    for noise in NOISES:
        for n in SEEDS:
            c = coverage(noise, n, draws, rng)
            lines.append(
                f"| {noise} | {n} | "
                + " | ".join(f"{100 * c[k]:.1f}" for k in ("t", "percentile", "BCa", "bootstrap-t", "ours"))
                + " |"
            )
    return [
        *lines,
        "",
        "Verdicts go by t, from 5 seeds on farther on the side of the longer tail; the bootstraps are not used.",
    ]


def _number_table(draws: int, rng: np.random.Generator) -> list[str]:
    lines = ["", "## Verdicts on one number, in percent of draws", "", _NUMBERS, ""]
    lines += [
        "| seeds | seed spread | our true mean is off by | reproduced | better | not reproduced | "
        "inconclusive | false `reproduced` | false `better` | false `not reproduced` |",
        "|" + "---|" * 10,
    ]
    for n in SEEDS:
        for spread in (0.01, 0.02, 0.05):
            for effect in (0, 1, 1.5, 3):
                lines.append(_number_row(n, spread, effect, one_number(n, effect, spread, draws, rng)))
        lines.append(
            _number_row(
                n, 0.01, 1.001, one_number(n, 1.001, 0.01, draws, rng, printed_spread=0), ", the printed number exact"
            )
        )
        lines.append(
            _number_row(
                n, 0.01, 0.999, one_number(n, 0.999, 0.01, draws, rng, printed_spread=0), ", the printed number exact"
            )
        )
        lines.append(
            _number_row(n, 0.02, 1, one_number(n, 1, 0.02, draws, rng, noise="skewed (log-normal, σ 0.4)"), ", skewed")
        )
        lines.append(
            _number_row(n, 0.02, 0, one_number(n, 0, 0.02, draws, rng, collapse=0.05), ", 5 % of seeds collapse")
        )
    for n in (1, 2):
        lines.append(_number_row(n, 0.09, 0, one_number(n, 0, 0.09, draws, rng)))
        lines.append(
            _number_row(n, 0.02, 0, one_number(n, 0, 0.02, draws, rng, collapse=0.05), ", 5 % of seeds collapse")
        )
    return lines


def _number_row(n: int, spread: float, effect: float, found: Verdicts, more: str = "") -> str:
    shares = [
        f"{100 * sum(k for (v, _, _), k in found.items() if v == name) / found.total():.1f}"
        for name in (*DECIDED, "inconclusive")
    ]
    wrong = [" / ".join(f"{100 * rate:.1f}" for rate in false_rates(found, name)) for name in DECIDED]
    return f"| {n} | {100 * spread:g} %{more} | {effect:g} δ | " + " | ".join([*shares, *wrong]) + " |"


def _suite_table(draws: int, rng: np.random.Generator) -> list[str]:
    lines = ["", "## Whole suites", "", _SUITES, ""]
    lines += [
        "| suite | seeds | numbers | decided | false `reproduced` | false `better` | false `not reproduced` "
        "| barred, and judged all the same | claims | decided | false | τ held | P(improvement) held |",
        "|" + "---|" * 13,
    ]
    for name in ("gran", "chain"):
        suite = load(SUITES / f"{name}.yaml")
        for n in SEEDS:
            troubled, sound = (whole_suite(suite, n, max(2, draws // 100), rng, trouble) for trouble in (True, False))
            lines.append(f"| {name} | {n} | " + " | ".join(_suite_row(troubled, sound)) + " |")
    return lines


def _suite_row(troubled: Tally, sound: Tally) -> list[str]:
    verdicts = troubled.verdicts + sound.verdicts
    judged = verdicts.total()
    decided = sum(k for (v, _, _), k in verdicts.items() if v in DECIDED)
    wrong = [" / ".join(f"{100 * rate:.2f}" for rate in false_rates(verdicts, name)) for name in DECIDED]
    flouted = sum(k for v, k in troubled.barred.items() if v in (*DECIDED, "inconclusive"))
    claims = sum(k for (v, _), k in sound.claims.items() if v != "not judged")
    settled = sum(k for (v, _), k in sound.claims.items() if v in ("holds", "fails"))
    held = [
        f"{100 * np.mean(sound.tau + troubled.tau):.1f} %",
        f"{100 * np.mean(sound.chance + troubled.chance):.1f} %",
    ]
    return [
        f"{judged:,}",
        f"{100 * decided / judged:.0f} %",
        *wrong,
        f"{flouted} of {troubled.barred.total():,}",
        f"{claims:,}",
        f"{100 * settled / claims:.0f} %",
        f"{100 * false_claims(sound) / claims:.2f} %",
        *held,
    ]


def false_claims(tally: Tally) -> int:
    """Claims that were said to hold and do not, or to fail and do not."""
    return sum(k for (v, a), k in tally.claims.items() if v in ("holds", "fails") and v != a)


_HEAD = """# How often the verdicts are right

Made by `python results/verdicts/simulate.py {draws}`, of {of} draws a row and {worlds} worlds a suite: numbers, tables and claims drawn from a known truth, and judged blind by the code that judges real
records. Every false verdict at the stated level has to stay at or below 5 % (2.5 % a side)."""
_NUMBERS = """A paper prints one run, of true mean 20; δ is 5 %. A false verdict is counted twice: against the printed number, which is what `reproduced` is about, and against the
paper's own true mean, which one printed run misses by its seed noise. `better` and `not reproduced` stay below 5 % by both. `reproduced` promises only the first: that our mean is
within δ of the number in the paper; where seeds vary by much of δ, the paper's mean may be elsewhere, no number of our seeds can tell, and the verdict says so. The rows with an exact printed
number stand at the very edge of the band. One seed decides nothing: no distance tells a run that collapsed unnoticed from a method that falls short. All rates are for a number of seeds that was
fixed beforehand; `peeking.md` has those for seeds that are added by looks."""
_SUITES = """The real tables, groups and claims of two suites; each number with its own seed spread (0.5 to 6 %), half of them reproduced exactly, a quarter off by up to δ, a quarter by up to 4 δ. Half of the
worlds have trouble: in 5 % of cells a seed diverges, 10 % were measured by another protocol and are off by up to 4 δ more; these and quoted numbers are barred from any verdict. Rates are in percent of all
numbers that may be judged, against the printed number / the paper's mean. Claims are counted in the worlds without trouble: one is false if it holds of our true means and is said to fail, or the other way
round. τ and P(improvement): how often the 95 % interval holds the truth; both are conservative."""

if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000), encoding="utf-8"
    )
