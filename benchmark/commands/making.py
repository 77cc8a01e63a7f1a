"""To begin with: ``new`` and ``schema``."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from benchmark.commands.lines import out_for_programs
from benchmark.errors import GanbenchError
from benchmark.process.shell import command
from benchmark.suite.schema import suite_schema
from benchmark.suite.skeleton import skeleton

SCHEMA = Path("ganbench.schema.json")


def new(a: Namespace) -> int:
    """Files to begin with, in this folder; nothing that is there is written over."""
    files = skeleton(a.kind, a.name)
    if there := [str(path) for path in files if path.exists()]:
        raise GanbenchError(f"{', '.join(there)} is there already; it was not written over")
    for path, content in [*files.items(), *([] if SCHEMA.exists() else [(SCHEMA, _schema())])]:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:
                stream.write(content)
        except OSError as error:
            raise GanbenchError(f"cannot write {path}: {error.strerror}") from None
        print(f"{path}: written")
    print(f"try it: {command('run', f'{a.name}.yaml', '--profile', 'ci')}")
    return 0


def schema(a: Namespace) -> int:
    """On standard output."""
    out_for_programs().write(_schema())
    return 0


def _schema() -> str:
    return json.dumps(suite_schema(), indent=1, ensure_ascii=False) + "\n"
