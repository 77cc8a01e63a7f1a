"""The table of runs that are shorter and narrower than the papers' and measured by images, from their records:
``python results/reduced.py``, from the top folder.
"""

from __future__ import annotations

from pathlib import Path

from benchmark.metrics.names import IMAGE
from benchmark.records.record import Record
from benchmark.records.store import read_all

SAID = {"reduced": "", "long": ", four times as long", "mnist": ", MNIST"}
HEAD = (
    "| paper | table | method | seed | G steps | FID at step 0 | half time | end | IS | precision | recall at the end |"
)


def row(record: Record) -> str:
    """A record's measurements at its first step, at half time and at its end."""
    first, half, end = (record.history[i] for i in (0, len(record.history) // 2, -1))
    paper, table, method = record.cell.split("/")[:3]

    def said(entry: dict, metric: str, digits: int) -> str:
        if metric not in entry:
            return "not measured"
        return "diverged" if entry[metric]["value"] is None else f"{entry[metric]['value']:,.{digits}f}"

    scores = f"{said(first, 'IS', 2)} → {said(end, 'IS', 2)}" if "IS" in first else "not measured"
    distance = "tFID" if "FID" not in first and "tFID" in first else "FID"
    mark = " (tFID)" if distance == "tFID" else ""
    fids = " | ".join(said(entry, distance, 0) + mark for entry in (first, half, end))
    return (
        f"| {paper} | {table} | {method}{SAID[record.profile]} | {record.seed} | {record.steps:,} | {fids} | "
        f"{scores} | {said(first, 'precision', 2)} → {said(end, 'precision', 2)} | {said(end, 'recall', 3)} |"
    )


def order(record: Record) -> tuple:
    """By paper, table, and method; its runs of one kind beside each other."""
    paper, table, method = record.cell.split("/")[:3]
    return (
        paper,
        table,
        record.steps if record.profile == "reduced" else record.steps // 4 if record.profile == "long" else 10**9,
        method,
        list(SAID).index(record.profile),
        record.seed,
    )


def main() -> None:
    """Print the table."""
    found, _ = read_all(Path("results"))
    print(HEAD + "\n" + "|---" * (HEAD.count("|") - 1) + "|")
    of_images = (r for r in found if r.profile in SAID and any(m in IMAGE for m in r.protocol.metrics))
    print("\n".join(map(row, sorted(of_images, key=order))))


if __name__ == "__main__":
    main()
