"""Names that two recipes may have meant alike: near misses, and parts whose arguments vary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from benchmark.catalogue import plugins
from benchmark.recipe import Recipe

SLIPS = {5: 1, 8: 2}  # names of so many letters and so few typing slips apart are taken for two spellings of one


def spellings(recipes: Sequence[Recipe]) -> Iterator[str]:
    """One thing, one name: near misses among names that no plug-in vouches for, and parts whose arguments vary."""
    named = (
        [("network", *r.network) for r in recipes]
        + [("loss", *r.loss) for r in recipes]
        + [("part", *p) for r in recipes for p in r.parts]
    )
    names = sorted({(kind, name) for kind, name, _ in named})
    for i, (kind, name) in enumerate(names):
        for other_kind, other in names[i + 1 :]:
            built = name in plugins("methods" if kind != "network" else "networks") and other in plugins(
                "methods" if kind != "network" else "networks"
            )
            if kind == other_kind and not built and _alike(name, other):
                yield f"{kind} {name!r} and {kind} {other!r}: two spellings of one?"
    arguments: dict[tuple[str, str], Counter[tuple[str, ...]]] = {}
    for kind, name, given in named:
        known = plugins("methods" if kind != "network" else "networks").get(name)
        optional = known.arguments.keys() - known.required if known else set()
        arguments.setdefault((kind, name), Counter())[tuple(sorted(given.keys() - optional))] += 1
    for (kind, name), sets in arguments.items():
        if len(sets) > 1:
            yield (
                f"{kind} {name!r} is given different arguments in different places: "
                f"{' / '.join(', '.join(s) or 'none' for s in sets)}"
            )


def _alike(a: str, b: str) -> bool:
    plain = [name.replace("-", "").replace("_", "").lower() for name in (a, b)]
    allowed = max((slips for length, slips in SLIPS.items() if min(map(len, plain)) >= length), default=0)
    return _slips(*plain) <= allowed


def _slips(a: str, b: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours that turn a into b."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y)))
            if i > 1 and j > 1 and a[i - 2] == y and x == b[j - 2]:
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]
