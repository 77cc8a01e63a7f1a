"""Where tests are at home: a working directory as after a fresh clone, and an environment in which nobody has worked.

What a user has in the checkout's ``results/`` and ``report/``, in caches, or in variables of ours, Ray's and git's
changes no test. The records are those that git has; without git, none could be told from a user's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = ("GANBENCH_", "RAY_", "GIT_", "XDG_", "TORCH_HOME", "LINES", "NO_COLOR", "FORCE_COLOR")
KEPT = ("GANBENCH_CHROMIUM", "RAY_AUTH_MODE", "RAY_TMPDIR", "XDG_RUNTIME_DIR")


def make(folder: Path) -> Path:
    """``folder``, with the repository's suites and the records that it comes with."""
    folder.mkdir()
    for name in ("suites", "tests"):
        (folder / name).symlink_to(ROOT / name)
    if shutil.which("git"):
        git = ["git", "-C", str(ROOT)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        listed = subprocess.run([*git, "ls-files", "-z", "results"], capture_output=True, env=clean).stdout
        if listed:
            out = [*git, "checkout-index", "-z", "--stdin", f"--prefix={folder}/"]
            subprocess.run(out, input=listed, check=True, env=clean)
    return folder


def environment(caches: Path) -> dict[str, str | None]:
    """What to set, and what to remove: data and caches lie below ``caches``, where they are made once for all tests."""
    theirs = [name for name in os.environ if name.startswith(OURS) and name not in KEPT]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return {
        **dict.fromkeys(theirs),
        "COLUMNS": "100000",  # sentences whole, wherever a terminal would break them; widths have tests of their own
        "XDG_CACHE_HOME": str(caches / "cache"),
        "XDG_DATA_HOME": str(caches / "data"),
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR") or str(cache / "matplotlib"),  # its list of fonts takes seconds
    }
