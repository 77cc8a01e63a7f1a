"""What rests on somebody's word in the records of a cell: no difference from the paper, and no tier, but said wherever
they are judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmark.data.cards import card, data_root
from benchmark.data.declared import load
from benchmark.errors import GanbenchError, few, plain
from benchmark.records.provenance import PACKAGES, segments, which_code
from benchmark.records.record import Record
from benchmark.sources import changed

LIBRARIES = ("python", *(name for name in PACKAGES if name != "ray"))  # which only carries what the others compute
LONGEST = 60  # of what a record says of itself


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
        *(line if len(s) == len(records) else f"{line} ({_seeds(s)})" for line, s in seeds.items()),
        *_mixed(records),
    )


def _of(record: Record) -> Iterator[str]:
    if record.provenance.get("real"):
        yield "the statistics of the real images were imported: another machine computed them"
    stretches = segments(record)
    commits = [str(s.get("commit") or "unknown") for s in stretches] or ["unknown"]
    if "unknown" in commits:
        yield "no record of which commit ran some of its steps"
    if any(commit.endswith("+changes") for commit in commits):
        yield "some of its steps were run by code with changes that are in no commit"
    if files := changed(stretches, record.recipe):
        yield f"{', '.join(files)} changed since it was made, with VERSION as before"


def _mixed(records: Sequence[Record]) -> Iterator[str]:
    """That what is averaged was not made alike: by different code, or with different versions of a library."""
    code = [(which_code(s), r.seed) for r in records for s in segments(r) if s.get("commit") or s.get("package")]
    if found := _different([(name, seed) for name, seed in code if name != "unknown"]):
        yield f"its runs were made by different code: {found}"
    unnamed: dict[str, list[str]] = {}
    for name in LIBRARIES:
        if found := _different((version, r.seed) for r in records for version in _versions(r, name)):
            yield f"its runs were made with different versions of {name}: {found}"
        silent = {r.seed for r in records if not any(_versions(r, name))}
        if silent and len(silent) < len({r.seed for r in records}):
            unnamed.setdefault(_seeds(silent), []).append(name)
    for seeds, names in unnamed.items():
        yield f"no version of {', '.join(names)} is on record for {seeds}, and one is for the others"


def _different(made: Iterable[tuple[str, int]]) -> str:
    """``2.6.0 (seed 0), 2.13.0 (seed 1, 2)``; "" if all is the same."""
    seeds: dict[str, set[int]] = {}
    for name, seed in made:
        seeds.setdefault(plain(name)[:LONGEST], set()).add(seed)
    return ", ".join(few(f"{name} ({_seeds(s)})" for name, s in seeds.items())) if len(seeds) > 1 else ""


def _versions(record: Record, library: str) -> Iterator[str]:
    """Those of a library that a record names, of its stretches and of its end; an older one names few."""
    for stretch in (*segments(record), record.provenance):
        named = stretch.get("libraries")
        versions = [stretch.get("torch") if library == "torch" else None]
        versions += [named.get(library)] if isinstance(named, dict) else []
        yield from (version for version in versions if isinstance(version, str))


def _seeds(seeds: Iterable[int]) -> str:
    return f"seed {', '.join(map(str, sorted(seeds)))}"


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
        return []  # no such set: its records join no cell
    if c.reader == "outside":
        return [f"the images of {c.name} are what its code makes or reads: no checksum of them is published"]
    if c.reader == "images" and found is None:
        return [f"{c.name} is not on this machine: whether the images are those of its card was not checked here"]
    return (
        [f"the images of {c.name} are self-declared: no checksum is published"] if found and not found.published else []
    )
