"""The figures that papers draw without numbers: ``python results/figures.py``, from the top folder, prints tables and
draws theory's Figure 1 into ``results/figure-1.png``.
"""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

from PIL import Image

from benchmark.collate.judging.join import load_joined
from benchmark.collate.presenting.site.boxes import FIVE
from benchmark.collate.presenting.site.png import png
from benchmark.collate.presenting.site.training import training
from benchmark.collate.statistics.halfway import halfway
from benchmark.metrics.names import SLOPES
from benchmark.records.record import Record
from benchmark.records.store import read_all
from benchmark.train.slopes import DELTAS, SIDES

EPOCHS = (1, 2, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200)
GAME = ("V_d", "jac_D_real", "V_theta", "V_phi", "V_d_gap", "V_d_bound")
STEPS = (0, 50, 100, 200, 300, 500, 700, 900, 1100, 1300, 1500)


def of(found: list[Record], table: str, profile: str = "reduced") -> list[Record]:
    """The records of one table's cells; of a run that was gone on with, the longest."""
    there = [r for r in found if r.cell.startswith(table + "/") and r.profile == profile]
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


def over(found: list[Record], metric: str, unit: str, places: tuple[int, ...]) -> None:
    """One metric of some runs over training, where any was measured."""
    there = {r.cell: [*r.history, *([r.final] if r.final else [])] for r in found}
    values = {cell: {e[unit]: e[metric]["value"] for e in looks if metric in e} for cell, looks in there.items()}
    places = tuple(place for place in places if any(place in at for at in values.values()))
    print("\n" + head(metric, *(f"{place:,}" for place in places)))
    for cell, at in values.items():
        print(row(cell.split("/")[2], *(f"{at[p]:.3g}" if p in at else "" for p in places)))


def unsteady(found: list[Record]) -> None:
    """How much SDP's D loss moves from look to look, in the second half of training."""
    print("\n" + head("λ", "mean D_loss", "mean change from look to look", "share"))
    for record in of(found, "sdp/Fig3b"):
        late = [e["D_loss"]["value"] for e in record.history if e["step"] >= record.total_steps / 2]
        mean = sum(late) / len(late)
        moves = sum(abs(b - a) for a, b in itertools.pairwise(late)) / (len(late) - 1)
        print(row(record.cell.split("/")[2], mean, moves, f"{abs(moves / mean):.0%}"))


def game(found: list[Record]) -> None:
    """What theory's section 4 is about, at the end of Figure 1's trainings."""
    print("\n" + head("at epoch 200", *GAME))
    for record in of(found, "theory/section-4", "full"):
        final = record.final or {}
        print(row(record.cell.split("/")[2], *(final[m]["value"] if m in final else "" for m in GAME)))


def panels(found: list[Record], to: Path) -> None:
    """Theory's Figure 1 in one picture: a panel a quantity, a line a condition."""
    suite, joined = load_joined(Path("suites/theory.yaml"), found)
    (table,) = (t for t in suite.tables if t.id == "Fig1")
    drawn = [Image.open(io.BytesIO(png(plot))) for plot in training("figure-1", joined[table.key])]
    wide, high = max(i.width for i in drawn), max(i.height for i in drawn)
    whole = Image.new("RGB", (2 * wide, high * -(-len(drawn) // 2)), "white")
    for k, panel in enumerate(drawn):
        whole.paste(panel, (k % 2 * wide, k // 2 * high))
    whole.resize((whole.width // 2, whole.height // 2)).save(to, optimize=True)


def main() -> None:
    """Print the tables, draw the picture."""
    found, _ = read_all(Path("results"))
    gradients(found)
    differences(found)
    for metric in ("D_loss", "pair_gap", "pair_feature_gap", "pair_slope", "pair_grad"):
        over(of(found, "sdp/Fig3b"), metric, "step", STEPS)
    unsteady(found)
    for metric in ("jac_D", "jac_V", "jac_G", "V_g", "D_G"):
        over(of(found, "theory/Fig1", "full"), metric, "epoch", EPOCHS)
    game(found)
    panels(found, Path("results/figure-1.png"))


if __name__ == "__main__":
    main()
