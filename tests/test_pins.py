"""The pinned versions install under every Python that the package says it runs on."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from packaging.specifiers import SpecifierSet

from tests.home import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M))


def promised() -> list[str]:
    """The oldest Python of requires-python, and those that are named one by one."""
    oldest = PROJECT["requires-python"].removeprefix(">=")
    return [oldest, *re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT.get("classifiers", [])), re.M)]


def test_every_dependency_is_pinned() -> None:
    names = {re.split(r"[<>=\[; ]", line)[0].lower() for line in PROJECT["dependencies"]}
    assert names <= {name.lower() for name in PINS} and len(PINS) > 12


@pytest.mark.parametrize("name", PINS)
def test_a_pin_takes_every_python_that_is_promised(name: str) -> None:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    if about["Version"].partition("+")[0] != PINS[name]:
        pytest.skip(f"{name} {about['Version']} is installed, and {PINS[name]} pinned")
    takes = SpecifierSet(about["Requires-Python"] or "")
    assert not [python for python in promised() if python not in takes], f"{name} takes {takes}"
