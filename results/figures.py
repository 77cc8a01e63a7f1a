"""The figures that papers draw without numbers, from reduced records: ``python results/figures.py``, from the top folder."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from benchmark.collate.presenting.site.boxes import FIVE
from benchmark.collate.statistics.halfway import halfway
from benchmark.metrics.names import SLOPES
from benchmark.records.record import Record
from benchmark.records.store import read_all
from benchmark.train.slopes import DELTAS, SIDES

EPOCHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20)
STEPS = (0, 50, 100, 200, 300, 500, 700, 900, 1100, 1300, 1500)


def of(found: list[Record], table: str) -> list[Record]:
    """The reduced records of one table's cells; of a run that was gone on with, the longest."""
    there = [r for r in found if r.cell.startswith(table + "/") and r.profile == "reduced"]
    return list({(r.cell, r.seed): r for r in sorted(there, key=lambda r: (r.cell, r.seed, r.steps))}.values())


def row(*cells: Any) -> str:
    """One line of a table."""
    return "| " + " | ".join(cell if isinstance(cell, str) else f"{cell:.4g}" for cell in cells) + " |"


def head(*names: str) -> str:
    """A table's head."""
    return row(*names) + "\n" + "|---" * len(names) + "|"


def gradients(found: list[Record]) -> None:
    """GraN's Figure 3."""
    print(head("method", "images", *FIVE, "half the box's height, of the median"))
    for record in of(found, "gran/Fig3"):
        for side in SIDES:
            box = (halfway(record, *SLOPES) or {})[f"grad_{side}"]
            width = (box["q75"] - box["q25"]) / 2 / box["median"]
            print(row(record.cell.split("/")[2], side, *(f"{box[k]:.7g}" for k in FIVE), f"{width:.1e}"))


def differences(found: list[Record]) -> None:
    """GraN's Figure 4."""
    print("\n" + head("method", "images", *(f"δ = {d:g}" for d in DELTAS)))
    for record in of(found, "gran/Fig3"):
        for side in SIDES:
            box = (halfway(record, *SLOPES) or {})[f"difference_{side}"]
            said = [
                f"{box[f'median_at_{d:g}']:.3g} ({box[f'q25_at_{d:g}']:.3g} to {box[f'q75_at_{d:g}']:.3g}; "
                f"{box[f'most_at_{d:g}']:.3g})"
                for d in DELTAS
            ]
            print(row(record.cell.split("/")[2], side, *said))


def over(found: list[Record], table: str, metric: str, unit: str, places: tuple[int, ...]) -> None:
    """One metric of a table's runs over training."""
    print("\n" + head(metric, *(f"{place:,}" for place in places)))
    for record in of(found, table):
        looks = [*record.history, *([record.final] if record.final else [])]
        at = {e[unit]: e[metric]["value"] for e in looks if metric in e}
        print(row(record.cell.split("/")[2], *(f"{at[p]:.3g}" if p in at else "" for p in places)))


def unsteady(found: list[Record]) -> None:
    """How much SDP's D loss moves from look to look, in the second half of training."""
    print("\n" + head("λ", "mean D_loss", "mean change from look to look", "share"))
    for record in of(found, "sdp/Fig3b"):
        late = [e["D_loss"]["value"] for e in record.history if e["step"] >= record.total_steps / 2]
        mean = sum(late) / len(late)
        moves = sum(abs(b - a) for a, b in itertools.pairwise(late)) / (len(late) - 1)
        print(row(record.cell.split("/")[2], mean, moves, f"{abs(moves / mean):.0%}"))


def main() -> None:
    """Print the tables."""
    found, _ = read_all(Path("results"))
    gradients(found)
    differences(found)
    for metric in ("D_loss", "pair_gap", "pair_feature_gap", "pair_slope", "pair_grad"):
        over(found, "sdp/Fig3b", metric, "step", STEPS)
    unsteady(found)
    for metric in ("jac_D", "jac_V", "jac_G", "V_g", "D_G"):
        over(found, "theory/Fig1", metric, "epoch", EPOCHS)


if __name__ == "__main__":
    main()
