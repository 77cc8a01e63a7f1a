"""What a loaded suite is: tables, cells with their published numbers, claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmark.metrics.names import PROBES
from benchmark.outside.code import plain_name
from benchmark.recipe import Protocol, Recipe
from benchmark.suite.claim import Claim
from benchmark.suite.slug import safe_name

METRICS = (
    "IS",
    "FID",
    "tFID",
    "vFID",
    "KIDx1000",
    "precision",
    "recall",
    "L_Vg_Bz",
    "V_g",
    "D_G",
    "jac_D",
    "jac_V",
    "jac_G",
    *PROBES,
)
REASONS = ("not-converged", "not-reported")
ORIGINS = ("own", "quoted")


@dataclass(frozen=True)
class Published:
    """One number of a table, as printed; or the reason why there is none."""

    text: str  # as printed: "-0.657 ± 0.065", "8.12(0.062)", "15.813", "not-converged"
    value: float | None
    std: float | None
    std_of: str | None  # what the ± or bracket is over: "noises", "seeds", "splits", "unknown"
    origin: str  # "own", or "quoted" from another paper under another protocol
    best: bool = False  # the paper prints it as a best value (bold)


@dataclass(frozen=True)
class Place:
    """Where in a table a recipe stands: what ``on:`` and column filters test."""

    dataset: str
    data_percent: float
    resolution: int
    network: str = field(default="", compare=False)  # of the recipe, by name
    n_dis: int = field(default=1, compare=False)  # of the recipe
    table: str = field(default="", compare=False)  # that it is measured for


@dataclass(frozen=True)
class Cell:
    """One entry of a table: where it stands, what was published there, and how to make it."""

    paper: str
    path: Path = field(compare=False)  # the paper's suite file
    table: str
    group: str  # the part of the table that it is printed in ("critics"), if the table has such parts
    method: str
    backbone: str
    dataset: str
    data_percent: float
    resolution: int
    sized: bool  # the table has this dataset at several resolutions, so that the id names this one
    published: dict[str, Published]
    recipe: Recipe  # of the profile
    protocol: Protocol  # of the profile
    full_recipe: Recipe  # what the paper did; equal to recipe in profile "full"
    full_protocol: Protocol
    profile: str
    stated: dict[str, str]  # field of recipe or protocol -> where the paper states it
    notes: dict[str, str]  # field of recipe or protocol -> why it has its value where the paper does not say
    remarks: tuple[str, ...] = ()  # contradictions, anomalies and unclear conventions of the published numbers
    kinds: dict[str, str] = field(default_factory=dict)  # path of a value ("parts.gran.tau") -> its kind (kinds.py)
    untrained: str = ""  # where the paper says that it does not train; its runs are judged although not ``alive``

    @property
    def id(self) -> str:
        """``paper/table/method/dataset``, with backbone, data percent and resolution where the paper varies them."""
        extra = f"@{self.data_percent:g}%" if self.data_percent != 100 else ""
        extra += f"@{self.resolution}px" if self.sized else ""
        method = f"{self.method}[{self.backbone}]" if self.backbone else self.method
        return f"{self.paper}/{self.table}/{method}/{self.dataset}{extra}"

    @property
    def place(self) -> Place:
        """The column that it stands in."""
        network = plain_name(self.full_recipe.network[0])
        return Place(self.dataset, self.data_percent, self.resolution, network, self.full_recipe.n_dis, self.table)

    @property
    def noted(self) -> int:
        """Characters of its notes and sources."""
        return sum(map(len, (*self.stated.values(), *self.notes.values(), *self.remarks)))

    @property
    def slug(self) -> str:
        """The id without the paper, as one safe folder name."""
        return safe_name(self.id.split("/", 1)[1])


@dataclass(frozen=True)
class Reference:
    """A row that is no method ("Real data"): listed with the published numbers, never run."""

    method: str
    place: Place
    published: dict[str, Published]


@dataclass(frozen=True)
class Tolerance:
    """How far from the published number still counts as the same: |achieved − v| ≤ max(relative·|v|, absolute)."""

    relative: float
    source: str
    absolute: float = 0.0  # where a share of a number near zero says nothing
    absolute_source: str = ""

    def band(self, published: Published) -> tuple[float, str]:
        """Half the band's width about a published number, and where it is from."""
        share = self.relative * abs(published.value or 0.0)
        if self.absolute > share:
            return self.absolute, f"at least {self.absolute:g}: {self.absolute_source}"
        return share, f"{100 * self.relative:g} %: {self.source}"


@dataclass(frozen=True)
class Alive:
    """What a run that trained has at least of a metric, by what the paper says; below it, nothing is judged."""

    least: float
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
    by_metric: bool  # printed with all columns of one metric side by side, not all metrics of one column
    tolerance: dict[str, Tolerance]  # by metric
    references: tuple[Reference, ...] = ()
    alive: dict[str, Alive] = field(default_factory=dict)  # by metric, whether the table prints it or not
    unranked: tuple[str, ...] = ()  # metrics of which the paper calls neither side the better
    # metric -> what the paper asks of a model that "converged": better than this
    converged: dict[str, float] = field(default_factory=dict)
    restates: str | None = None  # the table whose numbers this figure's caption repeats

    @property
    def key(self) -> str:
        """``paper/table``: unique in a suite, also in one that takes tables of several papers."""
        return f"{self.paper}/{self.id}"


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
    sources: tuple[tuple[str, Path], ...]  # name and file: its own, then those of the suites that it takes cells from
    remarks: tuple[str, ...] = ()  # contradictions and unclear conventions of the paper as a whole

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, table by table, row by row."""
        return tuple(cell for table in self.tables for cell in table.cells)
