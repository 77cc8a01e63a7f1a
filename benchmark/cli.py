"""The command line: parse, call, print. Every import that costs something is made by the command that needs it."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

from benchmark import __version__, door
from benchmark.process import console
from benchmark.process.home import leave_working_directory
from benchmark.process.leave import Leave

DESCRIPTION = (
    "Reproducibility benchmark harness for GAN papers: what they published, what we get, whether their claims hold."
)
ROOMS = ("listing", "planning", "running", "judging", "sharing", "measuring", "comparing", "making", "machine")
"""Of ``arguments/`` and of ``commands/``."""
READERS = ("show", "compare", "claims", "report", "export")
"""Commands to which a folder of records is of no use that is not there; ``status`` says so itself."""


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    from benchmark.arguments.parser import Parser
    from benchmark.arguments.shared import command

    top = Parser(
        prog="ganbench",
        description=DESCRIPTION,
        epilog="A SUITE is a name (theory), a file (suites/theory.yaml) or a folder.",
    )
    top.add_argument("--version", action="version", version=f"ganbench {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for room in ROOMS:
        import_module(f"benchmark.arguments.{room}").add(partial(command, commands, room))
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 1 failed or missing, 2 bad usage or suite, 130 interrupted)."""
    if argv is None and "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next
        from benchmark.arguments.completing import complete

        complete(parser())
    words = sys.argv[1:] if argv is None else argv
    with Leave(for_good=argv is None) as leave:
        if argv is None:
            leave_working_directory()
        if argv is None and console.is_ours():
            leave.over(console.run(lambda: _command(words, leave, for_good=True)))
        else:
            leave.over(_command(words, leave, for_good=argv is None))
    return leave.code


def _command(words: list[str], leave: Leave, for_good: bool) -> int:
    with door.closed(for_good):
        return _behind_the_door(words, leave)


def _behind_the_door(words: list[str], leave: Leave) -> int:
    arguments = parser().parse_args(words)
    arguments.words = words
    if arguments.command == "run":
        leave.word = "stopped; run the same command again to go on"
    from benchmark.errors import GanbenchError, continued, plain, short

    try:
        os.getcwd()
    except OSError:
        print("ganbench: the folder that this shell is in is gone: cd to one that is there", file=sys.stderr)
        return 1
    try:
        _which_suites(arguments)
        _which_results(arguments)
        return int(getattr(import_module(f"benchmark.commands.{arguments.room}"), arguments.function)(arguments))
    except GanbenchError as error:
        door.show("ganbench:", "red", continued(f" {error}"), sys.stderr)
        if error.at_once:
            os._exit(error.exit_code)
        return error.exit_code
    except BrokenPipeError:  # the reader (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1 if arguments.command == "run" else 0
    except OSError as error:  # of a disk or a folder, where no better words were found
        if os.environ.get("GANBENCH_DEBUG"):
            raise
        where = f"{plain(str(error.filename))}: " if error.filename is not None else ""
        door.show("ganbench:", "red", f" cannot go on: {where}{error.strerror or error}", sys.stderr)
        return 1
    except Exception as error:  # a bug of ours: one line, and how to see more
        if os.environ.get("GANBENCH_DEBUG"):
            raise
        unexpected = plain(short(f" unexpected {type(error).__name__}: {error}"))
        how = "(set GANBENCH_DEBUG=1 for the traceback, and please report it)"
        door.show("ganbench:", "red", f"{unexpected}\n{how}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # no command of ours: in code of others
        from benchmark.outside.exits import failure

        door.show("ganbench:", "red", continued(f" {failure(error)}"), sys.stderr)
        return 1


def _named(arguments: argparse.Namespace) -> list[str] | None:
    """The suites that a command is about; none: all; None: it is about no suite."""
    from benchmark.suite.find import suite_of

    cells = [arguments.cell] if hasattr(arguments, "cell") else getattr(arguments, "cells", None)
    if cells is not None:
        return list(dict.fromkeys(suite_of(cell)[0] for cell in cells))
    if getattr(arguments, "action", None) == "stats":
        return arguments.names or None
    return getattr(arguments, "suites", None)


def _which_results(arguments: argparse.Namespace) -> None:
    """Where no folder of records is given: the papers', or that of profile ``ci``, which is said."""
    if (given := getattr(arguments, "results", ...)) is not None:
        reads = arguments.command in READERS and not getattr(arguments, "published_only", False)
        if reads and isinstance(given, Path):
            _say_absent(given)
        return
    from benchmark.suite.apart import CI_RESULTS, RESULTS, newer_status, results_of

    arguments.results = RESULTS
    if arguments.command == "status":
        arguments.results = newer_status()
    elif arguments.apart and (named := _named(arguments)) is not None:
        arguments.results = results_of(named, arguments.profile)
    if arguments.results == CI_RESULTS:
        print(f"ganbench: profile ci: records in {CI_RESULTS}", file=sys.stderr)


def _say_absent(results: Path) -> None:
    from benchmark.errors import plain
    from benchmark.records.folders import is_there

    if not is_there(results):
        print(f"ganbench: {plain(str(results))} does not exist: nothing has been run there", file=sys.stderr)


def _which_suites(arguments: argparse.Namespace) -> None:
    """Say which suite files were taken, where a name could mean another; and whether all their plug-ins may run."""
    if (named := _named(arguments)) is None:
        return
    from benchmark.suite.find import origin
    from benchmark.suite.plugged import trust_all

    if getattr(arguments, "trust_plugins", False):
        trust_all()

    for line in origin(named):
        print(f"ganbench: {line}", file=sys.stderr)
