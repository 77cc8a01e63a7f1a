"""Published beside achieved: ``compare``, ``claims``, ``report``."""

from __future__ import annotations

from argparse import Namespace

from benchmark.commands.lines import out_for_programs, print_plain, read_records, say, suites_of
from benchmark.commands.standing import tell
from benchmark.records import failures, shelf
from benchmark.suite.model import Suite


def compare(a: Namespace) -> int:
    """Published beside achieved."""
    import pandas

    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.presenting.tidy import believed, compared_rows

    found, code = read_records(a.results)
    suites, wrong = _suites(a)
    joined = [load_joined(suite.path, found, a.profile, failures.read_all(a.results))[1] for suite in suites]
    frame = pandas.DataFrame([row for one in joined for row in compared_rows(one)])
    if a.format == "csv":
        frame.to_csv(out_for_programs(), index=False)
    elif a.format == "json":
        print(frame.to_json(orient="records", force_ascii=False, indent=1), file=out_for_programs())
    else:
        print_plain(frame.drop(columns="why").to_markdown(index=False, tablefmt="simple", disable_numparse=True))
        print_plain("".join(f"\n{line}" for one in joined for line in believed(one)))
    return wrong or code


def claims(a: Namespace) -> int:
    """Each claim and its verdicts."""
    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.judging.ranking import rankings
    from benchmark.collate.presenting.report import judged_claims

    found, code = ([], 0) if a.published_only else read_records(a.results)
    suites, wrong = _suites(a)
    for path in (s.path for s in suites):
        suite, joined = load_joined(path, found, a.profile, {} if a.published_only else failures.read_all(a.results))
        for c in judged_claims(suite, joined):
            print_plain(
                f"{suite.name}: {c.claim.id} ({c.claim.where})\n  “{c.claim.quote}”"
                + (f"\n  note: {c.claim.note}" if c.claim.note else "")
            )
            for line in c.recipes:
                print_plain(f"  recipes: {line}")
            for name, verdict in (("published", c.published), ("achieved", c.achieved)):
                if name == "published" or not a.published_only:
                    print_plain(f"  {name}: {verdict.name} ({verdict.why})")
                    for sign, texts in (("+", verdict.supports), ("-", verdict.contradicts), ("?", verdict.undecided)):
                        for text in texts:
                            print_plain(f"    {sign} {text}")
        for r in (r for table in suite.tables for r in rankings(table, joined[table.key]) if r.tau is not None):
            interval = f" [{r.low:.2f}, {r.high:.2f}]" if r.low is not None else ""
            print(
                f"{r.table}: order of {r.methods} methods by {r.metric}, {r.column}: Kendall's τ "
                f"{r.tau:.2f}{interval} ({r.why})"
            )
    return wrong or code


def report(a: Namespace) -> int:
    """Tables, figures and the site, of all suites together."""
    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.presenting.report import write_reports
    from benchmark.records.merge import read_conflicts

    found, problems = shelf.read_all(a.results)
    conflicts, more = read_conflicts(a.results)
    problems += more
    code = say(problems)
    failed = failures.read_all(a.results)
    suites, wrong = _suites(a)
    loaded = [load_joined(s.path, found, a.profile, failed) for s in suites]
    said = [str(p) for p in problems]
    for written in write_reports(loaded, str(a.results), a.out, said, conflicts, a.png, say=tell):
        print(written)
    return wrong or code


def _suites(a: Namespace) -> tuple[list[Suite], int]:
    """As ``suites_of``, under the profiles that they state themselves."""
    return suites_of(Namespace(suites=a.suites))
