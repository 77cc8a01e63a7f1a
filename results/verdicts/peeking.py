"""What looking after every seed costs, and whether the wider intervals of such seeds keep false verdicts rare.

    python results/verdicts/peeking.py [DRAWS]        # writes peeking.md beside it (some minutes)

A lab adds a seed, looks, and stops at the first verdict. Truths are drawn and judged as in ``simulate.py``, by the code
that judges real records; the records' own word on their plans decides which interval they get.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy import special

from benchmark.collate.judging import number as judging
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import judge
from benchmark.collate.statistics.comparisons import Pair, compare
from benchmark.collate.statistics.equivalence import factor
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.looks import FIRST, LAST, LEVEL, PAIR_SHARE, PAIRS, SHARE, critical, looked
from benchmark.suite.claim import Number
from benchmark.suite.model import Published, Tolerance

BAND = Tolerance(0.05, "simulated")
EXACT = Tier("exact", ())
MOST = 20
DECIDED = ("reproduced", "better", "not reproduced")
PLANS: dict[str, Callable[[int], list[int]]] = {
    "one plan, all of it": lambda n: [n] * n,
    "`--until-decided`": lambda n: [0] * n,
    "3 seeds planned and looked at, then `--until-decided`": lambda n: [3] * 3 + [0] * (n - 3),
    "1, then 3, then one plan more for each seed": lambda n: [1, 3, 3, *range(4, n + 1)],
    "10 planned, and looked at from 3 on": lambda n: [10] * n,
}
NOISES: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "skewed (log-normal, σ 0.4)": lambda rng, shape: (
        (rng.lognormal(0, 0.4, shape) - np.exp(0.08)) / np.sqrt((np.exp(0.16) - 1) * np.exp(0.16))
    ),
    "skewed the other way": lambda rng, shape: (
        -(rng.lognormal(0, 0.4, shape) - np.exp(0.08)) / np.sqrt((np.exp(0.16) - 1) * np.exp(0.16))
    ),
    "heavy-tailed (t, 4 degrees)": lambda rng, shape: rng.standard_t(4, shape) / np.sqrt(2),
}


@dataclass
class Stopped:
    """What became of many cells that were looked at until a verdict fell."""

    verdicts: Counter[str]
    false: int
    seeds: float  # mean number made

    @property
    def total(self) -> int:
        return self.verdicts.total()


def by_plan(plan: str, n: int) -> bool:
    """Whether ``n`` seeds that were planned so count as looked at."""
    return looked(SimpleNamespace(planned=p) for p in PLANS[plan](n))


def stop(values: list[float], printed: float, looks: dict[int, bool]) -> tuple[str, int]:
    """The first verdict at a look (seeds -> whether the wider interval is used), and the seeds that it took; 0 if none
    falls.
    """
    published = Published(f"{printed:.2f}", printed, None, None, "own")
    for n, wide in looks.items():
        verdict = judge(published, estimate(values[:n], looked=wide), 0, [EXACT], "lower", BAND, "").name
        if verdict in DECIDED:
            return verdict, n
    return "inconclusive", 0


def may_decide(ours: np.ndarray, printed: np.ndarray, looks: dict[int, bool]) -> np.ndarray:
    """(draws, looks): whether Student's t alone would decide, than which ours is narrower only by its factor for two
    seeds: spares the rest.
    """
    n = np.array(list(looks))
    mean = np.cumsum(ours, 1)[:, n - 1] / n
    std = np.sqrt(np.maximum(np.cumsum(ours**2, 1)[:, n - 1] - n * mean**2, 0) / (n - 1))
    off, half, band = (
        np.abs(mean - printed[:, None]),
        std * np.array([critical(k, wide) * min(1, factor(k, wide)) / math.sqrt(k) for k, wide in looks.items()]),
        BAND.relative * printed[:, None],
    )
    return (off + half <= band + 1e-6) | (off - half > band - 1e-6)


def many(
    effect: float,
    spread: float,
    looks: dict[int, bool],
    draws: int,
    rng: np.random.Generator,
    noise: str = "normal",
    printed_spread: float = 0.0,
    collapse: float = 0.0,
) -> Stopped:
    """A paper's mean of 20 with a band of 5 %, printed with ``printed_spread``; ours off by ``effect`` bands, its seeds
    varying by ``spread``.

    ``reproduced`` is held against the printed number, as it promises; the others against the paper's mean too.
    """
    mean = 20 * (1 + 0.05 * effect)
    ours = mean + mean * spread * NOISES[noise](rng, (draws, max(looks)))
    ours[rng.random(ours.shape) < collapse] *= 3
    printed = 20 + 20 * printed_spread * NOISES[noise](rng, (draws, 1))[:, 0]
    found = Stopped(Counter(), 0, 0.0)
    for values, v, asked in zip(ours.tolist(), printed.tolist(), may_decide(ours, printed, looks).tolist()):
        verdict, n = stop(values, v, {k: wide for (k, wide), yes in zip(looks.items(), asked) if yes})
        found.verdicts[verdict] += 1
        found.seeds += (n or max(looks)) / draws
        found.false += (
            verdict in DECIDED
            and verdict != truth(mean - v, 0.05 * v)
            and (verdict == "reproduced" or verdict != truth(mean - 20, 1.0))
        )
    return found


def truth(off: float, band: float) -> str:
    """What a true mean that is off by so much deserves, lower being better."""
    return "reproduced" if abs(off) <= band else "not reproduced" if off > 0 else "better"


def edge_table(draws: int, rng: np.random.Generator) -> Iterator[str]:
    yield from (
        "",
        f"## Looking after every seed, up to {MOST}, at the band's very edge: false verdicts in percent",
        "",
        _EDGE,
        "",
    )
    yield (
        "| seeds | our true mean is off by | seed spread | one look, at 3 planned | uncorrected, from 2 on | "
        + " | ".join(name for name in PLANS if name != "one plan, all of it")
        + " |"
    )
    yield "|" + "---|" * (4 + len(PLANS))
    for noise in NOISES:
        for effect in (1.001, 0.999):
            for spread in (0.01, 0.02, 0.05) if noise == "normal" else (0.02,):
                ways = [{3: by_plan("one plan, all of it", 3)}, dict.fromkeys(range(2, MOST + 1), False)]
                ways += [
                    {n: by_plan(name, n) for n in range(FIRST, 11 if name.startswith("10") else MOST + 1)}
                    for name in PLANS
                    if name != "one plan, all of it"
                ]
                rates = [
                    100 * (found := many(effect, spread, looks, draws, rng, noise)).false / found.total
                    for looks in ways
                ]
                yield (
                    f"| {noise} | {effect:g} δ | {100 * spread:g} % | "
                    + " | ".join(f"{rate:.1f}" for rate in rates)
                    + " |"
                )


def cost_table(draws: int, rng: np.random.Generator) -> Iterator[str]:
    yield from (
        "",
        f"## What it costs: `--until-decided`, up to {MOST} seeds, against a number that was fixed beforehand",
        "",
        _COST,
        "",
    )
    yield (
        "| seed spread | off by | decided | false | seeds made, mean | 3 fixed: decided | 5 fixed: decided | 10 "
        "fixed: decided | 10 fixed: false |"
    )
    yield "|" + "---|" * 9
    for spread in (0.01, 0.02, 0.05):
        for effect in (0, 0.5, 1.5, 2, 3, 5):
            adaptive = many(
                effect, spread, dict.fromkeys(range(FIRST, MOST + 1), True), draws, rng, printed_spread=spread
            )
            fixed = {n: many(effect, spread, {n: False}, draws, rng, printed_spread=spread) for n in (3, 5, 10)}
            shares = [f"{100 * (1 - f.verdicts['inconclusive'] / f.total):.0f} %" for f in (adaptive, *fixed.values())]
            false = [f"{100 * f.false / f.total:.1f}" for f in (adaptive, fixed[10])]
            yield (
                f"| {100 * spread:g} % | {effect:g} δ | {shares[0]} | {false[0]} | {adaptive.seeds:.1f} | "
                f"{shares[1]} | {shares[2]} | {shares[3]} | {false[1]} |"
            )


def coverage_table(draws: int, rng: np.random.Generator) -> Iterator[str]:
    yield from ("", "## The interval itself, at every look from the third seed on", "", _COVERAGE, "")
    yield "| last look | Student's t, uncorrected | repeated intervals | t mixture, always valid |"
    yield "|---|---|---|---|"
    for most in (5, 10, 20, LAST):
        x = rng.normal(size=(draws * 10, most))
        n = np.arange(FIRST, most + 1)
        mean = np.cumsum(x, 1)[:, FIRST - 1 :] / n
        std = np.sqrt((np.cumsum(x * x, 1)[:, FIRST - 1 :] - n * mean**2) / (n - 1))
        t = np.abs(mean) / (std / np.sqrt(n))
        held = [
            100 * np.mean((t <= bound(n)).all(1))
            for bound in (
                lambda n: special.stdtrit(n - 1, 0.975),
                lambda n: special.stdtrit(n - 1, 1 - 0.025 / SHARE),
                mixture,
            )
        ]
        yield f"| {most} | " + " | ".join(f"{h:.1f}" for h in held) + " |"
    yield from (
        "",
        "Half widths in standard errors of the mean:",
        "",
        "| seeds | Student's t, fixed | repeated intervals | t mixture |",
        "|---|---|---|---|",
    )
    for k in (3, 4, 5, 7, 10, 20):
        one = np.array([k])
        yield (
            f"| {k} | {special.stdtrit(k - 1, 0.975):.2f} | {special.stdtrit(k - 1, 1 - 0.025 / SHARE):.2f} | "
            f"{mixture(one)[0]:.2f} |"
        )


def mixture(n: np.ndarray, c2: float = 0.01) -> np.ndarray:
    """|t| at which the t mixture of Lai (1976), as Wang and Ramdas (2024) give it, passes 1/0.05: effects in units of σ
    from N(0, 1/c²).
    """
    grow = (20 * np.sqrt((n + c2) / c2)) ** (2 / n)
    return np.sqrt((grow - 1) * (n - 1) / (1 - grow * c2 / (n + c2)))


def pair_table(draws: int, rng: np.random.Generator) -> Iterator[str]:
    yield from ("", "## Two equal methods compared after every seed: wrong orders in percent", "", _PAIRS, "")
    yield "| who gets the seeds | spreads | uncorrected | corrected |"
    yield "|---|---|---|---|"
    a, b = Number("a", "FID", "lower"), Number("b", "FID", "lower")
    for name, path in PATHS.items():
        for ratio in (1, 5):
            wrong = [0, 0]
            x, y = rng.normal(0, 1, (draws, MOST)).tolist(), rng.normal(0, ratio, (draws, MOST)).tolist()
            for u, v in zip(x, y):
                for i, wide in enumerate((False, True)):
                    wrong[i] += any(
                        compare([Pair(a, b)], {a: estimate(u[:n], looked=wide), b: estimate(v[:m], looked=wide)})[
                            Pair(a, b)
                        ].sign
                        for n, m in path
                    )
            yield f"| {name} | 1 : {ratio} | " + " | ".join(f"{100 * w / draws:.1f}" for w in wrong) + " |"


PATHS: dict[str, list[tuple[int, int]]] = {
    "both": [(n, n) for n in range(FIRST, MOST + 1)],
    "in turn": [(n + i, n) for n in range(FIRST, MOST) for i in (0, 1)],
    "one after the other": [(n, FIRST) for n in range(FIRST, MOST + 1)]
    + [(MOST, n) for n in range(FIRST + 1, MOST + 1)],
}


def onward_table(draws: int, rng: np.random.Generator) -> Iterator[str]:
    yield from (
        "",
        "## A plan of so many seeds, judged, and then one more at a time: false verdicts in percent",
        "",
        _ONWARD,
        "",
    )
    yield f"| what | spreads | planned | the plan's own look | all looks, to {MOST} seeds | to {LAST} |"
    yield "|---|---|---|---|---|---|"
    for what, ratio in (("number", 1), ("pair", 1), ("pair", 5), ("pair", 50)):
        for first in (1, 2, 3, 5):
            ends = onward(first, draws, rng, ratio if what == "pair" else None)
            shares = [100 * np.mean((ends > 0) & (ends <= last)) for last in (first, MOST, LAST)]
            yield (
                f"| {what} | {f'1 : {ratio}' if what == 'pair' else '–'} | {first} | "
                + " | ".join("–" if first == 1 and i == 0 else f"{s:.1f}" for i, s in enumerate(shares))
                + " |"
            )


def onward(first: int, draws: int, rng: np.random.Generator, ratio: float | None = None) -> np.ndarray:
    """The seeds at the first false verdict of each draw, 0 where none falls up to ``LAST``.

    Args:
        ratio: of the spreads of two equal methods, compared; None: a number at the very middle of a band so narrow that
            it is only ever left, and that both ``better`` and ``not reproduced`` are false.
    """
    looks = {
        n: looked(SimpleNamespace(planned=p) for p in [first] * first + [0] * (n - first))
        for n in range(max(first, 2), LAST + 1)
    }
    looks = {n: wide for n, wide in looks.items() if n >= FIRST or not wide}
    n = np.array(list(looks))
    x, y = rng.normal(20, 1, (draws, LAST)), rng.normal(20, ratio or 0, (draws, LAST))
    (mx, vx), (my, vy) = ((np.cumsum(v, 1)[:, n - 1] / n, _variance(v, n)) for v in (x, y))
    least = np.array(
        [
            special.ndtri((1 + LEVEL) / 2 if not wide or ratio is None else 1 - (1 - LEVEL) / 2 / PAIR_SHARE)
            for wide in looks.values()
        ]
    )
    asked = np.abs(mx - (20 if ratio is None else my)) >= 0.999 * least * np.sqrt(
        (vx + (0 if ratio is None else vy)) / n
    )  # no verdict falls nearer: spares the rest
    ends = np.zeros(draws, int)
    for i in np.flatnonzero(asked.any(1)):
        u, v = x[i].tolist(), y[i].tolist()
        ends[i] = next(
            (k for k, yes in zip(looks, asked[i]) if yes and _false(u[:k], None if ratio is None else v[:k], looks[k])),
            0,
        )
    return ends


def _false(x: list[float], y: list[float] | None, wide: bool) -> bool:
    """Whether two equal methods are put in an order, or a number in the middle of its band beyond it."""
    if y is None:
        return judge(NARROW, estimate(x, looked=wide), 0, [EXACT], "lower", Tolerance(0.001, "simulated"), "").name in (
            "better",
            "not reproduced",
        )
    a, b = Number("a", "FID", "lower"), Number("b", "FID", "lower")
    return bool(compare([Pair(a, b)], {a: estimate(x, looked=wide), b: estimate(y, looked=wide)})[Pair(a, b)].sign)


def _variance(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    """(draws, looks): n − 1 in the denominator."""
    x = x - 20
    return np.maximum(np.cumsum(x * x, 1)[:, n - 1] - np.cumsum(x, 1)[:, n - 1] ** 2 / n, 0) / (n - 1)


NARROW = Published("20", 20.0, 1e-3, "seeds", "own")


def family_table() -> Iterator[str]:
    yield from (
        "",
        "## Families of pairs, all noise on one side: the share of the level that looks to the last use up",
        "",
        _FAMILIES,
        "",
    )
    shares = (SHARE, PAIR_SHARE - 1, PAIR_SHARE)
    yield "| pairs | " + " | ".join(f"1/{share} at each look" for share in shares) + " |"
    yield "|---" * (1 + len(shares)) + "|"
    for pairs in (1, 10, 45, 120, PAIRS, 2 * PAIRS):
        level = (1 - LEVEL) / pairs
        yield f"| {pairs} | " + " | ".join(f"{100 * ever(level, share) / level:.1f} %" for share in shares) + " |"


def ever(level: float, share: float, grid: int = 2000, jumps: int = 200) -> float:
    """The probability that |t| of normal seeds passes Student's t at ``level``/``share`` at any look from ``FIRST`` to
    ``LAST``.

    By quadrature: with R the root of the sum of squares, c = sum/R after n seeds is a Markov chain, since the next
    seed over R is Student's t with n degrees over √n, whatever came before. The chain is followed on a grid of the
    angle whose cosine is c/√n; t is √(n − 1) times that angle's cotangent.
    """
    angle = (np.arange(grid) + 0.5) * np.pi / grid
    below = special.stdtr(FIRST - 1, math.sqrt(FIRST - 1) / np.tan(np.linspace(1e-12, np.pi - 1e-12, grid + 1)))
    mass = below[:-1] - below[1:]
    for n in range(FIRST, LAST + 1):
        if n > FIRST:
            jump = special.stdtrit(n - 1, (np.arange(jumps) + 0.5) / jumps) / math.sqrt(n - 1)
            cosine = (np.sqrt(n - 1) * np.cos(angle)[:, None] + jump) / np.sqrt(n * (1 + jump**2))
            place = np.clip(np.arccos(np.clip(cosine, -1, 1)) * grid / np.pi - 0.5, 0, grid - 1.000001).ravel()
            low, moved = place.astype(int), np.repeat(mass / jumps, jumps)
            mass = np.bincount(low, moved * (1 - place + low), grid) + np.bincount(low + 1, moved * (place - low), grid)
        edge = math.atan(math.sqrt(n - 1) / special.stdtrit(n - 1, 1 - level / 2 / share))
        mass = mass * np.clip((np.minimum(angle, np.pi - angle) - edge) * grid / np.pi + 0.5, 0, 1)
    return 1 - float(mass.sum())


def main(draws: int) -> str:
    judging.needed = lambda *of: ""  # what an open verdict says besides: no part of it, and most of the time
    rng = np.random.default_rng(20261126)
    return (
        "\n".join(
            [
                _HEAD.format(draws=draws, of=f"{draws:,}"),
                *coverage_table(draws, rng),
                *edge_table(draws, rng),
                *cost_table(max(2, draws // 2), rng),
                *pair_table(max(2, draws // 2), rng),
                *onward_table(10 * draws, rng),
                *family_table(),
            ]
        )
        + "\n"
    )


_HEAD = f"""# Looking after every seed

Made by `python results/verdicts/peeking.py {{draws}}`, of {{of}} draws and parts or multiples of it. Seeds that were added after a look get repeated confidence intervals: Student's t at 1/{SHARE} of the level at each look from
seed {FIRST} on, 1/{PAIR_SHARE} for differences (`benchmark/collate/statistics/looks.py` has the sources). False verdicts have to stay at or below 5 % whenever one looks that started with one seed. A plan of
more seeds, all there, has a look of its own at 5 %; looks after it have 5 % together, once more: [what both come to](#a-plan-of-so-many-seeds-judged-and-then-one-more-at-a-time-false-verdicts-in-percent)."""
_COVERAGE = """Percent of normal samples whose intervals hold the true mean at all looks together; 95 are promised. The t mixture (an e-process) holds for ever, and is wider at the numbers of seeds that GANs get."""
_EDGE = """The printed number is exact, and one side of the verdict is false: the worst case. Which interval is used follows from the records' own word on their plans, as in `compare`: only a plan that is
all there, and the first one of at least two seeds, gets the narrow one. With normal seeds, and one side false, no way of looking costs more than 5 %."""
_COST = """The paper prints one run. The price of looking is paid in seeds, not in false verdicts."""
_ONWARD = """The worst case for whoever looks at a plan and goes on: two equal methods of which any order is false, or a number of which both sides are. 1 planned is `--seeds 1`, then `--until-decided`: below 5 %.
A plan's own look is Student's t (Welch's for a pair) at 5 %, which with unequal spreads and few seeds gives a little more; those who never look again have no more false verdicts than that. Later looks come on top."""
_FAMILIES = f"""Exact, by quadrature. Looks cost more at the lower levels that Holm asks of many pairs. 1/{PAIR_SHARE} at each look is the largest such share that is enough up to {PAIRS} pairs; 1/{SHARE} for one pair, as for one number."""
_PAIRS = """Any decision is wrong, the true means being equal; 5 % are allowed. Uncorrected is Welch's t-test."""

if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000), encoding="utf-8"
    )
