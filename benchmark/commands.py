"""What each command calls and prints. A notebook calls the same functions that these lines do."""

from __future__ import annotations

import itertools
import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import records as record_store
from benchmark import shelf
from benchmark.errors import GanbenchError, nearest
from benchmark.plan.plan import Plan, make_plan, what_blocks
from benchmark.recipe import content_hash
from benchmark.suite.filter import Filter
from benchmark.suite.load import find, load, load_all
from benchmark.suite.model import Cell
from benchmark.suite.tidy import PUBLISHED_COLUMNS, cell_row, published_rows

if TYPE_CHECKING:
    from benchmark.plan.forecast import Forecast


def list_cells(a: Namespace) -> int:
    """Suites, tables and cells."""
    suites = load_all(a.suites, a.profile)
    if a.check:
        return _check([s.path for s in suites])
    if a.json:
        rows = [cell_row(cell, what_blocks(cell.recipe, cell.protocol)) for suite in suites for cell in suite.cells]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    for suite in suites:
        print(f"{suite.name}: {suite.title} (profile {suite.profile}; has {', '.join(suite.profiles)})")
        for table in suite.tables:
            numbers = sum(p.value is not None for c in table.cells for p in c.published.values())
            same = f", restates table {table.restates}" if table.restates else ""
            print(f"  table {table.id}: {_count(len(table.cells), 'cell')}, {_count(numbers, 'published number')}{same}")
            for cell in table.cells:
                blocked = what_blocks(cell.recipe, cell.protocol)
                print(f"    {cell.id}  {f'blocked: {blocked}' if blocked else 'ready'}")
    cells = [c for s in suites for c in s.cells]
    published = sum(bool(c.published) for c in cells)
    print(f"{_count(len(cells), 'cell')}: {published} with published numbers or the reason why there is none, {len(cells) - published} without")
    return 0


def _check(paths: list[Path]) -> int:
    from benchmark.suite.lint import lint

    problems = lint(paths)
    for problem in problems:
        print(problem)
    print(f"{_count(len(paths), 'suite')}, {_count(len(problems), 'problem')}")
    return 1 if problems else 0


def show(a: Namespace) -> int:
    """One cell in full."""
    suite = load(find(a.cell.split("/")[0]), a.profile)
    cells = {c.id: c for c in suite.cells}
    if a.cell not in cells:
        raise GanbenchError(f"no cell {a.cell!r}{nearest(a.cell, cells)}", 2)
    cell = cells[a.cell]
    blocked = what_blocks(cell.recipe, cell.protocol)
    print(f"{cell.id}  (profile {cell.profile})\n{f'blocked: {blocked}' if blocked else 'ready'}")
    if standing := _standing(cell):
        print(f"data: {standing}")
    print("\npublished")
    for metric, number in cell.published.items():
        said = [f"± over {number.std_of}"] if number.std is not None else []
        said += ["printed as best"] if number.best else []
        said += [number.origin] if number.origin != "own" else []
        print(f"  {metric}: {number.text}" + (f"  ({', '.join(said)})" if said else ""))
    for remark in cell.remarks:
        print(f"  note: {remark}")
    sources: dict[str, int] = {}
    for title, fields in (("recipe", cell.recipe.to_json()), ("protocol", cell.protocol.to_json())):
        print(f"\n{title}")
        for key, value in fields.items():
            source = _source(cell, key)
            print(f"  {key}: {value}" + (f"    [{sources.setdefault(source, len(sources) + 1)}]" if source else ""))
    print("\nwhere the values come from" if sources else "\n(where the values come from: see profile full)")
    for source, number in sources.items():
        print(f"  [{number}] {source}")
    print("\nruns so far")
    from benchmark.collate.join import join

    found = next(j for rows in join(suite, _read(a.results)).values() for j in rows if j.cell.id == cell.id)
    for record in found.records:
        print(f"  seed {record.seed}: {record.status} at step {record.steps:,} of {record.total_steps:,}; run {record.run}")
    for entry in found.entries.values():
        print(f"  {entry.metric}: {entry.verdict.name or 'no verdict'} ({entry.verdict.why.removeprefix('blocked: ')})")
    return 0


def published(a: Namespace) -> int:
    """Every published number."""
    import pandas

    frame = pandas.DataFrame(published_rows(load_all(a.suites)), columns=PUBLISHED_COLUMNS)
    if a.format == "json":
        print(frame.to_json(orient="records", force_ascii=False, indent=1))
    else:
        frame.to_csv(sys.stdout, index=False)
    return 0


def plan(a: Namespace) -> int:
    """Which runs are needed, and what they cost where that is asked for."""
    made, found = _plan(a)
    costs = _costs(a, made, found)
    if a.json:
        rows = [{"run": r.key, "recipe": content_hash(r.recipe.to_json()), "evaluation": r.evaluation, "seed": r.seed, "cells": [c.id for c in r.cells], "state": r.state, "reason": r.reason, "steps": r.total_steps} for r in made.runs]
        if costs:
            from benchmark.plan.cost import summary

            rows = [row | ({"device": costs.device.name, "cost": summary(one)} if (one := costs.cost(r)) else {}) for row, r in zip(rows, made.runs)]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    if a.explain:
        from benchmark.plan.forecast import line

        for run in made.runs:
            print(f"{run.state}: {run.name}: {run.reason}")
            if one := costs.cost(run):
                print(f"  {line(one, costs.device)}")
    shared = [runs for runs in made.trainings().values() if sum(len(r.cells) for r in runs) > 1]
    lines = [f"one training for: {', '.join(c.id for r in runs for c in r.cells)}" + (f" (measured {len(runs)} ways)" if len(runs) > 1 else "") for runs in shared]
    for line in dict.fromkeys(lines):  # once, whatever the number of seeds
        print(line)
    print(_plan_line(made))
    print(_published_line(made))
    for text in costs.lines(a.gpus or 1, a.budget) if costs else []:
        print(text)
    return 0


def _costs(a: Namespace, made: Plan, found: list[record_store.Record]) -> Forecast | None:
    """None where no cost was asked for. ``--explain`` alone shows those that are known, without torch."""
    from benchmark.plan.cost import Counts
    from benchmark.plan.devices import named
    from benchmark.plan.forecast import Forecast, forecast

    if a.gpu or a.gpus or a.budget:
        return forecast(made, named(a.gpu or "cpu"), found)
    return Forecast(made, named("cpu"), Counts(), found) if a.explain else None


def calibrate(a: Namespace) -> int:
    """How fast this machine is."""
    from benchmark.plan.calibrate import calibrate as measure
    from benchmark.plan.devices import keep, this_device

    for name, number, fitted in measure(a.device):
        if fitted is None:
            print(f"{name}: {1000 * number:.3g} ms a step", flush=True)
        else:
            print(f"{name}: {number:.0%}\nkept in {keep(this_device(a.device), fitted)}")
    return 0


def run(a: Namespace) -> int:
    """Make the runs that are needed."""
    from benchmark.schedule.launch import Options, run_plan

    if a.weights:
        os.environ["GANBENCH_WEIGHTS"] = str(a.weights.resolve())
    made, _ = _plan(a)
    print(_plan_line(made), file=sys.stderr)
    for finished in made.of("done")[:3]:
        print(f"  {finished.name}: {finished.reason}", file=sys.stderr)
    if len(made.of("done")) > 3:
        print(f"  … and {len(made.of('done')) - 3} more (ganbench plan --explain)", file=sys.stderr)
    options = Options(
        executor=a.executor,
        address=a.address,
        cpus=a.cpus,
        device=a.device,
        gpu_share=a.gpu_share,
        threads=a.threads,
        until_epoch=a.until_epoch,
        checkpoints=a.checkpoints,
        checkpoint_s=a.checkpoint_every,
    )
    summary = run_plan(made, a.results, options)
    for failure in summary.failures:
        print(f"  {failure}", file=sys.stderr)
    counts = ", ".join(f"{n} {state}" for state, n in summary.counts.items()) or "nothing to do"
    print(f"{counts}; {_count(len(made.of('done')), 'run')} had a record already", file=sys.stderr)
    if summary.exit_code == 130:
        print("run the same command again to go on", file=sys.stderr)
    return summary.exit_code


def status(a: Namespace) -> int:
    """What runs, what is done, what failed."""
    from benchmark.schedule.state import describe

    print(describe(a.results))
    return 0


def compare(a: Namespace) -> int:
    """Published beside achieved."""
    import pandas

    from benchmark.collate.join import load_joined
    from benchmark.collate.tidy import compared_rows

    found = _read(a.results)
    rows = [row for suite in load_all(a.suites) for row in compared_rows(load_joined(suite.path, found, a.profile)[1])]
    frame = pandas.DataFrame(rows)
    if a.format == "csv":
        frame.to_csv(sys.stdout, index=False)
    elif a.format == "json":
        print(frame.to_json(orient="records", force_ascii=False, indent=1))
    else:
        print(frame.drop(columns="why").to_markdown(index=False, tablefmt="simple", disable_numparse=True))
    return 0


def claims(a: Namespace) -> int:
    """Each claim and its verdicts."""
    from benchmark.collate.join import load_joined
    from benchmark.collate.ranking import rankings
    from benchmark.collate.report import judged_claims

    found = [] if a.published_only else _read(a.results)
    for path in (s.path for s in load_all(a.suites)):
        suite, joined = load_joined(path, found, a.profile)
        for c in judged_claims(suite, joined):
            print(f"{suite.name}: {c.claim.id} ({c.claim.where})\n  “{c.claim.quote}”" + (f"\n  note: {c.claim.note}" if c.claim.note else ""))
            for name, verdict in (("published", c.published), ("achieved", c.achieved)):
                if name == "published" or not a.published_only:
                    print(f"  {name}: {verdict.name} ({verdict.why})")
                    for sign, texts in (("+", verdict.supports), ("-", verdict.contradicts), ("?", verdict.undecided)):
                        print("".join(f"    {sign} {text}\n" for text in texts), end="")
        for r in (r for table in suite.tables for r in rankings(table, joined[table.key]) if r.tau is not None):
            interval = f" [{r.low:.2f}, {r.high:.2f}]" if r.low is not None else ""
            print(f"{r.table}: order of {r.methods} methods by {r.metric}, {r.column}: Kendall's τ {r.tau:.2f}{interval} ({r.why})")
    return 0


def report(a: Namespace) -> int:
    """Tables, figures and the site, of all suites together."""
    from benchmark.collate.join import load_joined
    from benchmark.collate.report import write_reports
    from benchmark.merge import conflicts

    found, problems = shelf.read_all(a.results)
    _say(problems)
    loaded = [load_joined(s.path, found, a.profile) for s in load_all(a.suites)]
    for written in write_reports(loaded, str(a.results), a.out, [str(p) for p in problems], conflicts(a.results), a.png):
        print(written)
    return 0


def data(a: Namespace) -> int:
    """Datasets."""
    from benchmark.data.add import add, state, verify
    from benchmark.data.cards import card, cards, data_root
    from benchmark.data.fetch import fetch

    if a.action == "list":
        print(f"datasets in {data_root()} (set GANBENCH_DATA to move)")
        for name in a.names or cards():
            c = card(name)
            print(_data_line(name, c, state(c)))
        return 0
    if a.action == "stats":
        return _stats(a)
    if a.export or a.import_file or a.only is not None:
        raise GanbenchError("--export, --import and --only belong to: ganbench data stats", 2)
    if not a.names:
        raise GanbenchError(f"data {a.action} needs a dataset's name{nearest('', cards())}", 2)
    if a.action == "add":
        if len(a.names) != 2:
            raise GanbenchError("usage: ganbench data add NAME FOLDER (or an archive)", 2)
        add(a.names[0], Path(a.names[1]))
        return 0
    wrong = 0
    for name in a.names:
        if a.action == "fetch":
            fetch(name, a.force)
            continue
        for file, problem in verify(name):
            print(f"{name}: {file}: {problem or 'ok'}")
            wrong += problem is not None
        if card(name).reader == "shapes":
            print(f"{name}: procedural, nothing to verify")
    return 1 if wrong else 0


def _stats(a: Namespace) -> int:
    from benchmark.data.cards import cache_folder
    from benchmark.metrics.stats import kept, precompute

    if a.import_file and (a.export or a.names):
        raise GanbenchError("usage: ganbench data stats --import FILE", 2)
    if a.export and not a.names:
        raise GanbenchError("usage: ganbench data stats --export FILE SUITE…", 2)
    if a.import_file:
        from benchmark.metrics.exchange import import_file

        print(f"imported: {import_file(a.import_file)}")
        return 0
    if not a.names:
        print(f"features of real images in {cache_folder()} (set GANBENCH_CACHE to move)")
        for line in kept():
            print(f"  {line}")
        return 0
    only = Filter(a.only) if a.only is not None else None
    cells = [c for s in load_all(a.names, a.profile) for c in s.cells if only is None or only(c)]
    if not cells:
        raise GanbenchError(f"--only {a.only!r} leaves no cell; see: ganbench list", 2)
    if a.export:
        from benchmark.metrics.exchange import export

        print(f"{a.export}: {export(cells, a.export)}")
        return 0
    ready = True
    for there, line in precompute(cells):
        print(f"{'ok ' if there else '-- '} {line}", flush=True)
        ready &= there
    return 0 if ready else 1


def merge(a: Namespace) -> int:
    """Records of other labs."""
    from benchmark.merge import merge as merge_records

    taken, same, problems = merge_records(a.results, a.others)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    print(f"{_count(taken, 'record')} taken over, {same} were here already, {_count(len(problems), 'problem')}")
    return 1 if problems else 0


def export(a: Namespace) -> int:
    """A bundle of records."""
    from benchmark.bundle import MAILABLE
    from benchmark.bundle import export as write_bundle

    loaded = load_all(a.suites)
    suites = [load(s.path, p) for s in loaded for p in ([a.profile] if a.profile else s.profiles if s.profile == "full" else [s.profile])]
    only = Filter(a.only) if a.only is not None else None
    cells = [c for s in suites for c in s.cells if only is None or only(c)]
    written = write_bundle(suites, cells, _read(a.results), a.out)
    size = a.out.stat().st_size
    print(f"{a.out}: {_count(len(written), 'record')}, {size / 1e6:.1f} MB")
    if size > MAILABLE:
        print(f"larger than {MAILABLE / 1e6:.0f} MB, which many mail servers refuse: --only makes smaller ones", file=sys.stderr)
    return 0


def doctor(a: Namespace) -> int:
    """This machine."""
    from benchmark.doctor import examine

    healthy = True
    checks = examine(a.results)
    if a.golden:
        from benchmark.metrics.golden import check

        checks = itertools.chain(checks, check())
    for name, fine, text in checks:
        healthy &= fine
        print(f"{'ok ' if fine else '-- '} {name}: {text}")
    return 0 if healthy else 1


def _plan(a: Namespace) -> tuple[Plan, list[record_store.Record]]:
    """The plan, in the order of predicted cost where that is known, and the records that there are."""
    from benchmark.plan.forecast import in_order

    suites = load_all(a.suites, a.profile)
    only = Filter(a.only) if a.only is not None else None
    cells = [c for s in suites for c in s.cells if only is None or only(c)]
    if not cells:
        raise GanbenchError(f"--only {a.only!r} leaves no cell; see: ganbench list", 2)
    found, problems = record_store.read_all(a.results)
    _say(problems)
    return in_order(make_plan(cells, range(a.seeds), record_store.by_evaluation(found), a.until_epoch, problems), found), found


def _read(results: Path) -> list[record_store.Record]:
    """Records that can be read; what cannot is said and passed over."""
    found, problems = shelf.read_all(results)
    _say(problems)
    return found


def _say(problems: list[record_store.RecordError]) -> None:
    for problem in problems:
        print(f"ganbench: {problem}; passed over", file=sys.stderr)


def _plan_line(made: Plan) -> str:
    n = {state: len(made.of(state)) for state in ("to do", "blocked", "done")}
    cells = len({c.id for r in made.runs for c in r.cells})
    return f"profile {made.profile}: {_count(cells, 'cell')}, {_count(len(made.trainings()), 'distinct training run')} ({_count(len(made.runs), 'evaluation')}): {n['to do']} to do, {n['done']} done, {n['blocked']} blocked"


def _published_line(made: Plan) -> str:
    trainings = [runs for runs in made.trainings().values() if any(c.published for r in runs for c in r.cells)]
    cells = {c.id for runs in trainings for r in runs for c in r.cells if c.published}
    return f"of these, {_count(len(cells), 'cell')} that the papers print need {_count(len(trainings), 'distinct training run')}"


def _data_line(name: str, c: Any, state: str) -> str:
    splits = ", ".join(f"{split} {s['count']:,}" for split, s in c.splits.items())
    return f"  {name}: {c.title}; {splits}; {state}"


def _standing(cell: Cell) -> str:
    """By whose word the cell's images are the paper's, where its card cannot say so."""
    from benchmark.data.cards import card, data_root
    from benchmark.data.declared import load

    c = card(cell.recipe.dataset)
    found = load(data_root() / c.name, c.name, c.split(cell.recipe.split).get("of", cell.recipe.split)) if c.reader == "images" else None
    return found.standing if found else ""


def _source(cell: Cell, key: str) -> str:
    """Where a value comes from, in profile ``full``: the others change values by their own rules."""
    if cell.profile != "full":
        return ""
    return f"the paper: {cell.stated[key]}" if key in cell.stated else cell.notes.get(key, "")


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
