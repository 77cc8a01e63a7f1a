"""What pytest says at its end: the seconds of each file, and which tests were left out because they take long."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

LEFT_OUT = pytest.StashKey[list[str]]()
DEFAULT = "not slow"  # what pyproject.toml chooses


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember the slow ones that were left out for being slow."""
    if items[0].config.option.markexpr == DEFAULT and all(item.get_closest_marker("slow") for item in items):
        items[0].config.stash[LEFT_OUT] = [item.nodeid for item in items]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist tells them: its controller collects nothing."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(LEFT_OUT, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All workers tell the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left out", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The last lines."""
    seconds: Counter[str] = Counter()
    for report in (r for found in terminalreporter.stats.values() for r in found if hasattr(r, "duration")):
        seconds[report.nodeid.partition("::")[0]] += report.duration
    if len(seconds) > 1:
        terminalreporter.section("seconds of each file")
        for name, spent in seconds.most_common():
            terminalreporter.write_line(f"{spent:7.1f}  {name}")
    if left_out := config.stash.get(LEFT_OUT, []):
        asked = [arg for arg in config.args if any(name == arg or name.startswith(f"{arg}[") for name in left_out)]
        command = " ".join(["pytest -m slow", *dict.fromkeys(asked)])
        them = "it" if len(left_out) == 1 else "them"
        terminalreporter.write_line(f"marked slow, and left out: {len(left_out)}; to run {them}: {command}")
