"""Runs of profile ``ci`` exercise everything and reproduce nothing: they stay apart from the papers' results."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import sure
from benchmark.suite.file import read
from benchmark.suite.find import beside, find, is_a
from benchmark.suite.nodes import SuiteError

CI = "ci"
RESULTS, CI_RESULTS = Path("results"), Path("results", CI)
"""Where records are unless somebody says otherwise: of the papers, and of that profile."""


def results_of(suites: Sequence[str], profile: str | None) -> Path:
    """The folder that is meant where none is given, for these suites under this profile (None: what they state)."""
    try:
        found = {profile} if profile else {p for name in suites for p in _of(name)}
    except SuiteError:  # for the command to speak of
        return RESULTS
    return CI_RESULTS if found == {CI} else RESULTS


def profiles_of(name: str) -> list[str]:
    """The profiles that a suite has, of a selection those that all it includes have; none of what is no suite."""
    try:
        return _had(find(name), ())
    except SuiteError:
        return []


def _had(path: Path | None, chain: tuple[Path, ...]) -> list[str]:
    top = {} if path is None or path in chain else read(path).mapping()
    if "include" not in top:
        return list(dict.fromkeys(["full", *(top["profiles"].mapping() if "profiles" in top else ())])) if top else []
    named = (item.mapping().get("suite") for item in top["include"].items())
    had = [_had(beside(sure(path), node.text()), (*chain, sure(path))) for node in named if node is not None]
    return [profile for profile in had[0] if all(profile in others for others in had)] if had else []


def _of(name: str) -> set[str]:
    return {"full"} if is_a(Path(name), stat.S_ISDIR) else _stated(find(name), ())


def _stated(path: Path | None, chain: tuple[Path, ...]) -> set[str]:
    """The profiles that a suite states: a selection's own, or those of what it includes."""
    if path is None or path in chain or "include" not in (top := read(path).mapping()):
        return {"full"}
    found = set[str]()
    for item in (node.mapping() for node in top["include"].items()):
        inner = item["suite"].text() if "suite" in item else ""
        found |= {item["profile"].text()} if "profile" in item else _stated(beside(path, inner), (*chain, path))
    return found


def newer_status() -> Path:
    """Of both folders, the one in which a driver has written last."""

    def written(results: Path) -> float:
        """0 where there is nothing, or nobody may look."""
        try:
            return (results / "runs" / "status.json").stat().st_mtime
        except OSError:
            return 0.0

    return CI_RESULTS if written(CI_RESULTS) > written(RESULTS) else RESULTS
