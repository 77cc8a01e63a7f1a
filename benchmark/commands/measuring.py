"""Results from outside: ``measure`` and ``enter``."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

from benchmark.commands.cell import the_cell
from benchmark.commands.columns import print_fitting
from benchmark.commands.lines import say
from benchmark.errors import GanbenchError, plain
from benchmark.records import external
from benchmark.records.external import External
from benchmark.suite.model import Suite


def measure(a: Namespace) -> int:
    """Images that other code made."""
    from benchmark.plan.external import Declared, measure_images
    from benchmark.schedule.gpu import refuse_without_gpu, why_no_gpu

    if not a.source.exists():
        raise GanbenchError(f"there is no {a.source}: give a folder or zip archive of images, an .npz or an .npy", 2)
    suite, cell = the_cell(a.cell, a.profile)
    _refuse_closed(a.results)
    if a.weights:
        os.environ["GANBENCH_WEIGHTS"] = os.pathsep.join(os.path.abspath(path) for path in a.weights)
    if a.device == "cuda":
        refuse_without_gpu()
    device = "cuda" if a.device == "cuda" or (a.device == "auto" and not why_no_gpu()) else "cpu"
    declared = Declared(a.trained_by or "", a.quantised, a.resized or "", a.flipped)
    record = measure_images(cell, a.source, declared, a.seed, fewer=a.fewer, device=device, threads=a.threads)
    return _keep(a, suite, record)


def enter(a: Namespace) -> int:
    """A number that somebody else measured."""
    from benchmark.plan.external import enter as entered

    suite, cell = the_cell(a.cell)
    if len({metric for metric, _ in a.numbers}) < len(a.numbers):
        raise GanbenchError("one metric stands twice: of several trainings, give FID=12.3,12.9", 2)
    return _keep(a, suite, entered(cell, dict(a.numbers), a.by, a.trained_by or "", a.protocol))


def _keep(a: Namespace, suite: Suite, record: External) -> int:
    """Write it, and say what it is worth beside what was published."""
    from benchmark.collate.judging.join import join
    from benchmark.collate.judging.outside import with_outside
    from benchmark.collate.presenting.square import achieved_text

    others, problems = external.read_all(a.results)
    code = say(problems)
    _refuse_again(record, others)
    known = record.key in {other.key for other in others}
    path = external.write(a.results, record)
    joined = with_outside(suite, join(suite, ()), others if known else [*others, record])
    cell = next(j for rows in joined.values() for j in rows if j.cell.id == record.cell)
    found = next(o for o in cell.outside if record.key in {given.key for given in o.given})
    print_fitting(f"{record.cell}  {found.source}")
    for entry in found.entries.values():
        published = f", published {entry.published.text}" if entry.published else ""
        print_fitting(f"  {entry.metric}: {achieved_text(entry)}{published}; {entry.verdict.name or 'no verdict'}")
    for line in dict.fromkeys(sorted(e.verdict.why for e in found.entries.values() if e.verdict.name)):
        print_fitting(f"  {line}")
    for line in found.remarks:
        print_fitting(f"  {line}")
    for line in record.findings:
        print(f"ganbench: {line}", file=sys.stderr)
    print_fitting(f"{'there already: ' if known else ''}{plain(str(path))}")
    return code


def _refuse_closed(results: Path) -> None:
    """Raises GanbenchError, before anything is measured, where nothing could be written."""
    there = next(path for path in (results / external.ROOM, results, *results.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        raise GanbenchError(f"cannot write to {there}: give a folder of yours with --results")


def _refuse_again(record: External, others: list[External]) -> None:
    """Raises GanbenchError where one training would count twice, or two would be taken for one."""
    for other in (o for o in others if o.kind == record.kind == "external" and o.cell == record.cell):
        alike = (other.trained_by, other.protocol, other.prepared) == (
            record.trained_by, record.protocol, record.prepared,
        )  # fmt: skip
        if alike and other.images == record.images and other.seed != record.seed:
            raise GanbenchError(f"these images are there already, as seed {other.seed}: one training counts once")
        if alike and other.images != record.images and other.seed == record.seed:
            raise GanbenchError(
                f"seed {record.seed} of this training is there already, with other images: give another --seed, or say "
                "with --trained-by what is different"
            )
