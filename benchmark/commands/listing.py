"""Reading the suites: ``list``, ``show``, ``published``."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from typing import Any

from benchmark.commands.cell import the_cell
from benchmark.commands.choosing import chosen_suites
from benchmark.commands.columns import print_fitting
from benchmark.commands.lacking import say_missing
from benchmark.commands.lines import believing, count, out_for_programs, print_json, print_plain, read_records, say
from benchmark.commands.suites import suites_of
from benchmark.errors import GanbenchError
from benchmark.plan.blocks import Hindrance, hindrance
from benchmark.records import external, failures
from benchmark.suite.find import files
from benchmark.suite.kinds import in_words as kind_in_words
from benchmark.suite.load import load
from benchmark.suite.model import Cell
from benchmark.suite.nodes import SuiteError
from benchmark.suite.tidy import PUBLISHED_COLUMNS, cell_row, published_rows


def list_cells(a: Namespace) -> int:
    """Suites, tables and cells."""
    if a.check:
        return _check(a)
    suites, wrong = suites_of(a)
    suites = chosen_suites(a, suites, a.suites)
    if a.json:
        rows = [_row(cell) for suite in suites for cell in suite.cells]
        print_json(json.dumps(rows, indent=1, ensure_ascii=False))
        return wrong
    lacks = []
    for suite in suites:
        found = {c.id: hindrance(c.recipe, c.protocol) for c in suite.cells}
        lacks += [h.missing for h in found.values() if h]
        whys = Counter(h.why for h in found.values() if h and not h.missing)
        shared = [why for why, n in whys.items() if n > 1]
        print_fitting(f"{suite.name}: {suite.title} (profile {suite.profile}; has {', '.join(suite.profiles)})")
        for table in suite.tables:
            numbers = sum(p.value is not None for c in table.cells for p in c.published.values())
            same = f", restates table {table.restates}" if table.restates else ""
            print_fitting(
                f"  table {table.id}: {count(len(table.cells), 'cell')}, {count(numbers, 'published number')}{same}"
            )
            for cell in table.cells:
                print_fitting(f"    {cell.id}  {_standing_in_list(found[cell.id], shared)}")
        for number, why in enumerate(shared, 1):
            print_fitting(f"  [{number}] blocks {count(whys[why], 'cell')}: {why}")
    cells = [c for s in suites for c in s.cells]
    published = sum(bool(c.published) for c in cells)
    print_fitting(
        f"{count(len(cells), 'cell')}: {published} with published numbers or the reason why there is none, "
        f"{len(cells) - published} without"
    )
    say_missing(a, suites, lacks)
    return wrong


def _row(cell: Cell) -> dict[str, Any]:
    found = hindrance(cell.recipe, cell.protocol)
    return cell_row(cell, found.why, [thing.name for thing in found.missing]) if found else cell_row(cell, None)


def _standing_in_list(found: Hindrance | None, shared: list[str]) -> str:
    """A reason that several cells share is said once, below them; what is missing here, at the end of all."""
    if found is None:
        return "ready"
    if found.missing:
        return f"{found.word}: {', '.join(thing.name for thing in found.missing)}"
    why = found.why
    return f"{found.word} [{shared.index(why) + 1}]" if why in shared else f"{found.word}: {why}"


def _check(a: Namespace) -> int:
    """Problems of suites that load; all faults of those that do not. 2 for a fault, or where a recipe is refused, as
    ``plan`` and ``run`` end with it; 1 for what can be run and should be mended.
    """
    from benchmark.plan.built import refusals
    from benchmark.suite.faults import faults
    from benchmark.suite.lint import lint

    if a.only is not None:
        raise GanbenchError("--check looks at whole files: leave --only away", 2)
    broken = [fault for path in files(a.suites) for fault in faults(path)]
    for fault in broken:
        print_plain(fault)
    try:
        paths = [s.path for s in suites_of(a)[0]]
    except SuiteError:
        if not broken:
            raise
        return 2
    problems = lint(paths)
    cells = {(c.id, p): c for path in paths for p in load(path).profiles for c in load(path, p).cells}
    refused = refusals({f"{id} (profile {profile})": c.recipe for (id, profile), c in cells.items()})
    for problem in (*problems, *refused):
        print(problem)
    print(f"{count(len(paths), 'suite')}, {count(len(problems) + len(refused), 'problem')}")
    return 2 if broken or refused else int(bool(problems))


def show(a: Namespace) -> int:
    """One cell in full."""
    suite, cell = the_cell(a.cell, a.profile)
    found = hindrance(cell.recipe, cell.protocol)
    print_fitting(f"{cell.id}  (profile {cell.profile})\n{f'{found.word}: {found.why}' if found else 'ready'}")
    if standing := _standing(cell):
        print_fitting(f"data: {standing}")
    print_fitting("\npublished")
    for metric, number in cell.published.items():
        said = [f"± over {number.std_of}"] if number.std is not None else []
        said += ["printed as best"] if number.best else []
        said += [number.origin] if number.origin != "own" else []
        print_fitting(f"  {metric}: {number.text}" + (f"  ({', '.join(said)})" if said else ""))
    for remark in cell.remarks:
        print_fitting(f"  note: {remark}")
    sources: dict[str, int] = {}
    for title, fields in (("recipe", cell.recipe.to_json()), ("protocol", cell.protocol.to_json())):
        print_fitting(f"\n{title}")
        for key, value in fields.items():
            source, kind = _source(cell, key), kind_in_words(cell.kinds, key) if cell.profile == "full" else ""
            said = [str(sources.setdefault(source, len(sources) + 1))] if source else []
            print_fitting(
                f"  {key}: {value}" + (f"    # [{', '.join([*said, kind] if kind else said)}]" if said or kind else "")
            )
    print_fitting("\nwhere the values come from" if sources else "\n(where the values come from: see profile full)")
    for source, place in sources.items():
        print_fitting(f"  [{place}] {source}")
    print_fitting("\nruns so far")
    from benchmark.collate.judging.join import join
    from benchmark.collate.judging.outside import with_outside
    from benchmark.collate.presenting.square import achieved_text

    records, code = read_records(a.results)
    others, unread = external.read_all(a.results)
    code, failed = max(code, say(unread)), failures.read_all(a.results)
    joined, _ = believing(lambda left, _: with_outside(suite, join(suite, left, failures=failed), others), records)
    here = next(j for rows in joined.values() for j in rows if j.cell.id == cell.id)
    for record in here.records:
        print_fitting(
            f"  seed {record.seed}: {record.status} at step {record.steps:,} of {record.total_steps:,}; run "
            f"{record.run}"
        )
    for entry in here.entries.values():
        why = entry.verdict.why.removeprefix(f"{entry.verdict.name}: ")
        print_fitting(f"  {entry.metric}: {entry.verdict.name or 'no verdict'} ({why})")
    for o in here.outside:
        print_fitting(f"\n{o.source}\n  {o.caveats[0]}")
        for entry in o.entries.values():
            print_fitting(f"  {entry.metric}: {achieved_text(entry)}; {entry.verdict.name} ({entry.verdict.why})")
    return code


def _standing(cell: Cell) -> str:
    """By whose word the cell's images are the paper's, where its card cannot say so."""
    from benchmark.data.cards import card, data_root
    from benchmark.data.declared import load

    c = card(cell.recipe.dataset)
    if c.reader != "images":
        return ""
    try:
        found = load(data_root() / c.name, c.name, c.split(cell.recipe.split).get("of", cell.recipe.split))
    except GanbenchError as error:
        return str(error)
    return found.standing if found else ""


def _source(cell: Cell, key: str) -> str:
    """Where a value comes from, in profile ``full``: the others change values by their own rules."""
    if cell.profile != "full":
        return ""
    return f"the paper: {cell.stated[key]}" if key in cell.stated else cell.notes.get(key, "")


def published(a: Namespace) -> int:
    """Every published number."""
    import pandas

    from benchmark.spreadsheet import cell

    suites, wrong = suites_of(a)
    suites = chosen_suites(a, suites, a.suites, references=True)
    frame = pandas.DataFrame(published_rows(suites), columns=PUBLISHED_COLUMNS)
    if a.format == "json":
        print_json(frame.to_json(orient="records", force_ascii=False, indent=1))
    else:
        frame.map(cell).to_csv(out_for_programs(), index=False)
    return wrong
