"""What a number rests on that nobody says, and the verdict that such numbers get for ``not reproduced``.

Where a value is of kind ``chosen`` (``suite/kinds.py``), a run of ours is the paper's by our guess alone. That the
printed number can be had is shown by such runs too: ``reproduced`` and ``better`` may be said. That it cannot may not:
another guess might have given it. What stands there instead is ``not reached as assumed``, with the values named.

Every value can decide a number that changes training or measurement. How often one looks along the way
(``every_steps``, ``every_epochs``, ``jac_G_every_epochs``) does not, nor what only describes the printed number
(``seeds``, ``std_of``); a field that only one metric reads decides no other. Where images are made and measured on how
many machines and workers is in no recipe.

A value of which a suite says no kind counts as the paper's: ``list --check`` asks for it. Claims and rankings compare
our own numbers with each other, and are judged as before.

Only a name is changed, and only from a decided one to a weaker one: no verdict is more often false by it.
"""

from __future__ import annotations

from benchmark.collate.judging.verdict import Verdict
from benchmark.recipe import DESCRIBES
from benchmark.suite.kinds import of_kind
from benchmark.suite.model import Cell

LOOKS = ("every_steps", "every_epochs", "jac_G_every_epochs")
READ_BY = {
    "is_splits": ("IS",),
    "is_generated": ("IS",),
    "kid_subsets": ("KIDx1000",),
    "kid_subset_size": ("KIDx1000",),
}
"""Fields that only these metrics read."""


def assumptions(cell: Cell, metric: str) -> tuple[str, ...]:
    """The chosen values of the paper's own recipe and protocol, by path, that could decide this number."""
    return tuple(
        path
        for path in of_kind(cell.kinds, "chosen")
        if path not in (*LOOKS, *DESCRIBES) and metric in READ_BY.get(path, (metric,))
    )


def as_assumed(verdict: Verdict, cell: Cell, metric: str) -> Verdict:
    """The verdict; ``not reached as assumed`` for ``not reproduced`` and ``differs`` where there are assumptions."""
    found = assumptions(cell, metric) if verdict.name in ("not reproduced", "differs") else ()
    if not found:
        return verdict
    return Verdict("not reached as assumed", f"{verdict.why}; chosen, because nothing says: {', '.join(found)}")
