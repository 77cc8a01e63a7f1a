"""Rows, columns and references of a table, as read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.catalogue import meant
from benchmark.data.cards import card
from benchmark.errors import GanbenchError
from benchmark.metrics.names import BETTER
from benchmark.suite import published
from benchmark.suite.draft import COORDINATES, Draft
from benchmark.suite.fields import scalar
from benchmark.suite.model import METRICS, ORIGINS, Cell, Reference
from benchmark.suite.nodes import Node
from benchmark.suite.recipes import read_protocol

ROW_KEYS = ("recipe", "method", "backbone", "origin", "std_of", "protocol", "note", "untrained")
TABLE_KEYS = (
    "caption",
    "metrics",
    "std_of",
    "backbone",
    "columns",
    "transposed",
    "by_metric",
    "protocol",
    "rows",
    "groups",
    "references",
    "notes",
    "restates",
    "converged",
    "unranked",
)


@dataclass(frozen=True)
class Profile:
    """A named transformation of every recipe and protocol of a suite: changes that are made one after the other."""

    name: str
    recipe: tuple[Draft, ...] = ()
    protocol: tuple[Draft, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of a table: the coordinates that it sets, and how its numbers are measured if not as the others."""

    coordinates: Draft = field(default_factory=Draft)
    protocol: Draft = field(default_factory=Draft)


@dataclass(frozen=True)
class Row:
    """Where a row's cells stand, and what it shares with the other rows of its table."""

    table: str
    group: str
    backbone: str
    std_of: str
    metrics: dict[str, str]
    columns: list[Column]
    protocol: Draft
    restated: tuple[Cell, ...] | None  # the cells that a figure's caption may repeat


def read_rows(given: dict[str, Node], row: Row) -> list[tuple[str, Node, Row]]:
    """The rows of a table, those of groups one by one: method, what is said of it, and what holds for it."""
    if "rows" in given:
        return [(name, at, row) for name, at in given["rows"].mapping().items()]
    found = []
    for group, node in given["groups"].mapping().items():
        inner = node.mapping({"backbone", "rows"}, ("rows",))
        shared = replace(row, group=group, backbone=inner["backbone"].text() if "backbone" in inner else row.backbone)
        found += [(name, at, shared) for name, at in inner["rows"].mapping().items()]
    return found


def read_metrics(node: Node) -> dict[str, str]:
    """Metric to direction."""
    if not node.is_mapping():
        node.fail("a metric needs its direction: write '{FID: lower, IS: higher}'")
    found = {name: _direction(name, value) for name, value in node.mapping(METRICS).items()}
    return found or node.fail("a table without a metric")


def _direction(metric: str, node: Node) -> str:
    """``lower`` or ``higher``; fails where the metric has a direction of its own, and this is the other one."""
    said = node.one_of(("lower", "higher"), f"direction of {metric}")
    if (own := BETTER.get(metric, said)) != said:
        node.fail(f"{metric} is the better the {own}: write '{metric}: {own}'")
    return said


def read_unranked(given: dict[str, Node], metrics: dict[str, str]) -> tuple[str, ...]:
    """The metrics of which the paper calls neither side the better."""
    return tuple(m.one_of(metrics, "metric") for m in given["unranked"].items()) if "unranked" in given else ()


def read_converged(node: Node, row: Row) -> dict[str, float]:
    """``converged: {FID: 70}``: the paper prints a dash where a model's FID is not below 70."""
    found = {}
    for metric, value in node.mapping(row.metrics).items():
        found[metric] = float(value.number())
    return found or node.fail("a limit without a metric")


def read_column(node: Node) -> Column:
    """What a column changes in recipe and protocol."""
    given = node.mapping({*COORDINATES, "protocol"})
    fields: dict[str, Any] = {"dataset": _dataset(given["dataset"])} if "dataset" in given else {}
    for key, kind in (("resolution", "int"), ("data_percent", "float")):
        if key in given:
            fields[key] = scalar(key, kind, given[key])
    return Column(Draft(fields), read_protocol(given["protocol"]) if "protocol" in given else Draft())


def _dataset(node: Node) -> str:
    """The name of a dataset that has a card."""
    try:
        return card(meant("datasets", node.text())).name
    except GanbenchError as error:
        node.fail(str(error))


def read_origins(node: Node | None, columns: int) -> list[str]:
    """Where the numbers of each column are from: the paper's own, or quoted."""
    if node is None:
        return ["own"] * columns
    given = (
        [n.one_of(ORIGINS, "origin") for n in node.items()]
        if node.is_list()
        else [node.one_of(ORIGINS, "origin")] * columns
    )
    if len(given) != columns:
        node.fail(f"{len(given)} origin(s) for {columns} column(s)")
    return given


def read_references(node: Node, row: Row, cells: list[Cell]) -> list[Reference]:
    """Rows such as ``Real data: {IS: 11.24 ± .12, FID: 0}``, one reference a column."""
    found = []
    places = list(dict.fromkeys(c.place for c in cells))
    for method, at in node.mapping().items():
        numbers = {
            m: published.read_row(n, len(places), row.std_of, ["own"] * len(places))
            for m, n in at.mapping(row.metrics).items()
        }
        found += [Reference(method, place, {m: n[i] for m, n in numbers.items()}) for i, place in enumerate(places)]
    return found
