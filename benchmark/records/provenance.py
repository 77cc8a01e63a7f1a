"""Where and with what something ran: kept with every stretch of a run, since a run may be resumed elsewhere."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import subprocess
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Any

import benchmark
from benchmark.errors import GanbenchError
from benchmark.process.home import PACKAGE
from benchmark.process.installed import installed
from benchmark.records.record import Record

COMMIT = "GANBENCH_COMMIT"
"""Environment variable: the commit of code that was copied here without its history, as ``ray job submit`` does."""

PACKAGES = (
    "torch",  # trains, and computes features
    "numpy",  # draws subsets and seeds, computes FID
    "scipy",  # the eigenvalues in FID
    "torch-fidelity",  # IS, KID, precision and recall, and the papers' Inception network
    "torchvision",  # a part of that
    "efficientnet-lite-pytorch",  # the proxy's network
    "pillow",  # decodes and resizes images
    "ray",
)

CODE = (*all_suffixes(), ".yaml", ".j2", ".css", ".js")
"""What the files of the package end in that have a say in what it does."""

HERE = "records/provenance.py"
SUITES = "suites/"
"""Of the package's folder: what papers say has no say in what the code does, and in a checkout it is a link."""
GIT_S = 10.0
LONGEST = 100  # characters of what a stretch says of itself

_drivers: dict[str, str] = {}
"""In a worker: what the driver said of the code, which is the same."""


def code_version() -> dict[str, str]:
    """``{"ganbench": version, "commit": sha, "package": sha256}`` of the code that runs.

    The commit is that of the package's own repository, and ends in ``+changes`` where the package's files are not the
    commit's. Outside of it, or if git does not say for certain, it is what ``GANBENCH_COMMIT`` says, or "unknown"; then
    "package", a hash of the package's files, tells one code from another.
    """
    return _drivers or _own_version()


def adopt(version: dict[str, str]) -> None:
    """In a worker: take over the driver's word on the code.

    Raises:
        GanbenchError: this process runs other code.
    """
    if (found := package_hash(Path(PACKAGE))) != version["package"]:
        raise GanbenchError(
            f"node {platform.node()} runs other code than the driver: {PACKAGE} ({found[:12]}), not the "
            f"driver's ({version['package'][:12]}); if ganbench was changed meanwhile, run the same command "
            "again"
        )
    _drivers.update(version)


def libraries() -> dict[str, str]:
    """Versions of Python and of the packages that decide a number; "absent" where one is not installed."""
    return {"python": platform.python_version(), **{name: installed(name) for name in PACKAGES}}


def segments(record: Record) -> list[dict[str, Any]]:
    """The stretches of a run, as far as they are such."""
    return [s for s in record.provenance.get("segments", []) if isinstance(s, dict)]


def named(stretch: dict[str, Any], key: str) -> str:
    """What a stretch says of itself, as far as one line takes it."""
    value = stretch.get(key)
    return str(value)[:LONGEST] if value is None or isinstance(value, (str, int, float)) else "unknown"


def which_code(stretch: dict[str, Any]) -> str:
    """The code of a stretch of a run in words: ``0123456789ab``, ``0123456789ab+changes``, ``unknown (ganbench 0.1.0,
    package 9876…)``.
    """
    commit, package = str(stretch.get("commit") or "unknown")[:LONGEST], stretch.get("package")
    sha, plus, changes = commit.partition("+")
    if not package or not (plus or sha == "unknown"):
        return sha[:12] + plus + changes[:12]
    return f"{sha[:12]}{plus}{changes[:12]} (ganbench {named(stretch, 'ganbench')[:12]}, package {str(package)[:12]})"


@functools.cache
def processor() -> str:
    """The processor's model, as the system names it, with its architecture."""
    model = ""
    if (info := Path("/proc/cpuinfo")).exists():
        model = next(
            (
                line.split(":", 1)[1].strip()
                for line in info.read_text("utf-8", "replace").splitlines()
                if line.startswith("model name")
            ),
            "",
        )
    return f"{model or platform.processor() or 'unknown'} ({platform.machine()})"


@functools.cache
def _own_version() -> dict[str, str]:
    folder = Path(PACKAGE)
    commit = commit_of(folder) or os.environ.get(COMMIT) or "unknown"
    return {"ganbench": benchmark.__version__, "commit": commit, "package": package_hash(folder)}


def package_hash(folder: Path) -> str:
    """sha256 of all code in ``folder``: equal for two copies of one package, wherever they lie."""
    digest = hashlib.sha256()
    for name, content in sorted(_code(folder).items()):
        digest.update(b"%d %b %d " % (len(name), os.fsencode(name), len(content)) + content)
    return digest.hexdigest()


def commit_of(folder: Path) -> str:
    """The commit that the package in ``folder`` is of, ``+changes`` added where its files are not that commit's.

    "" unless it is the package of the repository that it lies in, and git answers. The files are held against the
    commit itself: no index, and no file's date, has a say.
    """
    try:
        prefix, commit = os.fsdecode(_git(folder, "rev-parse", "--show-prefix", "HEAD")).splitlines()
        tree = os.fsdecode(_git(folder, "ls-tree", "-r", "-z", commit)).split("\0")[:-1]
        committed = {name: about.split()[2] for about, name in (entry.split("\t", 1) for entry in tree)}
        found = _code(folder)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return ""
    if prefix != "benchmark/" or HERE not in committed:
        return ""
    kind = "sha1" if len(commit) == 40 else "sha256"
    here = {name: hashlib.new(kind, b"blob %d\0" % len(text) + text).hexdigest() for name, text in found.items()}
    return commit if here == {n: h for n, h in committed.items() if n.endswith(CODE)} else f"{commit}+changes"


def _code(folder: Path) -> dict[str, bytes]:
    """Name in ``folder`` -> content, of every file that has a say in what the package does."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.name.endswith(CODE) and path.parent.name != "__pycache__" and path.is_file()
        if not path.relative_to(folder).as_posix().startswith(SUITES)
    }


def _git(folder: Path, *arguments: str) -> bytes:
    """What git says, whatever the environment would have it say."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", "--no-replace-objects", "-C", str(folder), *arguments],
        env=clean | {"GIT_NO_LAZY_FETCH": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=GIT_S,
        check=True,
    ).stdout
