"""Plug-ins of installed packages: their entry points in the groups ``ganbench.methods``, ``.networks``, ``.extractors``
and ``.datasets``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from importlib.util import find_spec
from pathlib import Path

from benchmark.errors import GanbenchError, nearest
from benchmark.outside.code import Code, closure, reader

GROUPS = {f"ganbench.{room}": room for room in ("methods", "networks", "extractors", "datasets")}


def code_of(package: str) -> list[Code]:
    """The source of every plug-in of an installed package, found without importing anything of it.

    Raises:
        GanbenchError: it is not installed, has no such entry points, or one names a file that is not there.
    """
    try:
        points = [p for p in distribution(package).entry_points if p.group in GROUPS]
    except (PackageNotFoundError, ValueError):
        known = {p.dist.name for group in GROUPS for p in entry_points(group=group) if p.dist}
        raise GanbenchError(
            f"no package {package!r} is installed{nearest(package, known)} (a folder beside the suite is written "
            f"./{package})",
            2,
        ) from None
    if not points:
        raise GanbenchError(f"package {package} has no entry points in {', '.join(GROUPS)}", 2)
    return [_code(point.module, GROUPS[point.group], package) for point in points]


def _code(module: str, room: str, package: str) -> Code:
    top, *rest = module.split(".")
    spec = find_spec(top)  # of a top-level name: imports nothing
    folders = [Path(folder) for folder in (spec.submodule_search_locations if spec else None) or ()]
    main = f"{'/'.join(rest)}.py"
    if not rest or (folder := next((f for f in folders if (f / main).is_file()), None)) is None:
        raise GanbenchError(
            f"package {package}: its entry point {module} is no file of a package, written in Python", 2
        )
    code = closure(main, room, reader(folder, str(folder)), str(folder))
    for path, line in _absolute(code, top):
        raise GanbenchError(
            f"{folder}/{path}:{line}: imports {top} by its name, which does not travel: write 'from . import …'", 2
        )
    return code


def _absolute(code: Code, top: str) -> Iterator[tuple[str, int]]:
    """Where a package's file imports the package by its own name."""
    for path, text in code.files:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                named = [node.module or ""]
            elif isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            else:
                continue
            if any(name.partition(".")[0] == top for name in named):
                yield path, node.lineno
