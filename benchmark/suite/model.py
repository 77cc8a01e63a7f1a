"""What a loaded suite is: tables, cells with their published numbers, claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmark.recipe import Protocol, Recipe
from benchmark.records import safe_name

METRICS = ("IS", "FID", "tFID", "vFID", "KIDx1000", "L_Vg_Bz", "V_g", "D_G", "jac_D", "jac_V", "jac_G")
REASONS = ("not-converged", "not-reported")
ORIGINS = ("own", "quoted")


@dataclass(frozen=True)
class Published:
    """One number of a table, as printed; or the reason why there is none."""

    text: str  # as printed: "-0.657 ± 0.065", "15.813", "not-converged"
    value: float | None
    std: float | None
    std_of: str | None  # what the ± is over: "noises", "seeds", "splits", "unknown"
    origin: str  # "own", or "quoted" from another paper under another protocol


@dataclass(frozen=True)
class Cell:
    """One entry of a table: where it stands, what was published there, and how to make it."""

    paper: str
    table: str
    method: str
    backbone: str
    dataset: str
    data_percent: float
    resolution: int
    published: dict[str, Published]
    recipe: Recipe  # of the profile
    protocol: Protocol  # of the profile
    full_recipe: Recipe  # what the paper did; equal to recipe in profile "full"
    full_protocol: Protocol
    profile: str
    notes: dict[str, str]  # recipe field -> why it has its value where the paper does not say

    @property
    def id(self) -> str:
        """``paper/table/method/dataset``, with backbone and data percent where the paper varies them."""
        extra = f"@{self.data_percent:g}%" if self.data_percent != 100 else ""
        method = f"{self.method}[{self.backbone}]" if self.backbone else self.method
        return f"{self.paper}/{self.table}/{method}/{self.dataset}{extra}"

    @property
    def slug(self) -> str:
        """The id without the paper, as one safe folder name."""
        return safe_name(self.id.split("/", 1)[1])


@dataclass(frozen=True)
class Column:
    """One column of a table: the coordinates and recipe fields that it sets."""

    dataset: str | None = None
    resolution: int | None = None
    data_percent: float | None = None


@dataclass(frozen=True)
class Tolerance:
    """How far from the published number still counts as the same: |achieved − v| ≤ relative·|v|."""

    relative: float
    source: str


@dataclass(frozen=True)
class Table:
    """One table of a paper."""

    paper: str
    id: str
    caption: str
    metrics: dict[str, str]  # metric -> "lower" or "higher", which is better
    cells: tuple[Cell, ...]  # row by row, as printed
    transposed: bool  # printed with the methods as columns
    tolerance: dict[str, Tolerance]  # by metric

    @property
    def key(self) -> str:
        """``paper/table``: unique in a suite, also in one that takes tables of several papers."""
        return f"{self.paper}/{self.id}"


@dataclass(frozen=True)
class Comparison:
    """What a claim says of the numbers; see ``suites/README.md`` for the language."""

    table: str
    ascending: tuple[str, ...]  # methods, the smallest value first
    metrics: tuple[str, ...]
    times: dict[str, float] = field(default_factory=dict)  # method -> factor applied to its value first


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, with the comparison over cells that it amounts to."""

    paper: str
    id: str
    quote: str
    where: str
    holds: Comparison


@dataclass(frozen=True)
class Suite:
    """One suite file: a paper's tables, or a selection from other suites."""

    name: str
    path: Path
    title: str
    venue: str
    profile: str
    profiles: tuple[str, ...]
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, table by table, row by row."""
        return tuple(cell for table in self.tables for cell in table.cells)
