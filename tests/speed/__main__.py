"""All timings: what each measures and against which peer, then a short round of each.

    python -m tests.speed                       all of them
    python -m tests.speed step metrics          these
    python -m tests.speed --list                no round

A short round shows that a script runs and about where its ratios lie; its docstring says how it is run for a figure.
Exit code 1 if a script failed, broke a promise that it checks, or was not done after ``--seconds``.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
A_RUNS_OWN = re.compile(r"finished: .*")  # what runs that a script makes say of themselves
GRACE_S = 5.0  # from asking a script that takes too long to end, to ending it


@dataclass(frozen=True)
class Script:
    """One timing: what it measures (its docstring's first line), against what, and how a short round is asked for."""

    name: str
    measures: str
    peer: str
    short: tuple[str, ...]


def scripts() -> list[Script]:
    """Every script of this folder, read from its text: none is imported.

    Raises:
        ValueError: one does not say what it measures, against which peer, or what a short round is.
    """
    return [_script(path) for path in sorted(FOLDER.glob("*.py")) if not path.stem.startswith("__")]


def _script(path: Path) -> Script:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    stated = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    measures = (ast.get_docstring(tree) or "").partition("\n")[0]
    peer, short = stated.get("PEER"), stated.get("SHORT")
    if not (measures and isinstance(peer, str) and peer and isinstance(short, str)):
        raise ValueError(f"{path}: needs a docstring, PEER and SHORT, each a plain string")
    return Script(path.stem, measures, peer, tuple(shlex.split(short)))


def table(found: list[Script]) -> str:
    """For a person."""
    return "\n".join(f"{s.name}\n    {s.measures}\n    peer: {s.peer}" for s in found)


def run(script: Script, seconds: float) -> int | None:
    """A short round, whose tables and ratios are printed when it ends; its exit code, or None where it took longer."""
    command = [sys.executable, "-m", f"tests.speed.{script.name}", *script.short]
    print(f"\n$ python {shlex.join(command[1:])}", flush=True)
    process = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    code: int | None = None
    try:
        told, _ = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        _end(process)
        told, _ = process.communicate()
    finally:
        _end(process)
    print("\n".join(line for line in told.splitlines() if not A_RUNS_OWN.fullmatch(line)), flush=True)
    return code


def _end(process: subprocess.Popen[str]) -> None:
    """It, and all that it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)


def main(arguments: list[str] | None = None) -> int:
    """List, and run what is asked for; the exit code."""
    found = scripts()
    names = [s.name for s in found]
    parser = argparse.ArgumentParser(
        "python -m tests.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names)}")
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("--seconds", type=float, default=180.0, help="for each script at most (default: 180)")
    a = parser.parse_args(arguments)
    if unknown := [name for name in a.names if name not in names]:
        parser.error(f"no script {unknown[0]!r}; there are: {', '.join(names)}")
    chosen = [s for s in found if not a.names or s.name in a.names]
    print(table(chosen))
    if a.list:
        return 0
    try:
        return rounds(chosen, a.seconds)
    except KeyboardInterrupt:
        return 130


def rounds(chosen: list[Script], seconds: float) -> int:
    """A short round of each, then how each ended; 1 if one did not end well."""
    ended = []
    for script in chosen:
        began = time.monotonic()
        code = run(script, seconds)
        said = f"not done after {seconds:g} s" if code is None else f"exit code {code}"
        ended.append((code, f"{script.name:10} {said}, {time.monotonic() - began:.0f} s"))
    print("\n" + "\n".join(line for _, line in ended))
    return int(any(code != 0 for code, _ in ended))


if __name__ == "__main__":
    sys.exit(main())
