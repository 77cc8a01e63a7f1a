"""Where datasets, and what is worked out of them, lie: as environment variables say, else in the home directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from benchmark.errors import GanbenchError


def data_root() -> Path:
    """Where dataset files lie: ``$GANBENCH_DATA``, else ``ganbench/`` in the user's data folder.

    Raises:
        GanbenchError: there is no home directory to look in.
    """
    return _chosen("GANBENCH_DATA", "XDG_DATA_HOME", "~/.local/share")


def cache_folder() -> Path:
    """``$GANBENCH_CACHE``, else ``ganbench/`` in the user's cache folder; raises as ``data_root``."""
    return _chosen("GANBENCH_CACHE", "XDG_CACHE_HOME", "~/.cache")


def full_path(folder: Path) -> str:
    """It, from the root; unlike ``Path.resolve``, links that go in a circle are no error."""
    return os.path.realpath(folder)


def expanded(path: str, variable: str) -> Path:
    """A path with the home directory for ``~``; an error says which variable to set."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise GanbenchError(f"no home directory is known for {path}: set {variable} to a folder") from None


def is_file(path: Path, variable: str = "GANBENCH_DATA") -> bool:
    """Whether there is such a file; raises GanbenchError where nobody can say, with the variable to set."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise GanbenchError(
            f"cannot look for {path} ({error.strerror}); set {variable} to a folder that can be read"
        ) from None


def _chosen(variable: str, shared: str, usual: str) -> Path:
    if chosen := os.environ.get(variable):
        return expanded(chosen, variable)
    return expanded(os.environ.get(shared) or usual, variable) / "ganbench"
