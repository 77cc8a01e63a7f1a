"""``python -m tests.faults.fuzz [KIND…] [--cases 10000] [--seed 1] [--only-case N]``: exit code 1 on any finding."""

import argparse
import sys
from collections import Counter

from tests.faults.fuzz.runner import Outcome, kinds, run

SHOWN = 5


def main() -> int:
    """Runs each kind; without names, all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fuzz", description="Damaged inputs, kind by kind.")
    parser.add_argument("kind", nargs="*", metavar="KIND", help=f"{', '.join(kinds())}; all when none is named")
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-case", type=int, metavar="N")
    args = parser.parse_args()
    if unknown := set(args.kind) - set(kinds()):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; known: {', '.join(kinds())}")
    found = 0
    for kind in args.kind or kinds():
        outcome = run(kind, args.cases, args.seed, only=args.only_case)
        print(in_words(outcome), flush=True)
        found += len(outcome.findings)
    return 1 if found else 0


def in_words(outcome: Outcome) -> str:
    """Figures, answers and the first findings of each sort."""
    seconds, slow = outcome.slowest
    lines = [
        f"{outcome.kind}: {outcome.cases} cases in {outcome.seconds:.0f} s, {len(outcome.findings)} findings; "
        f"slowest {seconds:.2f} s of CPU (case {slow}), peak {outcome.peak_mib} MiB"
    ]
    lines += [f"  {count:6d}  {word}" for word, count in outcome.answers.most_common()]
    shown: Counter[str] = Counter()
    for finding in outcome.findings:
        sort = f"{finding.what}: {(finding.trace.strip().splitlines() or [''])[-1][:100]}"
        shown[sort] += 1
        if shown[sort] == 1 and len(shown) <= SHOWN:
            lines += [f"case {finding.case}: {finding.what}", finding.trace.rstrip()]
    return "\n".join([*lines, *(f"  {count:6d}  {sort}" for sort, count in shown.most_common())])


sys.exit(main())
