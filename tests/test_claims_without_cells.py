"""A claim of which no cell can be asked for seeds, though some comparison of it is decided."""

from __future__ import annotations

from pathlib import Path

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.decide import in_order, open_questions
from benchmark.collate.judging.join import join_loaded
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.model import Cell
from tests.test_collate import record_for
from tests.test_decide import SUITE


def test_a_claim_of_which_no_seed_can_be_asked_is_no_question(tmp_path: Path) -> None:
    """Decided but for a cell whose two seeds are equal: what more seeds of it would give decides nothing."""
    path = tmp_path / "tiny.yaml"
    holds = '{table: "1", metrics: [V_g, D_G], diverges: [A, B], by: 10%}'
    claim = f"claims:\n  - {{id: c, quote: q, where: w, holds: {holds}}}\n"
    path.write_text(SUITE.format(band="0.1", a="1.0", b="1.0").replace("epochs: 1,", "epochs: 2,") + claim, "utf-8")
    suite = load(path)

    def made(cell: Cell, seed: int, rise: float) -> Record:
        looks = [
            {"step": 2 * n, "epoch": n}
            | {m: {"value": v, "std": 0.05, "max": v} for m, v in (("V_g", 1 + rise * n), ("D_G", 1.0))}
            for n in (1, 2)
        ]
        return record_for(
            cell,
            seed,
            {},
            steps=4,
            total_steps=4,
            epochs=2.0,
            final=looks[1],
            history=looks,
            seeds=0 if rise == 0 else 3,
        )

    found = [made(suite.cells[0], s, 0.0) for s in range(2)] + [
        made(suite.cells[1], s, 0.01 + s / 1e4) for s in range(3)
    ]
    _, joined = join_loaded(suite, found, fixed=True)
    rows = joined["tiny/1"]
    judged = judge_claim(suite.claims[0], rows)
    assert judged.achieved.name == "inconclusive"
    asked, hopeless = open_questions(rows, {t.key: t.tolerance for t in suite.tables}, [judged])
    assert all(q.cells for q in asked), "no question is of no cell"
    assert [h.why for h in hopeless if h.name == "claim tiny: c"] != []
    in_order(asked, dict.fromkeys((c.id for c in suite.cells), 0.0), {c.id: c.id for c in suite.cells})
