"""Published beside achieved: ``compare``, ``claims``, ``report``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.commands.choosing import no_cell, only_of
from benchmark.commands.columns import print_fitting, width
from benchmark.commands.lacking import say_missing
from benchmark.commands.lines import believing, out_for_programs, print_json, print_plain, read_records, say
from benchmark.commands.standing import tell
from benchmark.commands.suites import suites_of
from benchmark.errors import plain
from benchmark.plan.missing import Missing
from benchmark.records import external, failures, shelf
from benchmark.records.record import Record, RecordError
from benchmark.spreadsheet import cell
from benchmark.suite.model import Suite

if TYPE_CHECKING:
    from benchmark.collate.judging.claims import JudgedClaim
    from benchmark.collate.judging.ranking import Ranking


def compare(a: Namespace) -> int:
    """Published beside achieved."""
    import pandas

    from benchmark.collate.judging.chosen import chosen
    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.judging.outside import with_outside
    from benchmark.collate.presenting.tidy import OURS, believed, compared_rows
    from benchmark.commands.compared import blocks, compared_in_a_line

    only = only_of(a)
    found, code = read_records(a.results)
    others, more = external.read_all(a.results)
    code = max(code, say(more))
    suites, wrong = _suites(a)
    failed = failures.read_all(a.results)

    def compared(
        left: list[Record], _: list[RecordError]
    ) -> tuple[list[dict[str, Any]], str, list[tuple[Missing, ...]]]:
        """The rows, what they ask to be believed, and what is missing here."""
        loaded = [load_joined(suite.path, left, a.profile, failed) for suite in suites]
        joined = [chosen((suite, with_outside(suite, one, others)), only)[1] for suite, one in loaded]
        lines = "".join(f"\n{line}" for one in joined for line in believed(one))
        lacks = [j.lacks for one in joined for rows in one.values() for j in rows]
        return [row for one in joined for row in compared_rows(one)], lines, lacks

    (rows, lines, lacks), _ = believing(compared, found)
    if only is not None and not rows:
        raise no_cell(a, a.suites, suites)
    frame = pandas.DataFrame(rows)
    if a.format == "csv":
        frame.map(cell).to_csv(out_for_programs(), index=False)
    elif a.format == "json":
        print_json(frame.to_json(orient="records", force_ascii=False, indent=1))
    else:
        unsaid = ["why"] if any(row["source"] != OURS for row in rows) else ["why", "source"]
        table = frame.drop(columns=unsaid).to_markdown(index=False, tablefmt="simple", disable_numparse=True)
        room = width()
        print_plain(table if room >= table.index("\n") else "\n".join(blocks(rows, room)))
        print_fitting(lines)
        say_missing(a, suites, lacks)
        print_fitting(compared_in_a_line(rows))
    return wrong or code


def claims(a: Namespace) -> int:
    """Each claim and its verdicts."""
    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.judging.ranking import rankings
    from benchmark.collate.presenting.report import selected
    from benchmark.commands.compared import claims_in_a_line

    only = only_of(a)
    found, code = ([], 0) if a.published_only else read_records(a.results)
    failed = {} if a.published_only else failures.read_all(a.results)
    suites, wrong = _suites(a)

    def judged(left: list[Record], _: list[RecordError]) -> list[tuple[str, list[JudgedClaim], list[Ranking]]]:
        """Each suite's name, claims, and orders of methods."""
        loaded = [selected(load_joined(suite.path, left, a.profile, failed), only) for suite in suites]
        return [
            (suite.name, claims, [r for t in suite.tables for r in rankings(t, joined[t.key])])
            for suite, joined, claims in loaded
            if suite.tables
        ]

    all_judged = believing(judged, found)[0]
    if only is not None and not all_judged:
        raise no_cell(a, a.suites, suites)
    for suite, found_claims, ranked in all_judged:
        for c in found_claims:
            print_fitting(
                f"{suite}: {c.claim.id} ({c.claim.where})\n  “{c.claim.quote}”"
                + (f"\n  note: {c.claim.note}" if c.claim.note else "")
            )
            for line in c.recipes:
                print_fitting(f"  recipes: {line}")
            for name, verdict in (("published", c.published), ("achieved", c.achieved)):
                if name == "published" or not a.published_only:
                    print_fitting(f"  {name}: {verdict.name} ({verdict.why})")
                    for sign, texts in (("+", verdict.supports), ("-", verdict.contradicts), ("?", verdict.undecided)):
                        for text in texts:
                            print_fitting(f"    {sign} {text}")
        for r in (r for r in ranked if r.tau is not None):
            interval = f" [{r.low:.2f}, {r.high:.2f}]" if r.low is not None else ""
            print_fitting(
                f"{r.table}: order of {r.methods} methods by {r.metric}, {r.column}: Kendall's τ "
                f"{r.tau:.2f}{interval} ({r.why})"
            )
    print_fitting(claims_in_a_line([c for _, found_claims, _ in all_judged for c in found_claims], a.published_only))
    return wrong or code


def report(a: Namespace) -> int:
    """Tables, figures and the site, of all suites together."""
    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.judging.outside import with_outside
    from benchmark.collate.presenting.report import write_reports
    from benchmark.records.merge import read_conflicts

    only = only_of(a)
    found, problems = shelf.read_all(a.results)
    conflicts, more = read_conflicts(a.results)
    others, unread = external.read_all(a.results)
    problems += more + unread
    code = say(problems)
    failed = failures.read_all(a.results)
    suites, wrong = _suites(a)

    def reported(left: list[Record], out: list[RecordError]) -> list[Path]:
        """The files written; what was left out is said in them."""
        loaded = [load_joined(suite.path, left, a.profile, failed) for suite in suites]
        loaded = [(suite, with_outside(suite, joined, others)) for suite, joined in loaded]
        said = [str(p) for p in (*problems, *out)]
        if only is not None and not any(only(j.cell) for _, joined in loaded for rows in joined.values() for j in rows):
            raise no_cell(a, a.suites, suites)
        return write_reports(loaded, str(a.results), a.out, said, conflicts, a.png, tell, only, left)

    for written in believing(reported, found)[0]:
        print(plain(str(written)))
    return wrong or code


def _suites(a: Namespace) -> tuple[list[Suite], int]:
    """As ``suites_of``, under the profiles that they state themselves."""
    return suites_of(Namespace(suites=a.suites))
