"""Names of networks, losses and parts that no plug-in has, where a suite writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmark.catalogue import instead, meant, plugins
from benchmark.suite.file import read
from benchmark.suite.more_parts import ADDED
from benchmark.suite.nodes import Node
from benchmark.suite.plugged import plugged
from benchmark.suite.recipes import SOURCES


def misspelt_names(path: Path) -> Iterator[str]:
    """Each that is close to a plug-in's, as ``file:line:column: …``. One that is not may be announced before there is
    a plug-in.
    """
    top = read(path).mapping()
    with plugged(top.get("plugins"), path):
        for block in (top[key] for key in ("recipes", "profiles") if key in top):
            for room, kind, at, name in (found for node in block.mapping().values() for found in _named(node)):
                if meant(room, name) not in plugins(room) and (near := instead(room, kind, name)):
                    yield f"{at.place}: {kind} {name!r} is not implemented; did you mean {near!r}?"


def _named(node: Node) -> Iterator[tuple[str, str, Node, str]]:
    """Room, kind, place and name of each network, loss and part that a recipe names, in its ``on:`` too."""
    for key, value in node.mapping().items():
        if key in ("network", "loss"):
            at = value.mapping().get("name") if value.is_mapping() else value
            if at is not None:
                yield "networks" if key == "network" else "methods", key, at, at.text()
        elif key in ("parts", ADDED) and value.is_list():
            for item in value.items():
                yield "methods", "part", item, next(iter(item.mapping())) if item.is_mapping() else item.text()
        elif key not in SOURCES and value.is_mapping():
            yield from _named(value)
