"""``ganbench data fetch`` of weights: a file comes from a public address, and takes its place if its hash is right."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from benchmark.data.download import download
from benchmark.data.home import is_file
from benchmark.errors import GanbenchError, plain
from benchmark.files import why
from benchmark.scratch import scratch
from benchmark.weights.known import known
from benchmark.weights.place import VARIABLE, find, given, lacks_package, place
from benchmark.weights.read import verified

SCRATCH = ".ganbench-fetch-"


def fetch(name: str, force: bool = False, say: Callable[[str], None] = print) -> None:
    """Get a file of weights to where ``find`` looks for it, from the first of its addresses that has it.

    Args:
        force: get it anew, also where a file is there.

    Raises:
        GanbenchError: it comes with a package, is here and wrong, or no address gave the right bytes; nothing wrong is
            left behind.
    """
    weights = known(name)
    if weights.package:
        if find(name) is None:
            raise GanbenchError(f"{name} comes with a package: {weights.get}")
        say(f"{name}: nothing to fetch; it is in the package {weights.package}")
        return
    if (user := given(weights)) is not None:
        if not _is_right(name, user):
            raise GanbenchError(f"{VARIABLE} says that {name} is {user}, which it is not: unset it to fetch the file")
        say(f"{name}: nothing to fetch; {VARIABLE} says that it is {plain(str(user))}")
        return
    target = place(weights)
    if force or not is_file(target, "TORCH_HOME"):
        _get(name, target, say)
    elif _is_right(name, target):
        say(f"{name}: nothing to fetch; it is {plain(str(target))}")
    else:
        raise GanbenchError(f"{target} is not {name}; to replace it, run: ganbench data fetch {name} --force")
    if package := lacks_package(weights):
        say(f"{name}: also run: pip install {package}")


def _get(name: str, target: Path, say: Callable[[str], None]) -> None:
    weights, failures = known(name), list[str]()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in weights.urls:
            with scratch(target.parent, SCRATCH) as folder:
                try:
                    got = download(url, folder / weights.file, weights.bytes)
                except GanbenchError as error:
                    failures.append(f"{url}: {error}")
                    continue
                if not _is_right(name, got):
                    failures.append(f"{url}: its sha256 is not {weights.sha256[:16]}…")
                    continue
                os.replace(got, target)
                say(f"{name}: {weights.file} from {url}: checksum right; it is {plain(str(target))}")
                return
    except OSError as error:
        raise GanbenchError(
            f"cannot write {target} ({why(error)}); set TORCH_HOME to a folder that can be written, and has room"
        ) from None
    tried = "\n  ".join(failures)
    raise GanbenchError(f"{name}: no source gave {weights.file}:\n  {tried}\n{weights.get}")


def _is_right(name: str, path: Path) -> bool:
    try:
        verified(name, path)
    except GanbenchError:
        return False
    return True
