"""What rests on somebody's word in the records of a cell: no difference from the paper, and no tier, but said wherever
they are judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmark.data.cards import card, data_root
from benchmark.data.declared import load
from benchmark.errors import GanbenchError
from benchmark.records.record import Record


def caveats(records: Iterable[Record]) -> tuple[str, ...]:
    """A line for each thing that the records of one cell ask to be believed, with the seeds that it is about."""
    seeds: dict[str, set[int]] = {}
    records = list(records)
    for r in records:
        for line in _of(r):
            seeds.setdefault(line, set()).add(r.seed)
    declared = _declared(records[0]) if records else []
    return (
        *declared,
        *(
            line if len(s) == len(records) else f"{line} (seed {', '.join(map(str, sorted(s)))})"
            for line, s in seeds.items()
        ),
    )


def _of(record: Record) -> Iterator[str]:
    if record.provenance.get("real"):
        yield "the statistics of the real images were imported: another machine computed them"
    segments = [s for s in record.provenance.get("segments", []) if isinstance(s, dict)]
    commits = [str(s.get("commit") or "unknown") for s in segments] or ["unknown"]
    if "unknown" in commits:
        yield "no record of which commit ran some of its steps"
    if any(commit.endswith("+changes") for commit in commits):
        yield "some of its steps were run by code with changes that are in no commit"


def _declared(record: Record) -> list[str]:
    """That nobody has published a checksum of the images: they are what ``data add`` was given."""
    try:
        c = card(record.recipe.dataset)
        found = (
            load(data_root() / c.name, c.name, c.split(record.recipe.split).get("of", record.recipe.split))
            if c.reader == "images"
            else None
        )
    except GanbenchError:
        return []  # no such set here: its records join no cell
    return (
        [f"the images of {c.name} are self-declared: no checksum is published"] if found and not found.published else []
    )
