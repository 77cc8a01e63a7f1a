"""Where weights lie: in the package that carries them, where ``$GANBENCH_WEIGHTS`` says, or where torch's own downloads
go.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from benchmark.data.home import expanded, is_file
from benchmark.errors import GanbenchError
from benchmark.weights.known import KNOWN, Weights, known, mend

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
    if (user := given(weights)) is not None:
        return user if is_file(user, VARIABLE) else None
    path = place(weights)
    return path if is_file(path, "TORCH_HOME") else None


def place(weights: Weights) -> Path:
    """Where torch's own downloads go, of weights that no package carries; raises GanbenchError without a home."""
    home = os.environ.get("TORCH_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/torch"
    return expanded(home, "TORCH_HOME") / "hub" / "checkpoints" / weights.file


def missing(name: str) -> str | None:
    """Why the weights cannot be used, and what to do; None if they are here."""
    try:
        found, why = find(name), ""
    except GanbenchError as error:
        found, why = None, f"{error}; or "
    weights = known(name)
    if found is not None and (package := lacks_package(weights)):
        return f"the weights of {name} are of no use without a package: run: pip install {package}"
    return None if found is not None else f"the weights of {name} are not here: {why}{mend(name)}"


def lacks_package(weights: Weights) -> str | None:
    """The package that is to be installed beside a file of the user's; None if it is there, or none is needed."""
    return weights.beside if weights.beside and importlib.util.find_spec(weights.needs or "") is None else None


def _in_package(weights: Weights) -> Path | None:
    package = importlib.util.find_spec(weights.package or "")
    if package is None or package.origin is None or (weights.needs and importlib.util.find_spec(weights.needs) is None):
        return None
    path = Path(package.origin).parent / weights.file
    return path if path.is_file() else None


def given(weights: Weights) -> Path | None:
    """The path that the user gives for these weights; raises GanbenchError where it is in a home that is not known."""
    value = os.environ.get(VARIABLE, "")
    paths = [value] if os.path.isfile(value) else [path for path in value.split(os.pathsep) if path]
    others = {w.file for w in KNOWN.values()}
    named = [path for path in paths if os.path.basename(path) == weights.file]
    unnamed = [path for path in paths if weights.any_name and os.path.basename(path) not in others]
    return expanded(first, VARIABLE) if (first := next(iter(named + unnamed), None)) else None
